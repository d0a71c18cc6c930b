"""JobClient: a job that runs in the background, as the user talks to it."""

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

from penstock.dataflow.recovery import CheckpointStatistics, Recovery, SavepointWish
from penstock.dataflow.submission import JobExecutionResult, JobStatus, RunningJob
from penstock.datastream.arguments import path_argument
from penstock.errors import JobCancelled
from penstock.ids import JobID

if TYPE_CHECKING:
    from concurrent.futures import Future


class JobClient:
    """Talks to one job. What takes time comes as a ``concurrent.futures.Future``."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job

    def get_job_id(self) -> JobID:
        """The job's identity."""
        return self._job.job_id

    def get_job_status(self) -> "Future[JobStatus]":
        """Where the job stands now."""
        return _in_future(self._job.status)

    def cancel(self) -> "Future[None]":
        """Stop the job; done when nothing is left of it."""
        self._job.cancel()
        return _in_future(self._wait_for_end)

    def trigger_savepoint(self, savepoint_directory: str | None = None) -> "Future[str]":
        """Take a savepoint while the job goes on; its path, once it is complete."""
        return self._job.savepoint(SavepointWish(_directory(savepoint_directory)))

    def stop_with_savepoint(
        self, advance_to_end_of_event_time: bool, savepoint_directory: str | None = None
    ) -> "Future[str]":
        """Take a savepoint, and finish the job with it; its path.

        With ``advance_to_end_of_event_time`` the sources end first and all event-time timers fire, as for a job that is not
        to go on from the savepoint.
        """
        wish = SavepointWish(
            _directory(savepoint_directory), stops=True, drains=bool(advance_to_end_of_event_time)
        )
        return self._job.savepoint(wish)

    def cancel_with_savepoint(self, savepoint_directory: str | None = None) -> "Future[str]":
        """Take a savepoint, and cancel the job once it is complete; its path."""
        return self._job.savepoint(SavepointWish(_directory(savepoint_directory), cancels=True))

    def get_checkpoints(self) -> list[CheckpointStatistics]:
        """What became of the last checkpoints and savepoints, the oldest first."""
        return self._job.checkpoints()

    def get_recovery(self) -> Recovery:
        """How often the job started again so far, why, and from which checkpoint."""
        return self._job.recovery()

    def get_job_execution_result(self) -> "Future[JobExecutionResult]":
        """The result, once the job has finished; or what made it fail."""
        return _in_future(self._job.result)

    def get_accumulators(self) -> "Future[dict[str, Any]]":
        """The accumulators now, while the job runs."""
        return _in_future(self._job.accumulators)

    def get_metrics(self) -> dict[str, Any]:
        """Every metric by its full name, as last reported."""
        return self._job.metrics()

    def _wait_for_end(self) -> None:
        try:
            self._job.result()
        except JobCancelled:
            return


def _directory(given: str | None) -> str | None:
    return None if given is None else path_argument(given, "a savepoint directory")


def _in_future(function: Callable[[], Any]) -> "Future[Any]":
    from concurrent.futures import Future

    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
