"""Steps are bounded in time: what is slow is done a piece at a time, and timers, barriers and cancelling come in between."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.clock import ManualClock, pause
from penstock.contracts.pace import BATCH_RECORDS, STEP_S
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, MAX_WATERMARK, Barrier, Watermark
from penstock.data.time import Duration
from penstock.datastream import StreamExecutionEnvironment
from penstock.network.key_grouping import KeyGrouping
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.pieces import Step, Work
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.input_gate import InFlight
from penstock.runtime.task.progress import Progress
from penstock.runtime.task.tasklet import OperatorTasklet, SourceTasklet
from tests.runtime.stepped_tasks import ByHand, TaskByHand
from tests.runtime.tasks import Writes

ONE = Barrier(1, 0)
SLOW_MS = round(STEP_S * 1_000) * 2


def mapped(function: Callable[[Any], Any]) -> RowChainSpec:
    return RowChainSpec((RowStep("map", function, "step"),))


class Slow:
    """A function that takes two steps' time for each record, by the clock of the test."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_000)

    def __call__(self, value: Any) -> Any:
        self.clock.advance(SLOW_MS)
        return value


@pytest.mark.parametrize("from_source", [True, False])
def test_a_step_of_a_slow_function_is_of_one_record_but_for_a_try(from_source: bool) -> None:
    slow, source = Slow(), ByHand()
    if from_source:
        task = TaskByHand(source.with_strategy(), mapped(slow), clock=slow.clock)
        source.polls.append(lambda output: output.collect_batch(list(range(100))))
    else:
        task = TaskByHand(mapped(slow), clock=slow.clock)
        task.put(RowBatch(list(range(100))))
    found = []
    while sum(map(len, found)) < 100:
        assert task.step() is Progress.MORE
        found.append(task.take())
    assert [number for some in found for number in some] == list(range(100))
    assert len(found[0]) == 1
    assert [len(some) for some in found].count(1) >= 90


def test_a_fast_function_is_soon_given_whole_batches() -> None:
    task = TaskByHand(mapped(lambda x: x))
    whole = RowBatch(list(range(BATCH_RECORDS)))
    task.put(whole, whole, whole)
    sizes = []
    while task.step() is Progress.MORE:
        pass
    while (batch := task.output.poll()) is not None:
        assert isinstance(batch, RowBatch)
        sizes.append(len(batch))
    assert sum(sizes) == 3 * BATCH_RECORDS
    assert len(sizes) < 20
    assert sizes[-1] == BATCH_RECORDS


def test_keyed_input_of_batch_mode_is_soon_collected_in_whole_batches() -> None:
    task = TaskByHand(mapped(lambda x: x), grouping=KeyGrouping(1 << 26))
    keys = [number % 7 for number in range(BATCH_RECORDS)]
    task.put(*[RowBatch(list(range(BATCH_RECORDS)), None, keys)] * 4, END_OF_INPUT)
    steps = 0
    while not task.take():
        task.step()
        steps += 1
    assert steps < 40


def test_what_has_queued_up_is_made_up_for_up_to_a_signal_and_while_there_is_time() -> None:
    task = TaskByHand(mapped(lambda x: x))
    task.put(*[RowBatch([number]) for number in range(5)], Watermark(7), RowBatch([9]))
    task.step()
    assert task.take() == [0, 1, 2, 3, 4, Watermark(7)]
    slow = Slow()
    task = TaskByHand(mapped(slow), clock=slow.clock)
    task.put(RowBatch([1]), RowBatch([2]))
    task.step()
    assert task.take() == [1]


def test_a_function_that_becomes_slow_is_given_less() -> None:
    clock = ManualClock(1_000)
    task = TaskByHand(mapped(lambda x: clock.advance(x) or x), clock=clock)
    task.put(*[RowBatch([0] * BATCH_RECORDS)] * 2)
    task.run()
    task.put(RowBatch([1] * 1_000), RowBatch([1] * 1_000))
    task.step()
    task.take()
    task.step()
    assert 1 <= len(task.take()) <= STEP_S * 1_000


def test_timers_watermarks_and_other_inputs_wait_for_the_end_of_a_batch_in_order() -> None:
    slow = Slow()
    task = TaskByHand(mapped(slow), clock=slow.clock, channels=2)
    task.put(RowBatch(["a", "b"]), Watermark(5), RowBatch(["c"]), END_OF_INPUT)
    task.put(RowBatch(["x"]), Watermark(7), END_OF_INPUT, channel=1)
    seen = task.run()
    assert [each for each in seen if each in ("a", "b", "c")] == ["a", "b", "c"]
    assert seen.index("b") == seen.index("a") + 1
    assert seen.index(Watermark(5)) > seen.index("b")


def test_what_is_left_of_a_batch_belongs_to_the_barrier_that_overtakes_it() -> None:
    slow, writes = Slow(), Writes()
    task = TaskByHand(mapped(slow), clock=slow.clock, channels=2)
    assert isinstance(task.task, OperatorTasklet)
    task.task.checkpoints, task.task.unaligned_after_s = writes, 0.0
    task.put(RowBatch(["a", "b", "c", "d", "e"]))
    task.step()
    task.step()
    assert task.take() == ["a", "b", "c"]
    task.put(ONE)
    task.put(ONE, channel=1)
    task.step()
    assert task.take() == [ONE, "d"]
    in_flight: InFlight = InFlight(((RowBatch(["d"]), RowBatch(["e"])), ()))
    assert writes.in_flight == {1: [in_flight.channels]}


def test_a_checkpoint_at_a_source_waits_until_what_was_read_is_through() -> None:
    slow, source, writes = Slow(), ByHand(), Writes()
    task = TaskByHand(source.with_strategy(), mapped(slow), clock=slow.clock)
    assert isinstance(task.task, SourceTasklet)
    task.task.checkpoints = writes
    source.polls.append(lambda output: output.collect_batch(["a", "b", "c"]))
    task.step()
    task.task.on_trigger(ONE)
    task.task.on_trigger(Barrier(2, 0))
    task.task.on_checkpoint_aborted(1)
    task.task.on_trigger(Barrier(3, 0))
    source.polls.append(lambda output: output.collect_batch(["d"]))
    assert task.run() == ["a", "b", "c", Barrier(2, 0), Barrier(3, 0), "d"]


def test_signals_of_a_source_stay_behind_the_records_before_them() -> None:
    slow, source = Slow(), ByHand()
    task = TaskByHand(source.with_strategy(), mapped(slow), clock=slow.clock)

    def poll(output: Any) -> None:
        output.collect_batch(["a", "b"])
        output.emit_watermark(5)
        split = output.create_output_for_split("one")
        split.collect_batch(["c"])
        split.emit_watermark(7)
        output.release_output_for_split("one")
        output.collect("d")

    source.polls += [poll, None]
    seen = task.run()
    assert seen[:6] == ["a", "b", Watermark(5), "c", Watermark(7), "d"]
    assert seen[-1] == END_OF_INPUT


def test_a_job_is_cancelled_in_the_middle_of_a_batch() -> None:
    called: list[int] = []

    def slow(value: int) -> int:
        called.append(value)
        pause(0.02)
        return value

    env = StreamExecutionEnvironment.get_execution_environment()
    rows = env.from_collection(list(range(BATCH_RECORDS))).map(slow).execute_and_collect()
    assert next(rows) == 0
    rows.close()
    assert len(called) < BATCH_RECORDS / 4


def test_works_that_wait_for_one_another_are_done_one_a_step_when_its_time_is_over() -> None:
    step = Step(ManualClock())
    step.has_room = lambda: False
    pieces, done = step.pieces(), []

    def two() -> Work:
        done.append("first")
        yield 1
        done.append("second")
        return 1

    pieces.run(two())
    pieces.then(done.append, "third")
    pieces.then(done.append, "fourth")
    for number in range(2, 4):
        assert not step.go_on()
        assert done == ["first", "second", "third", "fourth"][:number]
    assert step.go_on()
    assert done == ["first", "second", "third", "fourth"]


def test_nothing_comes_behind_the_end_of_a_source_by_the_clock() -> None:
    source = ByHand()
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_idleness(Duration.of_millis(5))
    task = TaskByHand(source.with_strategy(strategy))
    source.polls += [lambda output: output.collect_batch(["a"], [7]), None]
    while task.step() is not Progress.DONE:
        pass
    *_, last, end = task.take()
    assert (last, end) == (Watermark(MAX_WATERMARK), END_OF_INPUT)
    assert isinstance(task.clock, ManualClock)
    task.clock.advance(10_000)
    assert not task.chain.time.fire()
    assert task.take() == []


class LingersSpec(OperatorSpec):
    """Waits for a checkpoint at its end; works by the clock at 2,000 ms, for three steps."""

    def build(self, context: OperatorContext) -> Operator:
        return Lingers(context)


class Lingers(Operator):
    awaits_checkpoint = True

    def open(self) -> None:
        self.done = 0
        self.context.processing_time.schedule(2_000, lambda at: self.context.pieces.run(self._work()))

    def _work(self) -> Work:
        clock = self.context.clock
        assert isinstance(clock, ManualClock)
        for self.done in range(1, 4):
            clock.advance(SLOW_MS)
            yield 1
        return 0

    def snapshot(self, checkpoint_id: int) -> int:
        return self.done


def test_work_by_the_clock_of_a_task_that_waits_for_its_last_checkpoint_goes_on_and_comes_before_it() -> None:
    task = TaskByHand(LingersSpec())
    task.task.checkpoints = writes = Writes()
    task.put(END_OF_INPUT)
    while task.step() is not Progress.IDLE:
        pass
    assert isinstance(task.clock, ManualClock)
    task.clock.set(2_000)
    assert task.step() is Progress.MORE
    task.task.on_trigger(ONE)
    assert not writes.own
    while task.step() is not Progress.IDLE:
        pass
    assert writes.own == {1: 3}
