"""What flows on a channel: batches, and the signals between them, in one order.

Timestamps and watermarks are milliseconds since the epoch. ``MIN_TIMESTAMP`` means "no timestamp" or "no watermark yet",
``MAX_WATERMARK`` means that no record will follow.
"""

from dataclasses import dataclass

from penstock.data.batch import Batch

MIN_TIMESTAMP = -(2**63)
MAX_WATERMARK = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Watermark:
    """No record with an event time at or before ``timestamp`` is expected any more."""

    timestamp: int


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Whether a channel takes part in the minimum of watermarks."""

    idle: bool


@dataclass(frozen=True, slots=True)
class Barrier:
    """Everything before it belongs to the checkpoint, everything after it does not."""

    checkpoint_id: int
    timestamp: int
    unaligned: bool = False
    savepoint: bool = False


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """The channel carries nothing more. ``drained`` is false when the job was stopped before its sources had ended.

    ``savepoint_id``: the savepoint that sources were made to end for, 0 where they have ended by themselves. Whoever has come
    to the end for that reason stays until the savepoint is complete, as it is a part of it.
    """

    drained: bool = True
    savepoint_id: int = 0


IDLE = StreamStatus(True)
ACTIVE = StreamStatus(False)
END_OF_INPUT = EndOfInput()

Signal = Watermark | StreamStatus | Barrier | EndOfInput
Element = Batch | Signal
