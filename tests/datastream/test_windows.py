"""Windows in programs: from the environment to the collected rows, and arguments that make no sense."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.common import Duration, Time, Types, WatermarkStrategy
from penstock.datastream import (
    AggregateFunction,
    DataStream,
    OutputTag,
    ProcessWindowFunction,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
    WindowFunction,
)
from penstock.datastream.window import (
    CountEvictor,
    CountTrigger,
    EventTimeSessionWindows,
    GlobalWindows,
    NeverTrigger,
    PurgingTrigger,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)
from penstock.errors import ProgramError, TypeMismatch

RECORDS = [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)]
PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])


class Average(AggregateFunction):
    """The mean of the second fields."""

    def create_accumulator(self) -> tuple[int, int]:
        return 0, 0

    def add(self, value: tuple[str, int], accumulator: tuple[int, int]) -> tuple[int, int]:
        return accumulator[0] + value[1], accumulator[1] + 1

    def get_result(self, accumulator: tuple[int, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: tuple[int, int], acc_b: tuple[int, int]) -> tuple[int, int]:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


class Show(WindowFunction):
    """Key, start and end of the window, and what is in it."""

    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        return [(key, window.start, window.end, list(inputs))]


class ShowInContext(ProcessWindowFunction):
    """The same by context."""

    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield key, context.window().start, context.window().end, list(elements)


def stamped(records: list[tuple[str, int]] = RECORDS, mode: str = "STREAMING") -> DataStream:
    """A stream of pairs whose second field is the time."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    if mode == "BATCH":
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(0))
    pairs = env.from_collection(records, type_info=PAIR)
    return pairs.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(lambda value, _: value[1]))


def rows(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as results:
        return list(results)


@pytest.mark.parametrize("mode", ["STREAMING", "BATCH"])
@pytest.mark.parametrize(
    ("evaluate", "expected"),
    [
        (
            lambda windows: windows.reduce(lambda one, two: (one[0], one[1] + two[1])),
            [("a", 10), ("a", 22), ("b", 4), ("b", 23)],
        ),
        (
            lambda windows: windows.reduce(max, Show()),
            [
                ("a", 0, 10, [("a", 9)]),
                ("a", 10, 20, [("a", 12)]),
                ("b", 0, 10, [("b", 4)]),
                ("b", 20, 30, [("b", 23)]),
            ],
        ),
        (lambda windows: windows.aggregate(Average()), [4.0, 5.0, 11.0, 23.0]),
        (
            lambda windows: windows.aggregate(Average(), window_function=ShowInContext()),
            [("a", 0, 10, [5.0]), ("a", 10, 20, [11.0]), ("b", 0, 10, [4.0]), ("b", 20, 30, [23.0])],
        ),
        (
            lambda windows: windows.aggregate(Average(), lambda key, window, inputs: [(key, *inputs)]),
            [("a", 5.0), ("a", 11.0), ("b", 4.0), ("b", 23.0)],
        ),
        (
            lambda windows: windows.apply(lambda key, window, inputs: [(key, len(inputs))]),
            [("a", 2), ("a", 2), ("b", 1), ("b", 1)],
        ),
        (lambda windows: windows.sum(1), [("a", 10), ("a", 22), ("b", 4), ("b", 23)]),
        (lambda windows: windows.min(1), [("a", 1), ("a", 10), ("b", 4), ("b", 23)]),
        (lambda windows: windows.max(1), [("a", 9), ("a", 12), ("b", 4), ("b", 23)]),
        (lambda windows: windows.min_by(1), [("a", 1), ("a", 10), ("b", 4), ("b", 23)]),
        (lambda windows: windows.max_by(1), [("a", 9), ("a", 12), ("b", 4), ("b", 23)]),
    ],
)
def test_every_way_to_evaluate_tumbling_windows(
    mode: str, evaluate: Callable[[Any], DataStream], expected: list[Any]
) -> None:
    windows = (
        stamped(mode=mode)
        .key_by(lambda value: value[0])
        .window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
    )
    assert sorted(rows(evaluate(windows))) == expected


def test_windows_of_two_subtasks_give_the_same_rows_as_those_of_one() -> None:
    stream = stamped()
    sums = stream.key_by(lambda value: value[0]).window(SlidingEventTimeWindows.of(20, 10)).sum(1)
    sums.set_parallelism(2)
    assert sorted(rows(sums)) == [("a", 10), ("a", 22), ("a", 32), ("b", 4), ("b", 4), ("b", 23), ("b", 23)]


@pytest.mark.parametrize("mode", ["STREAMING", "BATCH"])
def test_windows_over_all_records_have_no_key(mode: str) -> None:
    windows = stamped(mode=mode).window_all(TumblingEventTimeWindows.of(10))
    counts = windows.apply(lambda window, inputs: [(window.start, len(inputs))])
    assert rows(counts) == [(0, 3), (10, 2), (20, 1)]


def test_windows_over_all_records_cannot_be_made_parallel() -> None:
    counts = stamped().window_all(EventTimeSessionWindows.with_gap(5)).reduce(lambda one, two: one)
    with pytest.raises(ProgramError, match="non parallel"):
        counts.set_parallelism(2)


@pytest.mark.parametrize("mode", ["STREAMING", "BATCH"])
def test_count_windows_with_and_without_keys(mode: str) -> None:
    assert sorted(rows(stamped(mode=mode).key_by(lambda value: value[0]).count_window(2).sum(1))) == [
        ("a", 10),
        ("a", 22),
        ("b", 27),
    ]
    assert [total for _, total in rows(stamped(mode=mode).count_window_all(4, 2).sum(1))] == [24, 54]


def test_late_records_are_read_from_the_side() -> None:
    late = OutputTag("late", PAIR)
    env = StreamExecutionEnvironment.get_execution_environment()
    pairs = env.from_collection([("a", 1), ("a", 30), ("a", 2)], type_info=PAIR)
    strategy = WatermarkStrategy.for_generator(_Punctual).with_timestamp_assigner(lambda value, _: value[1])
    windows = pairs.assign_timestamps_and_watermarks(strategy).key_by(lambda value: value[0])
    sums = windows.window(TumblingEventTimeWindows.of(10)).side_output_late_data(late).sum(1)
    assert rows(sums.get_side_output(late)) == [("a", 2)]


class _Punctual:
    """A watermark at each record."""

    def on_event(self, event: Any, event_timestamp: int, output: Any) -> None:
        output.emit_watermark(event_timestamp)

    def on_periodic_emit(self, output: Any) -> None:
        """Nothing: all watermarks come with records."""


def test_an_evictor_and_a_trigger_of_the_program() -> None:
    keyed = stamped().key_by(lambda value: value[0])
    windows = keyed.window(GlobalWindows.create()).trigger(CountTrigger.of(2)).evictor(CountEvictor.of(3))
    assert rows(windows.apply(Shown())) == [("a", [1, 9]), ("b", [4, 23]), ("a", [9, 10, 12])]
    purging = keyed.window(GlobalWindows.create()).trigger(PurgingTrigger.of(CountTrigger.of(2)))
    assert rows(purging.apply(Shown())) == [("a", [1, 9]), ("b", [4, 23]), ("a", [10, 12])]


class Shown(WindowFunction):
    """Key and times."""

    def apply(self, key: Any, window: Any, inputs: Any) -> Any:
        return [(key, [value[1] for value in inputs])]


def test_the_operator_is_named_and_described() -> None:
    windows = stamped().key_by(lambda value: value[0]).window(TumblingEventTimeWindows.of(10))
    stream = windows.aggregate(Average(), Show())
    assert stream.get_name() == "TumblingEventTimeWindows"
    description = stream.get_execution_environment().program.node(stream._node_id).description
    assert description == "Window(TumblingEventTimeWindows(10, 0), EventTimeTrigger, Average, Show)"


def keyed_windows() -> Any:
    return stamped().key_by(lambda value: value[0]).window(TumblingEventTimeWindows.of(10))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda: stamped().key_by(0).window(TumblingEventTimeWindows), "given by a WindowAssigner"),
        (lambda: stamped().window_all(10), "given by a WindowAssigner"),
        (
            lambda: stamped().key_by(0).count_window(0),
            "the size of a count window is an integer of at least 1, not 0",
        ),
        (
            lambda: stamped().count_window_all(2, -1),
            "the slide of a count window is an integer of at least 0, not -1",
        ),
        (lambda: keyed_windows().trigger(CountTrigger), "trigger takes a Trigger"),
        (lambda: keyed_windows().evictor(3), "evictor takes an Evictor, not 3"),
        (lambda: keyed_windows().allowed_lateness(-1), "cannot be negative"),
        (lambda: keyed_windows().allowed_lateness("soon"), "allowed lateness"),
        (lambda: keyed_windows().side_output_late_data("late"), "takes an OutputTag, not 'late'"),
        (lambda: keyed_windows().reduce(lambda one: one), "reduce"),
        (
            lambda: keyed_windows().reduce(max, window_function=Average()),
            "should be a WindowFunction or ProcessWindow",
        ),
        (lambda: keyed_windows().aggregate(lambda value: value), "without a method 'create_accumulator'"),
        (lambda: keyed_windows().aggregate(Average), "a class and not an object"),
        (
            lambda: keyed_windows().apply(lambda window, inputs: []),
            "apply calls its function with 3 arguments",
        ),
        (lambda: keyed_windows().process(Show()), "process takes a ProcessWindowFunction"),
        (lambda: keyed_windows().sum(1.5), "sum takes a position or a field name, not 1.5"),
        (lambda: keyed_windows().apply(Show(), output_type=int), "output_type must be"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_where_they_are_written(
    write: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ProgramError, match=message) as caught:
        write()
    assert "test_windows.py" in str(caught.value)


def test_sessions_need_a_trigger_and_an_aggregate_that_can_merge() -> None:
    class Single(NeverTrigger[Any, Any]):
        def can_merge(self) -> bool:
            return False

    class WithoutMerge:
        create_accumulator = add = get_result = max

    sessions = stamped().key_by(lambda value: value[0]).window(EventTimeSessionWindows.with_gap(5))
    with pytest.raises(TypeMismatch, match="does not support merging"):
        sessions.trigger(Single())
    with pytest.raises(TypeMismatch, match="without a method 'merge'"):
        sessions.aggregate(WithoutMerge())
