"""Schemas that need no library: texts, bytes, a field of a row, those of users, encoders. Results are those of Flink 2.3."""

import pickle
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from penstock.common import DeserializationSchema, Encoder, SerializationSchema, SimpleStringSchema
from penstock.contracts.serialization import ByteArraySchema, RowFieldExtractorSchema
from penstock.data.row import Row
from penstock.data.types import TypeInformation, Types
from penstock.errors import ProgramError, TypeMismatch


def test_texts_are_written_and_read_in_their_charset() -> None:
    for charset, written in (("UTF-8", b"\xc3\xa9"), ("ISO-8859-1", b"\xe9"), ("UTF-16BE", b"\x00\xe9")):
        schema = pickle.loads(pickle.dumps(SimpleStringSchema(charset)))
        assert schema.serialize("é") == written
        assert schema.deserialize(written) == "é"
    assert SimpleStringSchema().deserialize(b"\xff") == "\ufffd"
    assert SimpleStringSchema().get_produced_type() == Types.STRING()
    assert SimpleStringSchema().is_end_of_stream("x") is False
    with pytest.raises(ProgramError, match="there is no charset 'nonsense'"):
        SimpleStringSchema("nonsense")
    with pytest.raises(TypeMismatch, match="writes str, not 5"):
        SimpleStringSchema().serialize(5)


def test_marks_of_byte_order_are_written_and_read_as_java_does() -> None:
    sixteen, thirty_two = SimpleStringSchema("UTF-16"), SimpleStringSchema("UTF-32")
    assert sixteen.serialize("é") == b"\xfe\xff\x00\xe9"
    assert thirty_two.serialize("é") == b"\x00\x00\x00\xe9"
    messages = [b"\xfe\xff\x00\xe9", b"\xff\xfe\xe9\x00", b"\x00\xe9"]
    assert [sixteen.deserialize(message) for message in messages] == ["é"] * 3
    assert sixteen.deserialize_batch(messages) == ["é"] * 3
    assert (
        thirty_two.deserialize_batch([b"\x00\x00\x00\xe9", b"\xff\xfe\x00\x00\xe9\x00\x00\x00"]) == ["é"] * 2
    )


def test_a_letter_that_is_not_in_the_charset_is_named() -> None:
    with pytest.raises(TypeMismatch, match=r"'aé' has a letter that is not in ascii: .* at position 1; give"):
        SimpleStringSchema("US-ASCII").serialize("aé")


def test_bytes_stay_as_they_are() -> None:
    schema = ByteArraySchema()
    assert schema.serialize(bytearray(b"x")) == schema.deserialize(b"x") == b"x"
    with pytest.raises(TypeMismatch, match="writes bytes, not 'x'"):
        schema.serialize("x")


def test_one_field_of_a_row_is_taken_out() -> None:
    schema = RowFieldExtractorSchema(1)
    assert [schema.serialize(row) for row in (("a", b"b"), Row("a", None), None)] == [b"b", b"", b""]
    assert schema == RowFieldExtractorSchema(1) != RowFieldExtractorSchema(2)
    assert len({schema, RowFieldExtractorSchema(1)}) == 1
    with pytest.raises(TypeMismatch, match=r"field 1 of .* has to be bytes, not 5"):
        schema.serialize(("a", 5))
    with pytest.raises(TypeMismatch, match=r"there is no field 1 in .*, which has 1 fields"):
        schema.serialize((b"a",))
    with pytest.raises(ValueError, match="Field index must be non-negative"):
        RowFieldExtractorSchema(-1)


class Numbers(SerializationSchema, DeserializationSchema):
    def __init__(self) -> None:
        self.batches = 0

    def open(self) -> None:
        self.base = 16

    def serialize(self, element: Any) -> bytes:
        return f"{element:x}".encode()

    def deserialize(self, message: bytes) -> Any:
        return int(message, self.base) if message else None

    def is_end_of_stream(self, next_element: Any) -> bool:
        return bool(next_element == 0)

    def get_produced_type(self) -> TypeInformation:
        return Types.LONG()


class InBatches(Numbers):
    def deserialize_batch(self, messages: list[bytes]) -> list[Any]:
        self.batches += 1
        return [int(message, self.base) for message in messages if message]


@pytest.mark.parametrize("kind", [Numbers, InBatches])
def test_a_schema_of_a_user_is_opened_where_it_runs_and_reads_batches(kind: type[Numbers]) -> None:
    schema = pickle.loads(pickle.dumps(kind()))
    schema.open()
    assert schema.deserialize_batch([b"ff", b"", b"10"]) == [255, 16]
    assert schema.batches == (kind is InBatches)
    assert schema.serialize_batch([255, 16]) == [b"ff", b"10"]
    assert schema.is_end_of_stream(0)


class WithLength(Encoder):
    def encode(self, element: Any, stream: BinaryIO) -> None:
        stream.write(bytes([len(element)]) + element)


def test_encoders_write_one_value_behind_the_other() -> None:
    stream = BytesIO()
    for value in (b"a", b"bc"):
        WithLength().encode(value, stream)
    lines = pickle.loads(pickle.dumps(Encoder.simple_string_encoder("UTF-16BE")))
    lines.encode("é", stream)
    assert stream.getvalue() == b"\x01a\x02bc\x00\xe9\x00\n"
