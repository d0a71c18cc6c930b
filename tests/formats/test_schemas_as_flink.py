"""JSON and CSV as the schemas of Apache Flink 2.3 write and read them: the bytes and rows here were observed there."""

import datetime as d
from decimal import Decimal
from typing import Any

import pytest

from penstock.data.row import Row
from penstock.data.types import Types as T
from penstock.errors import OutsideError, ProgramError
from penstock.formats.csv import CsvRowDeserializationSchema, CsvRowSerializationSchema
from penstock.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema

INNER = T.ROW_NAMED(["x", "y"], [T.INT(), T.STRING()])
HALF_PAST = d.datetime(2024, 2, 29, 1, 2, 3)  # noqa: DTZ001

WRITTEN = [
    (T.INT(), 5, b"5", b"5"),
    (T.INT(), None, b"null", b""),
    (T.FLOAT(), 1.5, b"1.5", b"1.5"),
    (T.FLOAT(), 0.1, b"0.1", b"0.1"),
    (T.FLOAT(), 1e10, b"1.0E10", b"1.0E10"),
    (T.DOUBLE(), 100.0, b"100.0", b"100.0"),
    (T.DOUBLE(), 1e-7, b"1.0E-7", b"1.0E-7"),
    (T.DOUBLE(), 1e21, b"1.0E21", b"1.0E21"),
    (T.BOOLEAN(), True, b"true", b"true"),
    (T.STRING(), 'a"b,c\nd', b'"a\\"b,c\\nd"', b'"a""b,c\nd"'),
    (T.STRING(), "é", '"é"'.encode(), "é".encode()),
    (T.STRING(), "", b'""', b""),
    (T.STRING(), "it's", b'"it\'s"', b'"it\'s"'),
    (T.SQL_DATE(), d.date(2024, 2, 29), b'"2024-02-29"', b"2024-02-29"),
    (T.SQL_TIME(), d.time(1, 2, 3), b'"01:02:03Z"', b"01:02:03"),
    (T.SQL_TIMESTAMP(), HALF_PAST, b'"2024-02-29T01:02:03Z"', b'"2024-02-29 01:02:03.0"'),
    (
        T.SQL_TIMESTAMP(),
        HALF_PAST.replace(microsecond=450_000),
        b'"2024-02-29T01:02:03.45Z"',
        b'"2024-02-29 01:02:03.45"',
    ),
    (T.BIG_DEC(), Decimal("1.50"), b"1.50", b"1.50"),
    (T.BIG_INT(), 2**70, b"1180591620717411303424", b"1180591620717411303424"),
    (T.BASIC_ARRAY(T.INT()), [1, 2], b"[1,2]", b"1;2"),
    (T.BASIC_ARRAY(T.INT()), [], b"[]", b""),
    (T.PRIMITIVE_ARRAY(T.BYTE()), b"\x00\xffab", b'"AP9hYg=="', b"AP9hYg=="),
    (INNER, Row(x=1, y="z"), b'{"x":1,"y":"z"}', b"1;z"),
]


@pytest.mark.parametrize(("kind", "value", "json", "csv"), WRITTEN)
def test_a_row_is_written_as_flink_writes_it(kind: Any, value: Any, json: bytes, csv: bytes) -> None:
    row_type = T.ROW_NAMED(["v"], [kind])
    write_json = JsonRowSerializationSchema.builder().with_type_info(row_type).build()
    assert write_json.serialize((value,)) == b'{"v":' + json + b"}"
    write_csv = CsvRowSerializationSchema.Builder(row_type).build()
    assert write_csv.serialize((value,)) == csv + b"\n"
    if value is not None and value != "":
        row = row_type.convert((value,))
        assert CsvRowDeserializationSchema.Builder(row_type).build().deserialize(csv + b"\n") == row
        read_json = JsonRowDeserializationSchema.builder().type_info(row_type).build()
        assert read_json.deserialize(b'{"v":' + json + b"}") == row


ABC = T.ROW_NAMED(["a", "b", "c"], [T.INT(), T.STRING(), T.BASIC_ARRAY(T.STRING())])
FULL, PLAIN = (1, "x\"y'z;|,", ["p", "q"]), (1, "plain", ["a;b"])


@pytest.mark.parametrize(
    ("setting", "full", "plain"),
    [
        (lambda b: b.set_field_delimiter(";"), b'1;"x""y\'z;|,";"p;q"\n', b'1;plain;"a;b"\n'),
        (lambda b: b.set_quote_character("'"), b"1,'x\"y''z;|,',p;q\n", b"1,plain,a;b\n"),
        (lambda b: b.disable_quote_character(), b"1,x\"y'z;|,,p;q\n", b"1,plain,a;b\n"),
        (lambda b: b.set_escape_character("\\"), b'1,"x""y\'z;|,",p;q\n', b"1,plain,a;b\n"),
        (lambda b: b.set_array_element_delimiter("|"), b'1,"x""y\'z;|,",p|q\n', b"1,plain,a;b\n"),
    ],
)
def test_letters_of_csv_are_as_in_flink(setting: Any, full: bytes, plain: bytes) -> None:
    schema = setting(CsvRowSerializationSchema.Builder(ABC)).build()
    assert schema.serialize_batch([FULL, PLAIN]) == [full, plain]


def test_none_is_written_as_the_literal_that_was_set() -> None:
    none = (None, None, None)
    builder = CsvRowSerializationSchema.Builder(ABC)
    assert builder.build().serialize(none) == b",,\n"
    assert builder.set_null_literal("NULL").build().serialize(none) == b"NULL,NULL,NULL\n"


def test_csv_that_ignores_errors_has_none_where_a_field_cannot_be_read() -> None:
    read = CsvRowDeserializationSchema.Builder(ABC).set_ignore_parse_errors(True).build()
    for message, row in (
        (b"1,x,p;q", Row(a=1, b="x", c=["p", "q"])),
        (b",,", Row(a=None, b="", c=[])),
        (b"1,x", Row(a=1, b="x", c=None)),
        (b"a,x,p", Row(a=None, b="x", c=["p"])),
        (b" 1 , x ,p", Row(a=1, b=" x ", c=["p"])),
        (b"1,x,p,extra", None),
        (b"", None),
    ):
        assert read.deserialize(message) == row, message


def test_types_that_csv_has_no_form_for_are_refused_when_the_schema_is_made() -> None:
    kind = T.ROW_NAMED(["m"], [T.MAP(T.STRING(), T.INT())])
    for builder in (CsvRowSerializationSchema.Builder(kind), CsvRowDeserializationSchema.Builder(kind)):
        with pytest.raises(ProgramError, match="the column 'm' is of type MapTypeInfo"):
            builder.build()


@pytest.mark.parametrize(
    ("kind", "json", "value"),
    [
        (T.INT(), '"7"', 7),
        (T.STRING(), "5", "5"),
        (T.STRING(), '{"c":1}', '{"c":1}'),
        (T.STRING(), "true", "true"),
        (T.DOUBLE(), '"1.5"', 1.5),
        (T.DOUBLE(), "1", 1.0),
        (T.BOOLEAN(), '"true"', True),
        (T.BOOLEAN(), '"no"', False),
        (T.LONG(), "1e3", 1000),
        (T.BIG_DEC(), "1.50", Decimal("1.5")),
        (T.SQL_TIMESTAMP(), '"2024-02-29T01:02:03.123Z"', HALF_PAST.replace(microsecond=123_000)),
        (T.BASIC_ARRAY(T.INT()), '[1,null,"2"]', [1, None, 2]),
        (T.MAP(T.STRING(), T.INT()), '{"k":"1"}', {"k": 1}),
        (INNER, '{"x":"1","y":2}', Row(x=1, y="2")),
    ],
)
def test_json_of_another_kind_that_stands_for_a_value_is_taken_for_it(
    kind: Any, json: str, value: Any
) -> None:
    read = JsonRowDeserializationSchema.builder().type_info(T.ROW_NAMED(["v"], [kind])).build()
    message = f'{{"v":{json}}}'.encode()
    assert read.deserialize(message) == Row(v=value)
    assert read.deserialize_batch([message, message]) == [Row(v=value)] * 2


@pytest.mark.parametrize(
    ("kind", "json"), [(T.INT(), '"x"'), (T.INT(), "99999999999"), (T.DOUBLE(), '"x"'), (T.INT(), "[]")]
)
def test_json_that_stands_for_nothing_names_field_expected_and_got(kind: Any, json: str) -> None:
    read = JsonRowDeserializationSchema.builder().type_info(T.ROW_NAMED(["v"], [kind])).build()
    with pytest.raises(OutsideError, match=r"expected .* in field v, got "):
        read.deserialize(f'{{"v":{json}}}'.encode())
