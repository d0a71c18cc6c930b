"""CSV; the names of ``pyflink.datastream.formats.csv``."""

from penstock.formats.csv import CsvReaderFormat, CsvRowDeserializationSchema, CsvRowSerializationSchema
from penstock.formats.csv_schema import CsvSchema, CsvSchemaBuilder

__all__ = [
    "CsvReaderFormat",
    "CsvRowDeserializationSchema",
    "CsvRowSerializationSchema",
    "CsvSchema",
    "CsvSchemaBuilder",
]
