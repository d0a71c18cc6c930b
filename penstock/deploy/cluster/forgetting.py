"""Jobs that nobody is to take up any more: those that are over, and those that were refused.

Storage may be away meanwhile, so what cannot be removed is tried again until it can, or until another JobManager leads.
"""

import logging
import threading
from collections.abc import Callable

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.job_results import JobResult, JobResults
from penstock.deploy.cluster.job_store import JobStore
from penstock.deploy.cluster.leadership import NoLongerLeading
from penstock.errors import PenstockError, ProgramError

TRY_AGAIN_S = 1.0
LONGEST_TRY_AGAIN_S = 60.0

_log = logging.getLogger(__name__)


class Forgetting:
    """Removes jobs from what a JobManager is taken up from, until ``closed``; of those that cannot be removed, ``results``
    has for the next JobManager that they have ended."""

    def __init__(self, store: JobStore, results: JobResults, closed: threading.Event) -> None:
        self._store = store
        self._results = results
        self._closed = closed
        self._lock = threading.Lock()
        self._refused: set[str] = set()

    def forget(self, job: DispatchedJob) -> str:
        """A job is over: nobody looks for its checkpoints after it. Gives why it is still noted as one that runs, if it is.

        :raises NoLongerLeading: where it is another's by now.
        """
        with job.lock:
            if not job.is_forgotten:
                why = self._remove(job.id)
                if why:
                    return why
                job.is_forgotten = True
        return ""

    def forget_at_last(self, job: DispatchedJob) -> bool:
        """Try until a job that is over is forgotten; False where that is left to another JobManager. Its checkpoints are
        removed only after it: whoever takes it up in between goes on where it has ended."""
        which = f"job {job.name!r} ({job.id}) is over"
        return self._until_removed(
            lambda: self.forget(job), lambda: job.as_result(self._store.epoch()), which
        )

    def forget_noted(self, job_id: str) -> str:
        """The same for a job whose end another JobManager has noted."""
        return self._remove(job_id)

    def take_back(self, job_id: str) -> None:
        """A job was refused after something of it may have been noted: nobody is to run what was said not to run."""
        with self._lock:
            self._refused.add(job_id)
        threading.Thread(
            target=self._take_back, args=(job_id,), daemon=True, name=f"taking back {job_id}"
        ).start()

    def check(self, job_id: str) -> None:
        """Whether a job may come under this id.

        :raises ProgramError: where one of this id was refused that is still noted.
        """
        with self._lock:
            if job_id in self._refused:
                raise ProgramError(
                    f"job {job_id} was refused before, and storage has not forgotten it yet; submit it under another id"
                )

    def _take_back(self, job_id: str) -> None:
        def result() -> JobResult:
            now_ms = SYSTEM_CLOCK.now_ms()
            why = "it was refused when it was submitted"
            return JobResult(job_id, job_id, JobStatus.FAILED.name, why, now_ms, now_ms, self._store.epoch())

        if self._until_removed(lambda: self._remove(job_id), result, f"job {job_id} was refused"):
            with self._lock:
                self._refused.discard(job_id)

    def _remove(self, job_id: str) -> str:
        try:
            self._store.remove(job_id)
            self._results.forget(job_id)
        except NoLongerLeading:
            raise
        except PenstockError as error:
            return str(error)
        return ""

    def _until_removed(self, remove: Callable[[], str], result: Callable[[], JobResult], which: str) -> bool:
        wait_s, is_noted = TRY_AGAIN_S, False
        try:
            while why := remove():
                is_noted = is_noted or self._note(result())
                _log.warning(
                    "%s, and still noted as one that runs, which is tried again in %g s: %s",
                    which,
                    wait_s,
                    why,
                )
                if self._closed.wait(wait_s):
                    return False
                wait_s = min(2 * wait_s, LONGEST_TRY_AGAIN_S)
        except NoLongerLeading as error:
            _log.warning("%s, and is not forgotten here: %s", which, error)
            return False
        return True

    def _note(self, result: JobResult) -> bool:
        """For whoever takes this JobManager's place before storage is back."""
        try:
            self._results.note(result)
        except PenstockError as error:
            _log.warning("that job %s is %s is not noted: %s", result.job_id, result.status, error)
            return False
        return True
