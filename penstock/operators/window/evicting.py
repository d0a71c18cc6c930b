"""Contents of windows with an evictor: every record with its timestamp, whatever is made of them in the end."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from penstock.contracts.state import KeyedStateBackend, ListStateDescriptor
from penstock.data.elements import MIN_TIMESTAMP
from penstock.metrics.kinds import MetricGroup
from penstock.operators.apart import values_apart
from penstock.operators.contract import OperatorContext
from penstock.operators.user_code import callable_of
from penstock.operators.window.contents import STATE_NAME, Store
from penstock.operators.window.description import Aggregated, Collected, Contents, Reduced
from penstock.operators.window.times import Times
from penstock.windows.evictors import Evictor, TimestampedValue


class EvictingStore(Store):
    """Lists of records from which an evictor removes before and after each evaluation."""

    def __init__(
        self,
        operator: OperatorContext,
        backend: KeyedStateBackend,
        contents: Contents,
        evictor: Evictor[Any, Any],
        context: "EvictorTimes",
    ) -> None:
        super().__init__(operator, backend, ListStateDescriptor(STATE_NAME))
        self._evictor = evictor
        self._times = context
        self._summary = _summary_of(contents, operator)
        self._firing: list[TimestampedValue[Any]] = []

    def add_all(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.table.append_pane(namespace, keys, [TimestampedValue(value) for value in values])

    def add(self, namespace: Any, key: Any, value: Any, timestamp: int) -> None:
        stamped = TimestampedValue(value, None if timestamp == MIN_TIMESTAMP else timestamp)
        self.table.append_pane(namespace, (key,), (stamped,))

    def elements(self, stored: Any) -> list[Any] | None:
        return self._summary([element.value for element in stored])

    def to_fire(self, namespace: Any, key: Any, window: Any) -> list[Any] | None:
        stored = self.peek(namespace, key)
        if not stored:
            return None
        self._firing = list(stored)
        self._evictor.evict_before(self._firing, len(self._firing), window, self._times)
        return self._summary([element.value for element in self._firing])

    def after_fire(self, namespace: Any, key: Any, window: Any) -> None:
        elements, self._firing = self._firing, []
        self._evictor.evict_after(elements, len(elements), window, self._times)
        if elements:
            self.table.pane(namespace)[key] = elements
        else:
            self.clear(namespace, key)


class EvictorTimes(Evictor.EvictorContext):
    """What evictors may ask."""

    def __init__(self, times: Times, metrics: MetricGroup) -> None:
        self._times = times
        self._metrics = metrics

    def get_current_processing_time(self) -> int:
        return self._times.now_ms()

    def get_metric_group(self) -> MetricGroup:
        return self._metrics

    def get_current_watermark(self) -> int:
        return self._times.watermark


def _summary_of(contents: Contents, context: OperatorContext) -> Callable[[list[Any]], list[Any] | None]:
    """What the window function gets of the records that are left; None for a reduce of no records, which has no result."""
    match contents:
        case Collected():
            return lambda values: values
        case Reduced(function):
            combine = callable_of(function, "reduce", "reduce")
            return lambda values: [reduce(combine, values_apart(context, values))] if values else None
        case Aggregated(function):
            return lambda values: _aggregate(function, values_apart(context, values))


def _aggregate(function: Any, values: list[Any]) -> list[Any] | None:
    accumulator = function.create_accumulator()
    for value in values:
        accumulator = function.add(value, accumulator)
    result = function.get_result(accumulator)
    return None if result is None else [result]
