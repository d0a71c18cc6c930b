"""JSON and CSV as the schemas of Apache Flink 2.3 write and read them: the bytes and rows here were observed there."""

import datetime as d
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from penstock.connectors.files.source import FileSource
from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.types import Types as T
from penstock.errors import OutsideError, ProgramError
from penstock.formats.csv import (
    CsvReaderFormat,
    CsvRowDeserializationSchema,
    CsvRowSerializationSchema,
    CsvSchema,
)
from penstock.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema
from penstock.formats.record_writers import CsvBulkWriters
from tests.connectors.driving import read_all

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
    (
        T.BIG_DEC(),
        Decimal("0.1234567890123456789012"),
        b"0.1234567890123456789012",
        b"0.1234567890123456789012",
    ),
    (T.BIG_DEC(), Decimal("1E-10"), b"1E-10", b"1E-10"),
    (T.LOCAL_DATE(), d.date(2024, 2, 29), b'"2024-02-29"', b"2024-02-29"),
    (T.LOCAL_TIME(), d.time(1, 2, 3), b'"01:02:03Z"', b"01:02:03"),
    (T.LOCAL_TIME(), d.time(1, 2), b'"01:02:00Z"', b"01:02"),
    (T.LOCAL_TIME(), d.time(1, 2, 3, 450_000), b'"01:02:03.45Z"', b"01:02:03.450"),
    (T.LOCAL_TIME(), d.time(1, 2, 3, 1), b'"01:02:03.000001Z"', b"01:02:03.000001"),
    (T.LOCAL_DATE_TIME(), HALF_PAST, b'"2024-02-29T01:02:03Z"', b'"2024-02-29 01:02:03"'),
    (
        T.LOCAL_DATE_TIME(),
        HALF_PAST.replace(microsecond=123_456),
        b'"2024-02-29T01:02:03.123456Z"',
        b'"2024-02-29 01:02:03.123456"',
    ),
    (T.INSTANT(), Instant(0, 0), b'"1970-01-01T00:00:00Z"', b'"1970-01-01 00:00:00Z"'),
    (T.INSTANT(), Instant(1, 500_000_000), b'"1970-01-01T00:00:01.500Z"', b'"1970-01-01 00:00:01.5Z"'),
    (
        T.INSTANT(),
        Instant(-1, 1),
        b'"1969-12-31T23:59:59.000000001Z"',
        b'"1969-12-31 23:59:59.000000001Z"',
    ),
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


TWO_TEXTS = T.ROW_NAMED(["a", "b"], [T.STRING(), T.STRING()])


@pytest.mark.parametrize(
    ("escape", "text", "written"),
    [
        ("\\", "a\\b", b'"a\\\\b",z\n'),
        ("\\", "a,b", b'"a,b",z\n'),
        ("\\", 'a"b', b'"a""b",z\n'),
        ("\\", "a\nb", b'"a\nb",z\n'),
        ("\\", "a\\", b'"a\\\\",z\n'),
        ("\\", '\\"', b'"\\\\""",z\n'),
        ("\\", "a\\nb", b'"a\\\\nb",z\n'),
        ("\\", "a|b", b"a|b,z\n"),
        ("|", "a|b", b'"a||b",z\n'),
        ("|", "a\\b", b"a\\b,z\n"),
        ("|", "a" * 30 + "|b", b'"' + b"a" * 30 + b'||b",z\n'),
    ],
)
def test_the_escape_character_is_written_twice(escape: str, text: str, written: bytes) -> None:
    write = CsvRowSerializationSchema.Builder(TWO_TEXTS).set_escape_character(escape).build()
    assert write.serialize((text, "z")) == written
    read = CsvRowDeserializationSchema.Builder(TWO_TEXTS).set_escape_character(escape).build()
    assert read.deserialize(written) == Row(a=text, b="z")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"a\\nb", "a\nb"),
        (b'"a\\nb"', "a\nb"),
        (b"a\\tb", "a\tb"),
        (b"a\\rb", "a\rb"),
        (b"a\\0b", "a\0b"),
        (b'a\\"b', 'a"b'),
        (b"a\\,b", "a,b"),
        (b'"a\\",b"', 'a",b'),
        (b"a\\\nb", "a\nb"),
        (b"a\\xb", "axb"),
        (b"a\\u0041b", "au0041b"),
        (b"a\\\\nb", "a\\nb"),
    ],
)
def test_escaped_letters_stand_for_what_they_stand_for_in_flink(written: bytes, text: str) -> None:
    read = CsvRowDeserializationSchema.Builder(TWO_TEXTS).set_escape_character("\\").build()
    assert read.deserialize(written + b",z") == Row(a=text, b="z")


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
        (T.BIG_DEC(), '"1.0"', Decimal("1.0")),
        (T.INSTANT(), '"2024-02-29T01:02:03+02:00"', Instant(1_709_161_323, 0)),
        (T.INSTANT(), '" 2024-01-01t00:00:00z"', Instant(1_704_067_200, 0)),
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
    ("kind", "json"),
    [
        (T.INT(), '"x"'),
        (T.INT(), "99999999999"),
        (T.DOUBLE(), '"x"'),
        (T.INT(), "[]"),
        (T.INT(), "true"),
        (T.DOUBLE(), "true"),
        (T.BIG_INT(), "false"),
        (T.BIG_INT(), "1e30"),
        (T.BASIC_ARRAY(T.INT()), "[true]"),
        (T.MAP(T.STRING(), T.FLOAT()), '{"k":true}'),
        (T.ROW_NAMED(["w"], [T.LIST(T.INT())]), '{"w":[1,false]}'),
        (T.BOOLEAN(), "5"),  # false in Flink
    ],
)
def test_json_that_stands_for_nothing_names_field_expected_and_got(kind: Any, json: str) -> None:
    read = JsonRowDeserializationSchema.builder().type_info(T.ROW_NAMED(["v"], [kind])).build()
    with pytest.raises(OutsideError, match=r"expected .* in field v[^ ]*, got "):
        read.deserialize(f'{{"v":{json}}}'.encode())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.1234567890123456789012", "0.1234567890123456789012"),
        ("1.50", "1.5"),
        ("1e3", "1E+3"),
        ("-0.0", "0"),
        ("1e400", "1E+400"),
        ("12345678901234567890123", "12345678901234567890123"),
        ('"1.0"', "1.0"),
        ('" ٣.٣ "', "3.3"),
    ],
)
def test_a_decimal_keeps_its_digits(number: str, text: str) -> None:
    kind = T.ROW_NAMED(["v", "f", "any"], [T.BIG_DEC(), T.DOUBLE(), T.PICKLED_BYTE_ARRAY()])
    read = JsonRowDeserializationSchema.builder().type_info(kind).build()
    row = read.deserialize(f'{{"v":{number},"f":0.1,"any":[1.5]}}'.encode())
    assert (str(row.v), row.f, row.any) == (text, 0.1, [1.5])
    assert (type(row.f), type(row.any[0])) == (float, float)


INTEGERS, DECIMALS = [T.BYTE(), T.SHORT(), T.INT(), T.LONG(), T.BIG_INT()], [T.BIG_DEC()]
FLOATS = [T.FLOAT(), T.DOUBLE()]


def read_as_text(kind: Any, text: str) -> tuple[Any, Any]:
    """What JSON and CSV make of a text; "refused" where that is an error."""
    row_type = T.ROW_NAMED(["v"], [kind])
    found: list[Any] = []
    for schema, message in (
        (JsonRowDeserializationSchema.builder().type_info(row_type), f'{{"v":"{text}"}}'),
        (CsvRowDeserializationSchema.Builder(row_type), text),
    ):
        try:
            found.append(schema.build().deserialize(message.encode()).v)
        except OutsideError:
            found.append("refused")
    return found[0], found[1]


@pytest.mark.parametrize(
    ("text", "integer", "floating", "decimal"),
    [
        ("1_000", "refused", "refused", "refused"),
        ("٣", 3, "refused", 3),
        ("+7", 7, 7, 7),
        (" 7 ", 7, 7, 7),
        ("\u00a07", "refused", "refused", "refused"),
        ("1.0", "refused", 1, 1),
        ("1e3", "refused", 1000, 1000),
        ("0x10", "refused", "refused", "refused"),
        ("-", "refused", "refused", "refused"),
        ("7L", "refused", "refused", "refused"),
        ("Infinity", "refused", float("inf"), "refused"),
        (".5", "refused", 0.5, 0.5),
        ("5.", "refused", 5, 5),
        ("1e", "refused", "refused", "refused"),
        ("+-7", "refused", "refused", "refused"),
        ("--7", "refused", "refused", "refused"),
        ("00012", 12, 12, 12),
    ],
)
def test_texts_are_numbers_where_they_are_in_flink(
    text: str, integer: Any, floating: Any, decimal: Any
) -> None:
    for kinds, value in ((INTEGERS, integer), (FLOATS, floating), (DECIMALS, decimal)):
        for kind in kinds:
            assert read_as_text(kind, text) == (value, value), kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (T.SQL_TIMESTAMP(), "2024-01-01T00:00:00+02:00"),
        (T.SQL_TIME(), "01:02:03+02:00"),
        (T.LOCAL_DATE_TIME(), "2024-01-01T00:00:00+02:00"),
        (T.LOCAL_TIME(), "01:02:03-01:00"),
        (T.SQL_DATE(), "2024-02-29+02:00"),
        (T.INSTANT(), "2024-01-01T00:00:00"),
        (T.INSTANT(), "2024-02-30T00:00:00Z"),
    ],
)
def test_a_zone_stands_where_the_type_has_one_and_nowhere_else(kind: Any, text: str) -> None:
    assert read_as_text(kind, text) == ("refused", "refused")


def test_what_is_no_text_where_a_time_is_expected_is_named_by_its_field() -> None:
    read = JsonRowDeserializationSchema.builder().type_info(T.ROW_NAMED(["v"], [T.SQL_TIMESTAMP()])).build()
    with pytest.raises(OutsideError, match=r"expected a datetime.datetime in field v, got 5 of type int"):
        read.deserialize(b'{"v":5}')
    with pytest.raises(
        OutsideError, match=r"not '2024-01-01T00:00:00\+02:00'; Types.INSTANT\(\) .* in field v"
    ):
        read.deserialize(b'{"v":"2024-01-01T00:00:00+02:00"}')


@pytest.mark.parametrize(
    ("letters", "header"),
    [
        ({}, b's,"a,b","it\'s q""x\\y"\n'),
        ({"escape_char": "\\"}, b's,"a,b","it\'s q""x\\\\y"\n'),
        ({"quote_char": None}, b"s,a,b,it's q\"x\\y\n"),
    ],
)
def test_a_header_is_quoted_as_fields_are(letters: Any, header: bytes) -> None:
    names = ["s", "a,b", "it's q\"x\\y"]
    schema = CsvSchema.of_type(T.ROW_NAMED(names, [T.STRING()] * 3), use_header=True, **letters)
    out = BytesIO()
    writer = CsvBulkWriters.for_schema(schema).create(out)
    writer.add_elements([("1", "2", "3")])
    writer.finish()
    assert out.getvalue() == header + b"1,2,3\n"


def test_a_header_of_any_names_is_read_again(tmp_path: Path) -> None:
    names = ["s", "a,b", "it's q\"x\\y", "line\nend"]
    schema = CsvSchema.of_type(T.ROW_NAMED(names, [T.STRING()] * 4), use_header=True, strict_headers=True)
    with (tmp_path / "in.csv").open("wb") as out:
        CsvBulkWriters.for_schema(schema).create(out).add_elements([("1", "2", "3", "4")])
    source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), tmp_path / "in.csv")
    assert [list(record.values()) for record in read_all(source.build())] == [["1", "2", "3", "4"]]
