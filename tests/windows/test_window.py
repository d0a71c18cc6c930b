"""Windows as values: equality, order, text, travel, and the arithmetic of starts and merges."""

import pickle
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProgramError, StateError
from penstock.windows import (
    CountWindow,
    CountWindowSerializer,
    GlobalWindow,
    GlobalWindowSerializer,
    MergingWindowAssigner,
    TimeWindow,
    TimeWindowSerializer,
    Window,
)

times = st.integers(-100, 100)
windows = st.builds(lambda start, size: TimeWindow(start, start + size), times, st.integers(0, 30))
any_window: st.SearchStrategy[Window] = st.one_of(
    windows, st.builds(CountWindow, times), st.just(GlobalWindow.get())
)

SAMPLES = [TimeWindow(-5, 10), CountWindow(7), GlobalWindow()]
SERIALIZERS = [TimeWindowSerializer(), CountWindowSerializer(), GlobalWindowSerializer()]


def test_the_text_of_a_window_is_flinks() -> None:
    assert [str(window) for window in SAMPLES] == [
        "TimeWindow(start=-5, end=10)", "CountWindow(id=7)", "GlobalWindow",
    ]  # fmt: skip
    assert "window %s" % TimeWindow(0, 1) == "window TimeWindow(start=0, end=1)"  # noqa: UP031 - as old programs do


def test_a_time_window_ends_one_millisecond_before_its_end_and_others_never() -> None:
    assert [window.max_timestamp() for window in SAMPLES] == [9, 2**63 - 1, 2**63 - 1]


@given(any_window, any_window)
def test_windows_are_equal_when_class_and_bounds_are_and_then_hash_alike(one: Window, other: Window) -> None:
    assert (one == other) == (repr(one) == repr(other))
    if one == other:
        assert hash(one) == hash(other)


def test_windows_of_different_classes_are_never_equal() -> None:
    assert TimeWindow(0, 0) != CountWindow(0)
    assert CountWindow(0) != GlobalWindow()
    assert TimeWindow(0, 1) != (0, 1)


@given(windows, windows)
def test_time_windows_are_ordered_by_start_and_then_by_end(one: TimeWindow, other: TimeWindow) -> None:
    left, right = (one.start, one.end), (other.start, other.end)
    assert (one < other, one <= other, one > other, one >= other) == (
        left < right, left <= right, left > right, left >= right,
    )  # fmt: skip


def test_a_time_window_cannot_be_ordered_among_other_things() -> None:
    with pytest.raises(ProgramError, match="among TimeWindows only"):
        TimeWindow(0, 1) < CountWindow(0)  # type: ignore[operator]  # noqa: B015


@pytest.mark.parametrize("window", SAMPLES)
def test_a_window_survives_pickling(window: Window) -> None:
    assert pickle.loads(pickle.dumps(window)) == window


def test_there_is_one_global_window_per_process() -> None:
    assert GlobalWindow.get() is GlobalWindow.get() is pickle.loads(pickle.dumps(GlobalWindow()))


@pytest.mark.parametrize(
    ("serializer", "window", "expected"),
    list(
        zip(SERIALIZERS, SAMPLES, ["fffffffffffffffb000000000000000a", "0000000000000007", "00"], strict=True)
    ),
)
def test_a_window_is_written_in_flinks_bytes_and_read_back(
    serializer: TimeWindowSerializer, window: TimeWindow, expected: str
) -> None:
    stream = BytesIO()
    serializer.serialize(window, stream)
    assert stream.getvalue().hex() == expected
    assert serializer.deserialize(BytesIO(stream.getvalue())) == window


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_a_window_that_was_cut_off_is_an_error(serializer: TimeWindowSerializer) -> None:
    with pytest.raises(StateError):
        serializer.deserialize(BytesIO(b""))


def test_serializers_of_one_kind_are_equal() -> None:
    assert TimeWindowSerializer() == TimeWindowSerializer() != CountWindowSerializer()
    assert repr(TimeWindowSerializer()) == "TimeWindowSerializer()"


@given(windows, windows)
def test_windows_intersect_when_they_share_a_point_of_their_closed_ranges(
    one: TimeWindow, other: TimeWindow
) -> None:
    shared = set(range(one.start, one.end + 1)) & set(range(other.start, other.end + 1))
    assert one.intersects(other) == other.intersects(one) == bool(shared)


@given(windows, windows)
def test_the_cover_is_the_smallest_window_with_both_in_it(one: TimeWindow, other: TimeWindow) -> None:
    points = [one.start, one.end, other.start, other.end]
    assert one.cover(other) == TimeWindow(min(points), max(points))


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6), st.data())
def test_the_start_is_at_a_multiple_of_the_size_from_the_offset_and_the_window_holds_the_time(
    timestamp: int, size: int, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(-size + 1, size - 1))
    start = TimeWindow.get_window_start_with_offset(timestamp, offset, size)
    assert (start - offset) % size == 0
    assert start <= timestamp < start + size


class Collected(MergingWindowAssigner.MergeCallback[TimeWindow]):
    """Remembers what was to be merged."""

    def __init__(self) -> None:
        self.merges: dict[TimeWindow, set[TimeWindow]] = {}

    def merge(self, to_be_merged: object, merge_result: TimeWindow) -> None:
        assert isinstance(to_be_merged, set)
        self.merges[merge_result] = to_be_merged


def merge(candidates: list[TimeWindow]) -> dict[TimeWindow, set[TimeWindow]]:
    collected = Collected()
    TimeWindow.merge_windows(candidates, collected)
    return collected.merges


def merge_slowly(candidates: list[TimeWindow]) -> dict[TimeWindow, set[TimeWindow]]:
    """Join any two groups with intersecting covers until there are none."""
    groups = [(window, {window}) for window in candidates]
    while True:
        pair = next(
            (
                (i, j)
                for i in range(len(groups))
                for j in range(i + 1, len(groups))
                if groups[i][0].intersects(groups[j][0])
            ),
            None,
        )
        if pair is None:
            return {cover: group for cover, group in groups if len(group) > 1}
        (cover, group), (other_cover, other_group) = groups[pair[0]], groups.pop(pair[1])
        groups[pair[0]] = (cover.cover(other_cover), group | other_group)


@given(st.lists(windows, max_size=8))
def test_merging_joins_what_intersects_directly_or_through_others(candidates: list[TimeWindow]) -> None:
    assert merge(candidates) == merge_slowly(candidates)


def test_merging_does_what_flink_does() -> None:
    spans = [(5, 9), (0, 5), (20, 30), (9, 9), (20, 30), (40, 50), (41, 42), (31, 32)]
    merged = merge([TimeWindow(start, end) for start, end in spans])
    assert {(cover.start, cover.end): sorted((w.start, w.end) for w in group) for cover, group in merged.items()} == {
        (0, 9): [(0, 5), (5, 9), (9, 9)],
        (40, 50): [(40, 50), (41, 42)],
    }  # fmt: skip
