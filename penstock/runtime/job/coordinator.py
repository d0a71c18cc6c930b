"""One job as a state machine: events in, commands out; no I/O, no clock, no thread.

::

    CREATED --begin--> (workers register, tasks are deployed) --> RUNNING --> FINISHED
       |                        |                        ^           |
       |                        |                        |           +-- failure, may start again --> RESTARTING
       |                        |                        +-- tasks stopped, time passed, deployed anew --+
       +---- cancel / failure --+-----------------------------------+--> CANCELLING / FAILING --> CANCELED / FAILED

An attempt is over for a worker once it has answered ``StopTasks``, or has died: as messages of one worker come in order, none
of an old attempt is seen after that, and none need carry a number. The replacement of a worker that has died is started at
once, and comes up while the others stop and the restart is delayed.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum

from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.submission import JobStatus
from penstock.errors import JobCancelled, PenstockError, ProgramError, RestoreFailed, WorkerLost
from penstock.ids import SubtaskId, WorkerIndex
from penstock.runtime.job.restart_strategies import NoRestart, RestartStrategy
from penstock.runtime.messages import (
    Address,
    Deploy,
    Deployment,
    FromWorker,
    PrepareToRestore,
    Renew,
    Restore,
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
    """Have the carrier start workers; none of them lives, though the others may."""

    workers: tuple[WorkerIndex, ...]


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


@dataclass(frozen=True, slots=True)
class StartAgain:
    """Tell the coordinator ``RestartDue`` in so many milliseconds, with what the tasks go on from then."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class GiveUpWorkers:
    """Have the carrier kill workers that do not stop their tasks; it tells of their death."""

    workers: tuple[WorkerIndex, ...]


Command = StartWorkers | Send | ChangeStatus | Release | StartAgain | GiveUpWorkers


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The user, or the end of the client, wants the job to stop."""


@dataclass(frozen=True, slots=True)
class StopTimedOut:
    """Workers did not stop their tasks in time; they are given up."""


@dataclass(frozen=True, slots=True)
class RestartDue:
    """It is time for another attempt; ``restore`` is None where no checkpoint was completed."""

    restore: Restore | None


@dataclass(frozen=True, slots=True)
class JobBroken:
    """Something that is no task's failed, such as too many checkpoints. ``for_good``: starting again cannot help."""

    error: PenstockError
    for_good: bool = False


Event = FromWorker | CancelRequested | StopTimedOut | RestartDue | JobBroken


class RestartPhase(Enum):
    """How far a job in state RESTARTING is."""

    STOPPING = 0
    PAUSING = 1
    DEPLOYING = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt ended; ``subtask`` and ``worker`` say where, as far as that is known."""

    attempt: int
    timestamp_ms: int
    error: PenstockError
    subtask: SubtaskId | None = None
    worker: WorkerIndex | None = None


@dataclass(slots=True)
class JobCoordinator:
    """The state of one job. ``story`` keeps what happened, for the log of a failure."""

    deployment: Deployment
    restarts: RestartStrategy = field(default_factory=NoRestart)
    status: JobStatus = JobStatus.CREATED
    failure: PenstockError | None = None
    failures: list[Failure] = field(default_factory=list)
    accumulators: dict[str, Accumulator] = field(default_factory=dict)
    finished_at_ms: dict[SubtaskId, int] = field(default_factory=dict)
    finished_accumulators: dict[SubtaskId, dict[str, Accumulator]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    _addresses: dict[WorkerIndex, Address | None] = field(default_factory=dict)
    _deployed: set[WorkerIndex] = field(default_factory=set)
    _stopped: set[WorkerIndex] = field(default_factory=set)
    _dead: set[WorkerIndex] = field(default_factory=set)
    # Those that take the place of dead ones in the next attempt, with their addresses as soon as they are up.
    _replacements: dict[WorkerIndex, Address | None] = field(default_factory=dict)
    _being_replaced: set[WorkerIndex] = field(default_factory=set)
    _unfinished: set[SubtaskId] = field(default_factory=set)
    _phase: RestartPhase | None = None
    restart_delay_ms: int = 0

    def begin(self) -> list[Command]:
        """The job was taken over."""
        self._unfinished = {s for vertex in self.deployment.graph.vertices for s in vertex.subtasks()}
        return [StartWorkers(tuple(self._all_workers()))]

    def handle(self, event: Event, now_ms: int = 0) -> list[Command]:
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
                return self._subtask_finished(subtask, accumulators, now_ms)
            case SubtaskFailed(worker, subtask, error):
                return self._fail(error, now_ms, subtask=subtask, worker=worker if worker >= 0 else None)
            case JobBroken(error, for_good):
                return self._fail(error, now_ms, for_good)
            case WorkerDied(worker, reason):
                return self._worker_died(worker, reason, now_ms)
            case RestartDue(restore):
                return self._start_again(restore)
            case CancelRequested():
                return self._cancel()
            case TasksStopped(worker, accumulators):
                self._merge(accumulators)
                self._stopped.add(worker)
                return self._end_when_stopped()
            case StopTimedOut() if self._phase is RestartPhase.STOPPING:
                return self._give_up_unresponsive()
            case StopTimedOut() if self.is_ending:
                self._stopped.update(self._all_workers())
                return self._end_when_stopped()
        return []

    @property
    def is_ending(self) -> bool:
        """Whether tasks are being stopped on the way to the end."""
        return self.status in (JobStatus.FAILING, JobStatus.CANCELLING)

    @property
    def is_stopping(self) -> bool:
        """Whether tasks are being stopped, for good or to start again."""
        return self.is_ending or self._phase is RestartPhase.STOPPING

    def _registered(self, worker: WorkerIndex, address: Address | None) -> list[Command]:
        if worker in self._being_replaced and self.is_between_attempts:
            self._replacements[worker] = address
            return [Send(worker, PrepareToRestore())] if self.deployment.takes_checkpoints else []
        if worker in self._addresses:
            return []
        self._addresses[worker] = address
        if self._phase is RestartPhase.STOPPING:
            self._stopped.add(worker)
            return self._end_when_stopped()
        return [] if self.is_ending else self._deploy_when_complete()

    def _deploy_when_complete(self) -> list[Command]:
        if len(self._addresses) < self.deployment.workers:
            return []
        peers = {index: address for index, address in self._addresses.items() if address is not None}
        return [Send(index, Deploy(self.deployment, peers)) for index in self._all_workers()]

    def _tasks_deployed(self, worker: WorkerIndex) -> list[Command]:
        self._deployed.add(worker)
        if self.status is not JobStatus.CREATED and self._phase is not RestartPhase.DEPLOYING:
            return []
        if len(self._deployed) < self.deployment.workers:
            return []
        self.status = JobStatus.RUNNING
        self._phase = None
        return [ChangeStatus(self.status), *(Send(index, StartTasks()) for index in self._all_workers())]

    def _subtask_finished(
        self, subtask: SubtaskId, accumulators: dict[str, Accumulator], now_ms: int
    ) -> list[Command]:
        if self._phase is not None:
            return []
        self.finished_accumulators[subtask] = deepcopy(
            accumulators
        )  # those of the job are merged into each other
        self._merge(accumulators)
        self._unfinished.discard(subtask)
        self.finished_at_ms[subtask] = now_ms
        if self._unfinished or self.is_ending:
            return []
        self.status = JobStatus.FINISHED
        return [ChangeStatus(self.status), Release()]

    def _worker_died(self, worker: WorkerIndex, reason: str, now_ms: int) -> list[Command]:
        if self.is_between_attempts and worker in self._being_replaced:
            # Its replacement has died too; the next is started with the next attempt.
            self._being_replaced.discard(worker)
            self._replacements.pop(worker, None)
            return []
        self._dead.add(worker)
        if self.is_ending:
            return self._end_when_stopped()
        if self.is_between_attempts:
            return self._replace(worker) + self._end_when_stopped()
        commands = self._fail(WorkerLost(f"worker {worker} was lost: {reason}"), now_ms, worker=worker)
        return commands + self._replace(worker) if self.is_between_attempts else commands

    def _replace(self, worker: WorkerIndex) -> list[Command]:
        self._being_replaced.add(worker)
        return [StartWorkers((worker,))]

    @property
    def is_between_attempts(self) -> bool:
        """Whether the last attempt is being stopped, or the next one is waited for."""
        return self._phase in (RestartPhase.STOPPING, RestartPhase.PAUSING)

    def _fail(
        self,
        error: PenstockError,
        now_ms: int,
        for_good: bool = False,
        subtask: SubtaskId | None = None,
        worker: WorkerIndex | None = None,
    ) -> list[Command]:
        if self.is_ending or (self.is_between_attempts and not for_good):
            return []
        self.failure = error
        self.failures.append(Failure(self.deployment.attempt, now_ms, error, subtask, worker))
        # What cannot even be begun as it was written will not be begun the next time.
        for_good = for_good or (
            self.status is JobStatus.CREATED and isinstance(error, ProgramError | RestoreFailed)
        )
        delay_ms = None if for_good else self.restarts.delay_ms(now_ms)
        if delay_ms is None:
            self.status, self._phase = JobStatus.FAILING, None
        else:
            self.status, self._phase = JobStatus.RESTARTING, RestartPhase.STOPPING
            self.restart_delay_ms = delay_ms
        return [ChangeStatus(self.status), *self._stop_all()]

    def _cancel(self) -> list[Command]:
        if self.is_ending:
            return []
        self.failure = JobCancelled(f"job {self.deployment.job_id} was cancelled")
        self.status, self._phase = JobStatus.CANCELLING, None
        return [ChangeStatus(self.status), *self._stop_all()]

    # Another attempt ----------------------------------------------------------------------------------------------------

    def _give_up_unresponsive(self) -> list[Command]:
        late = [w for w in self._addresses if w not in self._stopped and w not in self._dead]
        return [GiveUpWorkers(tuple(late))] if late else []

    def _start_again(self, restore: Restore | None) -> list[Command]:
        if self._phase is not RestartPhase.PAUSING:
            return []
        self._phase = RestartPhase.DEPLOYING
        self.deployment = replace(self.deployment, attempt=self.deployment.attempt + 1, restore=restore)
        self.accumulators.clear()
        self.finished_at_ms.clear()
        self.finished_accumulators.clear()
        self._unfinished = {s for vertex in self.deployment.graph.vertices for s in vertex.subtasks()}
        dead = tuple(w for w in self._all_workers() if w in self._dead and w not in self._being_replaced)
        alive = [worker for worker in self._all_workers() if worker not in self._dead]
        for kept in (self._addresses, self._deployed, self._stopped, self._dead, self._being_replaced):
            kept.clear()
        self._addresses, self._replacements = self._replacements, {}
        commands: list[Command] = [StartWorkers(dead)] if dead else []
        commands += [Send(worker, Renew()) for worker in alive]
        return commands + self._deploy_when_complete()

    # The end ------------------------------------------------------------------------------------------------------------

    def _stop_all(self) -> list[Command]:
        stops: list[Command] = [
            Send(index, StopTasks())
            for index in self._all_workers()
            if index not in self._dead and index in self._addresses
        ]
        if self.is_ending:
            self._stopped.update(index for index in self._all_workers() if index not in self._addresses)
        return stops or self._end_when_stopped()

    def _end_when_stopped(self) -> list[Command]:
        if not set(self._all_workers()) <= self._stopped | self._dead:
            return []
        if self._phase is RestartPhase.STOPPING:
            self._phase = RestartPhase.PAUSING
            return [StartAgain(self.restart_delay_ms)]
        if not self.is_ending:
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
