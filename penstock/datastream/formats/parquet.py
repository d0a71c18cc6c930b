"""Parquet; the names of ``pyflink.datastream.formats.parquet``."""

from penstock.formats.column_writers import ParquetBulkWriters
from penstock.formats.parquet import ParquetColumnarRowInputFormat

__all__ = [
    "ParquetBulkWriters",
    "ParquetColumnarRowInputFormat",
]
