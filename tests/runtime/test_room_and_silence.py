"""A task without room behind it does nothing, by the clock neither, and does not take its own standing still for silence."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.clock import ManualClock
from penstock.contracts.context import KeyedOnTimerContext, KeyedProcessContext
from penstock.contracts.functions import KeyedProcessFunction
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.batch import RowBatch
from penstock.data.elements import ACTIVE, IDLE, Watermark
from penstock.errors import ProgramError
from penstock.operators.assign_watermarks import AssignWatermarksSpec
from penstock.operators.keyed_process import KeyedProcessSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.progress import Progress
from tests.runtime.stepped_tasks import ByHand, TaskByHand

PERIODIC = WatermarkStrategy.for_monotonous_timestamps().with_idleness(1_000)


class Ticking(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: KeyedProcessContext) -> None:
        ctx.timer_service().register_processing_time_timer(ctx.timer_service().current_processing_time() + 1)

    def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
        ctx.timer_service().register_processing_time_timer(timestamp + 1)
        yield timestamp


def test_timers_wait_for_room_behind_their_task() -> None:
    task = TaskByHand(KeyedProcessSpec(Ticking()), capacity=2)
    clock = task.clock
    assert isinstance(clock, ManualClock)
    task.put(RowBatch(["a"], None, ["a"]))
    task.step()
    for _ in range(10):
        clock.advance(1)
        task.step()
    assert task.take() == [1_001, 1_002], "the channel has room for two batches"
    assert task.task.next_due_ms() is None, "a worker need not wake up for it"
    assert task.run() == [1_003, 1_004, 1_005, 1_006, 1_007, 1_008, 1_009, 1_010]
    assert task.task.next_due_ms() == 1_011


def test_a_source_that_is_held_up_from_behind_is_not_idle() -> None:
    source = ByHand()
    task = TaskByHand(source.with_strategy(PERIODIC), capacity=1)
    clock = task.clock
    assert isinstance(clock, ManualClock)
    source.polls.append(lambda output: output.collect_batch(["a"], [5]))
    task.step()
    for _ in range(10):
        clock.advance(500)
        assert task.step() is Progress.BLOCKED
    assert task.take() == ["a"]
    task.run()
    clock.advance(500)
    assert IDLE not in task.run()
    clock.advance(1_000)
    assert IDLE in task.run()


def test_mid_stream_watermarks_do_not_take_back_pressure_for_silence() -> None:
    task = TaskByHand(AssignWatermarksSpec(PERIODIC), capacity=1)
    clock = task.clock
    assert isinstance(clock, ManualClock)
    task.put(RowBatch(["a"], [5]), RowBatch(["b"], [6]))
    task.step()
    clock.advance(5_000)
    assert task.step() is Progress.BLOCKED
    assert task.take() == ["a"]
    assert task.run() == [Watermark(4), "b"]
    clock.advance(999)
    assert task.run() == [Watermark(5)]
    clock.advance(1_000)
    assert task.run() == [IDLE]


def test_the_time_that_those_behind_take_for_a_record_is_not_silence() -> None:
    source, clock = ByHand(), ManualClock(1_000)

    def slow(value: Any) -> Any:
        clock.advance(5_000)
        return value

    chained = RowChainSpec((RowStep("map", slow, "slow"),))
    task = TaskByHand(source.with_strategy(PERIODIC), chained, clock=clock)
    source.polls.append(lambda output: output.collect_batch(["a"], [5]))
    assert task.run() == ["a", Watermark(4)]
    clock.advance(1_000)
    assert task.run() == [IDLE]


def test_a_task_becomes_idle_when_its_last_active_split_goes() -> None:
    source = ByHand()
    task = TaskByHand(source.with_strategy())
    source.polls += [
        lambda output: output.create_output_for_split("a").emit_watermark(3),
        lambda output: output.create_output_for_split("a").mark_idle(),
        lambda output: output.create_output_for_split("b").emit_watermark(5),
    ]
    assert task.run() == [Watermark(3), IDLE, ACTIVE, Watermark(5)]
    source.polls.append(lambda output: output.release_output_for_split("b"))
    assert task.run() == [IDLE]
    source.polls.append(lambda output: output.create_output_for_split("a").collect("x"))
    assert task.run() == [ACTIVE, "x"]
    source.polls.append(lambda output: output.release_output_for_split("a"))
    assert task.run() == [], "without splits nothing is known"


@pytest.mark.parametrize("watermark", [1.5, 2**63, 2**70, "7", None])
def test_a_watermark_that_is_no_time_is_refused_where_it_is_emitted(watermark: Any) -> None:
    source = ByHand()
    task = TaskByHand(source.with_strategy())
    source.polls.append(lambda output: output.emit_watermark(watermark))
    with pytest.raises(
        ProgramError, match=r"(?s)the watermark .* is not an integer of milliseconds.*operator 0"
    ):
        task.step()


@pytest.mark.parametrize("timestamp", [1.5, 2**63, -(2**70), "7", None])
def test_timestamps_of_a_source_that_are_no_times_are_refused_with_their_record(timestamp: Any) -> None:
    source = ByHand()
    task = TaskByHand(source.with_strategy())
    source.polls.append(lambda output: output.collect_batch(["a", "b"], [1, timestamp]))
    with pytest.raises(ProgramError, match=r"(?s)the timestamp .* the record was 'b'.*operator 0"):
        task.step()


def test_a_single_record_with_a_timestamp_that_is_no_time_is_refused() -> None:
    source = ByHand()
    task = TaskByHand(source.with_strategy())
    source.polls.append(lambda output: output.collect("a", 1.5))
    with pytest.raises(ProgramError, match=r"the timestamp 1.5 .* the record was 'a'"):
        task.step()


def test_integers_of_numpy_are_times() -> None:
    import numpy as np

    source = ByHand()
    task = TaskByHand(source.with_strategy())
    source.polls += [
        lambda output: output.collect_batch(["a"], [np.int64(7)]),
        lambda output: output.emit_watermark(np.int64(7)),
    ]
    assert task.run() == ["a", Watermark(7)]


def test_a_batch_with_times_for_some_of_its_records_is_refused_with_what_to_do() -> None:
    source = ByHand()
    task = TaskByHand(source.with_strategy())
    source.polls.append(lambda output: output.collect_batch(["a", "b"], [1]))
    with pytest.raises(ProgramError, match=r"reader gave 2 records with 1 timestamps.*a timestamp for each"):
        task.step()
