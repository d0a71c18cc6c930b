"""What became of each checkpoint, for people."""

from dataclasses import dataclass
from enum import Enum


class CheckpointState(Enum):
    """Where a checkpoint stands."""

    IN_PROGRESS = "in progress"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckpointStatistics:
    """One checkpoint: when it was triggered, how it ended, how long that took, and how much state it holds."""

    checkpoint_id: int
    state: CheckpointState
    is_savepoint: bool
    trigger_timestamp_ms: int
    duration_ms: int | None = None
    state_bytes: int | None = None
    path: str | None = None
    failure: str | None = None
