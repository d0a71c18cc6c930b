"""CSV; the names of ``pyflink.datastream.formats.csv``."""

from penstock.formats.csv import CsvReaderFormat, CsvRowDeserializationSchema, CsvRowSerializationSchema
from penstock.formats.csv_schema import CsvSchema, CsvSchemaBuilder
from penstock.formats.record_writers import CsvBulkWriters

__all__ = [
    "CsvBulkWriters",
    "CsvReaderFormat",
    "CsvRowDeserializationSchema",
    "CsvRowSerializationSchema",
    "CsvSchema",
    "CsvSchemaBuilder",
]
