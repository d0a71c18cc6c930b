"""Counters, gauges, meters, distributions, and the groups that name them.

A metric belongs to one subtask and is changed only by it; readers get copies (:meth:`MetricGroup.collect`). Source: Flink's
documentation, "Metrics".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from penstock.clock import monotonic
from penstock.errors import ProgramError


class Metric(Protocol):
    """Anything that can be read as a number or a small mapping."""

    def read(self) -> Any:
        """The value now."""


M = TypeVar("M", bound=Metric)


class Counter:
    """A number that goes up and down.

    >>> counter = Counter()
    >>> counter.inc(); counter.inc(4); counter.dec(); counter.get_count()
    4
    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def inc(self, n: int = 1) -> None:
        """Add ``n``."""
        self.count += n

    def dec(self, n: int = 1) -> None:
        """Take away ``n``."""
        self.count -= n

    def get_count(self) -> int:
        """The number now."""
        return self.count

    read = get_count


class Gauge:
    """A number that is computed when it is read."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def get_value(self) -> Any:
        """The number now."""
        return self._function()

    read = get_value


class Reading:
    """A value that its owner writes from time to time."""

    __slots__ = ("value",)

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def read(self) -> Any:
        return self.value


class Meter:
    """Events, and their rate per second over a sliding time span."""

    __slots__ = ("_count", "_marks", "_span_s")

    def __init__(self, time_span_in_seconds: int = 60) -> None:
        self._span_s = time_span_in_seconds
        self._count = 0
        self._marks: list[tuple[float, int]] = [(monotonic(), 0)]

    def mark_event(self, value: int = 1) -> None:
        """Count ``value`` events."""
        self._count += value

    def get_count(self) -> int:
        """All events so far."""
        return self._count

    def get_rate(self) -> float:
        """Events per second over the span, or since the start where that is shorter."""
        now = monotonic()
        self._marks.append((now, self._count))
        while len(self._marks) > 2 and self._marks[1][0] <= now - self._span_s:
            del self._marks[0]
        then, count = self._marks[0]
        return (self._count - count) / (now - then) if now > then else 0.0

    def read(self) -> dict[str, float]:
        return {"count": self._count, "rate": self.get_rate()}


class Distribution:
    """Count, sum, minimum, maximum and mean of the values reported."""

    __slots__ = ("count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.minimum: int | None = None
        self.maximum: int | None = None

    def update(self, value: int) -> None:
        """Take in one value."""
        self.count += 1
        self.total += value
        if self.minimum is None or value < self.minimum:
            self.minimum = value
        if self.maximum is None or value > self.maximum:
            self.maximum = value

    def read(self) -> dict[str, Any]:
        mean = self.total / self.count if self.count else None
        return {
            "count": self.count,
            "sum": self.total,
            "min": self.minimum,
            "max": self.maximum,
            "mean": mean,
        }


@dataclass(frozen=True, slots=True)
class FoundMetric:
    """A metric and its names below the group that was looked through: ``name`` with everything, ``logical_name`` without the
    values of key and value groups, which ``variables`` has by their keys."""

    name: str
    logical_name: str
    metric: Metric
    variables: Mapping[str, str] = field(default_factory=dict)


class MetricGroup:
    """Metrics under one name; groups nest.

    >>> group = MetricGroup(("job", "map"))
    >>> group.add_group("mine").counter("seen").inc(2)
    >>> dict(group.collect())
    {'job.map.mine.seen': 2}
    """

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        self._scope = scope
        self._metrics: dict[str, Metric] = {}
        self._groups: dict[str, MetricGroup] = {}
        self._values: dict[str, MetricGroup] = {}

    def add_group(self, name: str, extra: str | None = None) -> "MetricGroup":
        """The group under ``name``, made on first use; with ``extra`` a key and value group below one another."""
        if name not in self._groups:
            self._groups[name] = MetricGroup((*self._scope, name))
        group = self._groups[name]
        if extra is None:
            return group
        made = group._values[extra] = group.add_group(extra)
        return made

    def find_group(self, name: str) -> "MetricGroup | None":
        """The group under ``name``, where there is one."""
        return self._groups.get(name)

    def for_successor(self) -> "MetricGroup":
        """The same group for what takes the place of whoever has registered so far: its counters go on counting, and its
        other metrics stand for those of the same names.

        >>> group = MetricGroup()
        >>> group.counter("seen").inc(2)
        >>> group.for_successor().counter("seen").inc()
        >>> dict(group.collect())
        {'seen': 3}
        """
        return _Succession(self)

    def counter(self, name: str) -> Counter:
        """Register a new counter."""
        return self._register(name, Counter())

    def gauge(self, name: str, obj: Callable[[], Any]) -> None:
        """Register a function that is called whenever the gauge is read."""
        self._register(name, Gauge(obj))

    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        """Register a new meter."""
        return self._register(name, Meter(time_span_in_seconds))

    def distribution(self, name: str) -> Distribution:
        """Register a new distribution."""
        return self._register(name, Distribution())

    def set(self, name: str, value: Any) -> None:
        """Write a reading; registers it on first use."""
        reading = self._metrics.get(name)
        if not isinstance(reading, Reading):
            reading = self._register(name, Reading())
        reading.value = value

    def _register(self, name: str, metric: M) -> M:
        if name in self._metrics:
            where = ".".join(self._scope)
            raise ProgramError(f"the metric {name!r} is registered already in {where!r}; choose another name")
        self._metrics[name] = metric
        return metric

    def collect(self) -> Iterator[tuple[str, Any]]:
        """Every metric of this group and the groups in it, by its full name, with its value now."""
        for name, metric in self._metrics.items():
            yield ".".join((*self._scope, name)), metric.read()
        for group in self._groups.values():
            yield from group.collect()

    def metrics(self) -> Iterator[FoundMetric]:
        """Every metric of this group and the groups in it, by its names below this one.

        >>> group = MetricGroup()
        >>> group.add_group("topic", "orders").counter("read").inc()
        >>> [(found.name, found.logical_name, found.variables) for found in group.metrics()]
        [('topic.orders.read', 'topic.read', {'topic': 'orders'})]
        """
        return self._found((), (), {})

    def _found(
        self, names: tuple[str, ...], logical: tuple[str, ...], variables: Mapping[str, str]
    ) -> Iterator[FoundMetric]:
        for name, metric in self._metrics.items():
            yield FoundMetric(".".join((*names, name)), ".".join((*logical, name)), metric, variables)
        key = names[-1] if names else ""
        for name, group in self._groups.items():
            if name in self._values:
                yield from group._found((*names, name), logical, {**variables, key: name})
            else:
                yield from group._found((*names, name), (*logical, name), variables)


class _Succession(MetricGroup):
    def __init__(self, group: MetricGroup) -> None:
        self._group = group
        self._scope = group._scope
        self._metrics = group._metrics
        self._groups = group._groups
        self._values = group._values

    def add_group(self, name: str, extra: str | None = None) -> MetricGroup:
        return _Succession(self._group.add_group(name, extra))

    def _register(self, name: str, metric: M) -> M:
        before = self._metrics.get(name)
        if isinstance(before, Counter) and isinstance(metric, Counter):
            return before  # type: ignore[return-value]
        self._metrics[name] = metric
        return metric
