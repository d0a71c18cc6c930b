"""What a failure may do to a record."""

from enum import Enum


class CheckpointingMode(Enum):
    """Whether each record counts exactly once, or at least once, after a job went back to a checkpoint."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1


__all__ = ["CheckpointingMode"]
