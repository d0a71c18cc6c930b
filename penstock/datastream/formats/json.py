"""JSON; the names of ``pyflink.datastream.formats.json``, and JSON of other shapes than rows."""

from penstock.formats.json import (
    JsonDeserializationSchema,
    JsonLinesFormat,
    JsonRowDeserializationSchema,
    JsonRowSerializationSchema,
    JsonSerializationSchema,
)

__all__ = [
    "JsonDeserializationSchema",
    "JsonLinesFormat",
    "JsonRowDeserializationSchema",
    "JsonRowSerializationSchema",
    "JsonSerializationSchema",
]
