"""What is still told of a job when its driver is gone, with the graph and all that it has carried."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics, Recovery, SavepointWish
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.errors import OutsideError, PenstockError
from penstock.ids import JobID, SubtaskId
from penstock.runtime.job.attempts import Attempts
from penstock.runtime.job.collected_rows import CollectedRows
from penstock.runtime.job.driver import JobDriver
from penstock.runtime.job.start import KeptCheckpoints

if TYPE_CHECKING:
    from concurrent.futures import Future

    from penstock.checkpoint.events import CompletedCheckpoint


@dataclass(frozen=True, slots=True)
class EndedDriver:
    """Stands where the :class:`JobDriver` of a job stood; rows that nobody has taken yet are still given."""

    job_id: JobID
    status: JobStatus
    has_left: bool
    outcome: JobExecutionResult | PenstockError
    rows: CollectedRows
    last_metrics: dict[str, Any]
    last_accumulators: dict[str, Any]
    accumulators_of: dict[SubtaskId, dict[str, Any]]
    ended_at_ms: dict[SubtaskId, int]
    came_through: Recovery
    statistics: tuple[CheckpointStatistics, ...]
    counts: dict[CheckpointState, int]
    attempts: Attempts

    @staticmethod
    def of(driver: JobDriver) -> "EndedDriver":
        """What a driver that is done leaves."""
        outcome: JobExecutionResult | PenstockError
        try:
            outcome = driver.result()
        except PenstockError as error:
            outcome = error
            _forget_frames(error)
        return EndedDriver(
            driver.job_id,
            driver.status,
            driver.has_left,
            outcome,
            driver.rows,
            driver.metrics(),
            driver.accumulators(),
            driver.subtask_accumulators(),
            driver.finished_at_ms(),
            driver.recovery(),
            tuple(driver.checkpoints()),
            driver.checkpoint_counts(),
            driver.attempts,
        )

    @staticmethod
    def that_has_not_run(
        job_id: JobID, status: JobStatus, outcome: JobExecutionResult | PenstockError
    ) -> "EndedDriver":
        """What stands for a job that has come to its end without a driver here."""
        return EndedDriver(
            job_id,
            status,
            False,
            outcome,
            CollectedRows(False),
            {},
            {},
            {},
            {},
            Recovery(),
            (),
            {},
            Attempts((), 0),
        )

    def as_failed(self, error: PenstockError) -> "EndedDriver":
        """The same where no other goes on after a driver that has left."""
        return replace(self, status=JobStatus.FAILED, has_left=False, outcome=error)

    @property
    def done(self) -> bool:
        """It is."""
        return True

    @property
    def latest_checkpoint(self) -> "CompletedCheckpoint | None":
        """Nobody goes back to one."""
        return None

    @property
    def kept_checkpoints(self) -> KeptCheckpoints:
        """Nobody goes on with them."""
        return KeptCheckpoints()

    def result(self) -> JobExecutionResult:
        """The result of the job; raises what made it fail."""
        if isinstance(self.outcome, PenstockError):
            raise self.outcome
        return self.outcome

    def take_rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collector has received and nobody has taken."""
        return self.rows.take(collector)

    def metrics(self) -> dict[str, Any]:
        """The last report of every worker."""
        return self.last_metrics

    def accumulators(self) -> dict[str, Any]:
        """Merged over all subtasks."""
        return self.last_accumulators

    def subtask_accumulators(self) -> dict[SubtaskId, dict[str, Any]]:
        """Of each subtask."""
        return self.accumulators_of

    def finished_at_ms(self) -> dict[SubtaskId, int]:
        """The subtasks that have come to their end in the last attempt, and when."""
        return self.ended_at_ms

    def recovery(self) -> Recovery:
        """How the job came through its failures."""
        return self.came_through

    def checkpoints(self) -> list[CheckpointStatistics]:
        """What became of the last checkpoints and savepoints, the oldest first."""
        return list(self.statistics)

    def checkpoint_counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state."""
        return self.counts

    def wake_up(self) -> None:
        """Nobody sleeps."""

    def request_cancel(self) -> None:
        """It has ended."""

    def request_suspension(self) -> None:
        """It has ended."""

    def request_savepoint(self, wish: SavepointWish) -> "Future[str]":
        """None can be had."""
        del wish
        return self._refused("it has no savepoint to give")

    def request_checkpoint(self) -> "Future[int]":
        """None can be had."""
        return self._refused("it takes no checkpoint")

    def _refused(self, why: str) -> "Future[Any]":
        from concurrent.futures import Future

        future: Future[Any] = Future()
        future.set_exception(OutsideError(f"job {self.job_id} is {self.status.name}: {why}"))
        return future


def _forget_frames(error: BaseException | None) -> None:
    """An error holds the frames that it came through, and those hold the driver."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
