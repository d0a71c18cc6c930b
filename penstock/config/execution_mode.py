"""How batch programs handed data over, up to Flink 1.20; programs of streams were never touched by it."""

from enum import Enum


class ExecutionMode(Enum):
    """Kept for programs that set it: whether batch stages hand records over at once or when they are done.

    Source: Flink's documentation of ``ExecutionConfig``, 1.20.
    """

    PIPELINED = 0
    PIPELINED_FORCED = 1
    BATCH = 2
    BATCH_FORCED = 3
