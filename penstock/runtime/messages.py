"""Every message between a job's coordinator and its workers."""

from dataclasses import dataclass, field
from typing import Any

from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.job import JobGraph
from penstock.errors import PenstockError
from penstock.ids import JobID, SubtaskId, WorkerIndex

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that a worker needs to build its tasks."""

    job_id: JobID
    attempt: int
    graph: JobGraph
    workers: int


# From the coordinator to a worker ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deploy:
    """Build the tasks of this worker and connect to the others."""

    deployment: Deployment
    peers: dict[WorkerIndex, Address]


@dataclass(frozen=True, slots=True)
class StartTasks:
    """Open the tasks and step them."""


@dataclass(frozen=True, slots=True)
class StopTasks:
    """Close the tasks, finished or not."""


@dataclass(frozen=True, slots=True)
class AssignSplits:
    """Splits for one reader."""

    subtask: SubtaskId
    splits: list[Any]


@dataclass(frozen=True, slots=True)
class NoMoreSplits:
    """One reader gets no more splits."""

    subtask: SubtaskId


@dataclass(frozen=True, slots=True)
class ToReader:
    """A message of the enumerator to one reader."""

    subtask: SubtaskId
    event: Any


@dataclass(frozen=True, slots=True)
class RowsTaken:
    """The client has taken batches of a collector; as many may follow."""

    collector: str
    batches: int


@dataclass(frozen=True, slots=True)
class ReportMetrics:
    """Answer with :class:`MetricsReport`."""


ToWorker = (
    Deploy | StartTasks | StopTasks | AssignSplits | NoMoreSplits | ToReader | RowsTaken | ReportMetrics
)

# From a worker to the coordinator ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerRegistered:
    """The worker is up; others reach it at ``address``, None for one that is alone."""

    worker: WorkerIndex
    address: Address | None


@dataclass(frozen=True, slots=True)
class TasksDeployed:
    """The worker's tasks are built and connected."""

    worker: WorkerIndex


@dataclass(frozen=True, slots=True)
class SubtaskFinished:
    """A subtask has come to its end."""

    subtask: SubtaskId
    accumulators: dict[str, Accumulator] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubtaskFailed:
    """A subtask raised; None for a failure of the worker as a whole."""

    worker: WorkerIndex
    subtask: SubtaskId | None
    error: PenstockError


@dataclass(frozen=True, slots=True)
class TasksStopped:
    """The worker's tasks are closed."""

    worker: WorkerIndex
    accumulators: dict[str, Accumulator] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """The carrier lost the worker."""

    worker: WorkerIndex
    reason: str


@dataclass(frozen=True, slots=True)
class SplitRequested:
    """A reader asks for a split."""

    subtask: SubtaskId


@dataclass(frozen=True, slots=True)
class ReaderStarted:
    """A reader is ready for splits."""

    subtask: SubtaskId


@dataclass(frozen=True, slots=True)
class FromReader:
    """A message of a reader to its enumerator."""

    subtask: SubtaskId
    event: Any


@dataclass(frozen=True, slots=True)
class RowsCollected:
    """A batch of a collecting sink for the client."""

    worker: WorkerIndex
    collector: str
    rows: list[Any]


@dataclass(frozen=True, slots=True)
class MetricsReport:
    """All metrics of a worker by full name, and its accumulators so far."""

    worker: WorkerIndex
    metrics: dict[str, Any]
    accumulators: dict[str, Accumulator] = field(default_factory=dict)


FromWorker = (
    WorkerRegistered
    | TasksDeployed
    | SubtaskFinished
    | SubtaskFailed
    | TasksStopped
    | WorkerDied
    | SplitRequested
    | ReaderStarted
    | FromReader
    | RowsCollected
    | MetricsReport
)
