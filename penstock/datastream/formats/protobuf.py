"""Protobuf, which PyFlink has as a format of tables only."""

from penstock.formats.protobuf import (
    ProtobufDeserializationSchema,
    ProtobufRowDeserializationSchema,
    ProtobufSerializationSchema,
)
from penstock.formats.protobuf_schema import ProtobufSchema

__all__ = [
    "ProtobufDeserializationSchema",
    "ProtobufRowDeserializationSchema",
    "ProtobufSchema",
    "ProtobufSerializationSchema",
]
