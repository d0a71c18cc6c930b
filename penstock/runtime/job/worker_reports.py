"""What the workers of a job report while it runs: metrics, and the accumulators of subtasks that have not ended."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from penstock.contracts.accumulators import Accumulator
from penstock.ids import SubtaskId, WorkerIndex
from penstock.runtime.messages import MetricsReport

Accumulators = Mapping[str, Accumulator]


class WorkerReports:
    """The last report of each worker. The driver's thread adds, any thread reads."""

    def __init__(self) -> None:
        self._metrics: dict[WorkerIndex, dict[str, Any]] = {}
        self._accumulators: dict[WorkerIndex, dict[SubtaskId, dict[str, Accumulator]]] = {}

    def add(self, report: MetricsReport) -> None:
        """A worker has reported."""
        self._metrics[report.worker] = report.metrics
        self._accumulators[report.worker] = report.accumulators

    def forget_accumulators(self) -> None:
        """The subtasks start again, and count anew."""
        self._accumulators.clear()

    def metrics(self) -> dict[str, Any]:
        """The last report of every worker."""
        return {name: value for report in list(self._metrics.values()) for name, value in report.items()}

    def unfinished(self, finished: Iterable[SubtaskId]) -> dict[SubtaskId, dict[str, Accumulator]]:
        """The accumulators of subtasks that have not ended."""
        ended = set(finished)
        reports = list(self._accumulators.values())
        return {s: own for report in reports for s, own in report.items() if s not in ended}


def merged_values(finished: Accumulators, others: Iterable[Accumulators]) -> dict[str, Any]:
    """The values of accumulators, merged over those that are final and the ``others``."""
    merged = {name: deepcopy(accumulator) for name, accumulator in list(finished.items())}
    for report in others:
        for name, accumulator in report.items():
            if name in merged:
                merged[name].merge(accumulator)
            else:
                merged[name] = deepcopy(accumulator)
    return values_of(merged)


def values_of(accumulators: Accumulators) -> dict[str, Any]:
    """Their values by name."""
    return {name: accumulator.get_local_value() for name, accumulator in accumulators.items()}
