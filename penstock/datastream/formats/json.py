"""JSON; the names of ``pyflink.datastream.formats.json``, and JSON of other shapes than rows."""

from penstock.formats.json import (
    JsonDeserializationSchema,
    JsonLinesFormat,
    JsonRowDeserializationSchema,
    JsonRowSerializationSchema,
    JsonSerializationSchema,
)

JSONDeserializationSchema = JsonDeserializationSchema
"""The name of Flink's older releases for JSON as dicts."""

__all__ = [
    "JSONDeserializationSchema",
    "JsonDeserializationSchema",
    "JsonLinesFormat",
    "JsonRowDeserializationSchema",
    "JsonRowSerializationSchema",
    "JsonSerializationSchema",
]
