"""A sink for targets without transactions: records are kept in the checkpoint, and sent once that is complete.

Where the target overwrites what it is sent again, or the sink remembers with a :class:`CheckpointCommitter` what was sent,
each record is there once; a failure in the middle of sending sends all records of that checkpoint again. Source: Flink's
``GenericWriteAheadSink``.
"""

import pickle
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)
from penstock.errors import ProgramError

# Records of a checkpoint are kept in pieces of so many.
PIECE_RECORDS = 4096


class CheckpointCommitter(ABC):
    """Remembers, in the target or beside it, which checkpoints were sent by which subtask, so that none is sent twice.

    A job that was started from another one's savepoint sends what that had kept under its id, too. So both ids may be set
    again: after ``close``, and with ``create_resource`` and ``open`` behind it.
    """

    job_id = ""
    operator_id = ""

    def set_job_id(self, job_id: str) -> None:
        """Called before ``create_resource``; a job that is started anew has another id."""
        self.job_id = job_id

    def set_operator_id(self, operator_id: str) -> None:
        """Called before ``create_resource``."""
        self.operator_id = operator_id

    def create_resource(self) -> None:  # noqa: B027
        """Make what keeps the checkpoints, where it is not there yet."""

    def open(self) -> None:  # noqa: B027
        """Called before the first question."""

    def close(self) -> None:  # noqa: B027
        """Called at the end, and before another id is set."""

    @abstractmethod
    def commit_checkpoint(self, subtask: int, checkpoint_id: int) -> None:
        """All records of a checkpoint were sent."""

    @abstractmethod
    def is_checkpoint_committed(self, subtask: int, checkpoint_id: int) -> bool:
        """Whether ``commit_checkpoint`` was called for this."""


@dataclass(frozen=True, slots=True)
class KeptRecords:
    """The committable: everything that one subtask was given up to a checkpoint since the one before."""

    job_id: str
    operator_id: str
    subtask: int
    number: int
    pieces: tuple[bytes, ...]
    timestamp_ms: int

    def records(self) -> list[Any]:
        """The records, in order."""
        return [record for piece in self.pieces for record in pickle.loads(piece)]


class GenericWriteAheadSink(Sink):
    """Derive from it and write ``send_values``.

    Records have to be picklable, and those between two checkpoints fit into memory. Without checkpoints they are sent at the
    end of the job.

    >>> class Sending(GenericWriteAheadSink):
    ...     def send_values(self, values, checkpoint_id, timestamp):
    ...         return True
    >>> Sending().display_name()
    'Sending'
    """

    def __init__(self, committer: CheckpointCommitter | None = None) -> None:
        if committer is not None and not isinstance(committer, CheckpointCommitter):
            raise ProgramError(f"a write-ahead sink takes a CheckpointCommitter, not {committer!r}")
        self._committer = committer

    @abstractmethod
    def send_values(self, values: list[Any], checkpoint_id: int, timestamp: int) -> bool:
        """Send all records of a checkpoint; False to be asked again later.

        ``checkpoint_id``: a number that grows with each checkpoint, and is the same when records are sent again; other than
        in Flink it is not the checkpoint's own. ``timestamp``: when the checkpoint was taken, in milliseconds.
        """

    def create_writer(self, context: WriterInitContext) -> "_KeepingWriter":
        return _KeepingWriter(context, 0)

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> "_KeepingWriter":
        return _KeepingWriter(context, max(states, default=0))

    def create_committer(self) -> Committer:
        return _SendingCommitter(self, self._committer)


class _KeepingWriter(CommittingSinkWriter, StatefulSinkWriter):
    def __init__(self, context: WriterInitContext, number: int) -> None:
        self._identity = (context.job_id(), context.operator_id(), context.index_of_subtask())
        self._clock = context.clock()
        self._number = number
        self._values: list[Any] = []
        self._pieces: list[bytes] = []

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self.write_batch([element], None, context)

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        self._values += values
        if len(self._values) >= PIECE_RECORDS:
            self._keep()

    def _keep(self) -> None:
        if self._values:
            self._pieces.append(pickle.dumps(self._values, 5))
            self._values = []

    def prepare_commit(self) -> list[Any]:
        self._keep()
        if not self._pieces:
            return []
        now_ms = self._clock.now_ms()
        # Never used before by any subtask of this number, whatever was restored meanwhile.
        self._number = max(self._number + 1, now_ms)
        pieces, self._pieces = tuple(self._pieces), []
        return [KeptRecords(*self._identity, self._number, pieces, now_ms)]

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return [self._number]


class _SendingCommitter(Committer):
    def __init__(self, sink: GenericWriteAheadSink, remembered: CheckpointCommitter | None) -> None:
        self._sink = sink
        self._remembered = remembered
        self._open_for: tuple[str, str] | None = None

    def commit(self, committables: list[KeptRecords]) -> list[KeptRecords]:
        for index, kept in enumerate(committables):
            remembered = self._opened(kept)
            if remembered is not None and remembered.is_checkpoint_committed(kept.subtask, kept.number):
                continue
            if not self._sink.send_values(kept.records(), kept.number, kept.timestamp_ms):
                return committables[index:]  # in order: what comes later waits for it
            if remembered is not None:
                remembered.commit_checkpoint(kept.subtask, kept.number)
        return []

    def _opened(self, kept: KeptRecords) -> CheckpointCommitter | None:
        identity = (kept.job_id, kept.operator_id)
        if self._remembered is not None and self._open_for != identity:
            self.close()
            self._remembered.set_job_id(kept.job_id)
            self._remembered.set_operator_id(kept.operator_id)
            self._remembered.create_resource()
            self._remembered.open()
            self._open_for = identity
        return self._remembered

    def close(self) -> None:
        if self._remembered is not None and self._open_for is not None:
            self._open_for = None
            self._remembered.close()
