"""Windows that last as long as records keep coming.

Event-time sessions refuse a record without a timestamp, as other event-time windows do. Flink puts all such records into one
session at the beginning of time, which nobody can have meant.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import ProgramError
from penstock.windows.assigners.assigner import MergingWindowAssigner, WindowAssigner, missing_timestamp
from penstock.windows.length import Length, length_ms
from penstock.windows.serializers import TimeWindowSerializer
from penstock.windows.triggers.once import EventTimeTrigger, ProcessingTimeTrigger
from penstock.windows.triggers.trigger import Trigger
from penstock.windows.window import TimeWindow

T = TypeVar("T")


class SessionWindowTimeGapExtractor(ABC):
    """Says of each record how long its session waits for the next one."""

    @abstractmethod
    def extract(self, element: Any) -> int:
        """The gap in milliseconds, greater than 0."""


# A plain function does as well, and may return a duration instead of milliseconds.
GapExtractor = SessionWindowTimeGapExtractor | Callable[[Any], Length]


class SessionWindows(MergingWindowAssigner[T, TimeWindow]):
    """What all sessions share: each record opens a window of the gap, and windows that overlap or touch become one."""

    def merge_windows(
        self,
        windows: Iterable[TimeWindow],
        callback: "MergingWindowAssigner.MergeCallback[TimeWindow]",
    ) -> None:
        TimeWindow.merge_windows(windows, callback)

    def get_window_serializer(self) -> TimeWindowSerializer:
        return TimeWindowSerializer()


class _FixedGap(SessionWindows[T]):
    """Sessions with the same gap for every record."""

    def __init__(self, session_gap: int) -> None:
        if session_gap <= 0:
            raise ProgramError(
                f"{type(self).__name__}: the gap has to be positive, but it is {session_gap} ms"
            )
        self.gap_ms = session_gap

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.gap_ms})"


class _DynamicGap(SessionWindows[T]):
    """Sessions whose gap depends on the record."""

    def __init__(self, session_window_time_gap_extractor: GapExtractor) -> None:
        extractor = session_window_time_gap_extractor
        if isinstance(extractor, SessionWindowTimeGapExtractor):
            self._extract: Callable[[Any], Length] = extractor.extract
        elif callable(extractor):
            self._extract = extractor
        else:
            raise ProgramError(
                f"{type(self).__name__}: give a SessionWindowTimeGapExtractor or a function, not {extractor!r}"
            )

    def gap_ms(self, element: T) -> int:
        """The gap after ``element``; raises ``ProgramError`` when it is not positive."""
        gap = self._extract(element)
        gap_ms = gap if type(gap) is int else length_ms(gap, "session gap")
        if gap_ms <= 0:
            raise ProgramError(
                f"{type(self).__name__}: the gap has to be positive, but the extractor gave {gap!r} for {element!r}"
            )
        return gap_ms

    def __repr__(self) -> str:
        # Flink shows the gap of the last record here, which is 0 wherever a program is described before it runs.
        return f"{type(self).__name__}(0)"


class EventTimeSessionWindows(_FixedGap[T]):
    """Sessions by the records' timestamps.

    >>> EventTimeSessionWindows.with_gap(5).assign_windows("record", 10, None)
    [TimeWindow(start=10, end=15)]
    """

    @staticmethod
    def with_gap(size: Length) -> "EventTimeSessionWindows[Any]":
        """A session ends when no record came for ``size``."""
        return EventTimeSessionWindows(length_ms(size, "session gap"))

    @staticmethod
    def with_dynamic_gap(extractor: GapExtractor) -> "DynamicEventTimeSessionWindows[Any]":
        """A session ends when no record came for as long as ``extractor`` says."""
        return DynamicEventTimeSessionWindows(extractor)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext | None
    ) -> list[TimeWindow]:
        if timestamp == MIN_TIMESTAMP:
            raise missing_timestamp()
        return [TimeWindow(timestamp, timestamp + self.gap_ms)]

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return EventTimeTrigger()

    def is_event_time(self) -> bool:
        return True


class ProcessingTimeSessionWindows(_FixedGap[T]):
    """Sessions by the machine's clock."""

    @staticmethod
    def with_gap(size: Length) -> "ProcessingTimeSessionWindows[Any]":
        """A session ends when no record came for ``size``."""
        return ProcessingTimeSessionWindows(length_ms(size, "session gap"))

    @staticmethod
    def with_dynamic_gap(extractor: GapExtractor) -> "DynamicProcessingTimeSessionWindows[Any]":
        """A session ends when no record came for as long as ``extractor`` says."""
        return DynamicProcessingTimeSessionWindows(extractor)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        now_ms = context.get_current_processing_time()
        return [TimeWindow(now_ms, now_ms + self.gap_ms)]

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return ProcessingTimeTrigger()

    def is_event_time(self) -> bool:
        return False


class DynamicEventTimeSessionWindows(_DynamicGap[T]):
    """Sessions by the records' timestamps, each record with its own gap.

    >>> sessions = DynamicEventTimeSessionWindows.with_dynamic_gap(len)
    >>> sessions.assign_windows("abc", 10, None)
    [TimeWindow(start=10, end=13)]
    """

    @staticmethod
    def with_dynamic_gap(extractor: GapExtractor) -> "DynamicEventTimeSessionWindows[Any]":
        """A session ends when no record came for as long as ``extractor`` says."""
        return DynamicEventTimeSessionWindows(extractor)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext | None
    ) -> list[TimeWindow]:
        if timestamp == MIN_TIMESTAMP:
            raise missing_timestamp()
        return [TimeWindow(timestamp, timestamp + self.gap_ms(element))]

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return EventTimeTrigger()

    def is_event_time(self) -> bool:
        return True


class DynamicProcessingTimeSessionWindows(_DynamicGap[T]):
    """Sessions by the machine's clock, each record with its own gap."""

    @staticmethod
    def with_dynamic_gap(extractor: GapExtractor) -> "DynamicProcessingTimeSessionWindows[Any]":
        """A session ends when no record came for as long as ``extractor`` says."""
        return DynamicProcessingTimeSessionWindows(extractor)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[TimeWindow]:
        now_ms = context.get_current_processing_time()
        return [TimeWindow(now_ms, now_ms + self.gap_ms(element))]

    def get_default_trigger(self, env: Any) -> Trigger[T, TimeWindow]:
        return ProcessingTimeTrigger()

    def is_event_time(self) -> bool:
        return False
