"""One job as a state machine: events in, commands out; no I/O, no clock, no thread.

::

    CREATED --begin--> (workers register, tasks are deployed) --> RUNNING --> FINISHED
       |                        |                                   |
       +---- cancel / failure --+-----------------------------------+--> CANCELLING / FAILING --> CANCELED / FAILED
"""

from dataclasses import dataclass, field

from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.submission import JobStatus
from penstock.errors import JobCancelled, PenstockError, WorkerLost
from penstock.ids import SubtaskId, WorkerIndex
from penstock.runtime.messages import (
    Address,
    Deploy,
    Deployment,
    FromWorker,
    StartTasks,
    StopTasks,
    SubtaskFailed,
    SubtaskFinished,
    TasksDeployed,
    TasksStopped,
    ToWorker,
    WorkerDied,
    WorkerRegistered,
)


@dataclass(frozen=True, slots=True)
class StartWorkers:
    """Have the carrier start workers."""

    count: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one worker."""

    worker: WorkerIndex
    message: ToWorker


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """The job has come into another state."""

    status: JobStatus


@dataclass(frozen=True, slots=True)
class Release:
    """The job is over: let the workers go."""


Command = StartWorkers | Send | ChangeStatus | Release


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The user, or the end of the client, wants the job to stop."""


@dataclass(frozen=True, slots=True)
class StopTimedOut:
    """Workers did not stop their tasks in time; they are given up."""


Event = FromWorker | CancelRequested | StopTimedOut


@dataclass(slots=True)
class JobCoordinator:
    """The state of one job. ``story`` keeps what happened, for the log of a failure."""

    deployment: Deployment
    status: JobStatus = JobStatus.CREATED
    failure: PenstockError | None = None
    accumulators: dict[str, Accumulator] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    _addresses: dict[WorkerIndex, Address | None] = field(default_factory=dict)
    _deployed: set[WorkerIndex] = field(default_factory=set)
    _stopped: set[WorkerIndex] = field(default_factory=set)
    _dead: set[WorkerIndex] = field(default_factory=set)
    _unfinished: set[SubtaskId] = field(default_factory=set)

    def begin(self) -> list[Command]:
        """The job was taken over."""
        self._unfinished = {s for vertex in self.deployment.graph.vertices for s in vertex.subtasks()}
        return [StartWorkers(self.deployment.workers)]

    def handle(self, event: Event) -> list[Command]:
        """What to do about an event."""
        self._remember(event)
        if self.status.is_globally_terminal_state():
            return []
        match event:
            case WorkerRegistered(worker, address):
                return self._registered(worker, address)
            case TasksDeployed(worker):
                return self._tasks_deployed(worker)
            case SubtaskFinished(subtask, accumulators):
                return self._subtask_finished(subtask, accumulators)
            case SubtaskFailed(_, _, error):
                return self._fail(error)
            case WorkerDied(worker, reason):
                return self._worker_died(worker, reason)
            case CancelRequested():
                return self._cancel()
            case TasksStopped(worker, accumulators):
                self._merge(accumulators)
                self._stopped.add(worker)
                return self._end_when_stopped()
            case StopTimedOut() if self.is_stopping:
                self._stopped.update(self._all_workers())
                return self._end_when_stopped()
        return []

    @property
    def is_stopping(self) -> bool:
        """Whether tasks are being stopped on the way to the end."""
        return self.status in (JobStatus.FAILING, JobStatus.CANCELLING)

    def _registered(self, worker: WorkerIndex, address: Address | None) -> list[Command]:
        if worker in self._addresses:
            return []
        self._addresses[worker] = address
        if self.is_stopping or len(self._addresses) < self.deployment.workers:
            return []
        peers = {index: address for index, address in self._addresses.items() if address is not None}
        return [Send(index, Deploy(self.deployment, peers)) for index in self._all_workers()]

    def _tasks_deployed(self, worker: WorkerIndex) -> list[Command]:
        self._deployed.add(worker)
        if self.status is not JobStatus.CREATED or len(self._deployed) < self.deployment.workers:
            return []
        self.status = JobStatus.RUNNING
        return [ChangeStatus(self.status), *(Send(index, StartTasks()) for index in self._all_workers())]

    def _subtask_finished(self, subtask: SubtaskId, accumulators: dict[str, Accumulator]) -> list[Command]:
        self._merge(accumulators)
        self._unfinished.discard(subtask)
        if self._unfinished or self.is_stopping:
            return []
        self.status = JobStatus.FINISHED
        return [ChangeStatus(self.status), Release()]

    def _worker_died(self, worker: WorkerIndex, reason: str) -> list[Command]:
        self._dead.add(worker)
        if self.is_stopping:
            return self._end_when_stopped()
        return self._fail(WorkerLost(f"worker {worker} was lost: {reason}"))

    def _fail(self, error: PenstockError) -> list[Command]:
        if self.is_stopping:
            return []
        self.failure = error
        self.status = JobStatus.FAILING
        return [ChangeStatus(self.status), *self._stop_all()]

    def _cancel(self) -> list[Command]:
        if self.is_stopping:
            return []
        self.failure = JobCancelled(f"job {self.deployment.job_id} was cancelled")
        self.status = JobStatus.CANCELLING
        return [ChangeStatus(self.status), *self._stop_all()]

    def _stop_all(self) -> list[Command]:
        stops: list[Command] = [
            Send(index, StopTasks())
            for index in self._all_workers()
            if index not in self._dead and index in self._addresses
        ]
        self._stopped.update(index for index in self._all_workers() if index not in self._addresses)
        return stops or self._end_when_stopped()

    def _end_when_stopped(self) -> list[Command]:
        if not self.is_stopping or not set(self._all_workers()) <= self._stopped | self._dead:
            return []
        self.status = JobStatus.FAILED if self.status is JobStatus.FAILING else JobStatus.CANCELED
        return [ChangeStatus(self.status), Release()]

    def _all_workers(self) -> list[WorkerIndex]:
        return [WorkerIndex(index) for index in range(self.deployment.workers)]

    def _merge(self, accumulators: dict[str, Accumulator]) -> None:
        for name, accumulator in accumulators.items():
            if name in self.accumulators:
                self.accumulators[name].merge(accumulator)
            else:
                self.accumulators[name] = accumulator

    def _remember(self, event: Event) -> None:
        self.story.append(f"{self.status.name}: {event!r:.160}")
        del self.story[:-200]
