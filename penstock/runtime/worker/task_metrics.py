"""The metrics of one worker's tasks, as they are reported to the coordinator: by name."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from penstock.clock import Clock
from penstock.ids import SubtaskId
from penstock.metrics.kinds import MetricGroup
from penstock.runtime.task.tasklet import Tasklet

RATED = (
    "numRecordsIn",
    "numRecordsOut",
    "numBytesIn",
    "numBytesOut",
    "busyTimeMs",
    "idleTimeMs",
    "backPressuredTimeMs",
)
_RATED_ENDS = tuple(f".{name}" for name in RATED)


class TaskMetrics:
    """Groups of metrics by subtask. Rates are those of the last :meth:`read`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[SubtaskId, MetricGroup] = {}
        self._rates = Rates()

    def new_group(self, subtask: SubtaskId) -> MetricGroup:
        """A group for another attempt of a subtask; what was measured before is forgotten."""
        self._groups[subtask] = MetricGroup()
        return self._groups[subtask]

    def find_group(self, operator: str, subtask: SubtaskId) -> MetricGroup | None:
        """The group of an operator, by the name of its metrics, in a subtask."""
        own = self._groups[subtask].find_group(operator)
        return None if own is None else own.find_group(str(subtask.index))

    def per_second(self, operator: str, subtask: SubtaskId, name: str) -> float:
        """How fast one of those grows that are ``RATED``."""
        return self._rates.per_second(f"{operator}.{subtask.index}.{name}")

    def keep(self, tasklet: Tasklet) -> None:
        """Write the measures of a task where its metrics are."""
        group = tasklet.chain.contexts[0].metrics
        for name, value in tasklet.measures.read().items():
            group.set(name, value)
        group.set("numBytesIn", tasklet.received_bytes)
        group.set("numBytesOut", tasklet.sent_bytes)

    def read(self, tasklets: Iterable[Tasklet]) -> dict[str, Any]:
        """Every metric by its full name, after :meth:`keep` of those that run."""
        for tasklet in tasklets:
            self.keep(tasklet)
        found = {name: value for group in self._groups.values() for name, value in group.collect()}
        counts = [(name, value) for name, value in found.items() if name.endswith(_RATED_ENDS)]
        self._rates.note(self._clock.monotonic_s(), counts)
        found.update({f"{name}PerSecond": self._rates.per_second(name) for name, _ in counts})
        return found


class Rates:
    """The growth of counters per second over the last ``span_s``.

    >>> rates = Rates(span_s=10)
    >>> rates.note(0.0, [("a", 0)]); rates.note(4.0, [("a", 20)])
    >>> rates.per_second("a")
    5.0
    """

    def __init__(self, span_s: float = 60.0) -> None:
        self._span_s = span_s
        self._known: dict[str, deque[tuple[float, float]]] = {}

    def note(self, now_s: float, counts: Iterable[tuple[str, float]]) -> None:
        """What counters say now; called about once a second."""
        for name, count in counts:
            samples = self._known.setdefault(name, deque())
            if samples and now_s - samples[-1][0] < 0.5 and len(samples) > 1:
                samples.pop()
            samples.append((now_s, count))
            while len(samples) > 2 and samples[1][0] <= now_s - self._span_s:
                samples.popleft()

    def per_second(self, name: str) -> float:
        """0 for a counter that was read once."""
        samples = self._known.get(name)
        if not samples or samples[-1][0] <= samples[0][0]:
            return 0.0
        (then_s, before), (now_s, count) = samples[0], samples[-1]
        return (count - before) / (now_s - then_s)
