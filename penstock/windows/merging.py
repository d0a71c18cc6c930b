"""Windows of one key that merge, and where their state is."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

from penstock.errors import ProtocolError
from penstock.windows.assigners.assigner import MergingWindowAssigner
from penstock.windows.assigners.sessions import SessionWindows
from penstock.windows.window import TimeWindow, Window

W = TypeVar("W", bound=Window)

# merge(result, merged windows, state window of the result, state windows to be merged into it).
# The new window itself is in neither list: it has no state yet.
MergeFunction = Callable[[W, list[W], W, list[W]], None]


class MergingWindowSet(Generic[W]):
    """The windows of one key with, for each, the *state window*: the namespace that its state is stored under.

    When windows merge, the state of the result stays where that of the first of them already is, and only the others are
    moved. So a session that grows record by record never moves its state.

    ``pairs`` is what :meth:`to_pairs` gave when the set was last stored.

    >>> from penstock.windows.assigners.sessions import EventTimeSessionWindows
    >>> windows = MergingWindowSet(EventTimeSessionWindows.with_gap(10))
    >>> windows.add_window(TimeWindow(0, 10), print)
    TimeWindow(start=0, end=10)
    >>> session = windows.add_window(TimeWindow(5, 15), lambda *merge: None)
    >>> session, windows.get_state_window(session)
    (TimeWindow(start=0, end=15), TimeWindow(start=0, end=10))
    """

    __slots__ = ("_assigner", "_covers", "_state_windows", "changed")

    def __init__(
        self, assigner: "MergingWindowAssigner[object, W]", pairs: Iterable[tuple[W, W]] = ()
    ) -> None:
        self._assigner = assigner
        # Windows that merge by covering each other need no sorting of all windows for each record.
        self._covers = _merges_by_covering(assigner)
        self._state_windows: dict[W, W] = dict(pairs)
        self.changed = False

    def get_state_window(self, window: W) -> W | None:
        """The state window of ``window``, None when there is no such window."""
        return self._state_windows.get(window)

    def retire_window(self, window: W) -> None:
        """Forget a window that is over; its state is the caller's to clear."""
        if self._state_windows.pop(window, None) is None:
            raise ProtocolError(f"{window} cannot be retired: it is not among {list(self._state_windows)}")
        self.changed = True

    def add_window(self, new_window: W, merge: MergeFunction[W]) -> W:
        """Add a window, merging what has to be merged; return the window that it is now part of, maybe itself.

        ``merge`` is called for each merge before the new window is used; it moves state, triggers and timers. It is not
        called when one known window takes in the new one without growing.
        """
        state_windows = self._state_windows
        if new_window in state_windows:
            return new_window
        result = new_window
        for merge_result, group in self._groups(new_window):
            if new_window in group:
                group.remove(new_window)
                result = merge_result
            self._merge_group(merge_result, group, merge)
        if result not in state_windows:
            state_windows[result] = result
            self.changed = True
        return result

    def _merge_group(self, result: W, group: list[W], merge: MergeFunction[W]) -> None:
        if group in ([], [result]):
            return
        moved = [self._state_windows.pop(window) for window in group]
        state_window = moved.pop(0)
        self._state_windows[result] = state_window
        self.changed = True
        merge(result, group, state_window, moved)

    def _groups(self, new_window: W) -> list[tuple[W, list[W]]]:
        """What to merge: the resulting window and its parts, known windows first and in the order of their arrival."""
        if not self._covers:
            return _ask(self._assigner, self._state_windows, new_window)
        new = cast(TimeWindow, new_window)
        start, end = new.start, new.end
        known = cast(Iterable[TimeWindow], self._state_windows)
        group = [window for window in known if window.start <= end and window.end >= start]
        if not group:
            return []
        # Known windows never touch each other, so what they add to the cover touches nothing else.
        cover = TimeWindow(
            min(start, min(window.start for window in group)), max(end, max(window.end for window in group))
        )
        return [(cast(W, cover), cast(list[W], [*group, new]))]

    def to_pairs(self) -> list[tuple[W, W]]:
        """Every window with its state window, to be stored; needed only when :attr:`changed` is set."""
        return list(self._state_windows.items())

    def __len__(self) -> int:
        return len(self._state_windows)

    def __repr__(self) -> str:
        return f"MergingWindowSet({self._state_windows})"


class _Collect(MergingWindowAssigner.MergeCallback[W]):
    """Keeps what an assigner wants to merge."""

    def __init__(self) -> None:
        self.groups: list[tuple[W, set[W]]] = []

    def merge(self, to_be_merged: Iterable[W], merge_result: W) -> None:
        self.groups.append((merge_result, set(to_be_merged)))


def _ask(
    assigner: "MergingWindowAssigner[object, W]", known: Iterable[W], new_window: W
) -> list[tuple[W, list[W]]]:
    windows = [*known, new_window]
    collected: _Collect[W] = _Collect()
    assigner.merge_windows(windows, collected)
    return [(result, [window for window in windows if window in group]) for result, group in collected.groups]


def _merges_by_covering(assigner: "MergingWindowAssigner[object, W]") -> bool:
    merge_windows: object = type(assigner).merge_windows
    return merge_windows is SessionWindows.merge_windows
