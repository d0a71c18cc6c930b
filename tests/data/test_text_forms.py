"""What ``print()`` writes; expectations were recorded from PyFlink 2.3 unless a test says otherwise."""

# ruff: noqa: DTZ001 -- the types of Flink that are tested here hold times without a zone.

import datetime as d
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.row import Row, RowKind
from penstock.data.text_forms import double_text, float_text, print_form, print_prefix
from penstock.data.time import Instant
from penstock.data.types import LocalTimeTypeInfo, Types

T = Types
ROW = T.ROW([T.STRING(), T.INT()])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (5, "5"),
        (2**70, "1180591620717411303424"),
        (1.0, "1.0"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (True, "True"),
        (None, "None"),
        (("a", 1, 2.0, None, True), "('a', 1, 2.0, None, True)"),
        ((1,), "(1,)"),
        ([1, "a", None], "[1, 'a', None]"),
        ({"a": 1, 2: [1]}, "{'a': 1, 2: [1]}"),
        (Row("a", 1, None, True, 1.5), "<Row('a', 1, None, True, 1.5)>"),
        (Row(name="a", id=1), "Row(name='a', id=1)"),
        (Row.of_kind(RowKind.UPDATE_BEFORE, "a", 1), "<Row('a', 1)>"),
        (d.date(2020, 1, 2), "2020-01-02"),
        (d.time(1, 2, 3, 456789), "01:02:03.456789"),
        (d.datetime(2020, 1, 2, 3, 4, 5, 600000), "2020-01-02 03:04:05.600000"),
        (Decimal("1.50"), "1.50"),
        (Instant.of_epoch_milli(1500), "Instant<1, 500000000>"),
        ((Row("x", [1]), {"k": ("v", None)}), "(<Row('x', [1])>, {'k': ('v', None)})"),
        (b"ab\xff", "b'ab\\xff'"),  # PyFlink cannot print bytes
    ],
)
def test_a_value_without_a_declared_type_is_written_as_python_writes_it(value, text):
    assert print_form(None)(value) == text
    assert print_form(T.PICKLED_BYTE_ARRAY())(value) == text


@pytest.mark.parametrize(
    ("type_info", "value", "text"),
    [
        (T.STRING(), "it's é✓", "it's é✓"),
        (T.BYTE(), -128, "-128"),
        (T.LONG(), -(2**63), "-9223372036854775808"),
        (T.BOOLEAN(), True, "true"),
        (T.BOOLEAN(), False, "false"),
        (T.BIG_DEC(), Decimal("1.50"), "1.50"),
        (T.BIG_DEC(), Decimal("1E+3"), "1E+3"),
        (T.BIG_DEC(), Decimal("1E-10"), "1E-10"),
        (T.BIG_DEC(), Decimal("-0.00"), "0.00"),
        (T.BIG_DEC(), Decimal("123.456E+10"), "1.23456E+12"),
        (T.INSTANT(), Instant(1, 500000000), "1970-01-01T00:00:01.500Z"),
        (T.INSTANT(), Instant(0, 0), "1970-01-01T00:00:00Z"),
        (T.INSTANT(), Instant(1577934245, 123456789), "2020-01-02T03:04:05.123456789Z"),
        (T.INSTANT(), Instant(-1, 1000), "1969-12-31T23:59:59.000001Z"),
        (T.INSTANT(), Instant(253402300800, 0), "+10000-01-01T00:00:00Z"),
        (T.SQL_DATE(), d.date(2020, 1, 2), "2020-01-02"),
        (T.SQL_TIME(), d.time(1, 2, 3, 456000), "01:02:03"),
        (T.SQL_TIMESTAMP(), d.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02 03:04:05.0"),
        (T.SQL_TIMESTAMP(), d.datetime(2020, 1, 2, 3, 4, 5, 600000), "2020-01-02 03:04:05.6"),
        (T.SQL_TIMESTAMP(), d.datetime(2020, 1, 2, 3, 4, 5, 123000), "2020-01-02 03:04:05.123"),
        (ROW, Row("a", 1), "+I[a,1]"),
        (ROW, Row(None, None), "+I[None,None]"),
        (ROW, Row.of_kind(RowKind.UPDATE_BEFORE, "a", 1), "-U[a,1]"),
        (ROW, Row.of_kind(RowKind.UPDATE_AFTER, "a", 1), "+U[a,1]"),
        (ROW, Row.of_kind(RowKind.DELETE, "a", 1), "-D[a,1]"),
        (T.TUPLE([T.STRING(), T.INT()]), ("a", 1), "(a,1)"),
        (
            T.TUPLE([T.TUPLE([T.INT(), T.DOUBLE()]), T.STRING(), T.BOOLEAN()]),
            ((1, 2.0), "x", True),
            "((1,2.0),x,true)",
        ),
        (T.LIST(T.STRING()), ["a", "b"], "[a, b]"),
        (T.LIST(T.LIST(T.DOUBLE())), [[1.0], []], "[[1.0], []]"),
        (T.LIST(T.ROW([T.INT()])), [Row(1)], "[+I[1]]"),
        (T.MAP(T.STRING(), T.INT()), {"b": None}, "{b=null}"),
        (T.MAP(T.STRING(), T.ROW([T.INT()])), {"k": Row(1)}, "{k=+I[1]}"),
        (T.MAP(T.STRING(), T.INT()), {}, "{}"),
    ],
)
def test_a_value_of_a_declared_type_is_written_as_flink_writes_it(type_info, value, text):
    assert print_form(type_info)(value) == text


def test_nested_fields_of_a_tuple_are_written_as_flink_writes_them():
    types = [
        T.FLOAT(),
        T.SQL_DATE(),
        T.SQL_TIMESTAMP(),
        T.PRIMITIVE_ARRAY(T.INT()),
        T.BASIC_ARRAY(T.STRING()),
        T.LIST(T.STRING()),
        T.MAP(T.STRING(), T.INT()),
        T.ROW([T.INT()]),
        T.BIG_DEC(),
    ]
    value = (
        0.1,
        d.date(2020, 1, 2),
        d.datetime(2020, 1, 2, 3, 4, 5),
        [1, 2],
        ["a", None],
        ["x"],
        {"k": 1},
        Row(9),
        Decimal("2.0"),
    )
    assert (
        print_form(T.TUPLE(types))(T.TUPLE(types).convert(value))
        == "(0.1,2020-01-02,2020-01-02 03:04:05.0,[1, 2],[a, null],[x],{k=1},+I[9],2.0)"
    )


def test_fields_of_a_row_are_written_as_python_writes_them():
    value = Row(
        1e10,
        Decimal("1E+3"),
        d.datetime(2020, 1, 2, 3, 4, 5),
        ["a", None],
        {"k": 1},
        (1, "t"),
        Row(9),
        True,
        b"ab",
    )
    types = [T.PICKLED_BYTE_ARRAY()] * len(value)
    assert (
        print_form(T.ROW(types))(value)
        == "+I[10000000000.0,1E+3,2020-01-02 03:04:05,['a', None],{'k': 1},(1, 't'),<Row(9)>,True,b'ab']"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (100.0, "100.0"),
        (1e7, "1.0E7"),
        (1.5e10, "1.5E10"),
        (1e-5, "1.0E-5"),
        (1e-3, "0.001"),
        (0.001234, "0.001234"),
        (123456.789, "123456.789"),
        (9999999.0, "9999999.0"),
        (1e21, "1.0E21"),
        (12345678.9, "1.23456789E7"),
        (9007199254740994.0, "9.007199254740994E15"),
        (0.8999999999999999, "0.8999999999999999"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (5e-324, "4.9E-324"),
        (2e-323, "2.0E-323"),
        (1e23, "1.0E23"),  # Java 17 writes 9.999999999999999E22, Java 19 and later this
        (-0.0, "-0.0"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_a_double_is_written_as_java_writes_it(value, text):
    assert double_text(value) == text
    assert print_form(T.DOUBLE())(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e7, "1.0E7"),
        (1e-5, "1.0E-5"),
        (0.001234, "0.001234"),
        (123456.789, "123456.79"),
        (9999999.0, "9999999.0"),
        (3.4e38, "3.4E38"),
        (16777217, "1.6777216E7"),
        (float("nan"), "NaN"),
        (1e39, "Infinity"),
        (-0.0, "-0.0"),
    ],
)
def test_a_float_is_written_with_the_digits_that_32_bits_need(value, text):
    assert print_form(T.FLOAT())(T.FLOAT().convert(value)) == text


@given(st.floats(allow_nan=False))
def test_the_text_of_a_double_gives_the_same_number_back(value):
    assert float(double_text(value)) == value


@given(st.floats(allow_nan=False, width=32))
def test_the_text_of_a_float_gives_the_same_number_back(value):
    text = float_text(value)
    back = float(text) if "Inf" in text else struct.unpack("f", struct.pack("f", float(text)))[0]
    assert back == value


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("LOCAL_DATE", d.date(2020, 1, 2), "2020-01-02"),
        ("LOCAL_TIME", d.time(3, 4), "03:04"),
        ("LOCAL_TIME", d.time(3, 4, 5, 120000), "03:04:05.120"),
        ("LOCAL_DATE_TIME", d.datetime(2020, 1, 2, 3, 4, 5, 123456), "2020-01-02T03:04:05.123456"),
    ],
)
def test_local_times_are_written_as_javas_local_times(kind, value, text):
    assert print_form(LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType[kind]))(value) == text


def test_arrays_are_written_out_where_flink_prints_their_address():
    assert print_form(T.PRIMITIVE_ARRAY(T.INT()))([1, 2]) == "[1, 2]"
    assert print_form(T.BASIC_ARRAY(T.STRING()))(["a", None]) == "[a, null]"
    assert print_form(T.PRIMITIVE_ARRAY(T.BYTE()))(b"\x01\xff") == "[1, -1]"


def test_a_record_carries_its_sink_and_its_subtask():
    assert print_prefix(None, 2, 4) == "3> "
    assert print_prefix("identifier", 2, 4) == "identifier:3> "
    assert print_prefix("identifier", 0, 1) == "identifier> "
    assert print_prefix(None, 0, 1) == ""
