"""Triggers that fire when the window is over, or never."""

from typing import Any, TypeVar

from penstock.windows.triggers.trigger import Trigger, TriggerResult
from penstock.windows.window import GlobalWindow, Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)

CONTINUE = TriggerResult.CONTINUE
FIRE = TriggerResult.FIRE


class EventTimeTrigger(Trigger[T, W]):
    """Fires when the watermark passes the end of the window, and at once for each record that comes after that.

    The default of event-time windows.
    """

    @staticmethod
    def create() -> "EventTimeTrigger[Any, Any]":
        """The trigger."""
        return EventTimeTrigger()

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        end = window.max_timestamp()
        if end <= ctx.get_current_watermark():
            return FIRE
        ctx.register_event_time_timer(end)
        return CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        # With allowed lateness another timer comes later, which only cleans up.
        return FIRE if time == window.max_timestamp() else CONTINUE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        end = window.max_timestamp()
        # When the merged window is over already, the record that made it so fires it.
        if end > ctx.get_current_watermark():
            ctx.register_event_time_timer(end)

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_event_time_timer(window.max_timestamp())


class ProcessingTimeTrigger(Trigger[T, W]):
    """Fires when the clock passes the end of the window. The default of processing-time windows."""

    @staticmethod
    def create() -> "ProcessingTimeTrigger[Any, Any]":
        """The trigger."""
        return ProcessingTimeTrigger()

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        ctx.register_processing_time_timer(window.max_timestamp())
        return CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return FIRE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        end = window.max_timestamp()
        if end > ctx.get_current_processing_time():
            ctx.register_processing_time_timer(end)

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_processing_time_timer(window.max_timestamp())


class EndOfStreamTrigger(Trigger[T, GlobalWindow]):
    """Fires once, when the input has ended and the last watermark comes."""

    def on_element(
        self, element: T, timestamp: int, window: GlobalWindow, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        ctx.register_event_time_timer(window.max_timestamp())
        return CONTINUE

    def on_processing_time(
        self, time: int, window: GlobalWindow, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: GlobalWindow, ctx: Trigger.TriggerContext) -> TriggerResult:
        return FIRE if time == window.max_timestamp() else CONTINUE

    def on_merge(self, window: GlobalWindow, ctx: Trigger.OnMergeContext) -> None:
        """Nothing to do: there is one global window only."""

    def clear(self, window: GlobalWindow, ctx: Trigger.TriggerContext) -> None:
        """Nothing to do: the global window ends with the input, and its timer with it."""


class NeverTrigger(Trigger[T, W]):
    """Never fires. The default of global windows."""

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        """Nothing to do: there are no timers and no state."""

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        """Nothing to do: there are no timers and no state."""
