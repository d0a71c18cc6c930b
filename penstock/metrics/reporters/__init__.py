"""Who is told what is measured: reporters that are named in the options, as Flink's are."""
