"""Types found from values and annotations."""

# ruff: noqa: DTZ001 -- the types of Flink that are tested here hold times without a zone.

import datetime as d
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any, NamedTuple, Optional

import pytest

from penstock.data.row import Row
from penstock.data.type_inference import infer, type_of, type_of_hint


@dataclass
class Order:
    id: int
    price: float


class Pair(NamedTuple):
    left: str
    right: int


class Colour(IntEnum):
    RED = 1


PICKLED = "PickledByteArrayTypeInfo"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "Boolean"),
        (1, "Long"),
        (2**63, "BigInteger"),
        (1.5, "Double"),
        ("a", "String"),
        (b"a", "PrimitiveArrayTypeInfo<Byte>"),
        (Decimal(1), "BigDecimal"),
        (d.date(2020, 1, 2), "DateTypeInfo"),
        (d.datetime(2020, 1, 2), "LocalTimeTypeInfo<LOCAL_DATE_TIME>"),
        (d.datetime(2020, 1, 2, tzinfo=d.UTC), PICKLED),
        (("a", 1), "TupleTypeInfo(String, Long)"),
        (Pair("a", 1), "RowTypeInfo(left: String, right: Long)"),
        (Order(1, 2.0), "RowTypeInfo(id: Long, price: Double)"),
        (Row("a"), "RowTypeInfo(String)"),
        (Row(a=1), "RowTypeInfo(a: Long)"),
        ([1, 2], "ListTypeInfo<Long>"),
        ([1, "a"], PICKLED),
        ([], PICKLED),
        ({"a": 1}, "MapTypeInfo<String, Long>"),
        (Colour.RED, PICKLED),
        (None, PICKLED),
        (object(), PICKLED),
    ],
)
def test_the_type_of_a_value(value, text):
    assert str(type_of(value)) == text


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "Long"),
        (Optional[int], "Long"),  # noqa: UP045
        (int | str, PICKLED),
        (list[int], "ListTypeInfo<Long>"),
        (list, PICKLED),
        (tuple[str, float], "TupleTypeInfo(String, Double)"),
        (tuple[int, ...], PICKLED),
        (dict[str, list[int]], "MapTypeInfo<String, ListTypeInfo<Long>>"),
        (Order, "RowTypeInfo(id: Long, price: Double)"),
        (Pair, "RowTypeInfo(left: String, right: Long)"),
        (Decimal, "BigDecimal"),
        (Any, PICKLED),
    ],
)
def test_the_type_of_an_annotation(hint, text):
    assert str(type_of_hint(hint)) == text


def test_values_that_differ_have_no_common_type():
    assert str(infer([None, 1, 2])) == "Long"
    assert str(infer([1, 1.5])) == PICKLED
    assert str(infer([Row(a=1), Row(b=1)])) == PICKLED
    assert str(infer([])) == PICKLED
