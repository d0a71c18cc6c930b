"""Parquet; the names of ``pyflink.datastream.formats.parquet``."""

from penstock.formats.parquet import ParquetColumnarRowInputFormat

__all__ = [
    "ParquetColumnarRowInputFormat",
]
