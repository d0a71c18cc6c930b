"""Timestamps and watermarks assigned in mid-stream."""

from typing import Any

import pytest

from penstock.contracts.watermarks import WatermarkGenerator, WatermarkOutput, WatermarkStrategy
from penstock.data.elements import ACTIVE, IDLE, MAX_WATERMARK
from penstock.data.time import Duration
from penstock.errors import ProgramError, UserCodeError
from penstock.operators.assign_watermarks import AssignWatermarksSpec
from tests.operators.stage import Stage

EVERY_100_MS = {"pipeline.auto-watermark-interval": "100 ms"}
BOUNDED = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(5)).with_timestamp_assigner(
    lambda value, timestamp: value * 10
)


class AtMarks(WatermarkGenerator):
    """A watermark at each negative value."""

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        if event < 0:
            output.emit_watermark(-event)

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        pass


def stage_of(strategy: WatermarkStrategy, **options: Any) -> Stage:
    return Stage(AssignWatermarksSpec(strategy), settings=EVERY_100_MS, **options)


def test_records_are_stamped_and_watermarks_come_at_intervals() -> None:
    stage = stage_of(BOUNDED)
    stage.give([1, 3, 2])
    assert stage.take() == [(1, 10), (3, 30), (2, 20)]
    stage.advance(100)
    assert stage.take() == [("watermark", 24)]
    stage.advance(100)
    assert stage.take() == []
    stage.give([4])
    stage.advance(100)
    assert stage.take() == [(4, 40), ("watermark", 34)]


def test_the_assigner_is_told_the_timestamp_that_the_record_has() -> None:
    strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(
        lambda value, timestamp: timestamp + value
    )
    stage = stage_of(strategy)
    stage.give([1, 2], [10, 20])
    assert stage.take() == [(1, 11), (2, 22)]


def test_without_an_assigner_timestamps_stay() -> None:
    stage = stage_of(WatermarkStrategy.for_monotonous_timestamps())
    stage.give([1, 2], [10, 20])
    stage.advance(100)
    assert stage.take() == [(1, 10), (2, 20), ("watermark", 19)]


def test_punctuated_watermarks_come_between_the_records() -> None:
    stage = stage_of(WatermarkStrategy.for_generator(AtMarks))
    stage.give([1, -5, -3, 2, -8])
    assert stage.take() == [
        (1, None),
        (-5, None),
        ("watermark", 5),
        (-3, None),
        (2, None),
        (-8, None),
        ("watermark", 8),
    ]


def test_of_the_watermarks_from_upstream_only_the_end_of_time_passes() -> None:
    stage = stage_of(BOUNDED)
    stage.give([1])
    stage.watermark(5_000)
    assert stage.take() == [(1, 10)]
    stage.watermark(MAX_WATERMARK)
    stage.operator.finish()
    assert stage.take() == [("watermark", MAX_WATERMARK)]


def test_at_an_end_before_the_end_of_time_the_last_watermark_comes() -> None:
    stage = stage_of(BOUNDED)
    stage.give([1])
    stage.operator.finish()
    assert stage.take() == [(1, 10), ("watermark", 4)]


def test_upstream_idleness_is_ignored_and_that_of_the_strategy_is_told() -> None:
    stage = stage_of(BOUNDED.with_idleness(Duration.of_millis(250)))
    stage.give([1])
    stage.advance(100)
    stage.take()
    stage.status(IDLE)
    assert stage.take() == []
    for _ in range(3):
        stage.advance(100)
    assert stage.take() == [("status", IDLE)]
    stage.give([2])
    assert stage.take() == [("status", ACTIVE), (2, 20)]


def test_in_batch_mode_records_are_stamped_and_nothing_else_happens() -> None:
    stage = stage_of(BOUNDED, batch_mode=True)
    stage.give([1, 2])
    stage.advance(1_000)
    stage.watermark(MAX_WATERMARK)
    stage.operator.finish()
    assert stage.take() == [(1, 10), (2, 20), ("watermark", MAX_WATERMARK)]


def test_nothing_is_called_after_the_end() -> None:
    stage = stage_of(BOUNDED)
    stage.operator.close()
    assert stage.time.next_ms() is None


def test_an_error_of_the_assigner_names_the_record() -> None:
    stage = stage_of(
        WatermarkStrategy.no_watermarks().with_timestamp_assigner(lambda value, timestamp: 1 // value)
    )
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        stage.give([1, 0])


def test_a_timestamp_that_is_no_integer_is_refused_with_its_record() -> None:
    stage = stage_of(
        WatermarkStrategy.no_watermarks().with_timestamp_assigner(lambda value, timestamp: value)
    )
    with pytest.raises(ProgramError, match="the timestamp 'soon' is not an integer"):
        stage.give([1, "soon"])


def test_an_error_in_making_the_generator_names_the_operator() -> None:
    def broken() -> WatermarkGenerator:
        raise ValueError("no bound")

    with pytest.raises(UserCodeError, match=r"ValueError: no bound[\s\S]*'Tested'"):
        stage_of(WatermarkStrategy.for_generator(broken))
