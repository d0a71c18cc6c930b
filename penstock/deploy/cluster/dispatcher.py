"""Many jobs on one cluster: takes them over, lists them, and keeps in mind what became of those that have ended.

Each job is driven by a thread of its own. What it was submitted with lies in the JobManager's directory until it has ended,
so that a JobManager that is started again takes it up from its last checkpoint.
"""

import logging
import pickle
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import MANIFEST_NAME, read_manifest
from penstock.checkpoint.settings import checkpoint_settings
from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobGraph
from penstock.dataflow.rescaling import rescaled
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.job_directories import JobDirectories
from penstock.deploy.cluster.job_modules import JobModules
from penstock.deploy.cluster.job_store import JobStore
from penstock.deploy.cluster.leadership import FencedBackground
from penstock.deploy.cluster.placing import ClusterLauncher
from penstock.deploy.cluster.roster import Roster
from penstock.deploy.cluster.submission import Submission, decode_submission
from penstock.deploy.local.executor import LocalJob
from penstock.deploy.local.processes import ProcessPool
from penstock.errors import PenstockError, ProgramError
from penstock.ids import JobID
from penstock.runtime.job.driver import JobDriver
from penstock.runtime.job.start import Start, find_start, start_from
from penstock.runtime.messages import Deployment
from penstock.runtime.scheduling.placement import workers_wanted

MOST_ENDED_JOBS = 100

_log = logging.getLogger(__name__)


class JobNotFound(ProgramError):
    """No job of this id is known."""


@dataclass(slots=True, eq=False)
class DispatchedJob:
    """One job. ``times``: when it came into each status, in milliseconds since the epoch; ``places`` says on which
    TaskManager each of its workers is."""

    submission: Submission
    name: str
    graph: JobGraph
    job: LocalJob = field(init=False)
    rescaling: "Rescaling | None" = None
    times: dict[JobStatus, int] = field(default_factory=dict)
    failure: str = ""
    net_runtime_ms: int = 0
    places: Callable[[], dict[int, str]] = dict

    @property
    def id(self) -> str:
        """Its identity."""
        return self.submission.job_id

    @property
    def is_rescaling(self) -> bool:
        """Whether it is on its way to another parallelism."""
        return self.rescaling is not None

    @property
    def status(self) -> JobStatus:
        """Where it stands."""
        status = self.job.status()
        on_the_way = status in (JobStatus.CREATED, JobStatus.CANCELLING, JobStatus.CANCELED)
        return JobStatus.RESTARTING if self.is_rescaling and on_the_way else status

    @property
    def has_ended(self) -> bool:
        """Whether it is over for good."""
        return self.status.is_globally_terminal_state()

    @property
    def started_at_ms(self) -> int:
        """When it was taken over."""
        return self.times[JobStatus.CREATED]

    @property
    def ended_at_ms(self) -> int | None:
        """When it was over."""
        return next((at for status, at in self.times.items() if status.is_globally_terminal_state()), None)


@dataclass(frozen=True, slots=True, eq=False)
class Rescaling:
    """A job's way to another parallelism; ``done`` when it runs there."""

    graph: JobGraph
    done: "Future[None]"


class Dispatcher:
    """All jobs of a JobManager. Methods may be called from any thread. ``check`` raises where this JobManager does not lead:
    it is asked before a job is taken over and forgotten, and around all that is done to checkpoints. What jobs have brought
    along lies below ``files``, on this machine."""

    def __init__(
        self,
        roster: Roster,
        directory: str,
        slot_patience_s: float = 300.0,
        check: Callable[[], None] = lambda: None,
        files: Path | None = None,
    ) -> None:
        self._roster = roster
        self._check = check
        self._store = JobStore(f"{directory}/jobs", check)
        self._modules = JobModules(JobDirectories(files or Path(tempfile.gettempdir())))
        self._slot_patience_s = slot_patience_s
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, DispatchedJob] = OrderedDict()
        self.on_ended: Callable[[DispatchedJob], None] = lambda job: None

    def submit(self, data: bytes) -> DispatchedJob:
        """Take over a job, and run it as soon as there are slots.

        :raises PenstockError: when it cannot be read, or cannot start from the savepoint that it names.
        """
        submission = decode_submission(data)
        with self._lock:
            if submission.job_id in self._jobs:
                raise ProgramError(f"job {submission.job_id} was submitted before")
        self._store.add(submission.job_id, data)
        try:
            return self._begin(submission, find_start(self._graph_of(submission)))
        except BaseException:
            self._modules.forget(submission.job_id)
            with suppress(PenstockError):
                self._store.remove(submission.job_id)
            raise

    def take_up_again(self) -> list[DispatchedJob]:
        """Go on with the jobs that a JobManager before this one has left, each from its newest checkpoint."""
        found = []
        for path, content in self._store.all():
            try:
                submission = decode_submission(content)
                graph = self._graph_of(submission)
                newest = newest_checkpoint(graph, submission.job_id)
                start = find_start(graph) if newest is None else start_from(newest, graph)
                found.append(self._begin(submission, start, numbers_used(graph, submission.job_id)))
                checkpoint = start.checkpoint
                place = "the beginning" if checkpoint is None else f"checkpoint {checkpoint.checkpoint_id}"
                _log.warning(
                    "job %r (%s) is taken up again from %s", graph.job_name, submission.job_id, place
                )
            except (PenstockError, OSError) as error:
                _log.error("the job in %s cannot be taken up again: %s", path, error)
        return found

    def _graph_of(self, submission: Submission) -> JobGraph:
        try:
            graph = self._modules.load(submission)
        except PenstockError:
            raise
        except Exception as error:
            raise ProgramError(
                f"the functions of job {submission.job_name!r} cannot be loaded here: {type(error).__name__}: {error}; name "
                "their files with -pyfs, and install what they need on the cluster"
            ) from error
        if not isinstance(graph, JobGraph):
            raise ProgramError("what was submitted holds no graph")
        return graph

    def rescale(self, job_id: str, parallelism: int) -> "Future[None]":
        """Have a job go on at another parallelism, from its latest checkpoint; the future ends when it does.

        :raises PenstockError: where it cannot: it has ended, has no checkpoint, or leaves no parallelism open.
        """
        job = self.job(job_id)
        with self._lock:
            if job.has_ended or job.is_rescaling:
                why = "is being rescaled already" if job.is_rescaling else f"is {job.status.name}"
                raise ProgramError(f"job {job_id} {why}; a job is rescaled while it runs")
            graph = rescaled(job.graph, parallelism)
            if job.job.latest_checkpoint() is None and JobStatus.RUNNING in job.times:
                raise ProgramError(
                    f"job {job_id} has no checkpoint to go on from; enable checkpointing, or wait for the first one"
                )
            job.rescaling = Rescaling(graph, Future())
            job.job.suspend()
        return job.rescaling.done

    def _begin(
        self,
        submission: Submission,
        start: Start,
        numbers_used: int = 0,
    ) -> DispatchedJob:
        graph = start.graph
        if submission.parallelism is not None:  # it was rescaled, up to the maximum that it had taken over
            graph = rescaled(graph, submission.parallelism)
        made = DispatchedJob(submission, graph.job_name, graph)
        made.job = self._job_of(made, start.checkpoint, numbers_used)
        made.places = partial(self._roster.places, made.id)
        made.times[JobStatus.CREATED] = SYSTEM_CLOCK.now_ms()
        with self._lock:
            self._jobs[made.id] = made
        made.job.start_in_background()
        threading.Thread(
            target=self._see_to_the_end, args=(made,), daemon=True, name=f"end of {made.id}"
        ).start()
        return made

    def _job_of(
        self, job: DispatchedJob, start: CompletedCheckpoint | None, numbers_used: int, attempt: int = 0
    ) -> LocalJob:
        submission, graph = job.submission, job.graph
        workers = workers_wanted(graph)
        launcher = ClusterLauncher(
            self._roster,
            job.id,
            submission.import_path,
            submission.argv,
            workers,
            self._slot_patience_s,
            submission.logging,
            submission.files,
        )
        deployment = Deployment(JobID(job.id), attempt, graph, workers, numbers_used=numbers_used)
        driver = JobDriver(
            deployment,
            ProcessPool(graph, launcher),
            start_from=start,
            make_background=partial(FencedBackground, self._check),
        )
        driver.on_status = lambda status: self._status_changed(job, status)
        return LocalJob(driver)

    def _status_changed(self, job: DispatchedJob, status: JobStatus) -> None:
        rescaling = job.rescaling
        if rescaling is not None:
            if status in (JobStatus.CANCELLING, JobStatus.CANCELED):
                return  # it goes on
            job.rescaling = None
            if not rescaling.done.done():
                rescaling.done.set_result(None)
        job.times.pop(status, None)
        job.times[status] = SYSTEM_CLOCK.now_ms()
        _log.info("job %r (%s) is %s", job.name, job.id, status.name)

    def _see_to_the_end(self, job: DispatchedJob) -> None:
        self._wait_for(job)
        while job.rescaling is not None and job.job.status() is JobStatus.CANCELED:
            self._go_on_rescaled(job, job.rescaling)
            self._wait_for(job)
        try:
            self._store.remove(job.id)
        except PenstockError as error:
            _log.warning("job %r (%s) is still noted as one that runs: %s", job.name, job.id, error)
        self.on_ended(job)
        self._roster.drop_files(job.id)
        self._modules.forget(job.id)
        job.submission = replace(job.submission, files=None)  # which may be large
        with self._lock:
            ended = [each for each in self._jobs.values() if each.has_ended]
            for oldest in ended[: max(0, len(ended) - MOST_ENDED_JOBS)]:
                del self._jobs[oldest.id]
                self._roster.forget_job(oldest.id)

    def _wait_for(self, job: DispatchedJob) -> None:
        job.failure = ""
        try:
            job.net_runtime_ms += job.job.result().net_runtime_ms
        except PenstockError as error:
            job.failure = str(error)
        except Exception as error:  # noqa: BLE001  (the job's thread broke; whatever it was, the others go on)
            job.failure = f"{type(error).__name__}: {error}"
            _log.exception("job %r (%s) broke", job.name, job.id)

    def _go_on_rescaled(self, job: DispatchedJob, rescaling: "Rescaling") -> None:
        """The job has stopped where it was: start it again from its latest checkpoint."""
        start = job.job.latest_checkpoint()
        attempt = job.job.recovery().restarts + 1
        job.graph = rescaling.graph
        job.submission = replace(job.submission, parallelism=job.graph.parallelism)
        try:
            self._store.add(job.id, pickle.dumps(job.submission, 5))
        except PenstockError as error:
            _log.warning("job %r (%s) is not noted at its new parallelism: %s", job.name, job.id, error)
        place = "the beginning" if start is None else f"checkpoint {start.checkpoint_id}"
        _log.info(
            "job %r (%s) goes on at parallelism %d from %s", job.name, job.id, job.graph.parallelism, place
        )
        job.job = self._job_of(job, start, numbers_used(job.graph, job.id), attempt)
        job.job.start_in_background()

    def close(self) -> None:
        """Leave no files behind; the jobs are taken up again, and bring theirs again."""
        self._modules.close()

    def jobs(self) -> list[DispatchedJob]:
        """All jobs, in the order in which they came."""
        with self._lock:
            return list(self._jobs.values())

    def job(self, job_id: str) -> DispatchedJob:
        """One job.

        :raises JobNotFound: where there is none of this id.
        """
        with self._lock:
            found = self._jobs.get(job_id)
        if found is None:
            raise JobNotFound(f"there is no job {job_id}; `penstock list -a` shows all")
        return found


def newest_checkpoint(graph: JobGraph, job_id: str) -> CompletedCheckpoint | None:
    """The last checkpoint of a job that can be read."""
    base = _directory_of(graph, job_id)
    if base is None:
        return None
    for number in sorted(_numbers_in(f"{base}/chk-*/{MANIFEST_NAME}", -2), reverse=True):
        with suppress(PenstockError):
            manifest, place = read_manifest(f"{base}/chk-{number}")
            return CompletedCheckpoint(manifest, place.directory)
    return None


def numbers_used(graph: JobGraph, job_id: str) -> int:
    """The highest number of a checkpoint that has left anything, complete or not."""
    base = _directory_of(graph, job_id)
    return 0 if base is None else max(_numbers_in(f"{base}/chk-*", -1), default=0)


def _directory_of(graph: JobGraph, job_id: str) -> str | None:
    settings = checkpoint_settings(graph.settings, graph.batch_mode)
    if settings.directory is None or not settings.create_subdirectory:
        return settings.directory
    return f"{settings.directory}/{job_id}"


def _numbers_in(pattern: str, part: int) -> list[int]:
    from fsspec.core import url_to_fs

    system, path = url_to_fs(pattern)
    names: list[Any] = []
    with suppress(OSError):
        system.invalidate_cache()
        names = system.glob(path)
    texts = [str(name).rstrip("/").split("/")[part].removeprefix("chk-") for name in names]
    return [int(text) for text in texts if text.isdigit()]
