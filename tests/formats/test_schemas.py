"""Messages of JSON, CSV and Avro as values, and back."""

import pickle
import sys
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.row import Row
from penstock.data.types import Types
from penstock.errors import OutsideError, ProgramError, TypeMismatch
from penstock.formats.avro import AvroRowDeserializationSchema, AvroRowSerializationSchema, AvroSchema
from penstock.formats.csv import CsvRowDeserializationSchema, CsvRowSerializationSchema
from penstock.formats.json import (
    JsonDeserializationSchema,
    JsonRowDeserializationSchema,
    JsonRowSerializationSchema,
    JsonSerializationSchema,
)

NAMES = ["n", "x", "s", "b", "d", "t", "dt", "dec", "raw", "l"]
KINDS = [
    Types.LONG(),
    Types.DOUBLE(),
    Types.STRING(),
    Types.BOOLEAN(),
    Types.SQL_DATE(),
    Types.SQL_TIME(),
    Types.SQL_TIMESTAMP(),
    Types.BIG_DEC(),
    Types.PRIMITIVE_ARRAY(Types.BYTE()),
    Types.BASIC_ARRAY(Types.INT()),
]
ALL = Types.ROW_NAMED(NAMES, KINDS)
FULL = (
    7,
    0.5,
    'a,"b\n',
    True,
    date(2024, 2, 29),
    time(1, 2, 3),
    datetime.fromisoformat("2024-02-29T01:02:03"),
    Decimal("1.5"),
)
ROW = Row(**dict(zip(NAMES, (*FULL, b"\x00\xff", [1, 2]), strict=True)))
AVRO = (
    '{"type":"record","name":"R","fields":[{"name":"n","type":"int"},{"name":"s","type":["null","string"]}]}'
)


@dataclass
class Inner:
    """A part of a record."""

    n: int


@dataclass
class Outer:
    """A record with parts."""

    one: Inner
    many: list[Inner]
    note: str = "none"


def json_schemas() -> tuple[Any, Any]:
    return (
        JsonRowSerializationSchema.builder().with_type_info(ALL).build(),
        JsonRowDeserializationSchema.builder().type_info(ALL).build(),
    )


def csv_schemas() -> tuple[Any, Any]:
    return CsvRowSerializationSchema.Builder(ALL).build(), CsvRowDeserializationSchema.Builder(ALL).build()


@pytest.mark.parametrize("schemas", [json_schemas, csv_schemas])
def test_rows_of_all_types_come_back_also_through_a_pickle(schemas: Any) -> None:
    write, read = pickle.loads(pickle.dumps(schemas()))
    assert read.deserialize(write.serialize(ROW)) == ROW
    assert read.deserialize_batch(write.serialize_batch([ROW, ROW])) == [ROW, ROW]
    assert read.get_produced_type() == ALL


@given(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_and_number_comes_back(n: int, s: str) -> None:
    kind = Types.ROW_NAMED(["n", "s"], [Types.LONG(), Types.STRING()])
    message = JsonRowSerializationSchema.builder().with_type_info(kind).build().serialize((n, s))
    assert JsonRowDeserializationSchema(kind).deserialize(message) == Row(n=n, s=s)


def test_missing_fields_are_none_or_an_error() -> None:
    kind = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.ROW_NAMED(["c"], [Types.SQL_DATE()])])
    builder = JsonRowDeserializationSchema.builder().type_info(kind)
    assert builder.build().deserialize(b'{"b": {}}') == Row(a=None, b=Row(c=None))
    with pytest.raises(OutsideError, match=r"the field 'a' is missing; it was b'\{\}'"):
        builder.fail_on_missing_field().build().deserialize(b"{}")


def test_messages_that_cannot_be_read_fail_or_are_left_out() -> None:
    kind = Types.ROW_NAMED(["a"], [Types.INT()])
    builder = JsonRowDeserializationSchema.builder().type_info(kind)
    for message in (b"{", b"[]", b'{"a": "x"}', b"\xff"):
        with pytest.raises(OutsideError, match="a message cannot be read"):
            builder.build().deserialize(message)
    lenient = builder.ignore_parse_errors().build()
    assert lenient.deserialize_batch([b"{", b'{"a": 1}', b'{"a": []}']) == [Row(a=1)]
    csv = CsvRowDeserializationSchema.Builder(kind)
    for message in (b"x", b"1,2", b"1\n2", b'"1'):
        with pytest.raises(OutsideError, match="a message cannot be read"):
            csv.build().deserialize(message)
    lenient_csv = csv.set_ignore_parse_errors(True).build()
    assert lenient_csv.deserialize_batch([b"x", b"1,2", b'"1', b"", b"1"]) == [Row(a=None), Row(a=1)]


def test_a_json_schema_says_what_rows_come_out() -> None:
    text = """{"type": "object", "properties": {
        "s": {"type": ["string", "null"]}, "n": {"type": "integer"}, "at": {"type": "string", "format": "date"},
        "list": {"type": "array", "items": {"$ref": "#/definitions/flag"}}},
        "definitions": {"flag": {"type": "boolean"}}}"""
    schema = JsonRowDeserializationSchema.builder().json_schema(text).build()
    message = b'{"s": null, "n": 3, "at": "2024-02-29", "list": [true]}'
    assert schema.deserialize(message) == Row(s=None, n=Decimal(3), at=date(2024, 2, 29), list=[True])
    with pytest.raises(ProgramError, match="which no type of rows stands for"):
        JsonRowDeserializationSchema.builder().json_schema('{"type": "null"}')


def test_dataclasses_and_pydantic_models_are_made_of_json() -> None:
    import pydantic

    message = b'{"one": {"n": 1}, "many": [{"n": 2}, {"n": 3}], "unknown": 4}'
    assert JsonDeserializationSchema(Outer).deserialize(message) == Outer(Inner(1), [Inner(2), Inner(3)])
    model = pydantic.create_model("Model", n=(int, ...))
    schema = JsonDeserializationSchema(model)
    assert schema.deserialize(b'{"n": "5"}') == model(n=5)
    with pytest.raises(OutsideError, match="a message cannot be read"):
        schema.deserialize(b'{"n": "x"}')
    write = JsonSerializationSchema()
    assert write.serialize(model(n=5)) == b'{"n":5}'
    assert write.serialize(Outer(Inner(1), [])) == b'{"one":{"n":1},"many":[],"note":"none"}'
    with pytest.raises(TypeMismatch, match="has no form in JSON"):
        write.serialize(object())
    with pytest.raises(ProgramError, match="dataclasses or pydantic models"):
        JsonDeserializationSchema(int)


def test_avro_records_come_back_as_rows() -> None:
    write = pickle.loads(pickle.dumps(AvroRowSerializationSchema(avro_schema_string=AVRO)))
    read = pickle.loads(pickle.dumps(AvroRowDeserializationSchema(avro_schema_string=AVRO)))
    assert read.deserialize(write.serialize(Row(s="é", n=1))) == Row(n=1, s="é")
    assert read.deserialize(write.serialize((1, None))) == Row(n=1, s=None)
    assert read.deserialize(write.serialize(Row(f0=1, f1="x"))) == Row(n=1, s="x"), "other names: by position"
    assert str(read.get_produced_type()) == "RowTypeInfo(n: Integer, s: String)"
    with pytest.raises(TypeMismatch, match="the field n of R is declared as int in the Avro schema"):
        write.serialize(("x", None))
    with pytest.raises(OutsideError, match="a message cannot be read"):
        read.deserialize(b"")
    with pytest.raises(ProgramError, match="no Java here"):
        AvroRowSerializationSchema("com.example.Record")


def test_an_avro_schema_is_checked_when_it_is_made() -> None:
    assert AvroSchema.parse_string(str(AvroSchema.parse_string(AVRO))) == AvroSchema.parse_string(AVRO)
    for text in ("{", '{"type": "nonsense"}'):
        with pytest.raises(ProgramError, match="Avro schema"):
            AvroSchema.parse_string(text)
    with pytest.raises(OutsideError, match="nowhere"):
        AvroSchema.parse_file("nowhere.avsc")


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastavro.schema", None)
    with pytest.raises(ProgramError, match=r"pip install 'penstock\[avro\]'"):
        AvroSchema.parse_string(AVRO)
