"""Windows of one size that start at regular intervals and may overlap."""

from math import gcd
from typing import Any, TypeVar

from penstock.errors import ProgramError
from penstock.windows.assigners.assigner import WindowAssigner, last_window_start, window_starts
from penstock.windows.length import Length, length_ms
from penstock.windows.serializers import TimeWindowSerializer
from penstock.windows.triggers.once import EventTimeTrigger, ProcessingTimeTrigger
from penstock.windows.triggers.trigger import Trigger
from penstock.windows.window import TimeWindow

T = TypeVar("T")


class _SlidingWindows(WindowAssigner[T, TimeWindow]):
    """Windows of ``size_ms`` that start at ``offset_ms`` plus multiples of ``slide_ms``.

    A slide greater than the size leaves gaps: records that fall in one are in no window.
    """

    def __init__(self, size: int, slide: int, offset: int) -> None:
        if abs(offset) >= slide or size <= 0:
            raise ProgramError(
                f"{type(self).__name__}: size and slide have to be positive and the slide greater than the offset in either "
                f"direction, but the size is {size} ms, the slide {slide} ms and the offset {offset} ms"
            )
        self.size_ms = size
        self.slide_ms = slide
        self.offset_ms = offset
        # The largest pieces that every window is made of whole ones of.
        self.pane_ms = gcd(size, slide)

    def windows_of(self, time_ms: int, last_start: int) -> list[TimeWindow]:
        """The windows that ``time_ms`` is in, the latest first; ``last_start`` is where the latest starts."""
        size = self.size_ms
        return [
            TimeWindow(start, start + size) for start in range(last_start, time_ms - size, -self.slide_ms)
        ]

    def get_window_serializer(self) -> TimeWindowSerializer:
        return TimeWindowSerializer()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size_ms}, {self.slide_ms}, {self.offset_ms})"


class SlidingEventTimeWindows(_SlidingWindows[T]):
    """Overlapping windows by the records' timestamps.

    >>> windows = SlidingEventTimeWindows.of(10, 4)
    >>> windows.window_starts([7, 8]), windows.windows_of(8, 8)
    ([4, 8], [TimeWindow(start=8, end=18), TimeWindow(start=4, end=14), TimeWindow(start=0, end=10)])
    """

    @staticmethod
    def of(size: Length, slide: Length, offset: Length | None = None) -> "SlidingEventTimeWindows[Any]":
        """A window of ``size`` every ``slide``, counted from ``offset`` after the epoch."""
        return SlidingEventTimeWindows(*_size_slide_and_offset(size, slide, offset))

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        return self.windows_of(timestamp, last_window_start(timestamp, self.offset_ms, self.slide_ms))

    def window_starts(self, timestamps: list[int]) -> list[int]:
        """Where the latest window at each timestamp starts; the others start one slide earlier each.

        With gaps between the windows the timestamp may lie behind the window's end, and is then in none.
        """
        return window_starts(timestamps, self.offset_ms, self.slide_ms)

    def pane_starts(self, timestamps: list[int]) -> list[int]:
        """The start of each timestamp's pane; every window consists of whole panes of ``pane_ms``."""
        return window_starts(timestamps, self.offset_ms % self.pane_ms, self.pane_ms)

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return EventTimeTrigger()

    def is_event_time(self) -> bool:
        return True


class SlidingProcessingTimeWindows(_SlidingWindows[T]):
    """Overlapping windows by the machine's clock."""

    @staticmethod
    def of(size: Length, slide: Length, offset: Length | None = None) -> "SlidingProcessingTimeWindows[Any]":
        """A window of ``size`` every ``slide``, counted from ``offset`` after the epoch."""
        return SlidingProcessingTimeWindows(*_size_slide_and_offset(size, slide, offset))

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        now_ms = context.get_current_processing_time()
        return self.windows_of(now_ms, last_window_start(now_ms, self.offset_ms, self.slide_ms))

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return ProcessingTimeTrigger()

    def is_event_time(self) -> bool:
        return False


def _size_slide_and_offset(size: Length, slide: Length, offset: Length | None) -> tuple[int, int, int]:
    offset_ms = 0 if offset is None else length_ms(offset, "offset")
    return length_ms(size, "size"), length_ms(slide, "slide"), offset_ms
