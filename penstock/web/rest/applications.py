"""Applications: programs that run to their end beside the JobManager, with the jobs that they submit to it.

A job that was submitted by itself is an application, too, of the job's own id. What a program prints goes to the output of
the JobManager. Programs end with the JobManager that runs them; their jobs are taken up by the next one, as all jobs are.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from penstock.clock import SYSTEM_CLOCK, monotonic
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobArrives, JobNotFound
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.local.lifeline import LIFELINE
from penstock.errors import OutsideError, PenstockError, ProgramError
from penstock.ids import JobID
from penstock.web.rest.requests import AlreadyEnded

MOST_RUNNING = 20
MOST_ENDED = 100
END_S = 10.0
CLOSE_S = 3.0  # less than whoever stops the JobManager waits for it
LAST_LINES = 60
LAST_WORDS_S = 5.0
STATES = ("CREATED", "RUNNING", "FAILING", "FAILED", "CANCELING", "CANCELED", "FINISHED")
ENDED = ("FAILED", "CANCELED", "FINISHED")
_SUBMITTED = re.compile(r"Job has been submitted with JobID (\w+)")
_STATES = {
    JobStatus.FAILED: "FAILED",
    JobStatus.FAILING: "FAILING",
    JobStatus.CANCELLING: "CANCELING",
    JobStatus.CANCELED: "CANCELED",
    JobStatus.FINISHED: "FINISHED",
    JobStatus.CREATED: "CREATED",
}


@dataclass(slots=True, eq=False)
class Application:
    """``times``: since when it was in each state. ``failure``: what it said last, where it has failed."""

    id: str
    name: str
    times: dict[str, int] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def state(self) -> str:
        """Flink's word for where it stands."""
        return list(self.times)[-1]

    @property
    def has_ended(self) -> bool:
        """Whether nothing comes any more."""
        return self.state in ENDED

    def note(self, state: str) -> None:
        """It is in a state from now on."""
        self.times[state] = SYSTEM_CLOCK.now_ms()


@dataclass(frozen=True, slots=True)
class Command:
    """How a program is run: ``python -m penstock`` with these words, where others are set in its environment. ``folder`` is
    for it alone, and is removed when it has ended."""

    words: tuple[str, ...]
    environment: dict[str, str]
    folder: Path | None = None

    def ended(self) -> None:
        """Nothing is left to be read."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class Applications:
    """All of them. Methods may be called from any thread."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Application] = OrderedDict()
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._threads: list[threading.Thread] = []

    def run(self, name: str, command: Command, wanted_id: str | None) -> str:
        """Begin to run a program; gives the id of the application.

        :raises PenstockError: where there is one of this id, too many run, or no process can be started.
        """
        application = Application(wanted_id or str(JobID.random()), name)
        application.note("CREATED")
        try:
            with self._lock:
                self._begin(application, command)
        except PenstockError:
            command.ended()
            raise
        return application.id

    def _begin(self, application: Application, command: Command) -> None:
        if application.id in self._known:
            raise ProgramError(f"application {application.id} was submitted before")
        if len(self._processes) >= MOST_RUNNING:
            raise OutsideError(f"{MOST_RUNNING} applications run already; ask again when one has ended")
        process = _start(command)
        self._processes[application.id] = process
        self._known[application.id] = application
        application.note("RUNNING")
        thread = threading.Thread(
            target=self._follow,
            args=(application, process, command),
            daemon=True,
            name=f"application {application.id}",
        )
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def all(self) -> list[Application]:
        """Those of programs, and those of jobs that were submitted by themselves."""
        with self._lock:
            known = list(self._known.values())
        theirs = {job_id for each in known for job_id in each.jobs}
        return known + [_of_job(job) for job in self._dispatcher.jobs() if job.id not in theirs]

    def get(self, id: str) -> Application:
        """One of them.

        :raises JobNotFound: where there is none of this id.
        """
        for application in self.all():
            if application.id == id:
                return application
        raise JobNotFound(f"there is no application {id}; GET /applications/overview lists all")

    def id_of(self, job_id: str) -> str:
        """To which application a job belongs."""
        with self._lock:
            return next((each.id for each in self._known.values() if job_id in each.jobs), job_id)

    def jobs_of(self, application: Application) -> list[DispatchedJob]:
        """The jobs that are remembered of it."""
        found = []
        for job_id in application.jobs:
            with suppress(JobNotFound, JobArrives):
                found.append(self._dispatcher.job(job_id))
        return found

    def cancel(self, id: str) -> None:
        """Have it end, with its jobs.

        :raises AlreadyEnded: where it has ended otherwise.
        """
        application = self.get(id)
        if application.has_ended:
            if application.state == "CANCELED":
                return
            raise AlreadyEnded(
                "Application cancellation failed because the application has already reached another terminal state "
                f"({application.state})."
            )
        with self._lock:
            process = self._processes.get(id)
            if process is not None:
                application.note("CANCELING")
        if process is None:
            self._dispatcher.cancel(id)
        else:
            _end([process], END_S)

    def close(self) -> None:
        """End the programs; their jobs are taken up again."""
        with self._lock:
            processes, threads = list(self._processes.values()), self._threads
        _end(processes, CLOSE_S)
        deadline = monotonic() + CLOSE_S
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _follow(self, application: Application, process: "subprocess.Popen[str]", command: Command) -> None:
        """In a thread of its own, until a program ends. What it leaves running may print on, and is not waited for."""
        last: deque[str] = deque(maxlen=LAST_LINES)
        reader = threading.Thread(
            target=self._pass_on,
            args=(application, process, last),
            daemon=True,
            name=f"output of application {application.id}",
        )
        reader.start()
        code = process.wait()
        command.ended()
        reader.join(LAST_WORDS_S)
        if process.stdin is not None:
            process.stdin.close()
        if application.state == "CANCELING":
            for job_id in tuple(application.jobs):
                with suppress(PenstockError):
                    self._dispatcher.cancel(job_id)
            self._ended(application, "CANCELED")
            return
        if code:
            application.failure = "".join(last).strip() or f"the program ended with exit code {code}"
        self._ended(application, "FAILED" if code else "FINISHED")

    def _pass_on(self, application: Application, process: "subprocess.Popen[str]", last: deque[str]) -> None:
        """In a thread of its own: show what is printed, until nobody has the pipe who could print more."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                found = _SUBMITTED.match(line)
                if found is not None:
                    with self._lock:
                        application.jobs.append(found[1])
                else:
                    last.append(line)
                with suppress(OSError):  # what has no room is lost, as with workers
                    sys.stdout.write(line)
                    sys.stdout.flush()

    def _ended(self, application: Application, state: str) -> None:
        with self._lock:
            application.note(state)
            del self._processes[application.id]
            ended = [each.id for each in self._known.values() if each.has_ended]
            for id in ended[: max(0, len(ended) - MOST_ENDED)]:
                del self._known[id]


def _of_job(job: DispatchedJob) -> Application:
    """A job that was submitted by itself."""
    times = sorted((at, _STATES.get(status, "RUNNING")) for status, at in job.times.items())
    made = Application(job.id, job.name, {state: at for at, state in times}, [job.id], job.failure)
    now = _STATES.get(job.status, "RUNNING")
    made.times[now] = made.times.pop(now, job.started_at_ms)  # which is the last
    return made


def _start(command: Command) -> "subprocess.Popen[str]":
    try:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "penstock", *command.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, **command.environment, LIFELINE: "stdin"},
        )
    except OSError as error:
        raise OutsideError(f"no process can be started: {error}") from error


def _end(processes: Iterable["subprocess.Popen[str]"], patience_s: float) -> None:
    """End programs, all at once; what has not ended in time is killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [process for process in processes if process.returncode is None]
        for process in left:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        deadline = monotonic() + patience_s
        for process in left:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - monotonic()))
