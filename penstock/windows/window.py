"""Windows: finite buckets that records are put into.

A window is the namespace of its state, so it is made and looked up for every record. ``TimeWindow`` is a slotted object
that hashes by its end: in CPython 3.11 it is made in two thirds of the time of a tuple subclass, and in half of that of
one that computes a hash of both ends. A tuple would be looked up faster, but ``"%s" % window`` would take it apart.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from penstock.data.elements import MAX_WATERMARK
from penstock.errors import ProgramError

if TYPE_CHECKING:
    from penstock.windows.assigners.assigner import MergingWindowAssigner


class Window(ABC):
    """A bucket of records with a last point in time. Subclasses are values: equal ones are the same window."""

    __slots__ = ()

    @abstractmethod
    def max_timestamp(self) -> int:
        """The last millisecond that still belongs to the window; results of the window carry it as their timestamp."""


class TimeWindow(Window):
    """The time from ``start`` (inclusive) to ``end`` (exclusive), in milliseconds since the epoch.

    Windows are ordered by start, then by end.

    >>> window = TimeWindow(0, 10)
    >>> window, window.max_timestamp()
    (TimeWindow(start=0, end=10), 9)
    >>> window < TimeWindow(0, 11) < TimeWindow(1, 2)
    True
    """

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def max_timestamp(self) -> int:
        return self.end - 1

    def intersects(self, other: "TimeWindow") -> bool:
        """Whether the two overlap or touch: a window that ends where the other starts intersects it.

        >>> TimeWindow(0, 5).intersects(TimeWindow(5, 9)), TimeWindow(0, 5).intersects(TimeWindow(6, 9))
        (True, False)
        """
        return self.start <= other.end and self.end >= other.start

    def cover(self, other: "TimeWindow") -> "TimeWindow":
        """The smallest window that contains both.

        >>> TimeWindow(0, 5).cover(TimeWindow(8, 9))
        TimeWindow(start=0, end=9)
        """
        return TimeWindow(min(self.start, other.start), max(self.end, other.end))

    @staticmethod
    def get_window_start_with_offset(timestamp: int, offset: int, window_size: int) -> int:
        """Where the window of ``timestamp`` starts, among windows of ``window_size`` that start at ``offset`` + n sizes.

        >>> TimeWindow.get_window_start_with_offset(-1, 0, 5), TimeWindow.get_window_start_with_offset(12, 3, 5)
        (-5, 8)
        """
        return timestamp - (timestamp - offset) % window_size

    @staticmethod
    def merge_windows(
        windows: Iterable["TimeWindow"], callback: "MergingWindowAssigner.MergeCallback[TimeWindow]"
    ) -> None:
        """Tell ``callback`` each group of windows that intersect, directly or through others, with what covers them.

        Windows that stand alone are not mentioned.
        """
        cover: TimeWindow | None = None
        group: set[TimeWindow] = set()
        for window in sorted(windows):
            if cover is not None and cover.intersects(window):
                cover = cover.cover(window)
                group.add(window)
                continue
            if cover is not None and len(group) > 1:
                callback.merge(group, cover)
            cover, group = window, {window}
        if cover is not None and len(group) > 1:
            callback.merge(group, cover)

    def __hash__(self) -> int:
        # Windows of one operator differ in their ends, or nearly all do; equality decides the rest.
        return hash(self.end)

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.end == other.end and self.start == other.start

    def __lt__(self, other: "TimeWindow") -> bool:
        _require_time_window(other)
        return self.start < other.start or (self.start == other.start and self.end < other.end)

    def __le__(self, other: "TimeWindow") -> bool:
        _require_time_window(other)
        return self.start < other.start or (self.start == other.start and self.end <= other.end)

    def __repr__(self) -> str:
        return f"TimeWindow(start={self.start}, end={self.end})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.__class__, (self.start, self.end))


def _require_time_window(other: object) -> None:
    if not isinstance(other, TimeWindow):
        raise ProgramError(f"a TimeWindow is ordered among TimeWindows only, not with {other!r}")


class CountWindow(Window):
    """A window that is told from others by a number, and never ends in time.

    >>> CountWindow(3), CountWindow(3) == CountWindow(3)
    (CountWindow(id=3), True)
    """

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id = id

    def max_timestamp(self) -> int:
        return MAX_WATERMARK

    def __hash__(self) -> int:
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.id == other.id

    def __repr__(self) -> str:
        return f"CountWindow(id={self.id})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.__class__, (self.id,))


class GlobalWindow(Window):
    """The one window that holds everything.

    >>> GlobalWindow.get()
    GlobalWindow
    """

    __slots__ = ()

    @staticmethod
    def get() -> "GlobalWindow":
        """The global window; always the same object."""
        return _GLOBAL_WINDOW

    def max_timestamp(self) -> int:
        return MAX_WATERMARK

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__

    def __repr__(self) -> str:
        return "GlobalWindow"

    def __reduce__(self) -> tuple[Any, ...]:
        return (GlobalWindow.get, ())


_GLOBAL_WINDOW = GlobalWindow()
