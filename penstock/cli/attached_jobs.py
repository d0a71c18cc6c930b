"""Jobs on a cluster as ``penstock run`` has them: waited for, and told of at their end with Flink's words, or not."""

import sys
import threading
from dataclasses import dataclass
from typing import Any

from penstock.config.configuration import Configuration
from penstock.dataflow.submission import JobExecutionResult, RunningJob
from penstock.deploy.remote.executor import RemoteJob
from penstock.errors import OutsideError, ProgramError

_INTERVAL = "client.heartbeat.interval"
_TIMEOUT = "client.heartbeat.timeout"
_ENDS_JOBS = "execution.shutdown-on-attached-exit"
_CLEAR_LINE = "\r\x1b[K"


class AttachedJob:
    """A job that is waited for; its result is told once."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._is_told = False

    def result(self, timeout_s: float | None = None) -> JobExecutionResult:
        """What is left of it; raises what made it fail."""
        result = self._job.result(timeout_s)
        with self._lock:
            if not self._is_told:
                self._is_told = True
                if sys.stderr.isatty():  # a line of progress may stand there
                    sys.stderr.write(_CLEAR_LINE)
                    sys.stderr.flush()
                print(result, flush=True)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)


class DetachedJob:
    """A job for which the program does not wait: its result is there at once, and holds nothing but its id."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job

    def result(self, timeout_s: float | None = None) -> JobExecutionResult:
        """Not waited for."""
        return JobExecutionResult(self._job.job_id, -1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)


@dataclass(frozen=True, slots=True)
class Expiry:
    """How often a job hears of this process, and how long it goes on without."""

    interval_ms: int
    timeout_ms: int

    @staticmethod
    def of(configuration: Configuration) -> "Expiry | None":
        """What options say; None where jobs go on without this process.

        >>> Expiry.of(Configuration().set_string("execution.shutdown-on-attached-exit", "true"))
        Expiry(interval_ms=30000, timeout_ms=180000)
        """
        if not configuration.get_boolean(_ENDS_JOBS, False):
            return None
        return Expiry(
            max(1, configuration.get_integer(_INTERVAL, 30_000)), configuration.get_integer(_TIMEOUT, 180_000)
        )


def keep_alive(job: RunningJob, expiry: Expiry) -> None:
    """Have a job know that this process is there, until it is there no more."""
    if not isinstance(job, RemoteJob):
        return
    job.say_client_is_there(expiry.timeout_ms)
    never = threading.Event()

    def go_on() -> None:
        while not never.wait(expiry.interval_ms / 1000):
            try:
                job.say_client_is_there(expiry.timeout_ms)
            except ProgramError:
                return  # the job is no longer known
            except OutsideError:
                continue  # whoever is cut off for long may be heard again

    threading.Thread(target=go_on, daemon=True, name=f"signs of life for {job.job_id}").start()
