"""Carries out what the coordinator decides: starts workers, sends, waits, keeps time."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.checkpoint.settings import CheckpointSettings, checkpoint_settings
from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.accumulators import Accumulator, merged_values, values_of
from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import (
    CheckpointState,
    CheckpointStatistics,
    Recovery,
    SavepointWish,
)
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.errors import JobCancelled, JobFailed, OutsideError, PenstockError, ProgramError, RestoreFailed
from penstock.ids import JobID, SubtaskId, WorkerIndex
from penstock.runtime.background import Background, MakeBackground
from penstock.runtime.coordination.split_assignment import SplitAssignment
from penstock.runtime.job.attempts import Attempts, findings_of
from penstock.runtime.job.checkpoints_on_demand import CheckpointsOnDemand
from penstock.runtime.job.collected_rows import CollectedRows, rows_would_come_twice
from penstock.runtime.job.coordinator import (
    CancelRequested,
    ChangeStatus,
    Command,
    Event,
    GiveUpWorkers,
    JobBroken,
    JobCoordinator,
    Release,
    RestartDue,
    Send,
    StartAgain,
    StartWorkers,
    StopsWithSavepoint,
    StopTimedOut,
)
from penstock.runtime.job.restart_strategies import NoRestart, restart_strategy, restarts_regions
from penstock.runtime.job.start import KeptCheckpoints, Succession, as_settings_say
from penstock.runtime.messages import (
    Deployment,
    FromReader,
    MetricsReport,
    ReaderStarted,
    ReportMetrics,
    Restore,
    RowsCollected,
    RowsTaken,
    SnapshotTaken,
    SplitRequested,
    SubtaskFailed,
    ToWorker,
)
from penstock.runtime.scheduling.worker_pool import WorkerPool

if TYPE_CHECKING:
    from concurrent.futures import Future

    from penstock.checkpoint.events import CompletedCheckpoint
    from penstock.metrics.readings import Reading
    from penstock.runtime.job.checkpointing import JobCheckpoints
    from penstock.runtime.job.story import RestartStory

STOP_GRACE_S = 5.0
METRICS_INTERVAL_S = 1.0
LONGEST_POLL_S = 1.0


def may_restart(graph: JobGraph) -> bool:
    """Whether a job of this graph may start again after a failure."""
    takes_checkpoints = checkpoint_settings(graph.settings, graph.batch_mode).enabled
    return not isinstance(restart_strategy(graph.settings, takes_checkpoints), NoRestart)


def _as_it_begins(deployment: Deployment, settings: CheckpointSettings, succession: Succession) -> Deployment:
    return replace(
        as_settings_say(deployment, settings),
        restore=_restore(succession.kept.latest, deployment),
        keeps_inputs=deployment.graph.batch_mode and may_restart(deployment.graph),
    )


def _restore(start_from: "CompletedCheckpoint | None", deployment: Deployment) -> Restore | None:
    if start_from is None:
        return None
    from penstock.runtime.job.checkpointing import restore_of

    return restore_of(start_from, deployment)


ALONE = Succession()


class JobDriver:
    """Runs one job. One thread calls :meth:`step` until :attr:`done`; ``request_cancel`` and readers may be others."""

    def __init__(
        self,
        deployment: Deployment,
        pool: WorkerPool,
        clock: Clock = SYSTEM_CLOCK,
        succession: Succession = ALONE,
        make_background: MakeBackground = Background,
    ) -> None:
        options = deployment.graph.settings
        settings = checkpoint_settings(options, deployment.graph.batch_mode)
        self._deployment = deployment = _as_it_begins(deployment, settings, succession)
        self._make_background = make_background
        self._pool = pool
        self._clock = clock
        self._coordinator = JobCoordinator(
            deployment,
            restart_strategy(options, settings.enabled, str(deployment.job_id)),
            restarts_regions(options),
        )
        # A worker that reports has opened its operators: until all have, the trial goes on.
        self._on_trial = set(range(deployment.workers)) if succession.is_trial else set()
        needs_checkpoints = settings.enabled or succession.kept.latest is not None
        make_checkpoints = partial(self._make_checkpoints, settings, make_background, succession)
        self._checkpoints: JobCheckpoints | CheckpointsOnDemand = (
            make_checkpoints()
            if needs_checkpoints
            else CheckpointsOnDemand(make_checkpoints, succession.kept)
        )
        self._splits = self._new_splits()
        self.attempts = Attempts.of_job(deployment.graph, deployment.attempt)
        # On which TaskManager each worker is, where there are any.
        self.places: Callable[[], dict[int, str]] = dict
        self._restart_at_ms: int | None = None
        self._part: frozenset[SubtaskId] | None = None
        self._story: RestartStory | None = None
        self._settings = settings
        self._savepoints_wanted: deque[tuple[SavepointWish, Future[str]]] = deque()
        self._checkpoints_wanted: deque[Future[int]] = deque()
        self._savepoint_number = 0
        self._stopping: tuple[Future[str], str] | None = None
        self._cancel_wanted = False
        self._is_suspended = False
        self._stop_deadline: float | None = None
        self._running_since = 0.0
        self._net_runtime_ms = 0
        self._next_metrics = 0.0
        self._metrics: dict[WorkerIndex, dict[str, Any]] = {}
        self._live_accumulators: dict[WorkerIndex, dict[SubtaskId, dict[str, Accumulator]]] = {}
        self.wants_readings = False  # for reporters of this process
        self._readings: dict[WorkerIndex, tuple[Reading, ...]] = {}
        holds_back = settings.enabled and settings.exactly_once
        self.rows = CollectedRows(holds_back, may_repeat=settings.enabled)
        self._checkpoints.on_complete = self.rows.complete
        self.on_status: Callable[[JobStatus], None] = lambda status: None
        self.on_settled: Callable[[], None] = lambda: None
        # Asked before checkpoints of a job that is over are removed, and may block: whether they may be.
        self.on_over: Callable[[], bool] = lambda: True
        self.done = False
        self.has_left = False
        """Whether it has ended so that another driver can go on where it was."""

    @property
    def job_id(self) -> JobID:
        """The job's identity."""
        return self._deployment.job_id

    @property
    def status(self) -> JobStatus:
        """Where the job stands."""
        return self._coordinator.status

    @property
    def restarting_part(self) -> frozenset[SubtaskId] | None:
        """What is being started again while the rest of the job goes on; None where nothing is, or everything."""
        return self._coordinator.affected if self._coordinator.is_partial else None

    @property
    def latest_checkpoint(self) -> "CompletedCheckpoint | None":
        """The checkpoint that the job would go back to now."""
        return self._checkpoints.latest

    @property
    def kept_checkpoints(self) -> KeptCheckpoints:
        """What another driver would go on with."""
        return self._checkpoints.kept

    def begin(self) -> None:
        """Start the workers."""
        self._carry_out(self._coordinator.begin())

    def step(self, most_s: float = LONGEST_POLL_S) -> None:
        """Let the workers work or wait for them, and see to what they say."""
        if self._cancel_wanted:
            self._cancel_wanted = False
            self._tell(CancelRequested())
        if self.done:
            self._refuse_savepoints()
            return
        self._see_to_wishes()
        while self.rows.paid:
            worker, collector = self.rows.paid.popleft()
            self._pool.send(worker, RowsTaken(collector, 1))
        for message in self._pool.poll(self.wait_s(most_s)):
            self._take(message)
        if not self.done:
            self._fail_on_error(self._splits.turn)
            self._checkpoints.turn()
        self._keep_time()

    def _see_to_wishes(self) -> None:
        """Whoever asks while the first attempt is being deployed is not refused, but waits until it runs."""
        while self._savepoints_wanted and self.status is not JobStatus.CREATED:
            self._want_savepoint(*self._savepoints_wanted.popleft())
        while self._checkpoints_wanted and self.status is not JobStatus.CREATED:
            self._checkpoints.want_checkpoint(self._checkpoints_wanted.popleft())

    def _make_checkpoints(
        self,
        settings: CheckpointSettings,
        make_background: MakeBackground,
        succession: Succession,
    ) -> "JobCheckpoints":
        from penstock.runtime.job.checkpointing import JobCheckpoints, JobReach

        reach = JobReach(
            self._to_all_workers,
            lambda error: self._tell(JobBroken(error)),
            self._pool.wake_up,
            self._clock,
            make_background,
        )
        return JobCheckpoints(self._deployment, settings, reach, succession)

    def _new_splits(self) -> SplitAssignment:
        return SplitAssignment(
            self._deployment.graph,
            self._to_subtask,
            self._pool.wake_up,
            self._clock,
            self._checkpoints.latest_enumerators(),
            self._make_background,
        )

    def _tell(self, event: Event) -> None:
        """Tell the coordinator, and do what it wants."""
        self._carry_out(self._coordinator.handle(event, self._clock.now_ms()))

    def _take(self, message: Any) -> None:
        match message:
            case RowsCollected(worker, collector, rows, subtask):
                if not self._coordinator.is_between_attempts or self._runs(subtask):
                    self.rows.add(worker, collector, rows, subtask)
            case SnapshotTaken(subtask, checkpoint_id):
                self.rows.mark(subtask, checkpoint_id)
            case MetricsReport(worker, metrics, accumulators, readings):
                self._metrics[worker] = metrics
                self._live_accumulators[worker] = accumulators
                self._readings[worker] = readings
                if worker in self._on_trial and self.status is JobStatus.RUNNING:
                    self._on_trial.discard(worker)
                    if not self._on_trial:
                        self.on_settled()
            case ReaderStarted(subtask) | SplitRequested(subtask) | FromReader(subtask, _):
                if self._runs(subtask):
                    self._fail_on_error(lambda: self._splits.handle(message))
            case _:
                if not self._checkpoints.take(message):
                    self._tell(message)

    def _runs(self, subtask: SubtaskId | None) -> bool:
        return subtask is not None and self._coordinator.runs(subtask)

    def _fail_on_error(self, action: Callable[[], Any]) -> Any:
        """Run an enumerator's code; an error there fails the job."""
        try:
            return action()
        except PenstockError as error:
            self._tell(SubtaskFailed(WorkerIndex(-1), None, error))
            return True

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case StartWorkers(workers):
                    self._pool.start(workers)
                case Send(worker, message):
                    self._pool.send(worker, message)
                case ChangeStatus(status):
                    self._status_changed(status)
                case StartAgain(delay_ms):
                    self._stop_deadline = None
                    self._restart_at_ms = self._clock.now_ms() + delay_ms
                case GiveUpWorkers(workers):
                    self._pool.kill(workers)
                case Release():
                    self._release()

    def _status_changed(self, status: JobStatus) -> None:
        self._tell_story(status)
        self.on_status(status)
        if status is not JobStatus.FINISHED:  # which is answered when nothing is left of the job
            self._answer_stop(status)
        if status is JobStatus.RUNNING:
            self._running_since = self._running_since or self._clock.monotonic_s()
            self._next_metrics = self._clock.monotonic_s() + METRICS_INTERVAL_S
            if self._part is not None:
                self._checkpoints.start_part(self._part)
                return
            self._fail_on_error(self._splits.start)
            if self.status is JobStatus.RUNNING:  # not failed by an enumerator that cannot start
                self._checkpoints.start(self._splits)
        elif status in (JobStatus.RESTARTING, JobStatus.FAILING, JobStatus.CANCELLING):
            self._stop_deadline = self._clock.monotonic_s() + STOP_GRACE_S
            self._restart_at_ms = None
            self._readings.clear()
            part = self.restarting_part
            if part is None:
                self._splits.close()
            self._checkpoints.stop(f"the job is {status.name}", part=part is not None)
        elif status is JobStatus.FINISHED:
            self.rows.finished()

    def _tell_story(self, status: JobStatus) -> None:
        """Tell the log, and note what becomes of attempts."""
        coordinator, now_ms = self._coordinator, self._clock.now_ms()
        if status is JobStatus.RESTARTING:
            if self._story is None:
                from penstock.runtime.job.story import RestartStory

                self._story = RestartStory(coordinator)
            self._story.restarts()
            places = self.places()
            self.attempts.note_places(coordinator.failures, places)
            found = findings_of(coordinator, places, self.metrics(), self.subtask_accumulators())
            self.attempts.stop(sorted(coordinator.affected), found, now_ms)
        elif status is JobStatus.RUNNING:
            if self._story is not None:
                self._story.runs(self._checkpoints.latest)
            self.attempts.run(self._part, coordinator.deployment.attempt, now_ms)

    def _start_again(self) -> None:
        self._restart_at_ms = None
        self._part = self.restarting_part
        if self.rows.cannot_start_again(self._part):
            self._tell(JobBroken(rows_would_come_twice(), for_good=True))
            return
        if self._part is not None:
            self._start_part_again(self._part)
            return
        last = self._coordinator.failures[-1].error
        if isinstance(last, RestoreFailed) and not self._checkpoints.fall_back(last):
            self._tell(JobBroken(last, for_good=True))
            return
        restore = self._checkpoints.begin_again()
        self._splits = self._new_splits()
        self.rows.restarted()
        self._live_accumulators.clear()
        self._tell(RestartDue(restore))

    def _start_part_again(self, part: frozenset[SubtaskId]) -> None:
        restore = self._checkpoints.begin_again(part=True)
        back_to = 0 if restore is None else restore.checkpoint_id
        if self._fail_on_error(lambda: self._splits.reset(part, back_to)):
            return
        self.rows.restarted(part)
        self._live_accumulators.clear()
        self._tell(RestartDue(restore))

    def _release(self) -> None:
        if self._running_since:
            self._net_runtime_ms = round((self._clock.monotonic_s() - self._running_since) * 1000)
        self._splits.close()
        self._pool.stop(STOP_GRACE_S)
        for message in self._pool.poll(0.0):
            if isinstance(message, MetricsReport | RowsCollected):
                self._take(message)
        suspended = self._is_suspended and self.status is JobStatus.CANCELED
        if suspended or (self._on_trial and self.status is JobStatus.FAILED):
            self._checkpoints.leave()
            self.has_left = True
        elif self.on_over():
            self._checkpoints.close(self.status)
        else:
            self._checkpoints.leave()
        self.done = True
        self._answer_stop(self.status)
        self._refuse_savepoints()

    def wait_s(self, most_s: float) -> float:
        """How long :meth:`step` has nothing to do unless a message comes, but ``most_s`` at most."""
        waits = [most_s]
        if self._stop_deadline is not None:
            waits.append(self._stop_deadline - self._clock.monotonic_s())
        for due in (self._splits.next_ms(), self._checkpoints.next_ms(), self._restart_at_ms):
            waits += [] if due is None else [(due - self._clock.now_ms()) / 1000]
        return max(0.0, min(waits))

    def _keep_time(self) -> None:
        now = self._clock.monotonic_s()
        if self._stop_deadline is not None and now >= self._stop_deadline and not self.done:
            self._stop_deadline = None
            self._tell(StopTimedOut())
        if self._restart_at_ms is not None and self._clock.now_ms() >= self._restart_at_ms:
            self._start_again()
        if self.status is JobStatus.RUNNING and now >= self._next_metrics:
            self._next_metrics = now + METRICS_INTERVAL_S
            for worker in range(self._deployment.workers):
                self._pool.send(WorkerIndex(worker), ReportMetrics(self.wants_readings))

    def _to_all_workers(self, message: ToWorker) -> None:
        for worker in range(self._deployment.workers):
            self._pool.send(WorkerIndex(worker), message)

    def _to_subtask(self, subtask: SubtaskId, message: ToWorker) -> None:
        self._pool.send(self._deployment.placement.worker_of(subtask), message)

    # What the client asks -----------------------------------------------------------------------------------------------

    def request_cancel(self) -> None:
        """Ask for the end; may be called by any thread."""
        self._is_suspended = False
        self._end()

    def _end(self) -> None:
        self._cancel_wanted = True
        self._pool.wake_up()

    def request_suspension(self) -> None:
        """Ask for an end after which another driver can go on from the latest checkpoint; may be called by any thread."""
        self._is_suspended = True
        self._end()

    def request_savepoint(self, wish: SavepointWish) -> "Future[str]":
        """Ask for a savepoint; the future has its path once it is complete. May be called by any thread."""
        from concurrent.futures import Future

        future: Future[str] = Future()
        self._savepoints_wanted.append((wish, future))
        if self.done:
            self._refuse_savepoints()
        else:
            self._pool.wake_up()
        return future

    def request_checkpoint(self) -> "Future[int]":
        """Ask for a checkpoint now; the future has its number once it is complete. May be called by any thread."""
        from concurrent.futures import Future

        future: Future[int] = Future()
        if self._deployment.graph.batch_mode:
            future.set_exception(ProgramError(f"job {self.job_id} runs in BATCH mode, without checkpoints"))
            return future
        self._checkpoints_wanted.append(future)
        if self.done:
            self._refuse_savepoints()
        else:
            self._pool.wake_up()
        return future

    def _want_savepoint(self, wish: SavepointWish, future: "Future[str]") -> None:
        from penstock.runtime.job.savepoint_wishes import savepoint_request

        try:
            request = savepoint_request(wish, self._settings, self.job_id, self._savepoint_number + 1)
        except ProgramError as error:
            future.set_exception(error)
            return
        self._savepoint_number += 1

        def answer(path: str | None, error: PenstockError | None) -> None:
            if path is None:
                if wish.stops:
                    self._tell(StopsWithSavepoint(False))
                future.set_exception(error or OutsideError("the savepoint was given up"))
                return
            if wish.stops:
                self._stopping = (future, path)
                return
            future.set_result(path)
            if wish.cancels:
                self._cancel_wanted = True

        if wish.stops:
            self._tell(StopsWithSavepoint(True))
        self._checkpoints.want_savepoint(request, answer)

    @property
    def is_stopping(self) -> bool:
        """Whether a savepoint is written that the job stops with, which is not answered yet."""
        return self._stopping is not None

    def _answer_stop(self, status: JobStatus) -> None:
        """The job was to stop with a savepoint that is written; now it has stopped, or does not come to it."""
        if self._stopping is None:
            return
        (future, path), self._stopping = self._stopping, None
        if status is JobStatus.FINISHED:
            future.set_result(path)
            return
        future.set_exception(
            OutsideError(
                f"the savepoint is written, at {path}, but job {self.job_id} has not stopped: it is {status.name}; "
                "one that starts again goes on from this savepoint"
            )
        )

    def _refuse_savepoints(self) -> None:
        while self._savepoints_wanted:
            _, future = self._savepoints_wanted.popleft()
            future.set_exception(
                OutsideError(f"job {self.job_id} is {self.status.name}: it has no savepoint to give")
            )
        while self._checkpoints_wanted:
            self._checkpoints_wanted.popleft().set_exception(
                OutsideError(f"job {self.job_id} is {self.status.name}: it takes no checkpoint")
            )

    def checkpoints(self) -> list[CheckpointStatistics]:
        """What became of the last checkpoints and savepoints, the oldest first."""
        return list(self._checkpoints.history)

    def checkpoint_counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state, of all there were."""
        return dict(self._checkpoints.counts)

    def recovery(self) -> Recovery:
        """How often the job started again, why, and from which checkpoint it runs now."""
        coordinator = self._coordinator
        restore = coordinator.deployment.restore
        return Recovery(
            coordinator.deployment.attempt,
            tuple(f"attempt {failure.attempt}: {failure.error}" for failure in coordinator.failures),
            None if restore is None else restore.checkpoint_id,
            self.attempts.told(coordinator.failures, self.places()),
        )

    def finished_at_ms(self) -> dict[SubtaskId, int]:
        """The subtasks that have come to their end in this attempt, and when."""
        return dict(self._coordinator.finished_at_ms)

    def take_rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collector has received so far; taking it makes room for more. Any one thread may read."""
        return self.rows.take(collector)

    def wake_up(self) -> None:
        """End the wait of :meth:`step`, as rows were taken; may be called by any thread."""
        self._pool.wake_up()

    def metrics(self) -> dict[str, Any]:
        """The last report of every worker."""
        return {name: value for report in list(self._metrics.values()) for name, value in report.items()}

    def readings(self) -> "list[Reading]":
        """What was last told of the tasks that run, where :attr:`wants_readings` is set; any thread may ask."""
        return [reading for told in list(self._readings.values()) for reading in told]

    def accumulators(self) -> dict[str, Any]:
        """Merged over what has finished and what was last reported."""
        others = [] if self.done else self._unfinished().values()
        return merged_values(self._coordinator.accumulators, others)

    def subtask_accumulators(self) -> dict[SubtaskId, dict[str, Any]]:
        """Of each subtask, as it ended or was last reported."""
        by_subtask = {**self._unfinished(), **self._coordinator.finished_accumulators}
        return {subtask: values_of(own) for subtask, own in by_subtask.items()}

    def _unfinished(self) -> dict[SubtaskId, dict[str, Accumulator]]:
        finished = self._coordinator.finished_at_ms
        reports = list(self._live_accumulators.values())
        return {s: own for report in reports for s, own in report.items() if s not in finished}

    def result(self) -> JobExecutionResult:
        """The result of a job that is done; raises what made it fail."""
        failure = self._coordinator.failure
        if self.status is JobStatus.FINISHED:
            return JobExecutionResult(
                self.job_id,
                self._net_runtime_ms,
                self.accumulators(),
                self.metrics(),
                self.recovery(),
                tuple(self.checkpoints()),
            )
        if isinstance(failure, JobCancelled):
            raise failure
        name = self._deployment.graph.job_name
        raise JobFailed(f"job {name!r} ({self.job_id}) failed: {failure}") from failure
