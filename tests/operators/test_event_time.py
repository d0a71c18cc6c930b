"""Event times and watermarks by a strategy, in mid-stream: what is stamped, when a watermark comes, when silence counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.watermarks import (
    BoundedOutOfOrdernessWatermarks,
    WatermarkGenerator,
    WatermarkOutput,
    WatermarkStrategy,
)
from penstock.data.batch import KeyItem, RowBatch
from penstock.data.elements import MAX_WATERMARK
from penstock.errors import ProgramError, UserCodeError
from penstock.operators.assign_watermarks import AssignWatermarksSpec
from penstock.testing import (
    ACTIVE,
    IDLE,
    AdvanceTime,
    HarnessSettings,
    OperatorHarness,
    StreamRecord,
    Watermark,
    run_in_all_modes,
)

AT = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda value, _: value)


class AfterEach(WatermarkGenerator):
    """A watermark behind every record."""

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        output.emit_watermark(event_timestamp)

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        pass


EACH = WatermarkStrategy.for_generator(AfterEach).with_timestamp_assigner(lambda value, _: value)


def harness_for(strategy: WatermarkStrategy, **settings: Any) -> OperatorHarness:
    return OperatorHarness(AssignWatermarksSpec(strategy), (), HarnessSettings(**settings))


def test_records_are_stamped_and_a_periodic_watermark_follows_the_highest() -> None:
    script = [5, 9, 7, AdvanceTime(199), AdvanceTime(1), AdvanceTime(200), 20, AdvanceTime(200)]
    expected = [
        *(StreamRecord(value, value) for value in (5, 9, 7)),
        Watermark(8),
        StreamRecord(20, 20),
        Watermark(19),
    ]
    with harness_for(AT) as harness:
        harness.feed(step if isinstance(step, AdvanceTime) else StreamRecord(step) for step in script)
        assert harness.get_output() == expected


@given(st.lists(st.integers(0, 40), max_size=10))
def test_a_watermark_behind_each_record_cuts_the_batches_and_only_ever_rises(times: list[int]) -> None:
    expected: list[Any] = []
    highest = -1
    for time in times:
        expected.append(StreamRecord(time, time))
        if time > highest:
            highest = time
            expected.append(Watermark(time))
    run_in_all_modes(AssignWatermarksSpec(EACH), times, expected)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=10), st.integers(0, 30))
def test_no_record_within_the_bound_is_late(times: list[int], bound: int) -> None:
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(bound).with_timestamp_assigner(
        lambda value, _: value
    )
    with harness_for(strategy) as harness:
        harness.process_elements(times)
        harness.advance_processing_time(200)
        assert harness.get_output()[-1] == Watermark(max(times) - bound - 1)


def test_the_watermarks_from_upstream_are_replaced_but_for_the_last() -> None:
    with harness_for(WatermarkStrategy.no_watermarks()) as harness:
        harness.process_watermark(50)
        harness.process_watermark(MAX_WATERMARK)
        assert harness.get_output() == [Watermark(MAX_WATERMARK)]


def test_silence_marks_the_stream_idle_and_a_record_wakes_it() -> None:
    with harness_for(AT.with_idleness(1_000)) as harness:
        harness.process_element(5)
        harness.advance_processing_time(600)
        harness.advance_processing_time(600)
        harness.process_element(6)
        assert harness.get_output() == [StreamRecord(5, 5), Watermark(4), IDLE, ACTIVE, StreamRecord(6, 6)]


def test_a_subclass_of_a_generator_of_the_engine_sees_every_record() -> None:
    class Punctuated(BoundedOutOfOrdernessWatermarks):
        def __init__(self) -> None:
            super().__init__(0)

        def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
            output.emit_watermark(event_timestamp)

    with harness_for(WatermarkStrategy.for_generator(Punctuated)) as harness:
        harness.process_element("a", 7)
        assert harness.get_output() == [StreamRecord("a", 7), Watermark(7)]


def test_the_assigner_is_given_the_timestamp_that_the_record_had() -> None:
    later = WatermarkStrategy.no_watermarks().with_timestamp_assigner(
        lambda value, before: max(before, 0) + 1
    )
    run_in_all_modes(
        AssignWatermarksSpec(later),
        [StreamRecord("a", 10), StreamRecord("b")],
        [StreamRecord("a", 11), StreamRecord("b", 1)],
    )


@pytest.mark.parametrize("timestamp", ["10", 1.5, 2**63, None])
def test_a_timestamp_that_is_no_whole_number_of_64_bits_is_refused_with_its_record(timestamp: Any) -> None:
    strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(lambda value, _: timestamp)
    with pytest.raises(ProgramError, match="the record was 'x'"):
        harness_for(strategy).process_element("x")


@pytest.mark.parametrize("assigner", [lambda row, _: row[1], lambda row, before: max(row[1], before)])
def test_tuples_that_came_apart_are_stamped_like_whole_ones(assigner: Any) -> None:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(assigner)
    with harness_for(strategy) as harness:
        harness.process_batch(RowBatch.of_fields([["a", "b"], [7, 5]], None, KeyItem(0)))
        assert harness.get_output() == [StreamRecord(("a", 7), 7), StreamRecord(("b", 5), 5)]


def test_an_item_that_tuples_that_came_apart_do_not_have_is_an_error_of_the_assigner() -> None:
    harness = harness_for(EACH.with_timestamp_assigner(lambda row, _: row[2]))
    with pytest.raises(UserCodeError, match=r"IndexError.*test_event_time\.py.*the record was \('a', 7\)"):
        harness.process_batch(RowBatch.of_fields([["a", "b"], [7, 5]]))


def test_a_failing_assigner_is_named_with_its_record() -> None:
    strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(lambda value, _: 1 // value)
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        harness_for(strategy).process_elements([1, 0, 2])


def test_a_failing_generator_is_named_with_its_record() -> None:
    class Failing(AfterEach):
        def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
            output.emit_watermark(1 // event)

    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        harness_for(WatermarkStrategy.for_generator(Failing)).process_elements([1, 0, 2])


def test_in_batch_mode_records_are_stamped_and_no_watermark_is_made() -> None:
    with harness_for(EACH, batch_mode=True) as harness:
        harness.process_elements([3, 4])
        harness.advance_processing_time(1_000)
        assert harness.get_output() == [StreamRecord(3, 3), StreamRecord(4, 4)]


def test_an_interval_of_nothing_asks_the_generator_never() -> None:
    with harness_for(AT, configuration={"pipeline.auto-watermark-interval": "0 ms"}) as harness:
        harness.process_element(3)
        harness.advance_processing_time(10_000)
        assert harness.get_output() == [StreamRecord(3, 3)]
