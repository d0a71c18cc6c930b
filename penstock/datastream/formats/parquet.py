"""Parquet; the names of ``pyflink.datastream.formats.parquet``."""

from penstock.formats.avro_columns import AvroParquetReaders, AvroParquetWriters
from penstock.formats.column_writers import ParquetBulkWriters
from penstock.formats.parquet import ParquetColumnarRowInputFormat

__all__ = [
    "AvroParquetReaders",
    "AvroParquetWriters",
    "ParquetBulkWriters",
    "ParquetColumnarRowInputFormat",
]
