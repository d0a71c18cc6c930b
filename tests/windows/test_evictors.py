"""What evictors remove."""

from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProgramError
from penstock.windows import CountEvictor, DeltaEvictor, Evictor, GlobalWindow, TimeEvictor, TimestampedValue

numbers = st.lists(st.integers(-50, 50), max_size=12)


def stamped(times: list[int]) -> list[TimestampedValue[int]]:
    return [TimestampedValue(time, time) for time in times]


def keep(evictor: Evictor[Any, Any], elements: list[TimestampedValue[int]]) -> list[int]:
    """What is left before the window function."""
    evictor.evict_before(elements, len(elements), GlobalWindow.get(), None)  # type: ignore[arg-type]
    return [element.value for element in elements]


@pytest.mark.parametrize(
    ("evictor", "before", "after"),
    [
        (CountEvictor.of(3), [1, 2, 3, 4], [2, 3, 4]),
        (TimeEvictor.of(10), [0, 20, 10, 11], [20, 11]),
        (DeltaEvictor.of(3, lambda record, last: abs(record - last)), [1, 6, 4], [6, 4]),
    ],
    ids=repr,
)
def test_an_evictor_keeps_what_flinks_keeps(
    evictor: Evictor[Any, Any], before: list[int], after: list[int]
) -> None:
    assert keep(evictor, stamped(before)) == after


@given(numbers, st.integers(0, 15))
def test_a_count_evictor_keeps_the_latest(values: list[int], count: int) -> None:
    assert keep(CountEvictor.of(count), stamped(values)) == [
        value for place, value in enumerate(values) if len(values) - place <= count
    ]


@given(numbers, st.integers(0, 40))
def test_a_time_evictor_keeps_what_is_younger_than_its_size(values: list[int], size: int) -> None:
    assert keep(TimeEvictor.of(size), stamped(values)) == [
        value for value in values if max(values) - value < size
    ]


@given(numbers, st.integers(0, 40))
def test_a_delta_evictor_keeps_what_is_nearer_than_the_threshold_to_the_last(
    values: list[int], threshold: int
) -> None:
    assert keep(DeltaEvictor.of(threshold, lambda record, last: record - last), stamped(values)) == [
        value for value in values if value - values[-1] < threshold
    ]


def test_a_distance_that_is_not_a_number_removes_nothing() -> None:
    assert keep(DeltaEvictor.of(1, lambda record, last: nan), stamped([1, 2])) == [1, 2]


@pytest.mark.parametrize(
    "make", [CountEvictor.of, TimeEvictor.of, lambda n, after: DeltaEvictor.of(n, lambda a, b: b - a, after)]
)
def test_an_evictor_works_before_the_function_or_after_it(make: Any) -> None:
    for after in (False, True):
        evictor: Evictor[Any, Any] = make(1, after)
        elements = stamped([1, 2])
        evictor.evict_before(elements, 2, GlobalWindow.get(), None)  # type: ignore[arg-type]
        assert len(elements) == (2 if after else 1)
        evictor.evict_after(elements, len(elements), GlobalWindow.get(), None)  # type: ignore[arg-type]
        assert len(elements) == 1


def test_a_time_evictor_leaves_records_alone_when_the_first_has_no_timestamp() -> None:
    elements = [TimestampedValue(1), TimestampedValue(2, 100), TimestampedValue(3, 0)]
    assert keep(TimeEvictor.of(1), elements) == [1, 2, 3]


def test_a_record_without_timestamp_in_the_middle_is_an_error() -> None:
    with pytest.raises(ProgramError, match="the record 2 has no timestamp"):
        keep(TimeEvictor.of(1), [TimestampedValue(1, 1), TimestampedValue(2)])


def test_a_count_evictor_cannot_keep_less_than_nothing() -> None:
    with pytest.raises(ProgramError, match="cannot keep -1 records"):
        CountEvictor.of(-1)


def test_a_timestamped_value_is_a_value() -> None:
    value = TimestampedValue("a", 1)
    assert (value.get_value(), value.get_timestamp(), value.has_timestamp()) == ("a", 1, True)
    assert value == TimestampedValue("a", 1) != TimestampedValue("a")
    assert len({value, TimestampedValue("a", 1)}) == 1
