"""Submitting a job and talking to it afterwards: what both towers agree on.

An :class:`Executor` is found by name, so that the writing tower never imports the running one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from penstock.dataflow.job import JobGraph
from penstock.dataflow.logical import LogicalGraph
from penstock.dataflow.recovery import CheckpointStatistics, Recovery, SavepointWish
from penstock.errors import ProgramError
from penstock.ids import JobID

if TYPE_CHECKING:
    from concurrent.futures import Future


class JobStatus(Enum):
    """Where a job stands."""

    CREATED = 0
    RUNNING = 1
    FAILING = 2
    FAILED = 3
    CANCELLING = 4
    CANCELED = 5
    FINISHED = 6
    RESTARTING = 7
    SUSPENDED = 8
    RECONCILING = 9

    def is_globally_terminal_state(self) -> bool:
        """Whether the job is over for good."""
        return self in (JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED)

    def is_terminal_state(self) -> bool:
        """Whether the job does not run here any more."""
        return self.is_globally_terminal_state() or self is JobStatus.SUSPENDED


@dataclass(frozen=True, slots=True)
class JobExecutionResult:
    """What is left of a finished job."""

    job_id: JobID
    net_runtime_ms: int
    accumulators: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    recovery: Recovery = field(default_factory=Recovery)
    checkpoints: tuple[CheckpointStatistics, ...] = ()

    def get_recovery(self) -> Recovery:
        """How often the job started again, why, and from which checkpoint."""
        return self.recovery

    def get_checkpoints(self) -> list[CheckpointStatistics]:
        """What became of its last checkpoints and savepoints, the oldest first."""
        return list(self.checkpoints)

    def get_job_id(self) -> JobID:
        """The job's identity."""
        return self.job_id

    def get_net_runtime(self) -> int:
        """Milliseconds from the start of the tasks to the end of the last one."""
        return self.net_runtime_ms

    def get_accumulator_result(self, accumulator_name: str) -> Any:
        """The merged value of one accumulator; None where no function registered one of this name."""
        return self.accumulators.get(accumulator_name)

    def get_all_accumulator_results(self) -> dict[str, Any]:
        """All merged accumulators by name."""
        return dict(self.accumulators)

    def get_metrics(self) -> dict[str, Any]:
        """The last value of every metric by its full name, ``<operator>.<subtask>.<metric>``."""
        return dict(self.metrics)

    def __str__(self) -> str:
        """As Flink's command line tells it."""
        lines = [
            "Program execution finished",
            f"Job with JobID {self.job_id} has finished.",
            f"Job Runtime: {self.net_runtime_ms} ms",
        ]
        if self.accumulators:
            results = [_told(name, value) for name, value in sorted(self.accumulators.items())]
            lines += ["Accumulator Results: ", *results, ""]
        return "".join([f"{line}\n" for line in lines])


def _told(name: str, value: Any) -> str:
    what = f"- {name} ({type(value).__name__})"
    return f"{what} [{len(value)} elements]" if isinstance(value, (list, set, tuple)) else f"{what}: {value}"


class RunningJob(Protocol):
    """One submitted job, as the executor shows it. Methods may be called from any thread."""

    @property
    def job_id(self) -> JobID:
        """The job's identity."""

    @property
    def in_background(self) -> bool:
        """Whether the job runs without the caller's thread, so that it goes on if nobody asks for its result."""

    def status(self) -> JobStatus:
        """Where the job stands."""

    def start_in_background(self) -> None:
        """Run the job without the caller's thread."""

    def cancel(self) -> None:
        """Ask the job to stop; returns at once."""

    def result(self, timeout_s: float | None = None) -> JobExecutionResult:
        """Run or wait until the job ends. Raises what made it fail, or ``TimeoutError``."""

    def rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collecting sink receives, batch by batch, while the job runs; drives a job that runs in this thread."""

    def accumulators(self) -> dict[str, Any]:
        """The accumulators now, merged over the subtasks."""

    def metrics(self) -> dict[str, Any]:
        """Every metric by its full name, as last reported."""

    def savepoint(self, wish: SavepointWish) -> "Future[str]":
        """Ask for a savepoint; its path, once it is complete."""

    def checkpoints(self) -> list[CheckpointStatistics]:
        """What became of the last checkpoints and savepoints, the oldest first."""

    def recovery(self) -> Recovery:
        """How often the job started again so far, why, and from which checkpoint."""


class Executor(Protocol):
    """A carrier's door: takes a graph, gives a job."""

    def submit(self, graph: JobGraph) -> RunningJob:
        """Take over a job; it runs once its result is asked for, or in the background."""


ExecutorFactory = Callable[[], Executor]

_BUILT_IN = {
    "local": "penstock.deploy.local.executor:LocalExecutor",
    "remote": "penstock.deploy.remote.executor:RemoteExecutor",
}


def find_executor(name: str) -> Executor:
    """The executor for ``execution.target``: ``local`` here, others through the entry points ``penstock.executors``.

    :raises ProgramError: when nothing is registered under the name.
    """
    from importlib import import_module

    target = _BUILT_IN.get(name)
    if target is None:
        from importlib.metadata import entry_points

        found = {entry.name: entry.value for entry in entry_points(group="penstock.executors")}
        if name not in found:
            known = ", ".join(sorted({*found, *_BUILT_IN}))
            raise ProgramError(f"there is no executor {name!r} (execution.target); known are: {known}")
        target = found[name]
    module, _, attribute = target.partition(":")
    factory: ExecutorFactory = getattr(import_module(module), attribute)
    return factory()


Submit = Callable[[LogicalGraph], RunningJob]
Detour = Callable[[LogicalGraph, Submit], RunningJob]

_detour: Detour | None = None


def set_detour(detour: Detour | None) -> None:
    """Have every graph of this process that is about to be submitted given to ``detour``, with what would submit it.

    For tools that start programs and want to see their jobs, or to look at graphs without running them.
    """
    global _detour
    _detour = detour


def submit(graph: LogicalGraph, hand_over: Submit) -> RunningJob:
    """Hand a graph over, by the detour if there is one."""
    return hand_over(graph) if _detour is None else _detour(graph, hand_over)
