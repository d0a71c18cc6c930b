"""What triggers and assigners are given by the window operator."""

from dataclasses import dataclass
from typing import Any

from penstock.contracts.context import RuntimeContext
from penstock.contracts.state import KeyedStateBackend, StateDescriptor
from penstock.contracts.timers import Timers
from penstock.metrics.kinds import MetricGroup
from penstock.operators.window.times import Times
from penstock.windows.assigners.assigner import WindowAssigner
from penstock.windows.triggers.trigger import Trigger


@dataclass(frozen=True, slots=True)
class Leftover:
    """Namespace of a timer that only cleans a window up, for one whose trigger has deleted the timer they shared."""

    window: Any


class OperatorTriggerContext(Trigger.OnMergeContext):
    """One object for all keys and windows: the key is the backend's current one, the window is set before each call."""

    def __init__(
        self, backend: KeyedStateBackend, timers: Timers, times: Times, metrics: MetricGroup
    ) -> None:
        self._backend = backend
        self._timers = timers
        self._times = times
        self._metrics = metrics
        self._handles: dict[int, tuple[StateDescriptor, Any, Any]] = {}
        self.window: Any = None
        self.merged: list[Any] = []
        # The times of the timers that the trigger has deleted since the operator emptied it.
        self.deleted: list[int] = []

    def get_current_processing_time(self) -> int:
        return self._times.now_ms()

    def get_metric_group(self) -> MetricGroup:
        return self._metrics

    def get_current_watermark(self) -> int:
        return self._times.watermark

    def register_processing_time_timer(self, time: int) -> None:
        if not self._times.key_is_over:
            self._timers.register_processing_time_timer(self._backend.current_key, self.window, time)

    def register_event_time_timer(self, time: int) -> None:
        if not self._times.key_is_over:
            self._timers.register_event_time_timer(self._backend.current_key, self.window, time)

    def delete_processing_time_timer(self, time: int) -> None:
        self.deleted.append(time)
        self._timers.delete_processing_time_timer(self._backend.current_key, self.window, time)

    def delete_event_time_timer(self, time: int) -> None:
        self.deleted.append(time)
        self._timers.delete_event_time_timer(self._backend.current_key, self.window, time)

    def get_partitioned_state(self, state_descriptor: StateDescriptor) -> Any:
        # Neighbouring records are mostly in one window, and making a handle costs more than using it.
        known = self._handles.get(id(state_descriptor))
        if known is not None and known[0] is state_descriptor and known[1] == self.window:
            return known[2]
        handle = self._backend.get_partitioned_state(self.window, state_descriptor)
        self._handles[id(state_descriptor)] = (state_descriptor, self.window, handle)
        if len(self._handles) > 100:
            self._handles.clear()  # a trigger that makes a new descriptor each time
        return handle

    def merge_partitioned_state(self, state_descriptor: StateDescriptor) -> None:
        if self.merged:
            self._backend.merge_namespaces(state_descriptor, self.window, self.merged)


class OperatorAssignerContext(WindowAssigner.WindowAssignerContext):
    """What assigners may ask."""

    def __init__(self, times: Times, runtime_context: RuntimeContext) -> None:
        self._times = times
        self._runtime_context = runtime_context

    def get_current_processing_time(self) -> int:
        return self._times.now_ms()

    def get_runtime_context(self) -> RuntimeContext:
        return self._runtime_context
