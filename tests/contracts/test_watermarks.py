"""Watermark strategies as values, and the generators that they make."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.watermarks import (
    BoundedOutOfOrdernessWatermarks,
    NoWatermarks,
    TimestampAssigner,
    WatermarkGenerator,
    WatermarkOutput,
    WatermarkStrategy,
)
from penstock.data.time import Duration
from penstock.errors import ProgramError


class Seen(WatermarkOutput):
    def __init__(self) -> None:
        self.watermarks: list[int] = []

    def emit_watermark(self, watermark: int) -> None:
        self.watermarks.append(watermark)

    def mark_idle(self) -> None:
        raise AssertionError("nobody is idle here")

    def mark_active(self) -> None:
        raise AssertionError("nobody was idle here")


def emitted(generator: WatermarkGenerator) -> int:
    seen = Seen()
    generator.on_periodic_emit(seen)
    return seen.watermarks[0]


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1), st.integers(0, 10_000))
def test_the_bounded_generator_stays_behind_the_highest_by_the_bound_and_one(
    times: list[int], bound: int
) -> None:
    one_by_one, at_once = BoundedOutOfOrdernessWatermarks(bound), BoundedOutOfOrdernessWatermarks(bound)
    for time in times:
        one_by_one.on_event(None, time, Seen())
    at_once.on_batch(times)
    assert emitted(one_by_one) == emitted(at_once) == max(times) - bound - 1


@pytest.mark.parametrize("bound", [0, 1, 10_000])
def test_before_the_first_record_the_watermark_is_the_lowest_there_is(bound: int) -> None:
    assert emitted(BoundedOutOfOrdernessWatermarks(bound)) == -(2**63)


def test_no_watermarks_makes_none() -> None:
    generator = WatermarkStrategy.no_watermarks().generator()
    assert isinstance(generator, NoWatermarks)
    seen = Seen()
    generator.on_event("a", 5, seen)
    generator.on_periodic_emit(seen)
    assert seen.watermarks == []


@pytest.mark.parametrize("bound", [5_000, Duration.of_seconds(5), timedelta(seconds=5)])
def test_a_bound_may_be_given_in_every_form_of_a_duration(bound: Any) -> None:
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(bound)
    assert strategy == WatermarkStrategy.for_bounded_out_of_orderness(5_000)
    generator = strategy.generator()
    generator.on_event(None, 6_000, Seen())
    assert emitted(generator) == 999


def test_each_call_of_the_supplier_makes_another_generator() -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    assert strategy.generator() is not strategy.generator()


def test_with_makes_copies() -> None:
    plain = WatermarkStrategy.for_monotonous_timestamps()
    idle = plain.with_idleness(Duration.of_minutes(1)).with_watermark_alignment("group", 500)
    assert (plain.idle_timeout_ms, plain.alignment) == (None, None)
    assert idle.idle_timeout_ms == 60_000
    assert idle.alignment is not None
    assert (idle.alignment.group, idle.alignment.max_drift_ms, idle.alignment.update_interval_ms) == (
        "group",
        500,
        1_000,
    )


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


def test_an_assigner_is_an_object_or_a_function() -> None:
    strategy = WatermarkStrategy.no_watermarks()
    for assigner in (Second(), lambda value, _: value[1]):
        made = strategy.with_timestamp_assigner(assigner)
        assert made.assigner is not None
        assert made.assigner(("a", 7), 0) == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WatermarkStrategy.no_watermarks().with_idleness(0), "must be positive, not 0"),
        (lambda: WatermarkStrategy.no_watermarks().with_idleness("soon"), "idle_timeout is 'soon'"),
        (lambda: WatermarkStrategy.for_bounded_out_of_orderness(None), "max_out_of_orderness is None"),
        (lambda: WatermarkStrategy.for_generator(NoWatermarks()), "pass the class itself"),
        (lambda: WatermarkStrategy.for_generator(3), "takes a function"),
        (lambda: WatermarkStrategy.no_watermarks().with_timestamp_assigner(3), "a timestamp assigner is"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_written(call: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        call()
