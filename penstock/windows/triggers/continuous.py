"""Triggers that fire again and again while the window is open."""

from abc import abstractmethod
from typing import Any, TypeVar

from penstock.contracts.state import ReducingStateDescriptor, of_the_engine
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.windows.length import Length, length_ms
from penstock.windows.triggers.trigger import Trigger, TriggerResult
from penstock.windows.window import Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)

CONTINUE = TriggerResult.CONTINUE
FIRE = TriggerResult.FIRE


class _ContinuousTrigger(Trigger[T, W]):
    """Keeps the next time to fire in state: a multiple of the interval, or the end of the window if that comes first.

    Two windows that merge go on with the earlier of their times.
    """

    def __init__(self, interval: int) -> None:
        if interval <= 0:
            raise ProgramError(
                f"{type(self).__name__}: the interval has to be positive, but it is {interval} ms"
            )
        self.interval = interval
        self.state_desc = of_the_engine(ReducingStateDescriptor("fire-time", min, Types.LONG()))

    @abstractmethod
    def _register(self, time: int, ctx: Trigger.TriggerContext) -> None:
        """Register a timer of the trigger's kind."""

    @abstractmethod
    def _delete(self, time: int, ctx: Trigger.TriggerContext) -> None:
        """Delete a timer of the trigger's kind."""

    def register_next_fire_timestamp(
        self, time: int, window: W, ctx: Trigger.TriggerContext, fire_timestamp_state: Any
    ) -> None:
        """Plan to fire one interval after ``time``, or at the end of the window."""
        next_time = min(time + self.interval, window.max_timestamp())
        fire_timestamp_state.add(next_time)
        self._register(next_time, ctx)

    def _begin(self, time: int, window: W, ctx: Trigger.TriggerContext) -> None:
        """Plan the first firing after ``time``, unless one is planned."""
        state = ctx.get_partitioned_state(self.state_desc)
        if state.get() is None:
            self.register_next_fire_timestamp(time - time % self.interval, window, ctx, state)

    def _on_timer(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        if time == window.max_timestamp():
            return FIRE
        state = ctx.get_partitioned_state(self.state_desc)
        if state.get() != time:
            return CONTINUE
        state.clear()
        self.register_next_fire_timestamp(time, window, ctx, state)
        return FIRE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        ctx.merge_partitioned_state(self.state_desc)
        next_time = ctx.get_partitioned_state(self.state_desc).get()
        if next_time is not None:
            self._register(next_time, ctx)

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        # A timer at the end of the window stays: a trigger around this one may clear it and still want that firing.
        state = ctx.get_partitioned_state(self.state_desc)
        next_time = state.get()
        if next_time is not None:
            self._delete(next_time, ctx)
            state.clear()


class ContinuousEventTimeTrigger(_ContinuousTrigger[T, W]):
    """Fires whenever the watermark passes a multiple of the interval after the first record, and at the end of the window."""

    @staticmethod
    def of(interval: Length) -> "ContinuousEventTimeTrigger[Any, Any]":
        """Fire every ``interval`` of event time."""
        return ContinuousEventTimeTrigger(length_ms(interval, "interval"))

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        end = window.max_timestamp()
        if end <= ctx.get_current_watermark():
            return FIRE
        ctx.register_event_time_timer(end)
        self._begin(timestamp, window, ctx)
        return CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return self._on_timer(time, window, ctx)

    def _register(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.register_event_time_timer(time)

    def _delete(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_event_time_timer(time)


class ContinuousProcessingTimeTrigger(_ContinuousTrigger[T, W]):
    """Fires whenever the clock passes a multiple of the interval after the first record, and at the end of the window."""

    @staticmethod
    def of(interval: Length) -> "ContinuousProcessingTimeTrigger[Any, Any]":
        """Fire every ``interval`` of the clock."""
        return ContinuousProcessingTimeTrigger(length_ms(interval, "interval"))

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        self._begin(ctx.get_current_processing_time(), window, ctx)
        return CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return self._on_timer(time, window, ctx)

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def _register(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.register_processing_time_timer(time)

    def _delete(self, time: int, ctx: Trigger.TriggerContext) -> None:
        ctx.delete_processing_time_timer(time)
