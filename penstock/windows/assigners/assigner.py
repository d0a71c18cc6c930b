"""What puts records into windows: the contract of window assigners."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import Any, Generic, TypeVar

from penstock.contracts.context import RuntimeContext
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import ProgramError
from penstock.windows.serializers import WindowSerializer
from penstock.windows.triggers.trigger import Trigger
from penstock.windows.window import TimeWindow, Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)
W2 = TypeVar("W2", bound=Window)


class WindowAssigner(ABC, Generic[T, W]):
    """Assigns each record zero or more windows. Keeps nothing that belongs to a key: one instance serves all keys."""

    class WindowAssignerContext(ABC):
        """What an assigner may ask while it assigns."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The clock's time in milliseconds."""

        @abstractmethod
        def get_runtime_context(self) -> RuntimeContext:
            """The context of the window operator; its state is that of the current key."""

    @abstractmethod
    def assign_windows(
        self, element: T, timestamp: int, context: "WindowAssigner.WindowAssignerContext"
    ) -> Collection[W]:
        """The windows of ``element``; ``timestamp`` is ``MIN_TIMESTAMP`` when it has no event time."""

    @abstractmethod
    def get_default_trigger(self, env: Any) -> Trigger[T, W]:
        """The trigger that is used when the program names none; ``env`` is the stream execution environment."""

    @abstractmethod
    def get_window_serializer(self) -> WindowSerializer[W]:
        """How the windows are written."""

    @abstractmethod
    def is_event_time(self) -> bool:
        """Whether windows close by the watermark (True) or by the clock (False)."""


class MergingWindowAssigner(WindowAssigner[T, W]):
    """An assigner whose windows grow together, as sessions do."""

    class MergeCallback(ABC, Generic[W2]):
        """Hears from :meth:`MergingWindowAssigner.merge_windows` what to merge."""

        @abstractmethod
        def merge(self, to_be_merged: Iterable[W2], merge_result: W2) -> None:
            """Make one window, ``merge_result``, of the given ones."""

    @abstractmethod
    def merge_windows(self, windows: Iterable[W], callback: "MergingWindowAssigner.MergeCallback[W]") -> None:
        """Tell ``callback`` which of ``windows`` have to become one; those that stand alone are not mentioned."""


def window_starts(timestamps: list[int], offset: int, step: int) -> list[int]:
    """The start of the window of each timestamp; raises ``ProgramError`` when one is missing."""
    if MIN_TIMESTAMP in timestamps:
        raise missing_timestamp()
    if offset == 0:
        return [timestamp - timestamp % step for timestamp in timestamps]
    return [timestamp - (timestamp - offset) % step for timestamp in timestamps]


def last_window_start(timestamp: int, offset: int, step: int) -> int:
    """The start of the last window that ``timestamp`` is in; raises ``ProgramError`` when there is no timestamp."""
    if timestamp == MIN_TIMESTAMP:
        raise missing_timestamp()
    return TimeWindow.get_window_start_with_offset(timestamp, offset, step)


def missing_timestamp() -> ProgramError:
    """The error for a record without event time in event-time windows."""
    return ProgramError(
        "a record without a timestamp reached an event-time window; call assign_timestamps_and_watermarks(...) with a "
        "timestamp assigner before the window, or use processing-time windows"
    )
