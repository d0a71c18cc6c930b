"""Every message between a job's coordinator and its workers."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.checkpoint.endings import Ending
from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.job import JobGraph
from penstock.errors import PenstockError
from penstock.ids import JobID, SubtaskId, WorkerIndex
from penstock.runtime.placement import Placement

if TYPE_CHECKING:
    from penstock.checkpoint.handles import OperatorStateHandle
    from penstock.checkpoint.place import CheckpointPlace
    from penstock.metrics.readings import Reading
    from penstock.runtime.refused_states import RefusedStates

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Restore:
    """What the tasks go on from: the files of a checkpoint, which subtasks had come to their end, and how many each operator
    had."""

    checkpoint_id: int
    place: "CheckpointPlace"
    handles: "dict[str, tuple[OperatorStateHandle, ...]]"
    finished: frozenset[SubtaskId] = frozenset()
    parallelisms: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that a worker needs to build its tasks.

    ``exactly_once`` None: the job takes part in no checkpoint. ``takes_checkpoints``: they come by the clock, and once more
    when all work is done. ``keeps_inputs``: what came over a blocking exchange is kept for readers that start again.
    """

    job_id: JobID
    attempt: int
    graph: JobGraph
    placement: Placement
    exactly_once: bool | None = None
    takes_checkpoints: bool = False
    unaligned_after_ms: int | None = None
    restore: Restore | None = None
    keeps_inputs: bool = False

    @property
    def workers(self) -> int:
        """How many workers the job has."""
        return self.placement.workers


# From the coordinator to a worker ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deploy:
    """Build the tasks of this worker and connect to the others; of ``subtasks`` alone where the rest goes on running."""

    deployment: Deployment
    peers: dict[WorkerIndex, Address]
    subtasks: frozenset[SubtaskId] | None = None


@dataclass(frozen=True, slots=True)
class OpenTasks:
    """Open the tasks that were deployed. Nothing is read or committed again before those of all workers are open."""


@dataclass(frozen=True, slots=True)
class StartTasks:
    """Step the tasks that were opened."""


@dataclass(frozen=True, slots=True)
class StopTasks:
    """Close the tasks, finished or not: all, or ``subtasks`` alone, with their channels and the workers that are ``lost``."""

    subtasks: frozenset[SubtaskId] | None = None
    lost: frozenset[WorkerIndex] = frozenset()


@dataclass(frozen=True, slots=True)
class Renew:
    """Get ready for another attempt: forget the channels of the last one, and register again."""


@dataclass(frozen=True, slots=True)
class PrepareToRestore:
    """A deployment with state to restore will come, but not yet: load now what reading it takes."""


@dataclass(frozen=True, slots=True)
class TriggerCheckpoint:
    """Take part in a checkpoint: sources send its barrier now, others when it reaches them. Sent to every worker."""

    checkpoint_id: int
    timestamp_ms: int
    place: "CheckpointPlace"
    savepoint: bool = False
    ending: Ending = Ending.GO_ON


@dataclass(frozen=True, slots=True)
class CheckpointCompleted:
    """The checkpoint will be found after a failure."""

    checkpoint_id: int


@dataclass(frozen=True, slots=True)
class CheckpointAborted:
    """The checkpoint will never be complete."""

    checkpoint_id: int


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
    """Answer with :class:`MetricsReport`; with its readings, where reporters are told of them."""

    with_readings: bool = False


ToWorker = (
    Deploy
    | OpenTasks
    | StartTasks
    | StopTasks
    | Renew
    | PrepareToRestore
    | TriggerCheckpoint
    | CheckpointCompleted
    | CheckpointAborted
    | AssignSplits
    | NoMoreSplits
    | ToReader
    | RowsTaken
    | ReportMetrics
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
class TasksOpened:
    """The tasks of a worker have been opened. ``refused``: those whose restored states do not fit what they declare."""

    worker: WorkerIndex
    refused: "dict[SubtaskId, RefusedStates]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubtaskFinished:
    """A subtask has come to its end, after it took part in checkpoint ``last_checkpoint_id`` (0 for none)."""

    subtask: SubtaskId
    accumulators: dict[str, Accumulator] = field(default_factory=dict)
    last_checkpoint_id: int = 0


@dataclass(frozen=True, slots=True)
class SubtaskWaits:
    """A subtask has done all its work, and waits for a checkpoint before it ends."""

    subtask: SubtaskId


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A subtask stands at the barrier of a checkpoint: rows that it sent before belong to the checkpoint, others do not."""

    subtask: SubtaskId
    checkpoint_id: int


@dataclass(frozen=True, slots=True)
class CheckpointAcknowledged:
    """A subtask's part of a checkpoint is written; by operator."""

    subtask: SubtaskId
    checkpoint_id: int
    handles: "dict[str, OperatorStateHandle]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckpointDeclined:
    """A subtask's part of a checkpoint cannot be had."""

    subtask: SubtaskId
    checkpoint_id: int
    error: PenstockError


@dataclass(frozen=True, slots=True)
class SubtaskFailed:
    """A subtask raised; None for a failure of the worker as a whole."""

    worker: WorkerIndex
    subtask: SubtaskId | None
    error: PenstockError


@dataclass(frozen=True, slots=True)
class TasksStopped:
    """The worker's tasks are closed: all, or ``subtasks`` alone."""

    worker: WorkerIndex
    accumulators: dict[str, Accumulator] = field(default_factory=dict)
    subtasks: frozenset[SubtaskId] | None = None


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
    """A batch of a collecting sink for the client; ``subtask`` is the one of the sink."""

    worker: WorkerIndex
    collector: str
    rows: list[Any]
    subtask: SubtaskId | None = None


@dataclass(frozen=True, slots=True)
class MetricsReport:
    """All metrics of a worker by full name, and the accumulators of its subtasks so far. ``readings``: the metrics of tasks
    that run as reporters are told of them, where they were asked for."""

    worker: WorkerIndex
    metrics: dict[str, Any]
    accumulators: dict[SubtaskId, dict[str, Accumulator]] = field(default_factory=dict)
    readings: "tuple[Reading, ...]" = ()


FromWorker = (
    WorkerRegistered
    | TasksDeployed
    | TasksOpened
    | SubtaskFinished
    | SubtaskWaits
    | SnapshotTaken
    | CheckpointAcknowledged
    | CheckpointDeclined
    | SubtaskFailed
    | TasksStopped
    | WorkerDied
    | SplitRequested
    | ReaderStarted
    | FromReader
    | RowsCollected
    | MetricsReport
)
