"""Carries out what the coordinator decides: starts workers, sends, waits, keeps time."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from penstock.clock import SYSTEM_CLOCK, Clock, monotonic
from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.errors import JobCancelled, JobFailed, PenstockError
from penstock.ids import JobID, SubtaskId, WorkerIndex
from penstock.runtime.coordination.split_assignment import SplitAssignment
from penstock.runtime.job.coordinator import (
    CancelRequested,
    ChangeStatus,
    Command,
    JobCoordinator,
    Release,
    Send,
    StartWorkers,
    StopTimedOut,
)
from penstock.runtime.messages import (
    Deployment,
    MetricsReport,
    ReportMetrics,
    RowsCollected,
    RowsTaken,
    SubtaskFailed,
    ToWorker,
)
from penstock.runtime.scheduling.placement import worker_of
from penstock.runtime.scheduling.worker_pool import WorkerPool

STOP_GRACE_S = 5.0
METRICS_INTERVAL_S = 1.0
LONGEST_POLL_S = 1.0


class JobDriver:
    """Runs one job. One thread calls :meth:`step` until :attr:`done`; ``request_cancel`` and readers may be others."""

    def __init__(self, deployment: Deployment, pool: WorkerPool, clock: Clock = SYSTEM_CLOCK) -> None:
        self._deployment = deployment
        self._pool = pool
        self._clock = clock
        self._coordinator = JobCoordinator(deployment)
        self._splits = SplitAssignment(deployment.graph, self._to_subtask, pool.wake_up, clock)
        self._cancel_wanted = False
        self._stop_deadline: float | None = None
        self._running_since = 0.0
        self._net_runtime_ms = 0
        self._next_metrics = 0.0
        self._metrics: dict[WorkerIndex, dict[str, Any]] = {}
        self._live_accumulators: dict[WorkerIndex, dict[str, Accumulator]] = {}
        self._rows: dict[str, deque[tuple[WorkerIndex, list[Any]]]] = {}
        # What was taken by whoever reads: the thread that steps tells the workers.
        self._taken: deque[tuple[WorkerIndex, str]] = deque()
        self.on_status: Callable[[JobStatus], None] = lambda status: None
        self.done = False

    @property
    def job_id(self) -> JobID:
        """The job's identity."""
        return self._deployment.job_id

    @property
    def status(self) -> JobStatus:
        """Where the job stands."""
        return self._coordinator.status

    def begin(self) -> None:
        """Start the workers."""
        self._carry_out(self._coordinator.begin())

    def step(self, most_s: float = LONGEST_POLL_S) -> None:
        """Let the workers work or wait for them, and see to what they say."""
        if self._cancel_wanted:
            self._cancel_wanted = False
            self._carry_out(self._coordinator.handle(CancelRequested()))
        if self.done:
            return
        while self._taken:
            worker, collector = self._taken.popleft()
            self._pool.send(worker, RowsTaken(collector, 1))
        for message in self._pool.poll(self._wait_s(most_s)):
            self._take(message)
        self._fail_on_error(self._splits.turn)
        self._keep_time()

    def _take(self, message: Any) -> None:
        match message:
            case RowsCollected(worker, collector, rows):
                self._rows.setdefault(collector, deque()).append((worker, rows))
            case MetricsReport(worker, metrics, accumulators):
                self._metrics[worker] = metrics
                self._live_accumulators[worker] = accumulators
            case _:
                if not self._fail_on_error(lambda: self._splits.handle(message)):
                    self._carry_out(self._coordinator.handle(message))

    def _fail_on_error(self, action: Callable[[], Any]) -> Any:
        """Run an enumerator's code; an error there fails the job."""
        try:
            return action()
        except PenstockError as error:
            self._carry_out(self._coordinator.handle(SubtaskFailed(WorkerIndex(-1), None, error)))
            return True

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case StartWorkers(count):
                    self._pool.start(count)
                case Send(worker, message):
                    self._pool.send(worker, message)
                case ChangeStatus(status):
                    self._status_changed(status)
                case Release():
                    self._release()

    def _status_changed(self, status: JobStatus) -> None:
        self.on_status(status)
        if status is JobStatus.RUNNING:
            self._running_since = monotonic()
            self._next_metrics = monotonic() + METRICS_INTERVAL_S
            self._fail_on_error(self._splits.start)
        elif self._coordinator.is_stopping:
            self._stop_deadline = monotonic() + STOP_GRACE_S

    def _release(self) -> None:
        if self._running_since:
            self._net_runtime_ms = round((monotonic() - self._running_since) * 1000)
        self._splits.close()
        self._pool.stop(STOP_GRACE_S)
        for message in self._pool.poll(0.0):
            if isinstance(message, MetricsReport | RowsCollected):
                self._take(message)
        self.done = True

    def _wait_s(self, most_s: float) -> float:
        waits = [most_s]
        if self._stop_deadline is not None:
            waits.append(self._stop_deadline - monotonic())
        due = self._splits.next_ms()
        if due is not None:
            waits.append((due - self._clock.now_ms()) / 1000)
        return max(0.0, min(waits))

    def _keep_time(self) -> None:
        now = monotonic()
        if self._stop_deadline is not None and now >= self._stop_deadline and not self.done:
            self._stop_deadline = None
            self._carry_out(self._coordinator.handle(StopTimedOut()))
        if self.status is JobStatus.RUNNING and now >= self._next_metrics:
            self._next_metrics = now + METRICS_INTERVAL_S
            for worker in range(self._deployment.workers):
                self._pool.send(WorkerIndex(worker), ReportMetrics())

    def _to_subtask(self, subtask: SubtaskId, message: ToWorker) -> None:
        self._pool.send(worker_of(subtask, self._deployment.workers), message)

    # What the client asks -----------------------------------------------------------------------------------------------

    def request_cancel(self) -> None:
        """Ask for the end; may be called by any thread."""
        self._cancel_wanted = True
        self._pool.wake_up()

    def take_rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collector has received so far; taking it makes room for more. Any one thread may read."""
        waiting = self._rows.get(collector)
        while waiting:
            worker, rows = waiting.popleft()
            self._taken.append((worker, collector))
            yield rows

    def wake_up(self) -> None:
        """End the wait of :meth:`step`, as rows were taken; may be called by any thread."""
        self._pool.wake_up()

    def metrics(self) -> dict[str, Any]:
        """The last report of every worker."""
        return {name: value for report in list(self._metrics.values()) for name, value in report.items()}

    def accumulators(self) -> dict[str, Any]:
        """Merged over what has finished and what was last reported."""
        from copy import deepcopy

        finished = list(self._coordinator.accumulators.items())
        merged = {name: deepcopy(accumulator) for name, accumulator in finished}
        for report in [] if self.done else list(self._live_accumulators.values()):
            for name, accumulator in report.items():
                if name in merged:
                    merged[name].merge(accumulator)
                else:
                    merged[name] = deepcopy(accumulator)
        return {name: accumulator.get_local_value() for name, accumulator in merged.items()}

    def result(self) -> JobExecutionResult:
        """The result of a job that is done; raises what made it fail."""
        failure = self._coordinator.failure
        if self.status is JobStatus.FINISHED:
            return JobExecutionResult(self.job_id, self._net_runtime_ms, self.accumulators(), self.metrics())
        if isinstance(failure, JobCancelled):
            raise failure
        name = self._deployment.graph.job_name
        raise JobFailed(f"job {name!r} ({self.job_id}) failed: {failure}") from failure
