"""Declared types; values that come out, texts and equality are those of PyFlink 2.3 in process mode unless a test says so."""

# ruff: noqa: DTZ001 -- the types of Flink that are tested here hold times without a zone.

import datetime as d
import math
import pickle
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.row import Row, RowKind
from penstock.data.time import Instant
from penstock.data.types import ExternalTypeInfo, LocalTimeTypeInfo, Types
from penstock.errors import ProgramError, TypeMismatch

T = Types
ROW = T.ROW([T.STRING(), T.INT()])
NAMED = T.ROW_NAMED(["id", "name"], [T.INT(), T.STRING()])
PAIR = T.TUPLE([T.STRING(), T.INT()])
PLUS_TWO = d.timezone(d.timedelta(hours=2))


class Colour(IntEnum):
    RED = 1


class Point(NamedTuple):
    x: str
    y: int


class Plain:
    def __init__(self):
        self.id = 1
        self.name = "a"


@pytest.mark.parametrize(
    ("type_info", "text"),
    [
        (T.STRING(), "String"),
        (T.BYTE(), "Byte"),
        (T.BOOLEAN(), "Boolean"),
        (T.SHORT(), "Short"),
        (T.INT(), "Integer"),
        (T.LONG(), "Long"),
        (T.FLOAT(), "Float"),
        (T.DOUBLE(), "Double"),
        (T.CHAR(), "Char"),
        (T.BIG_INT(), "BigInteger"),
        (T.BIG_DEC(), "BigDecimal"),
        (T.INSTANT(), "Instant"),
        (T.SQL_DATE(), "DateTypeInfo"),
        (T.SQL_TIME(), "TimeTypeInfo"),
        (T.SQL_TIMESTAMP(), "TimestampTypeInfo"),
        (T.PICKLED_BYTE_ARRAY(), "PickledByteArrayTypeInfo"),
        (T.PRIMITIVE_ARRAY(T.INT()), "PrimitiveArrayTypeInfo<Integer>"),
        (T.BASIC_ARRAY(T.STRING()), "BasicArrayTypeInfo<String>"),
        (NAMED, "RowTypeInfo(id: Integer, name: String)"),
        (
            T.LIST(T.TUPLE([T.INT(), T.MAP(T.STRING(), T.FLOAT())])),
            "ListTypeInfo<TupleTypeInfo(Integer, MapTypeInfo<String, Float>)>",
        ),
        (
            T.ROW([T.INT(), T.OBJECT_ARRAY(T.ROW_NAMED(["q"], [T.BYTE()]))]),
            "RowTypeInfo(Integer, ObjectArrayTypeInfo<RowTypeInfo(q: Byte)>)",
        ),
    ],
)
def test_a_type_is_written_as_pyflink_writes_it_and_survives_pickling(type_info, text):
    assert str(type_info) == text
    twin = pickle.loads(pickle.dumps(type_info))
    assert twin == type_info
    assert hash(twin) == hash(type_info)
    assert repr(twin) == text


def test_types_are_equal_by_kind_and_parts_and_row_types_whatever_their_names():
    assert T.INT() == T.INT()
    assert T.INT() != T.LONG()
    assert T.PRIMITIVE_ARRAY(T.INT()) != T.BASIC_ARRAY(T.INT())
    assert T.ROW([T.INT()]) == T.ROW_NAMED(["a"], [T.INT()])
    assert T.MAP(T.INT(), T.INT()) != 5
    assert T.ROW([T.INT()]).get_field_names() == ["f0"]
    assert NAMED.get_field_index("name") == 1


UNCHANGED = [
    (T.STRING(), "it's é✓"),
    (T.BYTE(), -128),
    (T.SHORT(), 32767),
    (T.INT(), 2**31 - 1),
    (T.LONG(), -(2**63)),
    (T.BIG_INT(), 2**70),
    (T.BOOLEAN(), True),
    (T.DOUBLE(), 5e-324),
    (T.FLOAT(), 0.5),
    (T.CHAR(), "c"),
    (T.BIG_DEC(), Decimal("1E+3")),
    (T.INSTANT(), Instant(-1, 1000)),
    (T.SQL_DATE(), d.date(1, 1, 1)),
    (T.SQL_TIME(), d.time(1, 2, 3)),
    (T.SQL_TIMESTAMP(), d.datetime(1960, 1, 2, 3, 4, 5, 500000)),
    (T.PICKLED_BYTE_ARRAY(), {"anything": object}),
    (PAIR, ("a", 1)),
    (T.TUPLE([T.TUPLE([T.INT(), T.DOUBLE()]), T.STRING()]), ((1, 2.0), "x")),
    (T.TUPLE([T.STRING(), T.PICKLED_BYTE_ARRAY()]), ("a", {"k": 1})),
    (T.PRIMITIVE_ARRAY(T.INT()), [1, 2]),
    (T.PRIMITIVE_ARRAY(T.BYTE()), b"ab"),
    (T.PRIMITIVE_ARRAY(T.LONG()), []),
    (T.BASIC_ARRAY(T.INT()), [1, None, 3]),
    (T.LIST(T.LIST(T.DOUBLE())), [[1.0], []]),
    (T.MAP(T.STRING(), T.INT()), {"b": 1, "a": None}),
    (NAMED, Row(id=1, name=None)),
]


@pytest.mark.parametrize(("type_info", "value"), UNCHANGED)
def test_what_fits_comes_back_in_the_very_same_list(type_info, value):
    values = [value, value]
    assert type_info.convert_batch(values) is values
    assert type_info.find_misfit(values) is None
    assert type_info.convert_batch([]) == []


@pytest.mark.parametrize(
    ("type_info", "value", "fitted"),
    [
        (T.INT(), True, 1),
        (T.INT(), Colour.RED, 1),
        (T.BOOLEAN(), 2, True),
        (T.FLOAT(), 0.1, 0.10000000149011612),
        (T.FLOAT(), 16777217, 16777216.0),
        (T.FLOAT(), 1e39, math.inf),
        (T.DOUBLE(), 2, 2.0),
        (T.DOUBLE(), True, 1.0),
        (T.DOUBLE(), Decimal("1.5"), 1.5),
        (T.BIG_DEC(), 5, Decimal(5)),
        (T.BIG_DEC(), 0.1, Decimal("0.1")),
        (T.SQL_DATE(), d.datetime(2020, 1, 2, 3, 4), d.date(2020, 1, 2)),
        (T.SQL_TIME(), d.time(1, 2, 3, 456789), d.time(1, 2, 3, 456000)),
        (T.SQL_TIME(), d.time(1, 2, 3, tzinfo=PLUS_TWO), d.time(1, 2, 3)),
        (T.SQL_TIMESTAMP(), d.datetime(2020, 1, 2, 3, 4, 5, 123456), d.datetime(2020, 1, 2, 3, 4, 5, 123000)),
        (T.SQL_TIMESTAMP(), d.datetime(2020, 1, 2, 3, tzinfo=PLUS_TWO), d.datetime(2020, 1, 2, 3)),
        (PAIR, ["a", 1], ("a", 1)),
        (PAIR, Row("a", 1), ("a", 1)),
        (PAIR, Point("a", 1), ("a", 1)),
        (ROW, ("a", 1), Row(f0="a", f1=1)),
        (ROW, ["a", 1], Row(f0="a", f1=1)),
        (ROW, Row("a", 1), Row(f0="a", f1=1)),
        (ROW, Row(None, None), Row(f0=None, f1=None)),
        (NAMED, Row(name="a", id=1), Row(id=1, name="a")),
        (NAMED, Row(1, "a"), Row(id=1, name="a")),
        (NAMED, Row(id=1, name="a", x=2), Row(id=1, name="a")),
        (NAMED, {"id": 1, "name": "a"}, Row(id=1, name="a")),
        (NAMED, Plain(), Row(id=1, name="a")),
        (T.ROW([T.ROW([T.INT()])]), Row(Row(1)), Row(f0=Row(f0=1))),
        (T.LIST(T.INT()), (1, 2), [1, 2]),
        (T.LIST(T.ROW([T.INT()])), [(1,), None], [Row(f0=1), None]),
        (T.PRIMITIVE_ARRAY(T.DOUBLE()), [1.5, 2], [1.5, 2.0]),
        (T.PRIMITIVE_ARRAY(T.BYTE()), bytearray(b"ab"), b"ab"),
        (T.MAP(T.STRING(), T.ROW([T.INT()])), {"k": Row(1)}, {"k": Row(f0=1)}),
        (ExternalTypeInfo(ROW), ("a", 1), Row(f0="a", f1=1)),
    ],
)
def test_a_value_becomes_what_flinks_coders_make_of_it(type_info, value, fitted):
    (result,) = type_info.convert_batch([value])
    assert result == fitted
    assert type(result) is type(fitted)
    assert repr(result) == repr(fitted)


@pytest.mark.parametrize("kind", list(RowKind))
def test_the_kind_of_a_row_is_kept(kind):
    batch = ROW.convert_batch([Row.of_kind(kind, "a", 1), ("b", 2)])
    assert [row.get_row_kind() for row in batch] == [kind, RowKind.INSERT]


@pytest.mark.parametrize(
    ("type_info", "value", "part"),
    [
        (T.BYTE(), 128, "from -128 to 127, got 128"),
        (T.SHORT(), 32768, "to 32767"),
        (T.INT(), 2**31, "to 2147483647, got 2147483648 of type int"),
        (T.LONG(), 2**63, "an integer"),
        (T.INT(), 1.7, "got 1.7 of type float"),
        (T.INT(), "1", "got '1' of type str"),
        (T.INT(), None, "got None"),
        (T.BIG_INT(), "1", "an integer"),
        (T.BOOLEAN(), "x", "a bool"),
        (T.DOUBLE(), "1", "a number"),
        (T.DOUBLE(), None, "a number"),
        (T.STRING(), 5, "a str"),
        (T.STRING(), b"a", "a str"),
        (T.CHAR(), "cd", "one character"),
        (T.BIG_DEC(), "x", "a decimal number"),
        (T.INSTANT(), 5, "an Instant"),
        (T.SQL_DATE(), "2020-01-02", "a datetime.date"),
        (T.SQL_TIME(), 5, "a datetime.time"),
        (T.SQL_TIMESTAMP(), d.date(2020, 1, 2), "a datetime.datetime"),
        (ROW, Row("a"), "a row of 2 fields"),
        (ROW, Row("a", 1, 2), "a row of 2 fields"),
        (ROW, Row("a", "x"), "in field f1"),
        (ROW, Row(name="a", id=1), "a row with the fields f0, f1"),
        (ROW, None, "got None"),
        (ROW, 5, "a row of 2 fields"),
        (NAMED, Row(id=1), "a row with the fields id, name"),
        (NAMED, {"other": 1}, "a dict with the keys id, name"),
        (PAIR, ("a", None), "in field f1"),
        (PAIR, ("a",), "a tuple of 2 fields"),
        (PAIR, ("a", 1, 2), "a tuple of 2 fields"),
        (PAIR, 5, "a tuple"),
        (PAIR, "ab", "a tuple"),
        (T.PRIMITIVE_ARRAY(T.INT()), [1, None], "in field []"),
        (T.PRIMITIVE_ARRAY(T.BYTE()), [1, 2], "bytes"),
        (T.LIST(T.INT()), "abc", "a list"),
        (T.MAP(T.STRING(), T.INT()), [1], "a dict"),
        (T.MAP(T.STRING(), T.INT()), {"a": "b"}, "in field [value]"),
        (T.MAP(T.INT(), T.INT()), {None: 1}, "in field [key]"),
        (T.ROW([T.TUPLE([T.INT(), T.LIST(T.STRING())])]), [(1, [2])], "in field f0.f1[]"),
    ],
)
def test_what_flink_rejects_or_silently_spoils_is_a_clear_error(type_info, value, part):
    with pytest.raises(TypeMismatch) as caught:
        type_info.convert_batch([value])
    assert part in str(caught.value)
    assert str(type_info) in str(caught.value)
    assert type_info.find_misfit([value]) == 0


@pytest.mark.parametrize(
    "type_info",
    [T.STRING(), T.BIG_INT(), T.BIG_DEC(), T.INSTANT(), T.SQL_DATE(), T.SQL_TIME(), T.SQL_TIMESTAMP()],
)
def test_none_is_a_value_of_the_types_that_flink_documents_so(type_info):
    values = [None, None]
    assert type_info.convert_batch(values) is values


def test_every_field_of_a_row_may_be_none():
    inner = [T.INT(), T.ROW([T.INT()]), T.TUPLE([T.INT()]), T.LIST(T.INT()), T.MAP(T.STRING(), T.INT())]
    assert list(T.ROW(inner).convert(Row(*[None] * 5))) == [None] * 5


def test_none_stays_in_its_place_among_values_that_change():
    assert T.ROW([T.DOUBLE()]).convert_batch([(None,), (1,), (None,), (2,)]) == [
        Row(f0=None),
        Row(f0=1.0),
        Row(f0=None),
        Row(f0=2.0),
    ]


def test_the_position_of_the_first_misfit_is_found():
    assert T.INT().find_misfit([1, 2, "x", "y"]) == 2


def test_a_conversion_leaves_the_users_own_values_alone():
    row, items = Row("a", 1), [1, 2]
    ROW.convert_batch([row])
    T.LIST(T.DOUBLE()).convert_batch([items])
    assert repr(row) == "<Row('a', 1)>"
    assert items == [1, 2]
    fitted = ROW.convert_batch([Row("a", 1)])
    assert ROW.convert_batch(fitted) is fitted


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: T.LIST(T.INT), TypeError),
        (lambda: T.TUPLE([int]), TypeError),
        (lambda: T.ROW_NAMED(["a", "b"], [T.INT()]), ProgramError),
        (lambda: T.ROW_NAMED(["a", "a"], [T.INT(), T.INT()]), ProgramError),
        (lambda: T.PRIMITIVE_ARRAY(T.STRING()), TypeError),
        (lambda: T.BASIC_ARRAY(T.SQL_DATE()), TypeError),
    ],
)
def test_a_type_that_makes_no_sense_is_an_error_where_it_is_written(make, error):
    with pytest.raises(error):
        make()


def test_local_times_keep_microseconds():
    moment = d.datetime(2020, 1, 2, 3, 4, 5, 123456)
    local = LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME)
    assert local.convert(moment) == moment
    assert str(local) == "LocalTimeTypeInfo<LOCAL_DATE_TIME>"


@given(st.lists(st.one_of(st.integers(), st.booleans(), st.floats(), st.text(max_size=2), st.none())))
def test_a_batch_is_fitted_as_its_values_one_by_one(values):
    for type_info in (T.INT(), T.LONG(), T.FLOAT(), T.DOUBLE(), T.BOOLEAN(), T.STRING(), T.BIG_INT()):
        one_by_one = []
        for value in values:
            try:
                one_by_one.append(type_info.convert(value))
            except TypeMismatch:
                assert type_info.find_misfit(values) == len(one_by_one)
                break
        else:
            assert repr(type_info.convert_batch(list(values))) == repr(one_by_one)
