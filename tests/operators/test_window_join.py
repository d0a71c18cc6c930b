"""Joins and co-groups in windows: the rows are those of a slow oracle, in every mode."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.functions import Function
from penstock.contracts.join_functions import CoGroupFunction, FlatJoinFunction, JoinFunction, TaggedUnion
from penstock.contracts.output_tag import OutputTag
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP, Watermark
from penstock.errors import ProgramError, UserCodeError
from penstock.testing import (
    AdvanceTime,
    HarnessSettings,
    ModeOptions,
    OperatorHarness,
    StreamRecord,
    harness_of,
    operator_of,
    run_in_all_modes,
)
from penstock.windows import (
    DynamicEventTimeSessionWindows,
    EventTimeSessionWindows,
    Evictor,
    SlidingEventTimeWindows,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

Record = tuple[int, str, int, int]
"""Side, key, number, time."""

records = st.tuples(st.integers(0, 1), st.sampled_from("ab"), st.integers(0, 99), st.integers(-10, 40))
scripts = st.lists(records | records | records | st.integers(-10, 50), max_size=25)
shapes = st.tuples(st.integers(1, 15), st.integers(1, 15))


def key_of(value: tuple[str, int]) -> str:
    return value[0]


def both(firsts: list[Any], seconds: list[Any]) -> Iterator[Any]:
    yield tuple(firsts), tuple(seconds)


def pair(first: Any, second: Any) -> Any:
    return first, second


def joined(assigner: Any, function: Any = pair, **settings: Any) -> Any:
    """A program with a join, for the harnesses."""
    return lambda one, two: _windows(one.join(two), assigner, settings).apply(function)


def co_grouped(assigner: Any, function: Any = both, **settings: Any) -> Any:
    return lambda one, two: _windows(one.co_group(two), assigner, settings).apply(function)


def _windows(streams: Any, assigner: Any, settings: dict[str, Any]) -> Any:
    windows = streams.where(key_of).equal_to(key_of).window(assigner)
    for name, value in settings.items():
        getattr(windows, name)(value)
    return windows


def windows_of(time: int, size: int, slide: int) -> list[int]:
    return [start for start in range(time, time - size, -1) if start % slide == 0]


def oracle(script: list[Record | int], size: int, slide: int) -> list[StreamRecord]:
    """Both sides of each key and window that ends, in time; without lateness, so each only once."""
    held: dict[tuple[int, str], tuple[list[Any], list[Any]]] = {}
    watermark = MIN_TIMESTAMP
    rows: list[StreamRecord] = []
    for step in [*script, MAX_WATERMARK]:
        if isinstance(step, int):
            watermark = max(watermark, step)
            for start, key in sorted(held):
                if start + size - 1 <= watermark:
                    rows.append(StreamRecord(tuple(map(tuple, held.pop((start, key)))), start + size - 1))
            continue
        side, key, number, time = step
        for start in windows_of(time, size, slide):
            if start + size - 1 > watermark:
                held.setdefault((start, key), ([], []))[side].append((key, number))
    return rows


def steps_of(script: list[Record | int]) -> list[Any]:
    steps: list[Any] = []
    highest = MIN_TIMESTAMP
    for step in [*script, MAX_WATERMARK]:
        if not isinstance(step, int):
            steps.append(StreamRecord((step[1], step[2]), step[3], step[0]))
        elif step > highest:
            highest = step
            steps.append(Watermark(step))
    return steps


def in_any_order(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=repr)


@given(scripts, shapes)
def test_a_co_group_gives_both_sides_of_each_key_and_window(
    script: list[Record | int], shape: tuple[int, int]
) -> None:
    size, slide = shape
    assigner = TumblingEventTimeWindows.of(size) if size == slide else SlidingEventTimeWindows.of(size, slide)
    spec, keys = operator_of(co_grouped(assigner), 2)
    expected = oracle(script, size, slide)
    with OperatorHarness(spec, keys) as harness:
        harness.feed(steps_of(script))
        assert in_any_order(harness.extract_output_stream_records()) == in_any_order(expected)
    with harness_of(joined(assigner), 2) as harness:
        harness.feed(steps_of(script))
        pairs = [
            StreamRecord((first, second), row.timestamp)
            for row in expected
            for first in row.value[0]
            for second in row.value[1]
        ]
        assert in_any_order(harness.extract_output_stream_records()) == in_any_order(pairs)


@given(scripts, st.integers(1, 15))
def test_every_mode_gives_the_same_rows(script: list[Record | int], size: int) -> None:
    spec, keys = operator_of(co_grouped(TumblingEventTimeWindows.of(size)), 2)
    with OperatorHarness(spec, keys) as harness:
        for step in steps_of(script):
            harness.feed([step])
        rows = harness.extract_output_stream_records()
    run_in_all_modes(spec, steps_of(script), rows, keys)


@given(st.lists(records, max_size=20), st.integers(1, 15))
def test_a_bounded_input_gives_the_same_rows_in_batch_mode(script: list[Record], size: int) -> None:
    spec, keys = operator_of(co_grouped(TumblingEventTimeWindows.of(size)), 2)
    with OperatorHarness(spec, keys, HarnessSettings(batch_mode=True)) as harness:
        harness.process_bounded_input([StreamRecord((key, n), time, side) for side, key, n, time in script])
        came = harness.extract_output_stream_records()
    in_time = sorted(script, key=lambda record: (record[3], record[0]))
    assert in_any_order(came) == in_any_order(oracle(list(in_time), size, size))


def test_sessions_of_both_sides_merge_into_one() -> None:
    spec, keys = operator_of(joined(EventTimeSessionWindows.with_gap(5)), 2)
    script: list[Any] = [
        StreamRecord(("a", 1), 0, 0),
        StreamRecord(("a", 2), 8, 1),
        StreamRecord(("a", 3), 4, 1),
        StreamRecord(("a", 4), 30, 0),
        Watermark(50),
    ]
    with OperatorHarness(spec, keys) as harness:
        harness.feed(script)
        rows = harness.extract_output_stream_records()
    assert in_any_order(rows) == [
        StreamRecord((("a", 1), ("a", 2)), 12),
        StreamRecord((("a", 1), ("a", 3)), 12),
    ]
    run_in_all_modes(spec, script, rows, keys)


def test_a_late_record_makes_its_window_fire_again_within_the_lateness() -> None:
    spec, keys = operator_of(joined(TumblingEventTimeWindows.of(10), allowed_lateness=5), 2)
    script = [
        StreamRecord(("a", 1), 1, 0),
        StreamRecord(("a", 2), 2, 1),
        Watermark(9),
        StreamRecord(("a", 3), 3, 1),
        Watermark(14),
        StreamRecord(("a", 4), 4, 1),
    ]
    first, again = (("a", 1), ("a", 2)), (("a", 1), ("a", 3))
    run_in_all_modes(spec, script, [first, first, again], keys)


HIGH = OutputTag("high")


class EachPair(FlatJoinFunction[Any, Any, Any]):
    """Gives for each pair what ``aside_when_high`` gives, and nothing more."""

    def join(self, first: Any, second: Any) -> Iterator[Any]:
        yield aside_when_high(first, second)


def aside_when_high(first: Any, second: Any) -> Any:
    return (HIGH, first) if first[1] > 5 else (first[1], second[1])


WINDOWS = [TumblingEventTimeWindows.of(20), EventTimeSessionWindows.with_gap(20)]


@pytest.mark.parametrize("assigner", WINDOWS, ids=lambda assigner: type(assigner).__name__)
@pytest.mark.parametrize("function", [aside_when_high, EachPair()], ids=["join", "flat join"])
def test_pairs_that_go_aside_leave_the_others_where_they_are(assigner: Any, function: Any) -> None:
    spec, keys = operator_of(joined(assigner, function), 2)
    script: list[Any] = [StreamRecord(("a", number), 1, 0) for number in (1, 9, 2, 8, 3)]
    script += [StreamRecord(("a", number), 2, 1) for number in (10, 20)]
    rows = [(first, second) for first in (1, 2, 3) for second in (10, 20)]
    sides = {"high": [("a", first) for first in (9, 8) for _ in range(2)]}
    run_in_all_modes(spec, [*script, Watermark(50)], rows, keys, ModeOptions(side_outputs=sides))


def test_windows_of_processing_time_join_what_came_in_them() -> None:
    spec, keys = operator_of(joined(TumblingProcessingTimeWindows.of(1_000)), 2)
    script = [
        StreamRecord(("a", 1), None, 0),
        StreamRecord(("a", 2), None, 1),
        AdvanceTime(1_000),
        StreamRecord(("a", 3), None, 1),
        AdvanceTime(1_000),
    ]
    run_in_all_modes(spec, script, [(("a", 1), ("a", 2))], keys)


class WhenBothAreThere(Trigger[Any, Any]):
    """Fires and empties the window at a record of the second stream; sees the records as ``TaggedUnion``."""

    def on_element(self, element: TaggedUnion, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.FIRE_AND_PURGE if element.is_two() else TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_merge(self, window: Any, ctx: Any) -> None:
        pass

    def clear(self, window: Any, ctx: Any) -> None:
        pass


def test_a_trigger_sees_which_side_a_record_is_of() -> None:
    spec, keys = operator_of(co_grouped(TumblingEventTimeWindows.of(10), trigger=WhenBothAreThere()), 2)
    script = [
        StreamRecord(("a", 1), 1, 0),
        StreamRecord(("a", 2), 2, 0),
        StreamRecord(("a", 3), 3, 1),
        StreamRecord(("a", 4), 4, 1),
        Watermark(20),
    ]
    rows = [((("a", 1), ("a", 2)), (("a", 3),)), ((), (("a", 4),))]
    run_in_all_modes(spec, script, rows, keys)


class OnlySeconds(Evictor[Any, Any]):
    """Removes the records of the first stream."""

    def evict_before(self, elements: Any, size: int, window: Any, evictor_context: Any) -> None:
        elements[:] = [element for element in elements if element.value.is_two()]

    def evict_after(self, elements: Any, size: int, window: Any, evictor_context: Any) -> None:
        pass


def test_an_evictor_sees_which_side_a_record_is_of() -> None:
    with harness_of(co_grouped(TumblingEventTimeWindows.of(10), evictor=OnlySeconds()), 2) as harness:
        harness.process_element1(("a", 1), 1)
        harness.process_element2(("a", 2), 2)
        harness.process_watermark(20)
        assert harness.extract_output_values() == [((), (("a", 2),))]


def test_a_gap_may_hang_on_the_side_of_the_record() -> None:
    gaps: Any = DynamicEventTimeSessionWindows(lambda union: 3 if union.is_one() else 10)
    with harness_of(co_grouped(gaps), 2) as harness:
        harness.process_element1(("a", 1), 0)
        harness.process_element2(("a", 2), 5)
        harness.process_element1(("a", 3), 12)
        harness.process_watermark(50)
        assert harness.extract_output_values() == [((("a", 1),), ()), ((("a", 3),), (("a", 2),))]


class Opened(Function):
    """Numbers its results from what ``open`` set."""

    def open(self, runtime_context: Any) -> None:
        self.count = 100

    def number(self) -> int:
        self.count += 1
        return self.count


class Numbered(Opened, JoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        return self.number(), first[1] + second[1]


class Times(FlatJoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        return None if second[1] == 0 else [first[1]] * second[1]


class Counts(Opened, CoGroupFunction):
    def co_group(self, firsts: Any, seconds: Any) -> Iterator[Any]:
        yield self.number(), len(firsts), len(seconds)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (joined(TumblingEventTimeWindows.of(10), Numbered()), [(101, 6), (102, 5), (103, 7)]),
        (joined(TumblingEventTimeWindows.of(10), Times()), [5, 5, 5]),
        (co_grouped(TumblingEventTimeWindows.of(10), Counts()), [(101, 1, 3)]),
    ],
)
def test_function_classes_are_opened_and_called(program: Any, expected: list[Any]) -> None:
    with harness_of(program, 2) as harness:
        harness.process_element1(("a", 5), 1)
        harness.process_elements([StreamRecord(("a", number), 2) for number in (1, 0, 2)], 1)
        harness.process_watermark(20)
        assert harness.extract_output_values() == expected


def test_an_error_of_the_function_names_key_and_window() -> None:
    with harness_of(joined(TumblingEventTimeWindows.of(10), lambda first, second: 1 // 0), 2) as harness:
        harness.process_element1(("a", 1), 1)
        harness.process_element2(("a", 2), 1)
        with pytest.raises(UserCodeError, match=r"start=0, end=10\) of key 'a' was evaluated"):
            harness.process_watermark(20)


def test_a_record_without_timestamp_is_refused_in_windows_of_event_time() -> None:
    with (
        harness_of(joined(TumblingEventTimeWindows.of(10)), 2) as harness,
        pytest.raises(ProgramError, match="a record without a timestamp"),
    ):
        harness.process_element2(("a", 1))
