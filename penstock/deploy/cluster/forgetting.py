"""Jobs that nobody is to take up any more: those that are over, and those that were refused.

Storage may be away meanwhile, so what cannot be removed is tried again until it can, or until another JobManager leads.
"""

import logging
import threading
from collections.abc import Callable

from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.job_store import JobStore
from penstock.deploy.cluster.leadership import NoLongerLeading
from penstock.errors import PenstockError, ProgramError

TRY_AGAIN_S = 1.0
LONGEST_TRY_AGAIN_S = 60.0

_log = logging.getLogger(__name__)


class Forgetting:
    """Removes jobs from what a JobManager is taken up from, until ``closed``."""

    def __init__(self, store: JobStore, closed: threading.Event) -> None:
        self._store = store
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
        return self._until_removed(lambda: self.forget(job), f"job {job.name!r} ({job.id}) is over")

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
        if self._until_removed(lambda: self._remove(job_id), f"job {job_id} was refused"):
            with self._lock:
                self._refused.discard(job_id)

    def _remove(self, job_id: str) -> str:
        try:
            self._store.remove(job_id)
        except NoLongerLeading:
            raise
        except PenstockError as error:
            return str(error)
        return ""

    def _until_removed(self, remove: Callable[[], str], which: str) -> bool:
        wait_s = TRY_AGAIN_S
        try:
            while why := remove():
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
