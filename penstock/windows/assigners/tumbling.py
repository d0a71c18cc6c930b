"""Windows of one size, one after the other."""

from typing import Any, TypeVar

from penstock.errors import ProgramError
from penstock.windows.assigners.assigner import WindowAssigner, last_window_start, window_starts
from penstock.windows.assigners.stagger import WindowStagger
from penstock.windows.length import Length, length_ms
from penstock.windows.serializers import TimeWindowSerializer
from penstock.windows.triggers.once import EventTimeTrigger, ProcessingTimeTrigger
from penstock.windows.triggers.trigger import Trigger
from penstock.windows.window import TimeWindow

T = TypeVar("T")


class _TumblingWindows(WindowAssigner[T, TimeWindow]):
    """Windows that start at ``offset_ms`` plus multiples of ``size_ms``, shifted by the stagger of the subtask.

    The stagger is drawn once, at the first record: each subtask needs its own copy of the assigner.
    """

    def __init__(self, size: int, offset: int, stagger: WindowStagger = WindowStagger.ALIGNED) -> None:
        if abs(offset) >= size:
            raise ProgramError(
                f"{type(self).__name__}: the size has to be positive and greater than the offset in either direction, "
                f"but the size is {size} ms and the offset {offset} ms"
            )
        self.size_ms = size
        self.offset_ms = offset
        self.stagger = stagger
        # None until the first record of a staggered assigner.
        self._shift_ms: int | None = offset if stagger is WindowStagger.ALIGNED else None

    def shift_ms(self, current_processing_time: int) -> int:
        """Offset and stagger together; ``current_processing_time`` matters at the first call only."""
        if self._shift_ms is None:
            stagger_ms = self.stagger.get_stagger_offset(current_processing_time, self.size_ms)
            self._shift_ms = (self.offset_ms + stagger_ms) % self.size_ms
        return self._shift_ms

    def get_window_serializer(self) -> TimeWindowSerializer:
        return TimeWindowSerializer()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size_ms}, {self.offset_ms})"


class TumblingEventTimeWindows(_TumblingWindows[T]):
    """Windows of one size by the records' timestamps; each record is in exactly one.

    >>> TumblingEventTimeWindows.of(10, 3).window_starts([2, 3, 12, 13])
    [-7, 3, 3, 13]
    """

    @staticmethod
    def of(
        size: Length,
        offset: Length | None = None,
        window_stagger: WindowStagger = WindowStagger.ALIGNED,
    ) -> "TumblingEventTimeWindows[Any]":
        """Windows of ``size`` that start at ``offset`` after the epoch, or a multiple of ``size`` from there.

        Days of a time zone 8 hours ahead of UTC: size one day, offset minus 8 hours.
        """
        size_ms, offset_ms = _size_and_offset(size, offset)
        return TumblingEventTimeWindows(size_ms, offset_ms, window_stagger)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        shift_ms = self._shift_ms
        if shift_ms is None:
            shift_ms = self.shift_ms(context.get_current_processing_time())
        start = last_window_start(timestamp, shift_ms, self.size_ms)
        return [TimeWindow(start, start + self.size_ms)]

    def window_starts(self, timestamps: list[int], current_processing_time: int | None = None) -> list[int]:
        """The start of each timestamp's window, at once for a whole batch.

        ``current_processing_time`` is needed when the windows are staggered, and only at the first call.
        """
        shift_ms = self._shift_ms
        if shift_ms is None:
            if current_processing_time is None:
                raise ProgramError(
                    "the first window_starts() of staggered windows needs current_processing_time"
                )
            shift_ms = self.shift_ms(current_processing_time)
        return window_starts(timestamps, shift_ms, self.size_ms)

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return EventTimeTrigger()

    def is_event_time(self) -> bool:
        return True


class TumblingProcessingTimeWindows(_TumblingWindows[T]):
    """Windows of one size by the machine's clock; each record is in exactly one."""

    @staticmethod
    def of(
        size: Length,
        offset: Length | None = None,
        window_stagger: WindowStagger = WindowStagger.ALIGNED,
    ) -> "TumblingProcessingTimeWindows[Any]":
        """Windows of ``size`` that start at ``offset`` after the epoch, or a multiple of ``size`` from there."""
        size_ms, offset_ms = _size_and_offset(size, offset)
        return TumblingProcessingTimeWindows(size_ms, offset_ms, window_stagger)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        now_ms = context.get_current_processing_time()
        start = now_ms - (now_ms - self.shift_ms(now_ms)) % self.size_ms
        return [TimeWindow(start, start + self.size_ms)]

    def window_start(self, current_processing_time: int) -> int:
        """The start of the window that every record belongs to at ``current_processing_time``."""
        return current_processing_time - (
            (current_processing_time - self.shift_ms(current_processing_time)) % self.size_ms
        )

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return ProcessingTimeTrigger()

    def is_event_time(self) -> bool:
        return False


def _size_and_offset(size: Length, offset: Length | None) -> tuple[int, int]:
    return length_ms(size, "size"), 0 if offset is None else length_ms(offset, "offset")
