"""When a window is evaluated: the contract of triggers.

A trigger keeps nothing itself. What it has to remember about a key and window is state that it gets from its context, so one
instance serves all keys and windows.
"""

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, Generic, TypeVar

from penstock.contracts.state import StateDescriptor
from penstock.errors import ProgramError
from penstock.metrics.kinds import MetricGroup
from penstock.windows.window import Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)


class TriggerResult(Enum):
    """What happens to a window: evaluate it (fire), throw away what it holds (purge), both or nothing.

    >>> TriggerResult.FIRE.is_fire(), TriggerResult.FIRE.is_purge()
    (True, False)
    """

    CONTINUE = (False, False)
    FIRE_AND_PURGE = (True, True)
    FIRE = (True, False)
    PURGE = (False, True)

    def is_fire(self) -> bool:
        """Whether the window function is called, provided that the window holds anything."""
        return self.value[0]

    def is_purge(self) -> bool:
        """Whether what the window holds is dropped, after the window function if that is called."""
        return self.value[1]


class Trigger(ABC, Generic[T, W]):
    """Decides at each record and each timer what happens to the window."""

    class TriggerContext(ABC):
        """Time, timers and state of the key and window that the call is about. Valid during the call only."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The clock's time in milliseconds."""

        @abstractmethod
        def get_metric_group(self) -> MetricGroup:
            """Where the trigger registers its metrics."""

        @abstractmethod
        def get_current_watermark(self) -> int:
            """The watermark; ``MIN_TIMESTAMP`` before the first."""

        @abstractmethod
        def register_processing_time_timer(self, time: int) -> None:
            """Have ``on_processing_time`` called when the clock reaches ``time``; once however often registered."""

        @abstractmethod
        def register_event_time_timer(self, time: int) -> None:
            """Have ``on_event_time`` called when the watermark reaches ``time``; once however often registered."""

        @abstractmethod
        def delete_processing_time_timer(self, time: int) -> None:
            """Forget the timer, if there is one."""

        @abstractmethod
        def delete_event_time_timer(self, time: int) -> None:
            """Forget the timer, if there is one."""

        @abstractmethod
        def get_partitioned_state(self, state_descriptor: StateDescriptor) -> Any:
            """The state of this key and window that ``state_descriptor`` describes."""

    class OnMergeContext(TriggerContext):
        """Given to :meth:`Trigger.on_merge`: the window is the merged one."""

        @abstractmethod
        def merge_partitioned_state(self, state_descriptor: StateDescriptor) -> None:
            """Bring the states of all windows that were merged together in that of the merged window."""

    @abstractmethod
    def on_element(
        self, element: T, timestamp: int, window: W, ctx: "Trigger.TriggerContext"
    ) -> TriggerResult:
        """Called for each record, after it was added to the window."""

    @abstractmethod
    def on_processing_time(self, time: int, window: W, ctx: "Trigger.TriggerContext") -> TriggerResult:
        """Called when a processing-time timer of the window is due that was registered for ``time``."""

    @abstractmethod
    def on_event_time(self, time: int, window: W, ctx: "Trigger.TriggerContext") -> TriggerResult:
        """Called when an event-time timer of the window is due that was registered for ``time``."""

    def can_merge(self) -> bool:
        """Whether :meth:`on_merge` is written, so that the trigger can be used with sessions."""
        return False

    def on_merge(self, window: W, ctx: "Trigger.OnMergeContext") -> None:
        """Called when windows became one, ``window``: merge the state and register the timers that it needs.

        Afterwards :meth:`clear` is called for each of the windows that were merged.
        """
        raise ProgramError(
            f"{type(self).__name__} cannot be used with windows that merge: write on_merge() and let can_merge() return True"
        )

    @abstractmethod
    def clear(self, window: W, ctx: "Trigger.TriggerContext") -> None:
        """Called when the window is dropped: delete its timers and clear its state."""
