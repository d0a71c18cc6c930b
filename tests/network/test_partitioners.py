"""Partitioners, against the obvious way to do the same."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.errors import ProgramError
from penstock.network.partitioners import (
    BroadcastPartitioner,
    CustomPartitioner,
    ForwardPartitioner,
    GlobalPartitioner,
    HashPartitioner,
    RebalancePartitioner,
    ShufflePartitioner,
    split,
)


@st.composite
def batches_with_channels(draw: st.DrawFn) -> tuple[RowBatch, list[int], int]:
    n = draw(st.integers(1, 9))
    channels = draw(st.lists(st.integers(0, n - 1), max_size=40))
    size = len(channels)
    timestamps = list(range(100, 100 + size)) if draw(st.booleans()) else None
    keys = [f"k{i}" for i in range(size)] if draw(st.booleans()) else None
    return RowBatch(list(range(size)), timestamps, keys), channels, n


@given(batches_with_channels())
def test_split_sends_each_record_to_its_channel_in_order(case: tuple[RowBatch, list[int], int]) -> None:
    batch, channels, n = case
    parts = split(batch, channels, n)
    assert len(parts) == n
    for channel, part in enumerate(parts):
        expected = [i for i, its_channel in enumerate(channels) if its_channel == channel]
        assert part == (batch.take(expected) if expected else None)


@given(batches_with_channels())
def test_split_of_columns_equals_split_of_rows(case: tuple[RowBatch, list[int], int]) -> None:
    rows, channels, n = case
    batch = ColumnBatch(
        pa.record_batch({"value": pa.array(rows.values, pa.int64())}),
        None if rows.timestamps is None else pa.array(rows.timestamps, pa.int64()),
    )
    for by_row, by_column in zip(split(rows, channels, n), split(batch, channels, n), strict=True):
        if by_row is None:
            assert by_column is None
        else:
            assert isinstance(by_column, ColumnBatch)
            assert by_column.columns.to_pydict() == {"value": by_row.values}
            times = None if by_column.timestamps is None else by_column.timestamps.to_pylist()
            assert times == by_row.timestamps


@given(st.lists(st.integers(0, 20), max_size=10), st.integers(1, 5), st.integers(0, 7))
def test_rebalance_goes_round_all_channels_across_batches(sizes: list[int], n: int, first: int) -> None:
    partitioner = RebalancePartitioner(n, first)
    received: list[list[int]] = [[] for _ in range(n)]
    sent = 0
    for size in sizes:
        for channel, part in enumerate(partitioner.partition(RowBatch(list(range(sent, sent + size))))):
            if part is not None:
                assert isinstance(part, RowBatch)
                received[channel].extend(part.values)
        sent += size
    for channel, values in enumerate(received):
        assert values == [i for i in range(sent) if (first + i) % n == channel]


def test_rebalance_takes_timestamps_and_keys_along_and_slices_columns() -> None:
    parts = RebalancePartitioner(2).partition(RowBatch([1, 2, 3], [10, 20, 30], ["a", "b", "c"]))
    assert parts == [RowBatch([1, 3], [10, 30], ["a", "c"]), RowBatch([2], [20], ["b"])]
    columns = ColumnBatch(pa.record_batch({"v": [1, 2, 3]}), pa.array([10, 20, 30]))
    first, second = RebalancePartitioner(2).partition(columns)
    assert isinstance(first, ColumnBatch)
    assert isinstance(second, ColumnBatch)
    assert first.columns.to_pydict() == {"v": [1, 3]}
    assert second.timestamps is not None
    assert second.timestamps.to_pylist() == [20]


def test_forward_global_and_broadcast_hand_on_the_batch_itself() -> None:
    batch = RowBatch([1, 2])
    assert ForwardPartitioner().partition(batch)[0] is batch
    assert GlobalPartitioner(3).partition(batch) == [batch, None, None]
    assert all(part is batch for part in BroadcastPartitioner(3).partition(batch))


def test_hash_asks_the_route_for_the_channel_of_each_record() -> None:
    router = {"a": 2, "b": 0}
    partitioner = HashPartitioner(lambda batch: [router[key] for key in batch.keys], 3)
    parts = partitioner.partition(RowBatch([1, 2, 3], None, ["a", "b", "a"]))
    assert parts == [RowBatch([2], None, ["b"]), None, RowBatch([1, 3], None, ["a", "a"])]


def test_shuffle_reaches_all_channels_and_repeats_itself_with_the_same_seed() -> None:
    batch = RowBatch(list(range(1000)))
    first, second = (ShufflePartitioner(4, seed=7).partition(batch) for _ in range(2))
    assert first == second
    counts = Counter({channel: len(part or ()) for channel, part in enumerate(first)})
    assert counts.total() == 1000
    assert min(counts.values()) > 150


def test_custom_uses_the_users_function_on_the_users_key() -> None:
    partitioner = CustomPartitioner(lambda key, n: key % n, 2, key_of=lambda value: value[1])
    parts = partitioner.partition(RowBatch([("a", 1), ("b", 2), ("c", 3)]))
    assert parts == [RowBatch([("b", 2)]), RowBatch([("a", 1), ("c", 3)])]


@pytest.mark.parametrize("returned", [3, -1, 1.0, None, "1"])
def test_custom_names_the_key_and_what_was_returned_when_it_is_no_channel(returned: Any) -> None:
    partitioner = CustomPartitioner(lambda _key, _n: returned, 3)
    with pytest.raises(ProgramError) as caught:
        partitioner.partition(RowBatch(["alpha", "beta"]))
    assert repr(returned) in str(caught.value)
    assert "'alpha'" in str(caught.value)
    assert "0 to 2" in str(caught.value)


def test_custom_accepts_what_can_stand_for_an_int() -> None:
    parts = CustomPartitioner(lambda key, _n: key > 1, 2).partition(RowBatch([1, 2]))
    assert parts == [RowBatch([1]), RowBatch([2])]
