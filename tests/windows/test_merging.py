"""Sessions of one key, and where their state stays."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProtocolError
from penstock.windows import (
    EventTimeSessionWindows,
    GlobalWindow,
    MergingWindowAssigner,
    MergingWindowSet,
    TimeWindow,
)
from penstock.windows.assigners.sessions import SessionWindows

SESSIONS: SessionWindows[Any] = EventTimeSessionWindows.with_gap(10)
windows = st.builds(
    lambda start, size: TimeWindow(start, start + size), st.integers(-60, 60), st.integers(1, 25)
)


class AskedSessions(EventTimeSessionWindows[Any]):
    """Merges as sessions do, but in a method of its own, as a user's assigner does."""

    def merge_windows(
        self, windows: Iterable[TimeWindow], callback: MergingWindowAssigner.MergeCallback[TimeWindow]
    ) -> None:
        super().merge_windows(windows, callback)


class Contents:
    """What a window operator keeps: the records of each state window. Every merge is written down."""

    def __init__(self, assigner: Any = SESSIONS) -> None:
        self.windows: MergingWindowSet[TimeWindow] = MergingWindowSet(assigner)
        self.records: dict[TimeWindow, list[int]] = {}
        self.merges: list[tuple[Any, ...]] = []

    def add(self, window: TimeWindow, record: int) -> TimeWindow:
        session = self.windows.add_window(window, self._merge)
        state_window = self.windows.get_state_window(session)
        assert state_window is not None
        self.records.setdefault(state_window, []).append(record)
        return session

    def _merge(
        self, result: TimeWindow, merged: list[TimeWindow], state: TimeWindow, moved: list[TimeWindow]
    ) -> None:
        self.merges.append((result, merged, state, moved))
        for window in moved:
            self.records[state] += self.records.pop(window)

    def sessions(self) -> dict[TimeWindow, set[int]]:
        return {window: set(self.records[state]) for window, state in self.windows.to_pairs()}


def group_slowly(added: list[TimeWindow]) -> dict[TimeWindow, set[int]]:
    """Each session with the numbers of its windows: join what intersects until nothing does."""
    groups = [(window, {number}) for number, window in enumerate(added)]
    joined = True
    while joined:
        joined = False
        for one in groups:
            other = next((g for g in groups if g is not one and g[0].intersects(one[0])), None)
            if other is not None:
                groups = [g for g in groups if g is not one and g is not other]
                groups.append((one[0].cover(other[0]), one[1] | other[1]))
                joined = True
                break
    return dict(groups)


@pytest.mark.parametrize("assigner", [SESSIONS, AskedSessions(10)], ids=["covering", "asked"])
@given(added=st.lists(windows, max_size=12))
def test_sessions_hold_what_the_oracle_puts_together_and_no_record_is_lost(
    assigner: Any, added: list[TimeWindow]
) -> None:
    contents = Contents(assigner)
    for number, window in enumerate(added):
        contents.add(window, number)
    assert contents.sessions() == group_slowly(added)


@given(st.lists(windows, max_size=12))
def test_covering_and_asking_the_assigner_give_the_same_sets_and_the_same_merges(
    added: list[TimeWindow],
) -> None:
    covering, asked = Contents(), Contents(AskedSessions(10))
    for number, window in enumerate(added):
        assert covering.add(window, number) == asked.add(window, number)
        assert covering.windows.to_pairs() == asked.windows.to_pairs()
    assert covering.merges == asked.merges


@given(st.lists(windows, max_size=12), st.integers(0, 12))
def test_a_set_that_was_stored_and_read_back_goes_on_as_if_nothing_had_happened(
    added: list[TimeWindow], cut: int
) -> None:
    through, stopped = Contents(), Contents()
    for number, window in enumerate(added):
        if number == cut:
            stopped.windows = MergingWindowSet(SESSIONS, stopped.windows.to_pairs())
        through.add(window, number)
        stopped.add(window, number)
    assert stopped.windows.to_pairs() == through.windows.to_pairs()
    assert stopped.merges == through.merges


def test_a_growing_session_keeps_its_state_where_it_began() -> None:
    contents = Contents()
    for start in (0, 5, 12):
        session = contents.add(TimeWindow(start, start + 10), start)
    assert session == TimeWindow(0, 22)
    assert contents.windows.get_state_window(session) == TimeWindow(0, 10)
    assert contents.merges == [
        (TimeWindow(0, 15), [TimeWindow(0, 10)], TimeWindow(0, 10), []),
        (TimeWindow(0, 22), [TimeWindow(0, 15)], TimeWindow(0, 10), []),
    ]


def test_sessions_that_touch_at_the_border_become_one() -> None:
    contents = Contents()
    contents.add(TimeWindow(0, 10), 1)
    assert contents.add(TimeWindow(10, 20), 2) == TimeWindow(0, 20)
    assert contents.add(TimeWindow(21, 31), 3) == TimeWindow(21, 31)


def test_a_window_between_two_sessions_joins_them_in_the_state_of_the_older_one() -> None:
    contents = Contents()
    contents.add(TimeWindow(20, 30), 1)
    contents.add(TimeWindow(0, 10), 2)
    assert contents.add(TimeWindow(8, 21), 3) == TimeWindow(0, 30)
    assert contents.merges == [
        (TimeWindow(0, 30), [TimeWindow(20, 30), TimeWindow(0, 10)], TimeWindow(20, 30), [TimeWindow(0, 10)])
    ]
    assert contents.records == {TimeWindow(20, 30): [1, 2, 3]}


def test_a_window_within_a_session_merges_nothing_and_changes_nothing() -> None:
    contents = Contents()
    contents.add(TimeWindow(0, 20), 1)
    contents.windows.changed = False
    assert contents.add(TimeWindow(5, 15), 2) == TimeWindow(0, 20)
    assert contents.merges == []
    assert not contents.windows.changed


def test_a_window_equal_to_a_merged_session_finds_its_state() -> None:
    contents = Contents()
    contents.add(TimeWindow(0, 10), 1)
    contents.add(TimeWindow(5, 20), 2)
    contents.add(TimeWindow(0, 20), 3)
    assert contents.sessions() == {TimeWindow(0, 20): {1, 2, 3}}


def test_a_retired_window_is_forgotten() -> None:
    contents = Contents()
    contents.add(TimeWindow(0, 10), 1)
    contents.windows.changed = False
    contents.windows.retire_window(TimeWindow(0, 10))
    assert (len(contents.windows), contents.windows.changed) == (0, True)
    assert contents.windows.get_state_window(TimeWindow(0, 10)) is None


def test_retiring_a_window_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="TimeWindow\\(start=0, end=10\\) cannot be retired"):
        Contents().windows.retire_window(TimeWindow(0, 10))


def test_an_assigner_may_merge_windows_that_are_not_of_time() -> None:
    class OneForAll(MergingWindowAssigner[Any, GlobalWindow]):
        def assign_windows(self, element: Any, timestamp: int, context: Any) -> list[GlobalWindow]:
            return [GlobalWindow.get()]

        def merge_windows(self, windows: Any, callback: Any) -> None:
            callback.merge(list(windows), GlobalWindow.get())

        def get_default_trigger(self, env: Any) -> Any:
            raise AssertionError("not asked")

        def get_window_serializer(self) -> Any:
            raise AssertionError("not asked")

        def is_event_time(self) -> bool:
            return False

    merges: list[Any] = []
    everything: MergingWindowSet[GlobalWindow] = MergingWindowSet(OneForAll())
    for _ in range(2):
        assert (
            everything.add_window(GlobalWindow.get(), lambda *merge: merges.append(merge)) == GlobalWindow()
        )
    assert (everything.to_pairs(), merges) == ([(GlobalWindow(), GlobalWindow())], [])
