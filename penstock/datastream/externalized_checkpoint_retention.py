"""What becomes of a checkpoint when its job is cancelled."""

from enum import Enum


class ExternalizedCheckpointRetention(Enum):
    """Whether the last checkpoint of a cancelled job is deleted or kept, or does not outlive its job at all."""

    DELETE_ON_CANCELLATION = 0
    RETAIN_ON_CANCELLATION = 1
    NO_EXTERNALIZED_CHECKPOINTS = 2


# The name that PyFlink had for it before 2.0.
ExternalizedCheckpointCleanup = ExternalizedCheckpointRetention

__all__ = ["ExternalizedCheckpointCleanup", "ExternalizedCheckpointRetention"]
