"""Triggers that look at the records themselves: how many there are, and how far apart."""

from collections.abc import Callable
from operator import add
from typing import Any, TypeVar

from penstock.contracts.state import ReducingStateDescriptor, ValueStateDescriptor, of_the_engine
from penstock.data.types import Types
from penstock.windows.triggers.trigger import Trigger, TriggerResult
from penstock.windows.window import Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)

CONTINUE = TriggerResult.CONTINUE
FIRE = TriggerResult.FIRE


class CountTrigger(Trigger[T, W]):
    """Fires when the window got ``window_size`` records since it last fired."""

    def __init__(self, window_size: int) -> None:
        self.window_size = window_size
        self._count_state_descriptor = of_the_engine(ReducingStateDescriptor("count", add, Types.LONG()))

    @staticmethod
    def of(window_size: int) -> "CountTrigger[Any, Any]":
        """Fire at every ``window_size``-th record of the window."""
        return CountTrigger(window_size)

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        count = ctx.get_partitioned_state(self._count_state_descriptor)
        count.add(1)
        if count.get() < self.window_size:
            return CONTINUE
        count.clear()
        return FIRE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def can_merge(self) -> bool:
        return True

    def on_merge(self, window: W, ctx: Trigger.OnMergeContext) -> None:
        ctx.merge_partitioned_state(self._count_state_descriptor)

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        ctx.get_partitioned_state(self._count_state_descriptor).clear()


class DeltaTrigger(Trigger[T, W]):
    """Fires when a record is further than ``threshold`` from the one that fired last, or from the first one.

    ``delta_function(old, new)`` gives the distance; ``element_type_info`` is the type of the records, None for any.
    """

    def __init__(
        self,
        threshold: float,
        delta_function: Callable[[Any, Any], float],
        element_type_info: Any = None,
    ) -> None:
        self.threshold = threshold
        self.delta_function = delta_function
        self._last_element_descriptor = ValueStateDescriptor("last-element", element_type_info)

    @staticmethod
    def of(
        threshold: float, delta_function: Callable[[Any, Any], float], element_type_info: Any = None
    ) -> "DeltaTrigger[Any, Any]":
        """Fire when ``delta_function(old, new)`` exceeds ``threshold``; the old record is kept in state."""
        return DeltaTrigger(threshold, delta_function, element_type_info)

    def on_element(self, element: T, timestamp: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        last = ctx.get_partitioned_state(self._last_element_descriptor)
        last_element = last.value()
        if last_element is None:
            last.update(element)
            return CONTINUE
        if self.delta_function(last_element, element) > self.threshold:
            last.update(element)
            return FIRE
        return CONTINUE

    def on_processing_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def on_event_time(self, time: int, window: W, ctx: Trigger.TriggerContext) -> TriggerResult:
        return CONTINUE

    def clear(self, window: W, ctx: Trigger.TriggerContext) -> None:
        ctx.get_partitioned_state(self._last_element_descriptor).clear()
