"""Apache Flink's model of stream and batch processing, in Python, without a JVM."""

__version__ = "0.1.0.dev0"
