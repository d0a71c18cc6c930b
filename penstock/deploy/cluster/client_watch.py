"""Jobs that are to end with their client: cancelled once it has not been heard of for as long as it said."""

import logging
import threading
from collections.abc import Callable

from penstock.clock import SYSTEM_CLOCK
from penstock.errors import PenstockError

_log = logging.getLogger(__name__)


class ClientWatch:
    """Clients that have said so long they are expected to be there. ``cancel`` ends a job."""

    def __init__(self, cancel: Callable[[str], None]) -> None:
        self._cancel = cancel
        self._lock = threading.Lock()
        self._timers: dict[str, threading.Timer] = {}

    def heard(self, job_id: str, until_ms: int) -> None:
        """A job's client is there, and is to be heard of again before this time since the epoch."""
        wait_s = max(0, until_ms - SYSTEM_CLOCK.now_ms()) / 1000
        timer = threading.Timer(min(wait_s, threading.TIMEOUT_MAX), self._expired, (job_id,))
        timer.daemon = True
        with self._lock:
            before = self._timers.pop(job_id, None)
            self._timers[job_id] = timer
        if before is not None:
            before.cancel()
        timer.start()

    def forget(self, job_id: str) -> None:
        """A job has ended."""
        with self._lock:
            timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Watch nobody any more."""
        with self._lock:
            timers = list(self._timers.values())
            self._timers.clear()
        for timer in timers:
            timer.cancel()

    def _expired(self, job_id: str) -> None:
        with self._lock:
            if self._timers.get(job_id) is not threading.current_thread():
                return  # it has been heard of in this moment
            del self._timers[job_id]
        _log.warning("the client of job %s is not heard of any more, and the job ends with it", job_id)
        try:
            self._cancel(job_id)
        except PenstockError as error:
            _log.warning("job %s cannot be cancelled: %s", job_id, error)
