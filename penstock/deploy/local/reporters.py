"""Who is told what is measured of a job in this process and its workers: the reporters that the job's options name.

As in Flink, where a program without a cluster has a small one within its process for each job, its reporters are told of a
JobManager, of a TaskManager with all slots, and of the job; the names and variables are those of a cluster.
"""

from collections.abc import Mapping

from penstock.chance import secret_token
from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics, PastAttempt, Recovery
from penstock.dataflow.submission import JobStatus
from penstock.deploy.measured import Places, readings
from penstock.deploy.traced import spans
from penstock.ids import SubtaskId
from penstock.metrics.process_metrics import process_metrics
from penstock.metrics.readings import Reading, Scope, placed
from penstock.metrics.reporters.reporting import Reporting
from penstock.metrics.reporters.tracing import Tracing
from penstock.metrics.system_resources import SystemResources
from penstock.metrics.traces import Span
from penstock.runtime.job.attempts import Attempts
from penstock.runtime.job.driver import JobDriver

HOST = "localhost"


class LocalReporters:
    """Those of one job, from :meth:`start`, before it begins, to :meth:`close`, when it is done.

    :raises PenstockError: for options that make no sense.
    """

    def __init__(self, driver: JobDriver, graph: JobGraph, workers: int) -> None:
        options = graph.settings
        self._driver = driver
        self._job = _OwnJob(driver, graph)
        self._places = Places(1, workers, 0)
        self._id = options.get("taskmanager.resource-id") or secret_token(16).hex()
        self._machine = SystemResources.of(options)
        self._reporting = Reporting(options, self._readings)
        self._tracing = Tracing(options, self._spans)
        driver.on_status = self._job.note
        driver.wants_readings = self._reporting.has_reporters

    def start(self) -> None:
        """Begin to tell. A reporter that cannot, as its port is taken, is logged and left out."""
        self._reporting.start()
        self._tracing.start()

    def close(self) -> None:
        """Tell what is not told yet of spans, and nothing more."""
        self._reporting.close()
        self._tracing.close()

    def _readings(self) -> list[Reading]:
        own = [
            Reading(Scope.TASKMANAGER, name, value) for name, value in process_metrics(self._machine).items()
        ]
        of_taskmanager = placed([*own, *self._driver.readings()], {"host": HOST, "tm_id": self._id})
        return [*readings([self._job], self._places, HOST, self._machine), *of_taskmanager]

    def _spans(self) -> dict[object, Span]:
        return spans([self._job], HOST)


class _OwnJob:
    """The job of a driver, as it is told of."""

    parallelism_changes = 0

    def __init__(self, driver: JobDriver, graph: JobGraph) -> None:
        self._driver = driver
        self.graph = graph
        self.id = str(driver.job_id)
        self.name = graph.job_name
        self.started_at_ms = SYSTEM_CLOCK.now_ms()
        self.times: Mapping[JobStatus, int] = {JobStatus.CREATED: self.started_at_ms}

    def note(self, status: JobStatus) -> None:
        """It has come into a status now."""
        self.times = {**self.times, status: SYSTEM_CLOCK.now_ms()}

    @property
    def status(self) -> JobStatus:
        return self._driver.status

    @property
    def ended_at_ms(self) -> int | None:
        return next((at for status, at in self.times.items() if status.is_globally_terminal_state()), None)

    @property
    def attempts(self) -> Attempts:
        return self._driver.attempts

    def past_attempts(self, subtask: SubtaskId) -> tuple[PastAttempt, ...]:
        return self._driver.attempts.past(subtask)

    def recovery(self) -> Recovery:
        return self._driver.recovery()

    def checkpoints(self) -> list[CheckpointStatistics]:
        return self._driver.checkpoints()

    def checkpoint_counts(self) -> dict[CheckpointState, int]:
        return self._driver.checkpoint_counts()
