"""Functions with contexts, timers, windows: what they give comes in pieces, in order, and waits for room behind them."""

from collections.abc import Callable, Iterator
from itertools import count, product
from typing import Any

import pytest

from penstock.clock import ManualClock
from penstock.contracts.context import KeyedOnTimerContext, KeyedProcessContext
from penstock.contracts.functions import KeyedProcessFunction
from penstock.contracts.join_functions import FlatJoinFunction
from penstock.contracts.pace import BATCH_RECORDS
from penstock.data.batch import RowBatch
from penstock.data.elements import MAX_WATERMARK, Watermark
from penstock.datastream.window import (
    CountEvictor,
    CountTrigger,
    CountTumblingWindowAssigner,
    EventTimeSessionWindows,
    EventTimeTrigger,
    ProcessingTimeTrigger,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)
from penstock.errors import UserCodeError
from penstock.operators.co_rows import CoRowSpec
from penstock.operators.contract import OperatorSpec
from penstock.operators.join.interval import IntervalJoinSpec
from penstock.operators.join.two_sides import Join
from penstock.operators.join.window import WindowJoinSpec
from penstock.operators.keyed_process import KeyedProcessSpec
from penstock.operators.keyed_rows import KeyedRowSpec
from penstock.operators.process import ProcessSpec
from penstock.operators.row_chain import RowStep
from penstock.operators.window.spec import Collected, Evaluation, Reduced, Style, WindowSpec
from penstock.runtime.task.progress import Progress
from tests.runtime.stepped_tasks import TaskByHand


def yields(value: int, ctx: Any = None) -> Iterator[int]:
    yield from count(value)


def returns(value: int, ctx: Any = None) -> Iterator[int]:
    return count(value)


def step(function: Callable[..., Any]) -> RowStep:
    return RowStep("flat_map", function, "step")


ENDLESS: list[OperatorSpec] = [
    *[ProcessSpec(function) for function in (yields, returns)],
    *[KeyedProcessSpec(function) for function in (yields, returns)],
    *[KeyedRowSpec(step(function)) for function in (yields, returns)],
    *[CoRowSpec("flat_map", (function, function)) for function in (yields, returns)],
    *[CoRowSpec("flat_map", (function, function), keyed=True) for function in (yields, returns)],
]


@pytest.mark.parametrize("timestamps", [None, [5, 6]])
@pytest.mark.parametrize("spec", ENDLESS, ids=lambda spec: type(spec).__name__)
def test_results_without_end_are_emitted_as_they_come(spec: OperatorSpec, timestamps: Any) -> None:
    task = TaskByHand(spec, capacity=10)
    task.put(RowBatch([0, 1], timestamps, ["a", "b"]), Watermark(1))
    found: list[Any] = []
    for _ in range(4):
        while task.step() is Progress.MORE:
            pass
        batches = task.output.queued()
        assert batches
        assert all(isinstance(batch, RowBatch) and len(batch) <= BATCH_RECORDS for batch in batches)
        if timestamps is not None:
            assert all(
                isinstance(batch, RowBatch) and set(batch.timestamps or ()) == {5} for batch in batches
            )
        found += task.take()
    assert found == list(range(len(found)))


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("keyed", [True, False])
def test_many_results_of_many_records_keep_their_order_and_times_within_memory(
    keyed: bool, lists: bool
) -> None:
    def generator(value: int, ctx: Any) -> Iterator[int]:
        yield from range(value * 1_000, value * 1_000 + value % 700)

    def function(value: int, ctx: Any) -> Any:
        return list(generator(value, ctx)) if value % 3 else None

    chosen: Any = function if lists else generator
    task = TaskByHand(KeyedProcessSpec(chosen) if keyed else ProcessSpec(chosen))
    values = list(range(3_000))
    task.put(RowBatch(values, values, values), Watermark(9))
    found: list[int] = []
    while task.step() is Progress.MORE:
        while (element := task.output.poll()) is not None:
            if isinstance(element, Watermark):
                assert len(found) == sum(value % 700 for value in values if value % 3 or not lists)
                continue
            assert isinstance(element, RowBatch)
            assert len(element) < 6 * BATCH_RECORDS
            assert element.timestamps == [value // 1_000 for value in element.values]
            found += element.values
    assert found == sorted(found)


class ManyTimers(KeyedProcessFunction):
    """Sets timers for each record; those at 1 give results without end."""

    def process_element(self, value: Any, ctx: KeyedProcessContext) -> None:
        by_clock, times = value
        service = ctx.timer_service()
        for time in times:
            (service.register_processing_time_timer if by_clock else service.register_event_time_timer)(time)

    def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
        if timestamp == 1:
            yield from count()
        yield timestamp


def test_timers_that_are_due_together_fire_in_pieces_before_their_watermark() -> None:
    task = TaskByHand(KeyedProcessSpec(ManyTimers()), capacity=2)
    times = range(10, 30_010)
    task.put(RowBatch([(False, times)], None, ["k"]), Watermark(50_000), Watermark(60_000))
    found: list[Any] = []
    while Watermark(60_000) not in found:
        task.step()
        assert (
            sum(len(each) for each in task.output.queued() if isinstance(each, RowBatch)) <= 3 * BATCH_RECORDS
        )
        found += task.take()
    assert found == [*times, Watermark(50_000), Watermark(60_000)]


@pytest.mark.parametrize("by_clock", [True, False])
def test_a_timer_whose_results_have_no_end_holds_up_nothing_else(by_clock: bool) -> None:
    task = TaskByHand(KeyedProcessSpec(ManyTimers()), capacity=3)
    clock = task.clock
    assert isinstance(clock, ManualClock)
    task.put(RowBatch([(by_clock, [1])], None, ["k"]))
    clock.set(0)
    task.step()
    if by_clock:
        clock.set(1)
    else:
        task.put(Watermark(1))
    found: list[Any] = []
    for _ in range(50):
        task.step()
        found += task.take()
    assert len(found) > BATCH_RECORDS
    assert found == list(range(len(found)))


def windowed(assigner: Any, function: Any, trigger: Any = None, **settings: Any) -> WindowSpec:
    """Windows of ``assigner`` that end by the watermark unless there is another trigger."""
    trigger = trigger or EventTimeTrigger.create()
    return WindowSpec(assigner, trigger, Collected(), Evaluation(Style.APPLY, function), **settings)


WINDOWS = [TumblingEventTimeWindows.of(10), EventTimeSessionWindows.with_gap(10)]


@pytest.mark.parametrize("windows", WINDOWS, ids=lambda windows: type(windows).__name__)
@pytest.mark.parametrize("evaluation", ["reduce", "process"])
def test_windows_that_end_together_are_evaluated_in_pieces_before_their_watermark(
    windows: Any, evaluation: str
) -> None:
    spec = windowed(windows, lambda key, window, elements: iter(elements))
    if evaluation == "reduce":
        spec = WindowSpec(windows, EventTimeTrigger.create(), Reduced(lambda a, b: a))
    keys = list(range(20_000))
    task = TaskByHand(spec, capacity=1)
    for start in range(0, len(keys), 1_000):
        some = keys[start : start + 1_000]
        task.put(RowBatch(some, [5] * len(some), some))
    task.run()
    task.put(Watermark(100), Watermark(MAX_WATERMARK))
    found: list[Any] = []
    while Watermark(MAX_WATERMARK) not in found:
        task.step()
        assert (
            sum(len(each) for each in task.output.queued() if isinstance(each, RowBatch)) <= 2 * BATCH_RECORDS
        )
        found += task.take()
    assert found == [*keys, Watermark(100), Watermark(MAX_WATERMARK)]


def endless(key: Any, window: Any, elements: Any) -> Iterator[int]:
    return count()


GIVE_MUCH = {
    "tumbling": windowed(TumblingEventTimeWindows.of(10), endless),
    "sessions": windowed(EventTimeSessionWindows.with_gap(10), endless),
    "sliding": windowed(SlidingEventTimeWindows.of(10, 5), endless, CountTrigger.of(1)),
    "evicted": windowed(TumblingEventTimeWindows.of(10), endless, evictor=CountEvictor.of(1)),
    "counted": windowed(CountTumblingWindowAssigner.of(1), endless, CountTrigger.of(1)),
    "merged and counted": windowed(EventTimeSessionWindows.with_gap(10), endless, CountTrigger.of(1)),
}


@pytest.mark.parametrize("kind", GIVE_MUCH)
def test_a_window_function_that_gives_much_is_read_as_it_goes(kind: str) -> None:
    task = TaskByHand(GIVE_MUCH[kind], capacity=2)
    task.put(RowBatch(["x"], [5], ["k"]), Watermark(100))
    assert_endless(task)


def test_a_window_that_fires_by_the_clock_is_read_as_it_goes() -> None:
    spec = windowed(TumblingProcessingTimeWindows.of(10), endless, ProcessingTimeTrigger.create())
    task = TaskByHand(spec, capacity=2)
    task.put(RowBatch(["x"], None, ["k"]))
    task.step()
    assert isinstance(task.clock, ManualClock)
    task.clock.advance(10)
    assert_endless(task)


def test_a_window_that_fires_again_for_what_is_late_is_read_as_it_goes() -> None:
    def function(key: Any, window: Any, elements: list[Any]) -> Iterator[int]:
        return count() if "late" in elements else iter(())

    spec = windowed(TumblingEventTimeWindows.of(10), function, allowed_lateness_ms=100)
    task = TaskByHand(spec, capacity=2)
    task.put(RowBatch(["x"], [5], ["k"]), Watermark(20))
    assert task.run() == [Watermark(20)]
    task.put(RowBatch(["late"], [6], ["k"]))
    assert_endless(task)


def assert_endless(task: TaskByHand) -> None:
    """Much comes, in order, and steps end."""
    found: list[Any] = []
    for _ in range(50):
        task.step()
        found += task.take()
    assert len(found) > BATCH_RECORDS
    assert found == list(range(len(found)))


def pair(first: int, second: int) -> tuple[int, int]:
    return first, second


class PairsForEver(FlatJoinFunction[int, int, int]):
    """Each pair of records gives numbers without end."""

    def join(self, first: int, second: int) -> Iterator[int]:
        return count()


@pytest.mark.parametrize("assigner", WINDOWS, ids=lambda assigner: type(assigner).__name__)
def test_pairs_whose_results_have_no_end_are_emitted_as_they_come(assigner: Any) -> None:
    task = TaskByHand(WindowJoinSpec(windowed(assigner, Join(PairsForEver()))), capacity=2, channels=2)
    for port in (0, 1):
        task.put(RowBatch([1], [5], ["k"]), Watermark(100), channel=port)
    assert_endless(task)


@pytest.mark.parametrize("assigner", WINDOWS, ids=lambda assigner: type(assigner).__name__)
def test_the_pairs_of_one_key_are_made_a_piece_at_a_time(assigner: Any) -> None:
    task = TaskByHand(WindowJoinSpec(windowed(assigner, Join(pair))), capacity=1, channels=2)
    size = 300
    for port in (0, 1):
        batch = RowBatch(list(range(size)), [5] * size, ["k"] * size)
        task.put(batch, Watermark(100), channel=port)
    found: list[Any] = []
    while Watermark(100) not in found:
        task.step()
        assert all(len(each) <= BATCH_RECORDS for each in task.output.queued() if isinstance(each, RowBatch))
        found += task.take()
    assert found == [*product(range(size), range(size)), Watermark(100)]


def test_windows_that_fire_record_by_record_do_so_in_pieces() -> None:
    function = Evaluation(Style.APPLY, lambda key, window, elements: [*elements] * 100)
    spec = WindowSpec(CountTumblingWindowAssigner.of(1), CountTrigger.of(1), Collected(), function)
    task = TaskByHand(spec, capacity=1)
    task.put(RowBatch(list(range(4_000)), None, ["k"] * 4_000), Watermark(1))
    found: list[Any] = []
    while Watermark(1) not in found:
        task.step()
        found += task.take()
    assert found == [value for value in range(4_000) for _ in range(100)] + [Watermark(1)]


def results_of(left: Any, right: Any, ctx: Any) -> Iterator[int]:
    return count()


def yielded(left: Any, right: Any, ctx: Any) -> Iterator[int]:
    yield from count()


def with_a_look_at_times(left: Any, right: Any, ctx: Any) -> Iterator[int]:
    yield from count(ctx.get_left_timestamp() - 5)


@pytest.mark.parametrize("keeps", [(False, False), (True, False)])
@pytest.mark.parametrize("function", [results_of, yielded, with_a_look_at_times])
@pytest.mark.parametrize("times", [(5, 6), (5, 5), (5, 4)])
def test_what_pairs_of_an_interval_join_give_is_emitted_as_it_comes(
    times: tuple[int, int], function: Any, keeps: tuple[bool, bool]
) -> None:
    task = TaskByHand(IntervalJoinSpec(-10, 10, function, keeps=keeps), capacity=2, channels=2)
    for port in (0, 1):
        task.put(RowBatch([1], [times[port]], ["k"]), channel=port)
    while not task.output.queued():
        task.step()
    assert all(
        isinstance(batch, RowBatch) and set(batch.timestamps or ()) == {max(times)}
        for batch in task.output.queued()
    )
    assert_endless(task)


def test_records_that_an_interval_join_gives_up_are_emitted_as_they_come() -> None:
    spec = IntervalJoinSpec(-10, 10, yielded, keeps=(True, False))
    task = TaskByHand(spec, capacity=2, channels=2)
    task.put(RowBatch([1], [5], ["k"]), Watermark(100))
    task.put(Watermark(100), channel=1)
    assert_endless(task)


def test_a_pair_whose_results_fail_as_they_are_read_is_named() -> None:
    def function(left: Any, right: Any, ctx: Any) -> Iterator[int]:
        yield from range(10_000)
        raise ValueError("no more")

    task = TaskByHand(IntervalJoinSpec(-10, 10, function), channels=2)
    task.put(RowBatch(["left"], [5], ["k"]))
    task.put(RowBatch(["right"], [6], ["k"]), channel=1)
    with pytest.raises(UserCodeError, match=r"ValueError: no more.*the record was \('left', 'right'\)"):
        task.run()
