"""Accumulators: however the values are spread over subtasks and the parts are merged, the result is the same."""

import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.accumulators import (
    Accumulator,
    AverageAccumulator,
    DoubleCounter,
    Histogram,
    IntCounter,
    IntMaximum,
    IntMinimum,
    ListAccumulator,
    LongCounter,
)

KINDS: dict[type[Accumulator], Callable[[list[int]], Any]] = {
    IntCounter: sum,
    LongCounter: sum,
    DoubleCounter: lambda values: float(sum(values)),
    AverageAccumulator: lambda values: sum(values) / len(values) if values else 0.0,
    IntMaximum: lambda values: max(values, default=None),
    IntMinimum: lambda values: min(values, default=None),
    ListAccumulator: list,
    Histogram: lambda values: dict(sorted(Counter(values).items())),
}


@pytest.mark.parametrize("kind", KINDS)
@given(parts=st.lists(st.lists(st.integers(-1_000, 1_000)), min_size=1, max_size=4))
def test_merged_parts_are_as_one_accumulator_that_saw_everything(
    kind: type[Accumulator], parts: list[list[int]]
) -> None:
    accumulators = []
    for part in parts:
        accumulators.append(kind())
        for value in part:
            accumulators[-1].add(value)
    merged = pickle.loads(pickle.dumps(accumulators[0]))
    for accumulator in accumulators[1:]:
        merged.merge(accumulator)
    everything = [value for part in parts for value in part]
    assert merged.get_local_value() == pytest.approx(KINDS[kind](everything))


@pytest.mark.parametrize("kind", KINDS)
def test_merging_leaves_the_other_part_as_it_is(kind: type[Accumulator]) -> None:
    first, second = kind(), kind()
    first.add(1)
    second.add(2)
    before = second.get_local_value()
    first.merge(second)
    first.add(3)
    assert second.get_local_value() == before


@pytest.mark.parametrize("kind", [ListAccumulator, Histogram])
def test_what_was_handed_out_does_not_change_any_more(kind: type[Accumulator]) -> None:
    accumulator = kind()
    accumulator.add(1)
    value = accumulator.get_local_value()
    accumulator.add(2)
    assert value == kind().get_local_value().__class__([1] if kind is ListAccumulator else {1: 1})


def test_a_histogram_counts_values_that_have_no_order() -> None:
    histogram = Histogram()
    for value in (None, "a", 1, "a"):
        histogram.add(value)
    assert histogram.get_local_value() == {None: 1, "a": 2, 1: 1}
