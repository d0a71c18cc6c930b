"""Apache Kafka: a source whose splits are partitions, and a sink."""
