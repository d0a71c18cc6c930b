"""What a schema writes, the schema for reading reads: generated rows of all types, and letters of CSV."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.connectors.files.source import FileSource
from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.types import Types
from penstock.formats.csv import CsvReaderFormat, CsvRowDeserializationSchema, CsvRowSerializationSchema
from penstock.formats.json import (
    JsonDeserializationSchema,
    JsonRowDeserializationSchema,
    JsonRowSerializationSchema,
    JsonSerializationSchema,
)
from tests.connectors.driving import read_all

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from("ab,;|\\\"'\n\r\t\0nrt0# é"), max_size=40),
)
MILLISECONDS = st.integers(0, 999).map(lambda number: number * 1000)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
INSTANTS = st.builds(Instant, st.integers(-(10**11), 10**11), st.integers(0, 999_999_999))
VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "string": (Types.STRING(), TEXTS),
    "boolean": (Types.BOOLEAN(), st.booleans()),
    "long": (Types.LONG(), st.integers(-(2**63), 2**63 - 1)),
    "big": (Types.BIG_INT(), st.integers()),
    "float": (Types.FLOAT(), st.floats(width=32, allow_nan=False)),
    "double": (Types.DOUBLE(), st.floats(allow_nan=False)),
    "decimal": (Types.BIG_DEC(), DECIMALS.map(lambda value: value or abs(value))),
    "sql_date": (Types.SQL_DATE(), st.dates()),
    "sql_time": (
        Types.SQL_TIME(),
        st.builds(lambda t, us: t.replace(microsecond=us), st.times(), MILLISECONDS),
    ),
    "sql_timestamp": (
        Types.SQL_TIMESTAMP(),
        st.builds(lambda t, us: t.replace(microsecond=us), st.datetimes(), MILLISECONDS),
    ),
    "local_date": (Types.LOCAL_DATE(), st.dates()),
    "local_time": (Types.LOCAL_TIME(), st.times()),
    "local_date_time": (Types.LOCAL_DATE_TIME(), st.datetimes()),
    "instant": (Types.INSTANT(), INSTANTS),
    "bytes": (Types.PRIMITIVE_ARRAY(Types.BYTE()), st.binary(min_size=1)),  # CSV has no empty ones
}
ALL = Types.ROW_NAMED(list(VALUES), [kind for kind, _ in VALUES.values()])
ROWS = st.fixed_dictionaries({name: values for name, (_, values) in VALUES.items()}).map(
    lambda fields: Row(**fields)
)


@settings(max_examples=150)
@given(ROWS)
def test_rows_come_back_from_json(row: Row) -> None:
    message = JsonRowSerializationSchema.builder().with_type_info(ALL).build().serialize(row)
    assert JsonRowDeserializationSchema.builder().type_info(ALL).build().deserialize(message) == row


LETTERS = st.sampled_from(
    [
        (",", '"', None),
        (",", '"', "\\"),
        (";", "'", "\\"),
        (",", "'", "|"),
        ("|", None, "\\"),
        ("\t", None, "$"),
    ]
)


@settings(max_examples=300)
@given(ROWS, LETTERS)
@example(Row(**{name: "a\\b" if name == "string" else None for name in VALUES}), (",", '"', "\\"))
@example(Row(**{name: "a|b\n\\" if name == "string" else None for name in VALUES}), ("|", None, "\\"))
def test_rows_come_back_from_csv(row: Row, letters: tuple[str, str | None, str | None]) -> None:
    separator, quote, escape = letters
    write, read = CsvRowSerializationSchema.Builder(ALL), CsvRowDeserializationSchema.Builder(ALL)
    for builder in (write, read):
        builder.set_field_delimiter(separator)  # type: ignore[attr-defined]
        builder._with(quote_char=quote, escape_char=escape)  # type: ignore[attr-defined]
    message = write.build().serialize(row)
    assert read.build().deserialize(message) == row


def test_messages_without_quotes_come_back_by_their_builders() -> None:
    kind = Types.ROW_NAMED(["a", "b"], [Types.STRING(), Types.STRING()])
    write = (
        CsvRowSerializationSchema.Builder(kind).disable_quote_character().set_escape_character("\\").build()
    )
    assert write.serialize(("a,b", "c\nd\\")) == b"a\\,b,c\\nd\\\\\n"
    read = CsvRowDeserializationSchema.Builder(kind).set_escape_character("\\").build()
    assert read.deserialize(write.serialize(("a,b", "c\nd\\"))) == Row(a="a,b", b="c\nd\\")


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXTS, st.integers(0, 9)), max_size=6), LETTERS)
def test_rows_come_back_from_files_of_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]], letters: Any
) -> None:
    separator, quote, escape = letters
    kind = Types.ROW_NAMED(["s", "n"], [Types.STRING(), Types.LONG()])
    write = CsvRowSerializationSchema.Builder(kind)._with(
        column_separator=separator, quote_char=quote, escape_char=escape
    )
    schema = write._schema
    path = tmp_path_factory.mktemp("csv") / "in.csv"
    path.write_bytes(b"".join(map(write.build().serialize, rows)))
    source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), path).build()
    found = [tuple(record.values() if isinstance(record, dict) else record) for record in read_all(source)]
    assert found == rows


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner)),
)


@given(JSON_VALUES)
def test_values_come_back_from_json_with_and_without_what_python_cannot_write(value: Any) -> None:
    write = JsonSerializationSchema().serialize
    assert json.loads(write(value)) == value
    assert json.loads(write([value, Decimal(1), float("nan")])) == [value, 1, "NaN"]


@given(DECIMALS)
def test_decimals_without_a_declared_type_keep_their_digits(value: Decimal) -> None:
    message = JsonSerializationSchema().serialize({"d": value})
    assert json.loads(message, parse_float=Decimal, parse_int=Decimal) == {"d": value}


def test_numbers_that_json_has_no_form_for_are_texts() -> None:
    value = {"a": [float("nan"), float("inf")], float("-inf"): Decimal("NaN"), None: (1, True)}
    message = JsonSerializationSchema().serialize(value)
    assert message == b'{"a":["NaN","Infinity"],"-Infinity":"NaN","null":[1,true]}'
    kind = Types.ROW_NAMED(["a"], [Types.BASIC_ARRAY(Types.DOUBLE())])
    read = JsonRowDeserializationSchema.builder().type_info(kind).build()
    assert read.deserialize(b'{"a":["Infinity",1]}') == Row(a=[float("inf"), 1.0])


def test_what_contains_itself_is_no_json() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Exception, match="it contains itself, or is nested too deeply"):
        JsonSerializationSchema().serialize(value)


def test_a_row_of_json_lines_keeps_the_digits_of_decimals(tmp_path: Path) -> None:
    from penstock.formats.json import JsonLinesFormat

    path = tmp_path / "in.json"
    path.write_text('{"d":0.1234567890123456789012}\n')
    kind = Types.ROW_NAMED(["d"], [Types.BIG_DEC()])
    source = FileSource.for_record_stream_format(JsonLinesFormat(kind), path).build()
    assert read_all(source) == [Row(d=Decimal("0.1234567890123456789012"))]


def test_pydantic_models_keep_the_digits_of_decimals() -> None:
    import pydantic

    model = pydantic.create_model("Model", d=(Decimal, ...), at=(datetime, ...))
    found = JsonDeserializationSchema(model).deserialize(
        b'{"d":0.1234567890123456789012,"at":"2024-02-29T00:00:00"}'
    )
    assert found.d == Decimal("0.1234567890123456789012")
