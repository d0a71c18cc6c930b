"""What the checkpoint coordinator is told, and what it wants done."""

from dataclasses import dataclass

from penstock.checkpoint.endings import Ending
from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.manifest import Manifest
from penstock.errors import PenstockError
from penstock.ids import SubtaskId

JOB_IS_OVER = "the job is over"
NEWER_IS_COMPLETE = "a newer checkpoint is complete"
NEEDLESS = (JOB_IS_OVER, NEWER_IS_COMPLETE)
"""Why checkpoints are given up although nothing has failed."""


@dataclass(frozen=True, slots=True)
class SavepointRequest:
    """A savepoint that somebody wants. ``number`` is what the answer is known by, ``directory`` where it is to lie."""

    number: int
    directory: str
    ending: Ending = Ending.GO_ON


# Told ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """The tasks run, for the first time or again."""

    subtasks: frozenset[SubtaskId]


@dataclass(frozen=True, slots=True)
class AttemptStopped:
    """The tasks are being stopped, or some of them: what is under way will never be complete."""

    reason: str


@dataclass(frozen=True, slots=True)
class PartStarted:
    """Some of the subtasks run again, after ``AttemptStopped``; the others have gone on meanwhile, or had ended."""

    subtasks: frozenset[SubtaskId]


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The clock has moved."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A subtask's part of a checkpoint is written; by operator, only those that have something to remember."""

    subtask: SubtaskId
    checkpoint_id: int
    handles: dict[str, OperatorStateHandle]


@dataclass(frozen=True, slots=True)
class Declined:
    """A part of a checkpoint cannot be had; ``subtask`` None for a part that is no subtask's."""

    checkpoint_id: int
    subtask: SubtaskId | None
    error: PenstockError


@dataclass(frozen=True, slots=True)
class Ended:
    """A subtask has come to its end, after it took part in checkpoint ``last_checkpoint_id`` (0 for none)."""

    subtask: SubtaskId
    last_checkpoint_id: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A subtask has done all its work and waits for a last checkpoint before it ends."""

    subtask: SubtaskId


@dataclass(frozen=True, slots=True)
class SavepointWanted:
    """Somebody asks for a savepoint."""

    request: SavepointRequest


@dataclass(frozen=True, slots=True)
class CheckpointWanted:
    """Somebody asks for a checkpoint now."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The manifest is written: the checkpoint exists."""

    checkpoint_id: int
    manifest: Manifest
    directory: str | None


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The manifest cannot be written."""

    checkpoint_id: int
    error: PenstockError


CheckpointEvent = (
    AttemptStarted
    | AttemptStopped
    | PartStarted
    | TimePassed
    | Acknowledged
    | Declined
    | Ended
    | Waiting
    | SavepointWanted
    | CheckpointWanted
    | Stored
    | StoreFailed
)

# Wanted ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trigger:
    """Have the sources send barriers; enumerators are asked for their state before."""

    checkpoint_id: int
    timestamp_ms: int
    savepoint: SavepointRequest | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """Every part is there: write the manifest."""

    checkpoint_id: int
    timestamp_ms: int
    handles: tuple[OperatorStateHandle, ...]
    finished: frozenset[SubtaskId]
    savepoint: SavepointRequest | None = None


@dataclass(frozen=True, slots=True)
class NotifyComplete:
    """Tell every task that the checkpoint will be found after a failure."""

    checkpoint_id: int


@dataclass(frozen=True, slots=True)
class NotifyAborted:
    """Tell every task that the checkpoint will never be complete, and remove what was written of it."""

    checkpoint_id: int
    reason: str
    savepoint: SavepointRequest | None = None


@dataclass(frozen=True, slots=True)
class CompletedCheckpoint:
    """A checkpoint that exists. ``owned``: whether this job may delete its files."""

    manifest: Manifest
    directory: str | None
    owned: bool = True

    @property
    def checkpoint_id(self) -> int:
        """Its number."""
        return self.manifest.checkpoint_id


@dataclass(frozen=True, slots=True)
class Subsume:
    """A completed checkpoint is not needed any more: delete its files, but for those that ``kept`` still refer to."""

    checkpoint: CompletedCheckpoint
    kept: tuple[CompletedCheckpoint, ...]


@dataclass(frozen=True, slots=True)
class RemoveLeftovers:
    """A part came for a checkpoint that was given up: remove it."""

    checkpoint_id: int


@dataclass(frozen=True, slots=True)
class FailJob:
    """More checkpoints have failed in a row than the user tolerates, or a savepoint for which the sources have ended."""

    error: PenstockError


@dataclass(frozen=True, slots=True)
class AnswerSavepoint:
    """Somebody's savepoint is there, or will not be."""

    request: SavepointRequest
    path: str | None
    error: PenstockError | None = None


CheckpointCommand = (
    Trigger | Store | NotifyComplete | NotifyAborted | Subsume | RemoveLeftovers | FailJob | AnswerSavepoint
)
