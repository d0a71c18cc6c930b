"""Values as bytes at the borders of a program."""

from penstock.contracts.bulk_writing import BulkWriter, BulkWriterFactory
from penstock.contracts.serialization import (
    ByteArraySchema,
    DeserializationSchema,
    Encoder,
    RowFieldExtractorSchema,
    SerializationSchema,
    SimpleStringSchema,
)
from penstock.formats.type_bytes import TypeInformationSerializationSchema

__all__ = [
    "BulkWriter",
    "BulkWriterFactory",
    "ByteArraySchema",
    "DeserializationSchema",
    "Encoder",
    "RowFieldExtractorSchema",
    "SerializationSchema",
    "SimpleStringSchema",
    "TypeInformationSerializationSchema",
]
