"""Values that have been columns are equal to what they were, and of the same types."""

import json
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.checkpoint.value_columns import decode, encode
from penstock.contracts.state import TupleColumn
from penstock.data.row import Row, RowKind
from penstock.errors import StateError
from penstock.windows.window import TimeWindow

Point = namedtuple("Point", "x y")


class Named(NamedTuple):
    name: str
    pieces: int = 0


@dataclass
class Account:
    owner: str
    amounts: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    key: Any
    at: Any


def through_parquet(values: list[Any]) -> list[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    array, shape = encode(values)
    shape = json.loads(json.dumps(shape))
    file = BytesIO()
    pq.write_table(pa.table({"value": array}), file)
    column = pq.read_table(file)["value"].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return decode(column, shape)


def identical(one: Any, two: Any) -> bool:
    """Equality that tells 1, 1.0 and True apart, and 0.0 and -0.0; NaN is itself."""
    if type(one) is not type(two):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(identical, one, two))
    if isinstance(one, dict):
        return all(map(identical, one.keys(), two.keys())) and all(map(identical, one.values(), two.values()))
    if isinstance(one, Row):
        return (
            one._names == two._names
            and one.get_row_kind() is two.get_row_kind()
            and identical(one._values, two._values)
        )
    if isinstance(one, Account):
        return identical(vars(one), vars(two))
    if isinstance(one, Frozen):
        return identical((one.key, one.at), (two.key, two.at))
    if isinstance(one, datetime | time):
        return bool(one == two and one.tzinfo == two.tzinfo and one.fold == two.fold)
    return repr(one) == repr(two)


atoms: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "big int": st.integers(),
    "bool": st.booleans(),
    "float": st.floats(),
    "str": st.text(st.characters(codec=None, exclude_categories=[]), max_size=8),
    "bytes": st.binary(max_size=8),
    "decimal": st.decimals(),
    "date": st.dates(),
    "datetime": st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    "time": st.times(),
    "timedelta": st.timedeltas(),
    "fraction": st.fractions(),
    "none": st.none(),
    "complex": st.complex_numbers(allow_nan=False),
}
of_one_type = st.sampled_from(sorted(atoms)).map(atoms.__getitem__)


def composed(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(of, max_size=4),
        st.dictionaries(st.integers(0, 9) | st.none(), of, max_size=3),
        st.tuples(of, of),
        st.tuples(of),
        st.just(()),
        st.builds(Point, of, of),
        st.builds(Named, st.text(max_size=3), st.integers(0, 9)),
        st.builds(Account, st.text(max_size=3), st.lists(of, max_size=3)),
        st.builds(Frozen, of, of),
        st.builds(Row, of, of),
        st.builds(lambda a, b: Row(a=a, b=b), of, of),
        st.builds(lambda a: Row.of_kind(RowKind.DELETE, a), of),
        st.builds(TimeWindow, st.integers(0, 9), st.integers(10, 19)),
        st.frozensets(st.integers(0, 3), max_size=3),
    )


def columns_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, max_size=6)


alike = of_one_type.flatmap(
    lambda atom: st.one_of(
        columns_of(atom),
        columns_of(atom | st.none()),
        st.sampled_from(
            [
                st.lists(atom, max_size=4),
                st.lists(st.none() | atom, max_size=4),
                st.tuples(atom, st.integers(0, 5)),
                st.tuples(st.none() | atom, st.lists(atom, max_size=2)),
                st.dictionaries(st.text(max_size=3), atom, max_size=3),
                st.builds(Account, st.text(max_size=3), st.lists(atom, max_size=3)),
                st.builds(Frozen, atom, st.tuples(atom)),
                st.builds(Point, atom, st.none() | st.tuples(atom, atom)),
                st.builds(lambda a, b: Row(a=a, b=b), atom, st.booleans()),
            ]
        ).flatmap(lambda inner: columns_of(inner) | columns_of(inner | st.none())),
    )
)
mixed = columns_of(st.recursive(st.one_of(list(atoms.values())), composed, max_leaves=6))


@settings(deadline=None, max_examples=400)
@given(alike)
def test_columns_of_one_type_come_back_as_they_were(values: list[Any]) -> None:
    assert identical(through_parquet(values), values)


@settings(deadline=None, max_examples=300)
@given(mixed)
def test_columns_of_anything_come_back_as_they_were(values: list[Any]) -> None:
    assert identical(through_parquet(values), values)


@pytest.mark.parametrize(
    ("values", "arrow_type"),
    [
        ([1, 2, None], "int64"),
        ([True, False], "bool"),
        ([1.5, float("nan"), -0.0], "double"),
        (["a", None], "large_string"),
        ([b"a"], "large_binary"),
        ([("a", 1), ("b", 2)], "struct<f0: large_string, f1: int64>"),
        (
            [Account("a", [1]), Account("b", [])],
            "struct<owner: large_string, amounts: large_list<item: int64>>",
        ),
        ([{"a": 1}, {}], "large_list<item: struct<key: large_string, value: int64>>"),
        ([TimeWindow(0, 5)], "struct<start: int64, end: int64>"),
        ([Row(a=1, b="x")], "struct<a: int64, b: large_string>"),
        ([datetime(2020, 1, 1, tzinfo=UTC)], "timestamp[us, tz=UTC]"),
        ([date(2020, 1, 1), None], "date32[day]"),
        ([timedelta(days=1)], "int64"),
        ([Decimal("1.10"), Decimal("NaN")], "large_string"),
        ([1, True], "large_binary"),
        ([1, 2**70], "large_binary"),
        ([Fraction(1, 3)], "large_binary"),
    ],
)
def test_what_types_the_columns_have(values: list[Any], arrow_type: str) -> None:
    array, _ = encode(values)
    assert str(array.type) == arrow_type
    assert identical(through_parquet(values), values)


def test_tuples_that_are_columns_already_are_written_as_the_same_tuples() -> None:
    keys, counts = ["a", "b"], [1, None]
    array, shape = encode(TupleColumn(keys, counts))
    again, same = encode(list(zip(keys, counts, strict=True)))
    assert array.equals(again)
    assert shape == same
    assert decode(array, shape) == [("a", 1), ("b", None)]
    assert list(TupleColumn(keys, counts)[1:]) == [TupleColumn(keys, counts)[1]] == [("b", None)]


def renamed(shape: Any, new: str) -> Any:
    return {**shape, "class": new}


@dataclass
class AccountLater:
    amounts: list[Any]
    currency: str = "EUR"
    tags: list[str] = field(default_factory=list)


@dataclass
class AccountWithoutDefault:
    owner: str
    branch: str


class NamedLater(NamedTuple):
    pieces: int
    unit: str = "pieces"


def test_fields_of_a_dataclass_that_came_get_their_defaults_and_those_that_went_are_dropped() -> None:
    array, shape = encode([Account("a", [1]), Account("b", [2])])
    one, two = decode(array, renamed(shape, "AccountLater"))
    assert (one, two) == (AccountLater([1]), AccountLater([2]))
    assert one.tags is not two.tags


def test_fields_of_a_named_tuple_come_and_go_too() -> None:
    array, shape = encode([Named("a", 1)])
    assert decode(array, renamed(shape, "NamedLater")) == [NamedLater(1, "pieces")]


def test_a_new_field_without_a_default_is_named() -> None:
    array, shape = encode([Account("a", [1])])
    with pytest.raises(
        StateError, match=r"fields owner, amounts and now has 'branch' too, which has no default"
    ):
        decode(array, renamed(shape, "AccountWithoutDefault"))


def test_a_class_that_is_gone_is_named() -> None:
    array, shape = encode([Account("a", [1])])
    with pytest.raises(StateError, match=r"Gone cannot be read: there is no such class any more"):
        decode(array, renamed(shape, "Gone"))
    with pytest.raises(StateError, match=r"nowhere.Account cannot be read: No module named 'nowhere'"):
        decode(array, {**shape, "module": "nowhere"})
    with pytest.raises(StateError, match="when it was a dataclass"):
        decode(array, renamed(shape, "Point"))


def test_a_class_that_cannot_be_imported_travels_with_its_column() -> None:
    @dataclass
    class Local:
        x: int

    array, shape = encode([Local(1), Local(2)])
    assert str(array.type) == "struct<x: int64>"
    (first, second) = decode(array, json.loads(json.dumps(shape)))
    assert (first.x, second.x, type(first).__name__) == (1, 2, "Local")


def test_a_form_of_a_newer_version_is_refused() -> None:
    array, _ = encode([1])
    with pytest.raises(StateError, match="'quaternion' is not known: a newer version"):
        decode(array, {"as": "quaternion"})
