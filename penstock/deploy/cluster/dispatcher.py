"""Many jobs on one cluster: takes them over, lists them, and keeps in mind what became of those that have ended.

Each job is driven by a thread of its own. What it was submitted with lies in the JobManager's directory until it has ended,
so that a JobManager that is started again takes it up from its last checkpoint.
"""

import logging
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobGraph
from penstock.dataflow.rescaling import (
    ParallelismBounds,
    open_parallelism,
    rescaled,
)
from penstock.dataflow.slots_wanted import parallelism_within, slots_wanted, told_slots
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.client_watch import ClientWatch
from penstock.deploy.cluster.dispatched_job import ArrivingJob, DispatchedJob, JobNotFound, Phase, Rescaling
from penstock.deploy.cluster.forgetting import LONGEST_TRY_AGAIN_S, TRY_AGAIN_S, Forgetting
from penstock.deploy.cluster.found_checkpoints import find_start_again, noted
from penstock.deploy.cluster.job_defaults import with_defaults
from penstock.deploy.cluster.job_directories import JobDirectories
from penstock.deploy.cluster.job_modules import JobModules
from penstock.deploy.cluster.job_results import JobResult, JobResults
from penstock.deploy.cluster.job_store import JobStore
from penstock.deploy.cluster.leadership import FencedBackground, NoLongerLeading
from penstock.deploy.cluster.placing import ClusterLauncher
from penstock.deploy.cluster.rescale_history import WAITING, Cause
from penstock.deploy.cluster.roster import Roster
from penstock.deploy.cluster.submission import Submission, decode_submission, encode_submission
from penstock.deploy.local.executor import LocalJob
from penstock.deploy.local.processes import ProcessPool
from penstock.errors import OutsideError, PenstockError, ProgramError
from penstock.ids import JobID
from penstock.runtime.job.driver import JobDriver
from penstock.runtime.job.start import KeptCheckpoints, Start, Succession, find_start, from_start
from penstock.runtime.messages import Deployment
from penstock.runtime.placement import placed_by_group

MOST_ENDED_JOBS = 100
RESULTS = "job-result-store"

_log = logging.getLogger(__name__)


class Dispatcher:
    """All jobs of a JobManager. Methods may be called from any thread. ``check`` raises where this JobManager does not lead:
    it is asked before a job is taken over and forgotten, and around all that is done to checkpoints. What jobs have brought
    along lies below ``files``, on this machine. ``results``: where the ends of jobs are noted that cannot be forgotten."""

    def __init__(
        self,
        roster: Roster,
        directory: str,
        slot_patience_s: float = 300.0,
        check: Callable[[], None] = lambda: None,
        files: Path | None = None,
        results: Sequence[str] = (),
    ) -> None:
        self._roster = roster
        self._check = check
        self._store = JobStore(f"{directory}/jobs", check, lambda: roster.epoch)
        self._modules = JobModules(JobDirectories(files or Path(tempfile.gettempdir())))
        self._slot_patience_s = slot_patience_s
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, DispatchedJob] = OrderedDict()
        self._arriving: dict[str, ArrivingJob] = {}
        self._closed = threading.Event()
        self._results = JobResults(results or [f"{directory}/{RESULTS}"])
        self._forgetting = Forgetting(self._store, self._results, self._closed)
        self.clients = ClientWatch(self.cancel)
        self.on_ended: Callable[[DispatchedJob], None] = lambda job: None
        # Options of the cluster that hold for jobs that do not set them.
        self.defaults: dict[str, str] = {}

    # Jobs come ----------------------------------------------------------------------------------------------------------

    def submit(self, data: bytes) -> DispatchedJob:
        """Take over a job, and run it as soon as there are slots.

        :raises PenstockError: when it cannot be read, or cannot start from the savepoint that it names.
        """
        submission = decode_submission(data)
        with self._lock:
            if submission.job_id in self._jobs or submission.job_id in self._arriving:
                raise ProgramError(f"job {submission.job_id} was submitted before")
        self._forgetting.check(submission.job_id)
        try:
            start = find_start(self._graph_of(submission))
        except BaseException:
            self._modules.forget(submission.job_id)
            raise
        try:
            self._results.forget(submission.job_id)
            self._store.add(submission.job_id, data)
            made = self._begin(submission, start, from_start(start.checkpoint).kept)
        except BaseException:  # something may be noted all the same
            self._modules.forget(submission.job_id)
            self._forgetting.take_back(submission.job_id)
            raise
        assert made is not None  # it is nobody's whom it could have been taken from
        return made

    def take_up_again(self) -> list[ArrivingJob]:
        """Begin to go on with the jobs that a JobManager before this one has left, each from its newest checkpoint, and each
        as soon as what it needs can be had.

        :raises OutsideError: where it cannot be told which jobs there are.
        """
        self._store.forget_notes_of_others()
        results = self._results.counting(self._roster.epoch)
        found = []
        for job_id, content in self._store.all():
            arriving = ArrivingJob(job_id, _name_of(content, job_id), SYSTEM_CLOCK.now_ms())
            self._arriving[job_id] = arriving
            found.append((arriving, content, results.get(job_id)))
        self._results.forget_others(set(results) & set(self._arriving))
        for each in found:
            threading.Thread(
                target=self._take_up, args=each, daemon=True, name=f"taking up {each[0].id}"
            ).start()
        return [arriving for arriving, *_ in found]

    def _take_up(self, arriving: ArrivingJob, content: bytes, result: JobResult | None) -> None:
        """Try until it is taken up: that its storage does not answer, or a module is not there, may pass."""
        wait_s = TRY_AGAIN_S
        while not arriving.given_up.is_set():
            try:
                if result is None:
                    self._go_on_with(arriving, decode_submission(content))
                else:
                    self._see_off(arriving, result)
                return
            except (PenstockError, OSError) as error:
                arriving.failure = str(error)
            _log.error(
                "job %r (%s) cannot be taken up again, which is tried again in %g s, until somebody cancels it: %s",
                arriving.name,
                arriving.id,
                wait_s,
                arriving.failure,
            )
            arriving.given_up.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_TRY_AGAIN_S)

    def _go_on_with(self, arriving: ArrivingJob, submission: Submission) -> None:
        graph = self._graph_of(submission)
        start, kept = find_start_again(graph, submission.job_id, self._store.latest(submission.job_id))
        # What the job goes on from is what it commits first.
        self._store.note(submission.job_id, noted(submission.job_id, kept.latest))
        self._store.forget_notes_of_others(submission.job_id)
        if self._begin(submission, start, kept, arriving) is None:
            self._modules.forget(submission.job_id)
            return
        place = "the beginning" if kept.latest is None else f"checkpoint {kept.latest.checkpoint_id}"
        _log.warning("job %r (%s) is taken up again from %s", graph.job_name, submission.job_id, place)

    def _see_off(self, arriving: ArrivingJob, result: JobResult) -> None:
        """A job has ended under a JobManager before this one, that could not remove it."""
        why = self._forgetting.forget_noted(arriving.id)
        if why:
            raise OutsideError(f"it has ended, and is still noted as one that runs: {why}")
        self._ended_without_driver(arriving, arriving.as_noted(result))
        _log.info("job %r (%s) was %s before", arriving.name, arriving.id, result.status)

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
        return with_defaults(graph, self.defaults)

    def _begin(
        self,
        submission: Submission,
        start: Start,
        kept: KeptCheckpoints,
        arriving: ArrivingJob | None = None,
    ) -> DispatchedJob | None:
        """Run a job; None where it was given up while it was being taken up."""
        graph = start.graph
        if submission.parallelism is not None:  # it was rescaled, up to the maximum that it had taken over
            graph = rescaled(graph, submission.parallelism)
        made = DispatchedJob(submission, graph.job_name, graph)
        # One that is taken up has run before, and what it left may be its own.
        made.job = self._job_of(made, kept, attempt=0 if arriving is None else 1)
        made.places = partial(self._roster.places, made.id)
        made.rescales.begin(Cause.INITIAL_SCHEDULE, None, graph)
        made.note_status(JobStatus.CREATED)
        with self._lock:
            if arriving is not None and arriving.given_up.is_set():
                return None
            self._arriving.pop(made.id, None)
            self._jobs[made.id] = made
        if submission.client_timeout_ms is not None:
            self.clients.heard(made.id, SYSTEM_CLOCK.now_ms() + submission.client_timeout_ms)
        made.job.start_in_background()
        threading.Thread(
            target=self._see_to_the_end, args=(made,), daemon=True, name=f"end of {made.id}"
        ).start()
        return made

    def _job_of(
        self, job: DispatchedJob, kept: KeptCheckpoints, attempt: int = 0, is_trial: bool = False
    ) -> LocalJob:
        submission, graph = job.submission, job.graph
        placement = placed_by_group(graph)
        launcher = ClusterLauncher(
            self._roster,
            job.id,
            tuple(dict.fromkeys((*submission.import_path, *self._modules.path))),
            submission.argv,
            placement.workers,
            told_slots(graph),
            self._slot_patience_s,
            submission.logging,
            submission.files,
        )
        driver = JobDriver(
            Deployment(JobID(job.id), attempt, graph, placement),
            ProcessPool(graph, launcher),
            succession=Succession(kept, partial(self._note, job), is_trial),
            make_background=partial(FencedBackground, self._check),
        )
        driver.on_status = lambda status: self._status_changed(job, status)
        driver.places = partial(self._roster.places, job.id)
        driver.on_settled = lambda: self._settled(job)
        driver.on_over = lambda: self._forgetting.forget_at_last(job)
        return LocalJob(driver)

    # What the store has of them -----------------------------------------------------------------------------------------

    def _note(self, job: DispatchedJob, latest: CompletedCheckpoint | None) -> None:
        with job.lock:
            if not job.is_forgotten:
                self._store.note(job.id, noted(job.id, latest))

    def _keep(self, job: DispatchedJob, **changes: Any) -> None:
        """Note a job as it is now, with changes to what it was submitted with."""
        try:
            with job.lock:
                job.submission = replace(job.submission, **changes)
                if not job.is_forgotten:
                    self._store.add(job.id, encode_submission(job.submission))
        except PenstockError as error:
            _log.warning("what is new of job %r (%s) is not noted: %s", job.name, job.id, error)

    # Jobs run, and end --------------------------------------------------------------------------------------------------

    def _status_changed(self, job: DispatchedJob, status: JobStatus) -> None:
        """A driver's thread tells."""
        rescaling = job.rescaling
        if rescaling is not None and not job.is_cancelled and not self._counts(job, rescaling, status):
            return
        if status.is_globally_terminal_state() and (job.rescaling is None or job.is_cancelled):
            with suppress(
                NoLongerLeading
            ):  # as early as can be; what fails is tried again when the driver is done
                self._forgetting.forget(job)
        if job.is_forgotten or not status.is_globally_terminal_state():
            job.note_status(status)
        _log.info("job %r (%s) is %s", job.name, job.id, status.name)

    def _counts(self, job: DispatchedJob, rescaling: Rescaling, status: JobStatus) -> bool:
        """Whether a status is one of the job, and not only of a driver on the job's way to another parallelism."""
        match rescaling.phase, status:
            case Phase.STOPPING, JobStatus.CANCELLING | JobStatus.CANCELED:
                return False
            case Phase.STOPPING, _:
                return True
            case Phase.TRYING, JobStatus.FINISHED:
                self._rescaled(job, rescaling)
                return True
            case Phase.TRYING, JobStatus.RESTARTING:
                job.job.suspend()
                return False
            case Phase.TRYING, _:
                return False
        job.rescaling = None
        return True

    def _settled(self, job: DispatchedJob) -> None:
        """All workers work: the job has come to its new parallelism."""
        rescaling = job.rescaling
        if rescaling is not None and not job.is_cancelled:
            self._rescaled(job, rescaling)
            job.note_status(JobStatus.RUNNING)
            _log.info("job %r (%s) runs at parallelism %d", job.name, job.id, job.graph.parallelism)

    def _rescaled(self, job: DispatchedJob, rescaling: Rescaling) -> None:
        job.rescaling = None
        self._keep(job, parallelism=open_parallelism(job.graph))
        rescaling.succeed()

    def _see_to_the_end(self, job: DispatchedJob) -> None:
        self._wait_for(job)
        while self._goes_on(job):
            self._wait_for(job)
        self._forgetting.forget_at_last(job)
        if not any(status.is_globally_terminal_state() for status in job.times):
            job.note_status(job.status)
        job.is_over = True
        self.on_ended(job)
        self.clients.forget(job.id)
        self._roster.drop_files(job.id)
        self._modules.forget(job.id)
        job.let_go()
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Keep in mind only so many jobs that have ended."""
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

    def _goes_on(self, job: DispatchedJob) -> bool:
        """A driver has ended: have another go on where the job is on its way to another parallelism."""
        rescaling = job.rescaling
        if rescaling is None:
            return False
        if not job.job.has_left:
            job.rescaling = None
            rescaling.fail(f"job {job.id} is {job.status.name}, and was not rescaled")
            return False
        if rescaling.phase is Phase.STOPPING and not job.is_cancelled:
            try:
                self._go_on(job, rescaling, Phase.TRYING)
                return True
            except PenstockError as error:
                rescaling.fail(str(error))
        try:
            self._return(job, rescaling)
            return True
        except PenstockError as error:
            rescaling.fail(str(error))
            self._give_up(job, error)
            return False

    def _give_up(self, job: DispatchedJob, error: PenstockError) -> None:
        """A job that has stopped to be rescaled cannot go on, at its old parallelism neither; its checkpoints stay."""
        _log.error("job %r (%s) cannot go on after it was to be rescaled: %s", job.name, job.id, error)
        if not job.is_cancelled:
            job.failure = str(error)
            job.job.fail(error)
        job.rescaling = None

    def _return(self, job: DispatchedJob, rescaling: Rescaling) -> None:
        """Go on as before: the job did not come to run at its new parallelism, or is to be cancelled."""
        failures = job.job.recovery().failures
        rescaling.fail(
            f"job {job.id} did not come to run at parallelism {rescaling.graph.parallelism}, and goes on at "
            f"{rescaling.before.parallelism}: {failures[-1] if failures else job.failure}"
        )
        self._go_on(job, rescaling, Phase.RETURNING)

    def _go_on(self, job: DispatchedJob, rescaling: Rescaling, phase: Phase) -> None:
        """The job has stopped where it was: start it again from its latest checkpoint."""
        kept, attempt = job.job.kept_checkpoints(), job.job.recovery().restarts + 1
        rescaling.phase = phase
        if phase is Phase.TRYING:
            rescaling.told.come_to(WAITING)
        stopped = job.graph
        job.graph = rescaling.graph if phase is Phase.TRYING else rescaling.before
        place = "the beginning" if kept.latest is None else f"checkpoint {kept.latest.checkpoint_id}"
        _log.info(
            "job %r (%s) goes on at parallelism %d from %s", job.name, job.id, job.graph.parallelism, place
        )
        made = self._job_of(job, kept, attempt, is_trial=phase is Phase.TRYING)
        past = job.keep_past(stopped)
        with self._lock:
            job.past, job.job = past, made
            if job.is_cancelled:
                made.cancel()
        made.start_in_background()

    # What is asked of them ----------------------------------------------------------------------------------------------

    def client_is_there(self, job_id: str, until_ms: int) -> None:
        """A job's client is heard of, and is to be heard of again before this time since the epoch, also by a JobManager that
        takes the job up meanwhile.

        :raises JobNotFound: where there is none of this id.
        """
        job = self.job(job_id)
        if job.has_ended:
            return
        self.clients.heard(job_id, until_ms)
        if job.submission.client_timeout_ms is None:
            self._keep(job, client_timeout_ms=max(0, until_ms - SYSTEM_CLOCK.now_ms()))

    def rescale(
        self,
        job_id: str,
        parallelism: int,
        cause: Cause = Cause.UPDATE_REQUIREMENT,
        may_begin_again: bool = False,
    ) -> "Future[None]":
        """Have a job go on at another parallelism, from its latest checkpoint; the future ends when it does.

        ``may_begin_again``: one that runs and has no checkpoint begins again. (One that does not run begins again anyway.)

        :raises PenstockError: where it cannot: it does not run, has no checkpoint, leaves no parallelism open, or would not
            have the slots.
        """
        job = self.job(job_id)
        with self._lock:
            if not job.may_rescale:
                why = "is being rescaled already" if job.is_rescaling else f"is {job.status.name}"
                raise ProgramError(f"job {job_id} {why}; a job is rescaled while it runs")
            graph = rescaled(job.graph, parallelism)
            has_begun = job.job.status() is JobStatus.RUNNING and job.job.latest_checkpoint() is None
            if has_begun and not may_begin_again:
                raise ProgramError(
                    f"job {job_id} has no checkpoint to go on from; enable checkpointing, or wait for the first one"
                )
            if job.collectors and job.job.rows_would_come_twice:
                raise ProgramError(
                    f"job {job_id} is not rescaled, as rows were given to its program that would come a second time; enable "
                    "checkpointing to have each of them once, or write to a sink instead of execute_and_collect"
                )
            free = self._roster.slots_for(job_id)
            if free < slots_wanted(graph):
                raise OutsideError(
                    f"job {job_id} can have {free} slots, and needs {told_slots(graph)} for parallelism {parallelism}; start "
                    "another TaskManager with `penstock taskmanager start`, or name a lower parallelism"
                )
            rescaling = job.begin_rescaling(graph, cause)
            job.job.suspend()
            return rescaling.done

    def require(self, job_id: str, bounds: ParallelismBounds) -> "Future[None] | None":
        """Have a job run at the highest parallelism between bounds that it can have slots for; with reactive scheduling it
        stays between them. The future ends when it is there; None where it is there already. Where it does not come there,
        the bounds are those from before again.

        :raises PenstockError: where it cannot, as in :meth:`rescale`; the bounds are those from before then.
        """
        job = self.job(job_id)
        slots = self._roster.slots_for(job_id)
        wanted = min(bounds.upper, parallelism_within(job.graph, slots))
        if wanted < bounds.lower:
            raise OutsideError(
                f"job {job_id} can have {slots} slots, and its lowest parallelism is to be {bounds.lower}; start another "
                "TaskManager with `penstock taskmanager start`, or name a lower bound"
            )
        done, before = None, job.submission.bounds
        if wanted != open_parallelism(job.graph):
            done = self.rescale(job_id, wanted)
        elif job.has_ended:
            raise ProgramError(f"job {job_id} is {job.status.name}; a job is rescaled while it runs")
        else:
            job.rescales.ignore(Cause.UPDATE_REQUIREMENT, job.graph)
        self._keep(job, bounds=bounds)

        def take_back(outcome: "Future[None]") -> None:
            error = outcome.exception()
            if error is not None:
                _log.warning("the requirements of job %r (%s) are not met: %s", job.name, job_id, error)
                if job.submission.bounds is bounds and not job.is_cancelled:
                    self._keep(job, bounds=before)

        if done is not None:
            done.add_done_callback(take_back)
        return done

    def cancel(self, job_id: str) -> None:
        """Have a job end, wherever it is on its way.

        :raises JobNotFound: where there is none of this id.
        :raises PenstockError: where it is being taken up again, and storage does not answer: it is to be cancelled again.
        """
        with self._lock:
            arriving = self._arriving.get(job_id)
            if arriving is not None:
                arriving.given_up.set()
        if arriving is not None:
            self._cancel_arriving(arriving)
            return
        job = self.job(job_id)
        with self._lock:
            if job.has_ended:
                return
            job.is_cancelled = True
            rescaling = job.rescaling
            job.job.cancel()
        if rescaling is not None:
            rescaling.fail(f"job {job_id} was cancelled")

    def _cancel_arriving(self, arriving: ArrivingJob) -> None:
        """End a job that is not taken up yet; until it is forgotten it stays, and may be cancelled again."""
        try:
            self._store.remove(arriving.id)
            self._results.forget(arriving.id)
        except PenstockError as error:
            arriving.failure = (
                f"it was cancelled, and is still noted as one that runs; cancel it again: {error}"
            )
            raise
        self._modules.forget(arriving.id)
        if self._ended_without_driver(arriving, arriving.as_cancelled()):
            _log.warning("job %r (%s) was cancelled before it was taken up again", arriving.name, arriving.id)

    def _ended_without_driver(self, arriving: ArrivingJob, ended: DispatchedJob) -> bool:
        with self._lock:
            if self._arriving.pop(arriving.id, None) is None:
                return False  # somebody else has ended it, too
            self._jobs[arriving.id] = ended
        self.on_ended(ended)
        self._forget_oldest()
        return True

    def close(self) -> None:
        """Leave no files behind; the jobs are taken up again, and bring theirs again."""
        self._closed.set()
        self.clients.close()
        with self._lock:
            for arriving in self._arriving.values():
                arriving.given_up.set()
        self._modules.close()

    def jobs(self) -> list[DispatchedJob]:
        """All jobs, in the order in which they came."""
        with self._lock:
            return list(self._jobs.values())

    def arriving(self) -> list[ArrivingJob]:
        """The jobs that are being taken up again."""
        with self._lock:
            return list(self._arriving.values())

    def job(self, job_id: str) -> DispatchedJob:
        """One job.

        :raises JobArrives: where it is being taken up again.
        :raises JobNotFound: where there is none of this id.
        """
        with self._lock:
            found, arriving = self._jobs.get(job_id), self._arriving.get(job_id)
        if arriving is not None:
            raise arriving.told()
        if found is None:
            raise JobNotFound(f"there is no job {job_id}; `penstock list -a` shows all")
        return found


def _name_of(content: bytes, job_id: str) -> str:
    try:
        return decode_submission(content).job_name
    except PenstockError:
        return job_id
