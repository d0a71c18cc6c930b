"""The attempts of each subtask: the one that runs, and the last of those before it.

Source: Flink's documentation, "REST API", ``/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import AttemptFailure, PastAttempt
from penstock.errors import OptionError
from penstock.ids import SubtaskId

if TYPE_CHECKING:
    from penstock.runtime.job.coordinator import Failure, JobCoordinator

HISTORY_SIZE = "jobmanager.execution.attempts-history-size"
_FORMERLY = "job-manager.max-attempts-history-size"
DEFAULT_SIZE = 16


@dataclass(frozen=True, slots=True)
class RunningAttempt:
    """``began_ms`` is -1 as long as it does not run."""

    number: int
    began_ms: int = -1


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of attempts that are over: ``failed`` are those whose own failure it was, ``finished_at_ms`` those that
    had come to their end; the functions say where a subtask was, and what was measured of it."""

    failed: frozenset[SubtaskId]
    finished_at_ms: Mapping[SubtaskId, int]
    place_of: Callable[[SubtaskId], str]
    values_of: Callable[[SubtaskId], dict[str, Any]]
    accumulators: Mapping[SubtaskId, dict[str, Any]]


def findings_of(
    coordinator: "JobCoordinator",
    places: Mapping[int, str],
    metrics: Mapping[str, Any],
    accumulators: Mapping[SubtaskId, dict[str, Any]],
) -> Findings:
    """What is known of the attempts that the last failure has ended. ``places`` says where each worker was."""
    from penstock.runtime.task_values import Measured

    graph, failure = coordinator.deployment.graph, coordinator.failures[-1]
    worker_of = coordinator.deployment.placement.worker_of
    measured = Measured(metrics, graph)

    def has_failed(subtask: SubtaskId) -> bool:
        return subtask == failure.subtask if failure.subtask else worker_of(subtask) == failure.worker

    return Findings(
        frozenset(filter(has_failed, coordinator.affected)),
        coordinator.finished_at_ms,
        lambda subtask: places.get(worker_of(subtask), ""),
        lambda subtask: measured.of_task(graph.vertex(subtask.vertex), subtask.index),
        accumulators,
    )


def history_size(settings: Mapping[str, str]) -> int:
    """How many attempts of a subtask are kept.

    >>> history_size({}), history_size({HISTORY_SIZE: "2"})
    (16, 2)

    :raises OptionError: for what is no number.
    """
    text = settings.get(HISTORY_SIZE, settings.get(_FORMERLY, str(DEFAULT_SIZE))).strip()
    if not text.isascii() or not text.isdigit():
        raise OptionError(f"{HISTORY_SIZE} is a number of attempts, not {text!r}")
    return int(text)


class Attempts:
    """Of all subtasks of a job under one driver, whose thread tells; any thread may ask."""

    def __init__(self, subtasks: Iterable[SubtaskId], number: int, most: int = DEFAULT_SIZE) -> None:
        self._most = most
        self._first = RunningAttempt(number)
        self._running = dict.fromkeys(subtasks, self._first)
        self._past: dict[SubtaskId, deque[PastAttempt]] = {}
        self._stopped: set[SubtaskId] = set()
        self._failed_at: dict[Failure, str] = {}

    @staticmethod
    def of_job(graph: JobGraph, number: int) -> "Attempts":
        """Those of a job that is about to run, as many as its settings say.

        :raises OptionError: for settings that say nonsense.
        """
        subtasks = (subtask for vertex in graph.vertices for subtask in vertex.subtasks())
        return Attempts(subtasks, number, history_size(graph.settings))

    def run(self, subtasks: Iterable[SubtaskId] | None, number: int, now_ms: int) -> None:
        """Subtasks run in another attempt; all of them for None."""
        for subtask in list(self._running) if subtasks is None else subtasks:
            self._running[subtask] = RunningAttempt(number, now_ms)
        self._stopped.clear()

    def stop(self, subtasks: Iterable[SubtaskId], findings: Findings, now_ms: int) -> None:
        """The attempts of subtasks are over; what was told of before is not told again."""
        for subtask in subtasks:
            if subtask not in self._stopped:
                self._stopped.add(subtask)
                kept = self._past.setdefault(subtask, deque(maxlen=self._most))
                kept.append(self._ended(subtask, findings, now_ms))

    def note_places(self, failures: Sequence["Failure"], places: Mapping[int, str]) -> None:
        """Keep in mind where the workers of failures are, as long as no others are in their places."""
        self._failed_at = dict(zip(failures, self._places_of(failures, places), strict=True))

    def told(self, failures: Sequence["Failure"], places: Mapping[int, str]) -> tuple[AttemptFailure, ...]:
        """Failures as they are told of; ``places`` says where each worker is now."""
        return tuple(
            AttemptFailure(
                failure.attempt,
                failure.timestamp_ms,
                type(failure.error).__name__,
                str(failure.error),
                failure.subtask,
                failure.worker,
                place,
            )
            for failure, place in zip(failures, self._places_of(failures, places), strict=True)
        )

    def _places_of(self, failures: Sequence["Failure"], places: Mapping[int, str]) -> list[str]:
        known = self._failed_at
        return [
            known[each] if each in known else "" if each.worker is None else places.get(each.worker, "")
            for each in failures
        ]

    def _ended(self, subtask: SubtaskId, findings: Findings, now_ms: int) -> PastAttempt:
        running = self._running[subtask]
        ended_ms = findings.finished_at_ms.get(subtask)
        state = "FINISHED" if ended_ms is not None else "FAILED" if subtask in findings.failed else "CANCELED"
        return PastAttempt(
            running.number,
            state,
            running.began_ms,
            now_ms if ended_ms is None else ended_ms,
            findings.place_of(subtask),
            findings.values_of(subtask),
            findings.accumulators.get(subtask, {}),
        )

    def running(self, subtask: SubtaskId) -> RunningAttempt:
        """The last attempt of a subtask, whether it runs or not. One that is not the driver's has not begun: who asks may
        know a graph that another driver of the job has."""
        return self._running.get(subtask, self._first)

    def past(self, subtask: SubtaskId) -> tuple[PastAttempt, ...]:
        """Attempts of a subtask before its last one, the oldest first."""
        return tuple(self._past.get(subtask, ()))
