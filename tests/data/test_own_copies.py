"""Copies: of what they are made, and what can never change."""

import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy
import pytest

from penstock.common import Duration, Row
from penstock.data.own_copies import copies_or_same, copy_or_same, is_fixed, own_copy
from penstock.data.row import RowKind
from penstock.errors import StateError

Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = 1


@dataclass(frozen=True)
class Reading:
    name: str
    values: Any


@dataclass
class Order:
    name: str
    items: Any = field(default_factory=list)


class Plain:  # noqa: PLW1641
    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__


class Slotted:  # noqa: PLW1641
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slotted) and other.value == self.value


class Numbers(list[int]):
    """A list with a name."""

    name = "numbers"


class Names(dict[str, str]):
    pass


class Unreadable(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)


@pytest.mark.parametrize(
    "value",
    [
        1, "a", None, 2.5, b"x", True, 1j, Decimal("1.5"), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), range(3),
        ("a", (1, None)), frozenset({1, ("a",)}), Point(1, "b"), Colour.RED, Fraction(1, 3), UUID(int=3), PurePosixPath("/a"),
        Duration.of_seconds(1), Reading("a", (1, 2)), numpy.float64(1.5), numpy.int32(3), int, len,
    ],
)  # fmt: skip
def test_what_can_never_change_is_not_copied(value: Any) -> None:
    assert is_fixed(value)
    assert own_copy(value) is value


@pytest.mark.parametrize(
    "value",
    [
        [1], [[1]], [("a", 1)], {1}, {"a": 1}, {"a": [1]}, {("a", 1): (2, 3)}, ("a", [1]), Point(1, [2]), bytearray(b"x"),
        deque([1]), Counter("ab"), defaultdict(int, a=1), OrderedDict(a=1), Row(a=1, b=[2]), Row.of_kind(RowKind.DELETE, 1),
        Order("a"), Order("a", (1,)), Reading("a", [1]), Plain(1), Plain([1]), Slotted([1]), Numbers([1]), Names(a="b"),
        numpy.array([1, 2]),
    ],
)  # fmt: skip
def test_what_can_change_is_copied_with_everything_in_it(value: Any) -> None:
    assert not is_fixed(value)
    copied = own_copy(value)
    assert type(copied) is type(value)
    assert copied is not value
    assert list(copied) == list(value) if isinstance(value, numpy.ndarray) else copied == value


def test_a_copy_shares_nothing_that_can_change() -> None:
    inner = [1]
    for value in (("a", inner), {"a": inner}, Order("a", inner), Row(a=inner), Plain(inner)):
        copied = own_copy(value)
        found = (
            copied[1]
            if isinstance(copied, tuple)
            else next(iter(vars(copied).values()), None)
            if isinstance(copied, Plain)
            else copied.items
            if isinstance(copied, Order)
            else copied["a"]
        )
        assert found == inner
        assert found is not inner


def test_attributes_of_a_list_of_ones_own_are_kept() -> None:
    numbers = Numbers([1])
    numbers.name = "mine"
    assert own_copy(numbers).name == "mine"


def test_a_value_that_holds_itself_is_copied() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    copied = own_copy(ring)
    assert copied is not ring
    assert copied[1] is copied


def test_what_cannot_be_pickled_is_the_same() -> None:
    lock = [threading.Lock()]
    assert own_copy(lock) is lock


def test_a_record_whose_pickle_cannot_be_read_is_the_same() -> None:
    record = [Unreadable(1, "no")]
    with pytest.raises(StateError):
        own_copy(record)
    assert copy_or_same(record) is record


def test_a_batch_in_which_nothing_can_change_is_the_same_list() -> None:
    for batch in ([1, "a", None], [("a", 1), ("b", 2)], []):
        assert copies_or_same(batch) is batch
    batch = [("a", 1), ["b"]]
    copied = copies_or_same(batch)
    assert copied == batch
    assert copied[0] is batch[0]
    assert copied[1] is not batch[1]
