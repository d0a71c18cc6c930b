"""Which windows a record is put into."""

import pickle
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock.windows
from penstock.chance import seeded
from penstock.data.elements import MIN_TIMESTAMP
from penstock.data.time import Duration, Time
from penstock.errors import ProgramError
from penstock.windows import (
    CountSlidingWindowAssigner,
    CountTumblingWindowAssigner,
    DynamicEventTimeSessionWindows,
    DynamicProcessingTimeSessionWindows,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindow,
    GlobalWindows,
    NeverTrigger,
    ProcessingTimeSessionWindows,
    ProcessingTimeTrigger,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
    WindowAssigner,
    WindowStagger,
)
from tests.windows.flink_rows import ASSIGNER_ROWS

timestamps = st.integers(-(10**13), 10**13)
NOW_MS = 1_003


class Counter:
    """A value state of one key."""

    def __init__(self) -> None:
        self.count: int | None = None

    def value(self) -> int | None:
        return self.count

    def update(self, count: int) -> None:
        self.count = count


class Here(WindowAssigner.WindowAssignerContext):
    """A clock that stands still, and the states of one key."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms
        self.states: dict[str, Counter] = {}

    def get_current_processing_time(self) -> int:
        return self.now_ms

    def get_runtime_context(self) -> Any:
        return self

    def get_state(self, descriptor: Any) -> Counter:
        return self.states.setdefault(descriptor.name, Counter())


def spans(windows: Any) -> list[tuple[int, int]]:
    return [(window.start, window.end) for window in windows]


def assign(assigner: WindowAssigner[Any, Any], timestamp: int, now_ms: int = NOW_MS) -> list[tuple[int, int]]:
    return spans(assigner.assign_windows("record", timestamp, Here(now_ms)))


@pytest.mark.parametrize("row", ASSIGNER_ROWS.strip().splitlines())
def test_an_assigner_does_what_flinks_does(row: str) -> None:
    match = re.fullmatch(r"(\w+)\((.*)\) @ (\S+) \| (.*)", row.replace("MIN", str(MIN_TIMESTAMP)))
    assert match is not None
    name, arguments, timestamp, expected = match.groups()
    numbers = [int(number) for number in arguments.split(", ")]
    if expected == "error":
        with pytest.raises(ProgramError):
            assign(getattr(penstock.windows, name)(*numbers), int(timestamp))
        return
    assigner = getattr(penstock.windows, name)(*numbers)
    assert repr(assigner) == f"{name}({arguments})"
    # The recorded bounds are sums of integers only.
    assert assign(assigner, int(timestamp)) == [
        (int(start), sum(map(int, end.split("+"))))
        for start, end in re.findall(r"\((\S+), ([^)]+)\)", expected)
    ]


@given(timestamps, st.integers(1, 10**6), st.data())
def test_a_tumbling_window_holds_its_record_and_starts_at_a_multiple_of_the_size_from_the_offset(
    timestamp: int, size: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(-size + 1, size - 1))
    [(start, end)] = assign(TumblingEventTimeWindows.of(size, offset), timestamp)
    assert start <= timestamp < end == start + size
    assert (start - offset) % size == 0


@given(st.integers(-200, 200), st.integers(1, 30), st.integers(1, 30), st.data())
def test_sliding_windows_are_all_those_that_hold_the_record_the_latest_first(
    timestamp: int, size: int, slide: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(-slide + 1, slide - 1))
    possible = ((start, start + size) for start in range(timestamp, timestamp - size, -1))
    expected = [(start, end) for start, end in possible if (start - offset) % slide == 0]
    assert assign(SlidingEventTimeWindows.of(size, slide, offset), timestamp) == expected
    assert assign(SlidingProcessingTimeWindows.of(size, slide, offset), 0, timestamp) == expected


@given(st.lists(timestamps), st.integers(1, 50), st.data())
def test_the_starts_of_a_batch_are_those_of_its_records(
    batch: list[int], size: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(-size + 1, size - 1))
    tumbling = TumblingEventTimeWindows.of(size, offset)
    assert tumbling.window_starts(batch) == [assign(tumbling, timestamp)[0][0] for timestamp in batch]
    sliding = SlidingEventTimeWindows.of(size * 3, size, offset)
    assert sliding.window_starts(batch) == [assign(sliding, timestamp)[0][0] for timestamp in batch]


@given(timestamps, st.integers(1, 60), st.integers(1, 60), st.data())
def test_every_sliding_window_of_a_record_consists_of_whole_panes_one_of_which_holds_it(
    timestamp: int, size: int, slide: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(-slide + 1, slide - 1))
    assigner = SlidingEventTimeWindows.of(size, slide, offset)
    [pane] = assigner.pane_starts([timestamp])
    assert pane <= timestamp < pane + assigner.pane_ms
    for start, end in assign(assigner, timestamp):
        assert start <= pane
        assert pane + assigner.pane_ms <= end
        assert (pane - start) % assigner.pane_ms == (end - start) % assigner.pane_ms == 0


def test_a_batch_with_a_record_without_timestamp_is_an_error() -> None:
    with pytest.raises(ProgramError, match="assign_timestamps_and_watermarks"):
        TumblingEventTimeWindows.of(10).window_starts([1, MIN_TIMESTAMP])


def test_processing_time_windows_go_by_the_clock() -> None:
    assigner = TumblingProcessingTimeWindows.of(10, 2)
    assert assign(assigner, 5_000) == [(1_002, 1_012)]
    assert assigner.window_start(NOW_MS) == 1_002


@pytest.mark.parametrize(
    "length", [Time.seconds(5), Duration.of_seconds(5), timedelta(seconds=5), 5_000, "5 s"]
)
def test_a_length_may_be_a_time_a_duration_a_timedelta_milliseconds_or_text(length: Any) -> None:
    assert repr(TumblingEventTimeWindows.of(length)) == "TumblingEventTimeWindows(5000, 0)"
    assert repr(SlidingEventTimeWindows.of(length, length)) == "SlidingEventTimeWindows(5000, 5000, 0)"
    assert repr(EventTimeSessionWindows.with_gap(length)) == "EventTimeSessionWindows(5000)"


@pytest.mark.parametrize("length", [1.5, None, True, "soon"])
def test_anything_else_is_no_length(length: Any) -> None:
    with pytest.raises(ProgramError, match="the size is not a length of time"):
        TumblingEventTimeWindows.of(length)


@pytest.mark.parametrize(
    ("assigner", "is_event_time", "trigger"),
    [
        (TumblingEventTimeWindows.of(5), True, EventTimeTrigger),
        (TumblingProcessingTimeWindows.of(5), False, ProcessingTimeTrigger),
        (SlidingEventTimeWindows.of(5, 2), True, EventTimeTrigger),
        (SlidingProcessingTimeWindows.of(5, 2), False, ProcessingTimeTrigger),
        (EventTimeSessionWindows.with_gap(5), True, EventTimeTrigger),
        (ProcessingTimeSessionWindows.with_gap(5), False, ProcessingTimeTrigger),
        (EventTimeSessionWindows.with_dynamic_gap(len), True, EventTimeTrigger),
        (ProcessingTimeSessionWindows.with_dynamic_gap(len), False, ProcessingTimeTrigger),
        (GlobalWindows.create(), False, NeverTrigger),
        (CountTumblingWindowAssigner.of(3), False, PurgingTrigger),
        (CountSlidingWindowAssigner.of(3, 2), False, PurgingTrigger),
    ],
)
def test_each_assigner_has_a_time_a_default_trigger_and_travels(
    assigner: WindowAssigner[Any, Any], is_event_time: bool, trigger: type
) -> None:
    assert assigner.is_event_time() is is_event_time
    assert type(assigner.get_default_trigger(None)) is trigger
    assert repr(pickle.loads(pickle.dumps(assigner))) == repr(assigner)


class LengthOfText(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        return len(element)


def seconds(element: Any) -> Duration:
    return Duration.of_seconds(len(element))


@pytest.mark.parametrize(("extractor", "gap_ms"), [(LengthOfText(), 6), (len, 6), (seconds, 6_000)])
def test_a_dynamic_gap_comes_from_an_extractor_or_a_function(extractor: Any, gap_ms: int) -> None:
    assert assign(DynamicEventTimeSessionWindows.with_dynamic_gap(extractor), 10) == [(10, 10 + gap_ms)]
    assert assign(DynamicProcessingTimeSessionWindows.with_dynamic_gap(extractor), 10) == [
        (NOW_MS, NOW_MS + gap_ms)
    ]


def test_a_dynamic_gap_that_is_not_positive_is_an_error() -> None:
    with pytest.raises(ProgramError, match="the extractor gave 0 for 'record'"):
        assign(EventTimeSessionWindows.with_dynamic_gap(lambda element: 0), 10)


def test_what_is_neither_an_extractor_nor_a_function_is_an_error() -> None:
    with pytest.raises(ProgramError, match="give a SessionWindowTimeGapExtractor or a function, not 5"):
        EventTimeSessionWindows.with_dynamic_gap(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("assigner", "expected"),
    [
        (CountTumblingWindowAssigner.of(3), [[0], [0], [0], [1], [1], [1], [2]]),
        (CountSlidingWindowAssigner.of(4, 3), [[0], [0], [0], [1, 0], [1], [1], [2, 1]]),
        (CountSlidingWindowAssigner.of(2, 3), [[0], [0], [], [1], [1], [], [2]]),
        (
            CountSlidingWindowAssigner.of(5, 1),
            [[0], [1, 0], [2, 1, 0], [3, 2, 1, 0], [4, 3, 2, 1, 0], [5, 4, 3, 2, 1], [6, 5, 4, 3, 2]],
        ),
    ],
)
def test_counting_assigners_number_their_windows_as_flinks_do(
    assigner: WindowAssigner[Any, Any], expected: list[list[int]]
) -> None:
    here = Here()
    assigned = [assigner.assign_windows("record", 0, here) for _ in expected]
    assert [[window.id for window in windows] for windows in assigned] == expected


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 40))
def test_a_record_is_in_the_sliding_count_windows_whose_range_holds_its_number(
    size: int, slide: int, number: int
) -> None:
    here = Here()
    assigner = CountSlidingWindowAssigner.of(size, slide)
    for _ in range(number):
        assigner.assign_windows("earlier", 0, here)
    windows = {window.id for window in assigner.assign_windows("record", 0, here)}
    assert windows == {n for n in range(number + 1) if n * slide <= number < n * slide + size}


@pytest.mark.parametrize("sizes", [(0, 1), (-1, 1), (1, 0)])
def test_counts_have_to_be_positive(sizes: tuple[int, int]) -> None:
    with pytest.raises(ProgramError, match="has to be positive"):
        CountSlidingWindowAssigner.of(*sizes)


def test_global_windows_put_everything_into_one_window() -> None:
    assert GlobalWindows.create().assign_windows("record", 0, Here()) == [GlobalWindow.get()]


def test_an_aligned_assigner_does_not_ask_the_clock() -> None:
    assert WindowStagger.ALIGNED.get_stagger_offset(NOW_MS, 10) == 0
    assert TumblingEventTimeWindows.of(10).window_starts([25]) == [20]


@pytest.mark.parametrize(("now_ms", "expected"), [(1_003, 3), (-3, 7)])
def test_a_natural_stagger_is_how_far_the_clock_is_into_a_window(now_ms: int, expected: int) -> None:
    assert WindowStagger.NATURAL.get_stagger_offset(now_ms, 10) == expected


@given(st.integers(1, 10**9), st.integers())
def test_a_random_stagger_is_within_the_window_and_the_same_for_the_same_seed(size: int, seed: int) -> None:
    drawn = WindowStagger.RANDOM.get_stagger_offset(NOW_MS, size, seeded(seed))
    assert 0 <= drawn < size
    assert drawn == WindowStagger.RANDOM.get_stagger_offset(NOW_MS, size, seeded(seed))


def test_a_random_stagger_without_a_generator_is_within_the_window() -> None:
    assert 0 <= WindowStagger.RANDOM.get_stagger_offset(NOW_MS, 10) < 10


def test_the_stagger_is_drawn_at_the_first_record_and_kept() -> None:
    assigner = TumblingEventTimeWindows.of(10, 4, WindowStagger.NATURAL)
    with pytest.raises(ProgramError, match="needs current_processing_time"):
        assigner.window_starts([0])
    assert assign(assigner, 20, now_ms=1_008) == [(12, 22)]
    assert assign(assigner, 20, now_ms=1_001) == [(12, 22)]
    assert assigner.window_starts([20, 22]) == [12, 22]


def test_a_staggered_processing_time_assigner_shifts_its_windows() -> None:
    assigner = TumblingProcessingTimeWindows.of(10, 0, WindowStagger.NATURAL)
    assert assign(assigner, 0, now_ms=1_003) == [(1_003, 1_013)]
    assert assign(assigner, 0, now_ms=1_014) == [(1_013, 1_023)]


@pytest.mark.parametrize(
    "sessions",
    [EventTimeSessionWindows.with_gap(5), EventTimeSessionWindows.with_dynamic_gap(lambda element: 5)],
    ids=["fixed gap", "dynamic gap"],
)
def test_event_time_sessions_refuse_a_record_without_a_timestamp(
    sessions: WindowAssigner[Any, Any],
) -> None:
    """Flink puts them all into one session: see tests/results/programs/windows/session_without_timestamps.py."""
    with pytest.raises(ProgramError, match="without a timestamp reached an event-time window"):
        assign(sessions, MIN_TIMESTAMP)
