"""Batches whose keys are pointed at are the same batches as those with a list of keys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.batch import KeyItem, RowBatch, concat_rows
from penstock.network.framing import Encoder, decode
from penstock.network.partitioners import RebalancePartitioner, split

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.text(max_size=3)), max_size=20)


def pointed(values: list[Any]) -> RowBatch:
    return RowBatch(values, None, KeyItem(0))


def listed(values: list[Any]) -> RowBatch:
    return RowBatch(values, None, [value[0] for value in values])


@given(PAIRS, st.integers(0, 20), st.integers(0, 20))
def test_parts_of_them_have_the_keys_of_their_values(values: list[Any], start: int, stop: int) -> None:
    indices = list(range(0, len(values), 2))
    assert pointed(values).slice(start, stop) == listed(values).slice(start, stop)
    assert pointed(values).take(indices) == listed(values).take(indices)


@given(PAIRS, st.integers(1, 5))
def test_they_are_dealt_out_alike(values: list[Any], channels: int) -> None:
    to = [value[0] % channels for value in values]
    assert split(pointed(values), to, channels) == split(listed(values), to, channels)
    assert split(apart(values), to, channels) == split(listed(values), to, channels)
    in_turn = [RebalancePartitioner(channels).partition(batch) for batch in (pointed(values), listed(values))]
    assert in_turn[0] == in_turn[1]


@given(st.lists(st.tuples(PAIRS, st.booleans()), min_size=1, max_size=4))
def test_they_are_joined_with_each_other_and_with_those_that_list_their_keys(
    parts: list[tuple[list[Any], bool]],
) -> None:
    batches = [pointed(values) if points else listed(values) for values, points in parts]
    assert concat_rows(batches) == concat_rows([listed(values) for values, _ in parts])


def test_what_has_no_keys_takes_them_from_those_it_is_joined_with() -> None:
    assert concat_rows([pointed([("a", 1)]), RowBatch([("b", 2)])]).keys is None


@given(PAIRS)
def test_they_arrive_with_their_keys(values: list[Any]) -> None:
    arrived = decode(*Encoder().encode(pointed(values)))
    assert arrived == listed(values)


def test_keys_that_cannot_be_had_are_missed_where_they_are_sent() -> None:
    def take(values: list[Any]) -> list[Any]:
        raise LookupError("no key in " + repr(values[0]))

    with pytest.raises(LookupError, match=r"no key in \(\)"):
        Encoder().encode(RowBatch([()], None, KeyItem(0, take)))


def test_keys_that_were_listed_once_are_known_of_every_part() -> None:
    asked: list[int] = []

    def take(values: list[Any]) -> list[Any]:
        asked.append(len(values))
        return [value[0] for value in values]

    batch = RowBatch([("a", 1), ("b", 2), ("c", 3)], None, KeyItem(0, take))
    assert batch.keys == ["a", "b", "c"]
    for part in split(batch, [0, 1, 0], 2):
        assert part is not None
        assert decode(*Encoder().encode(part)) == part
    assert asked == [3]


def apart(values: list[Any]) -> RowBatch:
    return RowBatch.of_fields(
        [list(field) for field in zip(*values, strict=True)] or [[], []], None, KeyItem(0)
    )


@given(PAIRS, st.integers(0, 20), st.integers(0, 20))
def test_fields_are_the_rows_that_they_make(values: list[Any], start: int, stop: int) -> None:
    indices = list(range(0, len(values), 2))
    assert len(apart(values)) == len(values)
    assert apart(values) == listed(values)
    assert apart(values).slice(start, stop) == listed(values).slice(start, stop)
    assert apart(values).take(indices) == listed(values).take(indices)
    arrived = decode(*Encoder().encode(apart(values)))
    assert isinstance(arrived, RowBatch)
    assert arrived.fields is not None
    assert arrived == listed(values)


@given(st.lists(st.tuples(PAIRS, st.booleans()), min_size=1, max_size=4))
def test_fields_are_joined_with_each_other_and_with_rows(parts: list[tuple[list[Any], bool]]) -> None:
    batches = [apart(values) if is_apart else pointed(values) for values, is_apart in parts]
    assert concat_rows(batches) == concat_rows([listed(values) for values, _ in parts])


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_short_rows_are_dealt_out_by_their_fields_and_long_ones_whole(channels: int) -> None:
    for width in (2, 5):
        times = list(range(9))
        batch = RowBatch.of_fields([[f"{i}{row}" for row in times] for i in range(width)], times)
        whole = RowBatch(list(batch.slice(0, 9).values), times)
        parts = split(batch.slice(0, 9), [row % channels for row in times], channels)
        assert [part.fields is not None for part in parts if part] == [width == 2] * channels
        assert parts == RebalancePartitioner(channels).partition(whole)
        in_turn = RebalancePartitioner(channels).partition(batch)
        assert all(isinstance(part, RowBatch) and part.fields is not None for part in in_turn)
        assert in_turn == parts


def test_a_batch_holds_its_fields_or_the_rows_that_were_made_of_them() -> None:
    batch = apart([("a", 1), ("b", 2)])
    rows = batch.values
    assert batch.fields is None
    assert batch.values is rows
    assert batch.keyed(["k", "l"]).values is rows
    assert batch.slice(1, 2).values[0] is rows[1]
    assert batch.keys == ["a", "b"]


def test_rows_out_of_fields_that_are_keys_themselves_are_sent_once() -> None:
    batch = RowBatch.of_fields([["a", "b"], [1, 2]])
    keyed = batch.keyed(batch.values)
    arrived = decode(*Encoder().encode(keyed))
    assert isinstance(arrived, RowBatch)
    assert arrived == keyed
    assert arrived.keys is arrived.values


def test_fields_of_another_number_are_joined_as_rows() -> None:
    joined = concat_rows([RowBatch.of_fields([[1], [2]]), RowBatch.of_fields([[3], [4], [5]])])
    assert joined.values == [(1, 2), (3, 4, 5)]


@given(
    st.lists(st.tuples(st.integers(), st.one_of(st.none(), st.text(), st.lists(st.integers()))), max_size=9)
)
def test_fields_with_times_and_keys_of_their_own_arrive(values: list[Any]) -> None:
    fields = [list(field) for field in zip(*values, strict=True)] or [[], []]
    batch = RowBatch.of_fields(fields, list(range(len(values))), [str(value[0]) for value in values])
    assert decode(*Encoder().encode(batch)) == batch
