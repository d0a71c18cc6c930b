"""Where a trigger plays alone: state, timers and clocks of one key, kept in dictionaries and sets."""

from typing import Any

from penstock.contracts.state import ReducingStateDescriptor, StateDescriptor
from penstock.data.elements import MIN_TIMESTAMP
from penstock.metrics.kinds import MetricGroup
from penstock.windows import TimeWindow, Trigger, TriggerResult, Window


class _Cell:
    """Value and reducing state in one: a place in the stage's dictionary."""

    def __init__(self, cells: dict[tuple[str, Window], Any], place: tuple[str, Window], reduce: Any) -> None:
        self._cells = cells
        self._place = place
        self._reduce = reduce

    def value(self) -> Any:
        return self._cells.get(self._place)

    get = value

    def update(self, value: Any) -> None:
        self._cells[self._place] = value

    def add(self, value: Any) -> None:
        old = self.value()
        self.update(value if old is None else self._reduce(old, value))

    def clear(self) -> None:
        self._cells.pop(self._place, None)


class TriggerStage(Trigger.OnMergeContext):
    """Calls a trigger as a window operator does, and shows what it did."""

    def __init__(self, trigger: Trigger[Any, Any]) -> None:
        self.trigger = trigger
        self.watermark = MIN_TIMESTAMP
        self.now_ms = 0
        self.window: Window = TimeWindow(0, 0)
        self.merged: list[Window] = []
        self.cells: dict[tuple[str, Window], Any] = {}
        self.event_timers: set[tuple[Window, int]] = set()
        self.processing_timers: set[tuple[Window, int]] = set()

    def element(self, value: Any, timestamp: int, window: Window) -> TriggerResult:
        self.window = window
        return self.trigger.on_element(value, timestamp, window, self)

    def event_time(self, time: int, window: Window) -> TriggerResult:
        self.window, self.watermark = window, time
        self.event_timers.discard((window, time))
        return self.trigger.on_event_time(time, window, self)

    def processing_time(self, time: int, window: Window) -> TriggerResult:
        self.window, self.now_ms = window, time
        self.processing_timers.discard((window, time))
        return self.trigger.on_processing_time(time, window, self)

    def merge(self, result: Window, merged: list[Window]) -> None:
        self.window, self.merged = result, merged
        self.trigger.on_merge(result, self)
        for window in merged:
            self.clear(window)

    def clear(self, window: Window) -> None:
        self.window = window
        self.trigger.clear(window, self)

    def get_current_processing_time(self) -> int:
        return self.now_ms

    def get_current_watermark(self) -> int:
        return self.watermark

    def get_metric_group(self) -> MetricGroup:
        return MetricGroup()

    def register_processing_time_timer(self, time: int) -> None:
        self.processing_timers.add((self.window, time))

    def register_event_time_timer(self, time: int) -> None:
        self.event_timers.add((self.window, time))

    def delete_processing_time_timer(self, time: int) -> None:
        self.processing_timers.discard((self.window, time))

    def delete_event_time_timer(self, time: int) -> None:
        self.event_timers.discard((self.window, time))

    def get_partitioned_state(self, state_descriptor: StateDescriptor) -> _Cell:
        reduce = None
        if isinstance(state_descriptor, ReducingStateDescriptor):
            reduce = state_descriptor.get_reduce_function()
            reduce = getattr(reduce, "reduce", reduce)
        return _Cell(self.cells, (state_descriptor.name, self.window), reduce)

    def merge_partitioned_state(self, state_descriptor: StateDescriptor) -> None:
        target = self.get_partitioned_state(state_descriptor)
        for window in self.merged:
            value = self.cells.pop((state_descriptor.name, window), None)
            if value is not None:
                target.add(value)
