"""What people are told of a job's checkpoints and failures, and what they may ask for."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from penstock.ids import SubtaskId

MOST_FAILURES_TOLD = 100
"""A job may fail and start again for ever; so many of its failures are kept, the last ones."""


class CheckpointState(Enum):
    """Where a checkpoint stands."""

    IN_PROGRESS = "in progress"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckpointPart:
    """What one subtask has given to a checkpoint, and when its part was there."""

    subtask: SubtaskId
    acknowledged_ms: int
    state_bytes: int


@dataclass(frozen=True, slots=True)
class CheckpointStatistics:
    """One checkpoint: when it was triggered, how it ended, how long that took, and how much state it holds.

    ``parts`` are those of the subtasks that have given theirs; subtasks that had finished before have none.
    """

    checkpoint_id: int
    state: CheckpointState
    is_savepoint: bool
    trigger_timestamp_ms: int
    duration_ms: int | None = None
    state_bytes: int | None = None
    path: str | None = None
    failure: str | None = None
    parts: tuple[CheckpointPart, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """Why an attempt ended. ``subtask`` and ``worker`` are None where no subtask, or no worker, failed; ``place`` is the
    TaskManager of that worker, where there was one."""

    attempt: int
    timestamp_ms: int
    kind: str
    text: str
    subtask: SubtaskId | None = None
    worker: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt of one subtask that is over. ``state`` is Flink's word; ``began_ms`` is -1 where it never ran; ``place`` is
    the TaskManager, where there was one; ``values`` are its metrics."""

    number: int
    state: str
    began_ms: int
    ended_ms: int
    place: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    accumulators: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a job came through its failures.

    ``restarts``: how often it started again; ``failures``: why, the last :data:`MOST_FAILURES_TOLD`, the oldest first;
    ``restored_checkpoint``: the checkpoint or savepoint that its last attempt went on from, None for the beginning;
    ``attempts``: those failures in detail.
    """

    restarts: int = 0
    failures: tuple[str, ...] = ()
    restored_checkpoint: int | None = None
    attempts: tuple[AttemptFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class SavepointWish:
    """A savepoint that somebody asks for. ``directory`` None: where the options say.

    ``stops``: the job finishes behind it; ``drains``: after all event-time timers have fired. ``cancels``: it is cancelled.
    """

    directory: str | None = None
    stops: bool = False
    drains: bool = False
    cancels: bool = False
