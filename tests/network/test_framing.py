"""Elements survive being framed, whatever their values are."""

import sys
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import cloudpickle
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import ACTIVE, IDLE, Barrier, Element, EndOfInput, Watermark
from penstock.errors import NotSerializable, ProtocolError
from penstock.network.framing import Encoder, Kind, decode

atoms = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(max_size=100)
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=6,
)


def there_and_back(element: Element) -> Element:
    return decode(*Encoder().encode(element))


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down: True is not 1."""
    return bool(left == right) and repr(left) == repr(right)


@given(st.lists(values, max_size=20), st.booleans(), st.sampled_from(["none", "part", "whole", "other"]))
def test_rows_come_back_equal_and_of_the_same_types(items: list[Any], timed: bool, keyed: str) -> None:
    rows = [(item, i) for i, item in enumerate(items)]
    keys = {"none": None, "part": items, "whole": list(rows), "other": list(range(1000, 1000 + len(rows)))}[
        keyed
    ]
    batch = RowBatch(list(rows), list(range(len(rows))) if timed else None, keys)
    assert same(there_and_back(batch), batch)


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        ([(1,), (1,)], [1, True]),
        ([(1, 2), (3,), "x"], [2, None, None]),
        ([1, 2], [1.0, 2.0]),
        ([], []),
        ([{"k": 1}], [1]),
        ([("a",), 5], ["a", 5]),
    ],
)
def test_keys_that_look_like_parts_of_values_are_kept_as_they_are(rows: list[Any], keys: list[Any]) -> None:
    batch = RowBatch(rows, None, keys)
    assert same(there_and_back(batch), batch)


def test_a_key_that_is_a_part_of_its_value_costs_nothing() -> None:
    rows = [(f"word {i}", 1) for i in range(1000)]
    _, without = Encoder().encode(RowBatch(rows))
    _, keyed = Encoder().encode(RowBatch(rows, None, [row[0] for row in rows]))
    assert len(keyed) - len(without) < 10


def test_a_value_that_contains_itself_comes_back_so() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    back = there_and_back(RowBatch([(1, 2), loop, (3, 4)]))
    assert isinstance(back, RowBatch)
    assert back.values[1][1] is back.values[1]


@pytest.mark.parametrize(
    "signal",
    [
        Watermark(-(2**63)),
        Watermark(2**63 - 1),
        IDLE,
        ACTIVE,
        Barrier(7, 1_700_000_000_000, unaligned=True),
        Barrier(8, 5, savepoint=True),
        EndOfInput(),
        EndOfInput(drained=False),
        EndOfInput(savepoint_id=2**40),
    ],
)
def test_signals_come_back_equal_and_are_small(signal: Element) -> None:
    kind, payload = Encoder().encode(signal)
    assert decode(kind, payload) == signal
    assert len(payload) <= 18


@pytest.mark.parametrize("timed", [True, False])
def test_columns_come_back_with_schema_metadata_and_timestamps(timed: bool) -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.dictionary(pa.int8(), pa.string()))], {"owner": "me"})
    columns = pa.RecordBatch.from_arrays(
        [pa.array([1, None, 3]), pa.array(["x", "y", "x"]).dictionary_encode().cast(schema.field(1).type)],
        schema=schema,
    )
    back = there_and_back(ColumnBatch(columns, pa.array([10, 20, 30]) if timed else None))
    assert isinstance(back, ColumnBatch)
    assert back.columns.equals(columns, check_metadata=True)
    if timed:
        assert back.timestamps is not None
        assert back.timestamps.to_pylist() == [10, 20, 30]
    else:
        assert back.timestamps is None


def test_columns_without_a_column_keep_their_number_of_rows() -> None:
    empty = pa.record_batch({"a": [1, 2, 3]}).select([])
    for timestamps in (None, pa.array([1, 2, 3])):
        assert len(there_and_back(ColumnBatch(empty, timestamps))) == 3  # type: ignore[arg-type]


def test_instances_of_local_classes_come_back_as_the_same_class_in_one_process() -> None:
    @dataclass(frozen=True)
    class Point:
        x: int

    class Color(Enum):
        RED = 1

    pair = namedtuple("pair", "a b")
    batch = RowBatch([Point(1), Color.RED, pair(1, 2), Point])
    back = there_and_back(batch)
    assert back == batch
    assert isinstance(back, RowBatch)
    assert back.values[1] is Color.RED
    assert back.values[3] is Point


def test_a_class_by_value_is_announced_ahead_of_its_batch_and_only_its_token_is_in_the_frame() -> None:
    @dataclass
    class Wide:
        text: str

        def long_method(self) -> str:
            return "x" * 100 + self.text

    announced: list[str] = []
    encoder = Encoder(announced.append)
    for _ in range(2):
        _, payload = encoder.encode(RowBatch([Wide("a"), Wide("b")]))
        assert b"long_method" not in bytes(payload)
    assert len(set(announced)) == 1


def test_functions_that_cannot_be_imported_travel_by_value() -> None:
    offset = 10
    back = there_and_back(RowBatch([lambda x: x + offset]))
    assert isinstance(back, RowBatch)
    assert back.values[0](1) == 11


def test_values_that_only_cloudpickle_can_take_travel_too() -> None:
    back = there_and_back(RowBatch([sys]))
    assert isinstance(back, RowBatch)
    assert back.values[0] is sys


def test_a_module_registered_by_value_is_not_imported_on_the_other_side() -> None:
    announced: list[str] = []
    module = sys.modules[Fraction.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        Encoder(announced.append).encode(RowBatch([Fraction(1)]))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    assert len(announced) == 1


@dataclass
class Fraction:
    top: int


def iter_of_nothing() -> Iterator[int]:
    """A generator, which nothing can pickle."""
    yield from ()


def test_a_value_that_cannot_be_pickled_is_named() -> None:
    with pytest.raises(NotSerializable) as caught:
        Encoder().encode(RowBatch([("fine", 1), ("broken", iter_of_nothing())]))
    assert "'broken'" in str(caught.value)
    assert "cannot be sent" in str(caught.value)


def test_a_long_value_is_shortened_in_the_error() -> None:
    with pytest.raises(NotSerializable) as caught:
        Encoder().encode(RowBatch([["x" * 10_000, iter_of_nothing()]]))
    assert len(str(caught.value)) < 600


class _Hostile:
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")

    def __repr__(self) -> str:
        raise RuntimeError("nor this")


def test_a_value_whose_repr_fails_is_still_reported() -> None:
    with pytest.raises(NotSerializable, match=r"_Hostile.*not me"):
        Encoder().encode(RowBatch([_Hostile()]))


def test_a_value_whose_module_is_missing_here_is_reported() -> None:
    kind, payload = Encoder().encode(RowBatch([Encoder]))
    elsewhere = bytes(payload).replace(b"penstock.network.framing", b"penstock.network.missing")
    with pytest.raises(NotSerializable, match="cannot import"):
        decode(kind, elsewhere)


def test_a_frame_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ProtocolError, match="kind 200"):
        decode(200, b"")
    with pytest.raises(ProtocolError):
        decode(Kind.CREDIT, b"")
