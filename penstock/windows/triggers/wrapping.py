"""Triggers that change what another trigger says."""

from typing import Any, TypeVar

from penstock.contracts.state import ValueStateDescriptor, of_the_engine
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.windows.length import Length, length_ms
from penstock.windows.triggers.trigger import Trigger, TriggerResult
from penstock.windows.window import Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)

FIRE = TriggerResult.FIRE
FIRE_AND_PURGE = TriggerResult.FIRE_AND_PURGE


class PurgingTrigger(Trigger[T, W]):
    """Whenever the nested trigger fires, the window is also purged.

    >>> from penstock.windows.triggers.counting import CountTrigger
    >>> PurgingTrigger.of(CountTrigger.of(2)).can_merge()
    True
    """

    def __init__(self, nested_trigger: Trigger[T, W]) -> None:
        self.nested_trigger = nested_trigger

    @staticmethod
    def of(nested_trigger: Trigger[Any, Any]) -> "PurgingTrigger[Any, Any]":
        """Purge on each firing of ``nested_trigger``."""
        return PurgingTrigger(nested_trigger)

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        result = self.nested_trigger.on_element(element, timestamp, window, ctx)
        return FIRE_AND_PURGE if result is FIRE else result

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        result = self.nested_trigger.on_processing_time(time, window, ctx)
        return FIRE_AND_PURGE if result is FIRE else result

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        result = self.nested_trigger.on_event_time(time, window, ctx)
        return FIRE_AND_PURGE if result is FIRE else result

    def can_merge(self) -> bool:
        return self.nested_trigger.can_merge()

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        self.nested_trigger.on_merge(window, ctx)

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        self.nested_trigger.clear(window, ctx)


class ProcessingTimeoutTrigger(Trigger[T, W]):
    """Fires when the nested trigger does, and also when that has not fired for ``interval`` since a record came.

    With ``reset_timer_on_new_record`` the time counts from the latest record, otherwise from the first since the last
    firing. With ``should_clear_on_timeout`` the nested trigger starts anew after a timeout. Every timer of the nested
    trigger fires as well. Cannot be used with windows that merge.
    """

    def __init__(
        self,
        nested_trigger: Trigger[T, W],
        interval: int,
        reset_timer_on_new_record: bool = False,
        should_clear_on_timeout: bool = True,
    ) -> None:
        if interval <= 0:
            raise ProgramError(
                f"ProcessingTimeoutTrigger: the timeout has to be positive, but it is {interval} ms"
            )
        self.nested_trigger = nested_trigger
        self.interval = interval
        self.reset_timer_on_new_record = reset_timer_on_new_record
        self.should_clear_on_timeout = should_clear_on_timeout
        self._timeout_descriptor = of_the_engine(ValueStateDescriptor("timeout", Types.LONG()))

    @staticmethod
    def of(
        nested_trigger: Trigger[Any, Any],
        timeout: Length,
        reset_timer_on_new_record: bool = False,
        should_clear_on_timeout: bool = True,
    ) -> "ProcessingTimeoutTrigger[Any, Any]":
        """Let ``nested_trigger`` fire after ``timeout`` at the latest."""
        timeout_ms = length_ms(timeout, "timeout")
        return ProcessingTimeoutTrigger(
            nested_trigger, timeout_ms, reset_timer_on_new_record, should_clear_on_timeout
        )

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        result = self.nested_trigger.on_element(element, timestamp, window, ctx)
        if result.is_fire():
            self.clear(window, ctx)
            return result
        timeout = ctx.get_partitioned_state(self._timeout_descriptor)
        planned = timeout.value()
        if planned is not None and self.reset_timer_on_new_record:
            ctx.delete_processing_time_timer(planned)
            planned = None
        if planned is None:
            planned = ctx.get_current_processing_time() + self.interval
            timeout.update(planned)
            ctx.register_processing_time_timer(planned)
        return result

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return self._after_timer(self.nested_trigger.on_processing_time(time, window, ctx), window, ctx)

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return self._after_timer(self.nested_trigger.on_event_time(time, window, ctx), window, ctx)

    def _after_timer(self, nested: TriggerResult, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        if self.should_clear_on_timeout:
            self.clear(window, ctx)
        return FIRE_AND_PURGE if nested.is_purge() else FIRE

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        timeout = ctx.get_partitioned_state(self._timeout_descriptor)
        planned = timeout.value()
        if planned is not None:
            ctx.delete_processing_time_timer(planned)
            timeout.clear()
        self.nested_trigger.clear(window, ctx)
