"""The checkpoints of a job that takes none by the clock, so that it pays for them only when somebody asks for a savepoint."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.dataflow.submission import JobStatus
from penstock.errors import RestoreFailed
from penstock.ids import SubtaskId
from penstock.runtime.coordination.split_assignment import SplitAssignment
from penstock.runtime.job.start import KeptCheckpoints
from penstock.runtime.messages import Restore, SubtaskFinished

if TYPE_CHECKING:
    from concurrent.futures import Future

    from penstock.checkpoint.events import CompletedCheckpoint, SavepointRequest
    from penstock.runtime.job.checkpointing import Answer, JobCheckpoints


class CheckpointsOnDemand:
    """Stands where :class:`JobCheckpoints` would, and has one made for the first savepoint; the driver's thread calls it.

    Until then it keeps what that one will have to know: whether the tasks run, and which have come to their end.
    """

    def __init__(self, make: "Callable[[], JobCheckpoints]", kept: KeptCheckpoints) -> None:
        self._make = make
        self._kept = kept
        self._made: JobCheckpoints | None = None
        self._splits: SplitAssignment | None = None
        self._ended: list[SubtaskFinished] = []
        self._is_interrupted = False
        self.on_complete: Callable[[int], None] = lambda checkpoint_id: None

    def start(self, splits: SplitAssignment) -> None:
        """The tasks of an attempt run."""
        self._splits = splits
        self._ended.clear()
        self._is_interrupted = False
        if self._made is not None:
            self._made.start(splits)

    def start_part(self, subtasks: frozenset[SubtaskId]) -> None:
        """Some of the tasks run again, while the others have gone on."""
        self._ended = [message for message in self._ended if message.subtask not in subtasks]
        self._is_interrupted = False
        if self._made is not None:
            self._made.start_part(subtasks)

    def stop(self, reason: str, part: bool = False) -> None:
        """The tasks are being stopped; ``part``: some of them."""
        self._is_interrupted = True
        if not part:
            self._splits = None
        if self._made is not None:
            self._made.stop(reason, part)

    def take(self, message: object) -> bool:
        """A message of a worker; says whether it was meant for nobody else."""
        if self._made is not None:
            return self._made.take(message)
        if isinstance(message, SubtaskFinished):
            self._ended.append(message)
        return False

    def turn(self) -> None:
        """Take up what was written, and do what is due."""
        if self._made is not None:
            self._made.turn()

    def next_ms(self) -> int | None:
        """When :meth:`turn` has something to do."""
        return None if self._made is None else self._made.next_ms()

    def want_savepoint(self, request: "SavepointRequest", answer: "Answer") -> None:
        """Somebody asks for a savepoint; ``answer(path, error)`` is called once."""
        self._get().want_savepoint(request, answer)

    def want_checkpoint(self, future: "Future[int]") -> None:
        """Somebody asks for a checkpoint now; the future has its number once it is complete."""
        self._get().want_checkpoint(future)

    def _get(self) -> "JobCheckpoints":
        if self._made is None:
            self._made = self._make()
            self._made.on_complete = self.on_complete
            if self._splits is not None:
                self._made.start(self._splits)
            for message in self._ended:
                self._made.take(message)
            if self._is_interrupted and self._splits is not None:
                self._made.stop("a part of the job starts again", part=True)
        return self._made

    def begin_again(self, part: bool = False) -> Restore | None:
        """All tasks have stopped, or ``part`` of them: what the next attempt goes on from."""
        return None if self._made is None else self._made.begin_again(part)

    def fall_back(self, error: RestoreFailed) -> bool:
        """Whether there is another checkpoint to go back to than the one that cannot be restored."""
        return self._made is not None and self._made.fall_back(error)

    def latest_enumerators(self) -> dict[str, bytes]:
        """The state of the enumerators in the latest checkpoint, by operator."""
        return {} if self._made is None else self._made.latest_enumerators()

    @property
    def latest(self) -> "CompletedCheckpoint | None":
        """The checkpoint to go back to after a failure; a savepoint is none, but the one that ends the job."""
        return None if self._made is None else self._made.latest

    @property
    def kept(self) -> KeptCheckpoints:
        """What another driver would go on with."""
        return self._kept if self._made is None else self._made.kept

    @property
    def history(self) -> list[CheckpointStatistics]:
        """What became of the last checkpoints and savepoints, the oldest first."""
        return [] if self._made is None else self._made.history

    @property
    def counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state, of all there were."""
        return {} if self._made is None else self._made.counts

    def leave(self) -> None:
        """The job goes on elsewhere: leave everything as it is."""
        if self._made is not None:
            self._made.leave()

    def close(self, status: JobStatus) -> None:
        """The job is over: wait until all is written."""
        if self._made is not None:
            self._made.close(status)
