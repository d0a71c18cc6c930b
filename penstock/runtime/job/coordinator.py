"""One job as a state machine: events in, commands out; no I/O, no clock, no thread.

::

    CREATED --begin--> (workers register, tasks are deployed, opened) --> RUNNING --> FINISHED
       |                        |                                ^           |
       |                        |                                |           +-- failure, may start again --> RESTARTING
       |                        |                                +-- tasks stopped, time passed, deployed anew --+
       +---- cancel / failure --+-------------------------------------------+--> CANCELLING / FAILING --> CANCELED / FAILED

Nothing runs before the tasks of all workers are open. What was restored and does not fit what tasks declare then is one
failure, of all of them together, and ends the job, as it would be the same the next time.

Where the graph has independent regions, only the one that failed is stopped and started again, from the last checkpoint;
the rest goes on running. Another failure meanwhile widens what is started again. An attempt is over for a worker once it has
answered every ``StopTasks``, or has died: as messages of one worker come in order, none of an old attempt is seen after that,
and none need carry a number. The replacement of a worker that has died is started at once, and comes up while the others stop
and the restart is delayed.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum

from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.recovery import MOST_FAILURES_TOLD
from penstock.dataflow.regions import Regions
from penstock.dataflow.submission import JobStatus
from penstock.errors import (
    JobCancelled,
    PenstockError,
    ProgramError,
    RestoreFailed,
    RunSuperseded,
    WorkerLost,
)
from penstock.ids import SubtaskId, WorkerIndex
from penstock.runtime.job.restart_strategies import NoRestart, RestartStrategy
from penstock.runtime.messages import (
    Address,
    Deploy,
    Deployment,
    FromWorker,
    OpenTasks,
    PrepareToRestore,
    Renew,
    Restore,
    StartTasks,
    StopTasks,
    SubtaskFailed,
    SubtaskFinished,
    TasksDeployed,
    TasksOpened,
    TasksStopped,
    ToWorker,
    WorkerDied,
    WorkerRegistered,
)
from penstock.runtime.refused_states import RefusedStates, together


@dataclass(frozen=True, slots=True)
class StartWorkers:
    """Have the carrier start workers; none of them lives."""

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


@dataclass(frozen=True, slots=True)
class StopsWithSavepoint:
    """The job is to stop behind a savepoint, or is not any more; until it does, whatever fails fails all of it."""

    is_wanted: bool


Event = FromWorker | CancelRequested | StopTimedOut | RestartDue | JobBroken | StopsWithSavepoint


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
    """The state of one job. ``story`` keeps what happened, for the log of a failure.

    ``by_region``: a failure starts its region again, and not the whole job. ``affected`` are the subtasks that are being
    stopped, or started again; there are none while the job runs.
    """

    deployment: Deployment
    restarts: RestartStrategy = field(default_factory=NoRestart)
    by_region: bool = True
    status: JobStatus = JobStatus.CREATED
    failure: PenstockError | None = None
    failures: list[Failure] = field(default_factory=list)
    affected: frozenset[SubtaskId] = frozenset()
    finished_at_ms: dict[SubtaskId, int] = field(default_factory=dict)
    finished_accumulators: dict[SubtaskId, dict[str, Accumulator]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    _addresses: dict[WorkerIndex, Address | None] = field(default_factory=dict)
    _deployed: set[WorkerIndex] = field(default_factory=set)
    _opened: set[WorkerIndex] = field(default_factory=set)
    _refused: dict[SubtaskId, RefusedStates] = field(default_factory=dict)
    _owed: dict[WorkerIndex, int] = field(default_factory=dict)
    _dead: set[WorkerIndex] = field(default_factory=set)
    # Those that take the place of dead ones in the next attempt, with their addresses as soon as they are up.
    _replacements: dict[WorkerIndex, Address | None] = field(default_factory=dict)
    _being_replaced: set[WorkerIndex] = field(default_factory=set)
    _unfinished: set[SubtaskId] = field(default_factory=set)
    _last_accumulators: dict[WorkerIndex, dict[str, Accumulator]] = field(default_factory=dict)
    _regions: Regions | None = None
    _stops_with_savepoint: bool = False
    _stops_all: bool = False
    _phase: RestartPhase | None = None
    restart_delay_ms: int = 0

    def begin(self) -> list[Command]:
        """The job was taken over."""
        self._unfinished = set(self._all_subtasks())
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
            case TasksOpened(worker, refused):
                return self._tasks_opened(worker, refused, now_ms)
            case SubtaskFinished(subtask, accumulators):
                return self._subtask_finished(subtask, accumulators, now_ms)
            case SubtaskFailed(worker, subtask, error):
                where = worker if worker >= 0 else None
                return self._subtask_failed(self._failure(now_ms, error, subtask, where))
            case JobBroken(error, for_good):
                return self._fail(self._failure(now_ms, error), for_good=for_good)
            case WorkerDied(worker, reason):
                return self._worker_died(worker, reason, now_ms)
            case RestartDue(restore):
                return self._start_again(restore)
            case CancelRequested():
                return self._cancel()
            case StopsWithSavepoint(is_wanted):
                self._stops_with_savepoint = is_wanted
            case TasksStopped(worker, accumulators):
                return self._tasks_stopped(worker, accumulators)
            case StopTimedOut() if self._phase is RestartPhase.STOPPING:
                return self._give_up_unresponsive()
            case StopTimedOut() if self.is_ending:
                self._owed.clear()
                return self._end_when_stopped()
        return []

    # What is known ------------------------------------------------------------------------------------------------------

    @property
    def is_ending(self) -> bool:
        """Whether tasks are being stopped on the way to the end."""
        return self.status in (JobStatus.FAILING, JobStatus.CANCELLING)

    @property
    def is_between_attempts(self) -> bool:
        """Whether what failed is being stopped, or waits to be started again."""
        return self._phase in (RestartPhase.STOPPING, RestartPhase.PAUSING)

    @property
    def is_partial(self) -> bool:
        """Whether a part of the job starts again, and the rest goes on running."""
        return self._phase is not None and self.affected != frozenset(self._all_subtasks())

    def runs(self, subtask: SubtaskId) -> bool:
        """Whether a subtask goes on running as if nothing had happened, so that what it says counts."""
        if self.status is JobStatus.RUNNING:
            return True
        return self.status is JobStatus.RESTARTING and subtask not in self.affected

    @property
    def accumulators(self) -> dict[str, Accumulator]:
        """What the tasks that came to their end have counted."""
        merged: dict[str, Accumulator] = {}
        for given in (*self.finished_accumulators.values(), *self._last_accumulators.values()):
            for name, accumulator in given.items():
                if name in merged:
                    merged[name].merge(accumulator)
                else:
                    merged[name] = deepcopy(accumulator)
        return merged

    # Deploying and running ----------------------------------------------------------------------------------------------

    def _registered(self, worker: WorkerIndex, address: Address | None) -> list[Command]:
        if worker in self._being_replaced and self.is_between_attempts:
            self._replacements[worker] = address
            return [Send(worker, PrepareToRestore())] if self.deployment.takes_checkpoints else []
        if worker in self._addresses:
            return []
        self._addresses[worker] = address
        if self._phase is RestartPhase.STOPPING:
            return self._end_when_stopped()
        return [] if self.is_ending else self._deploy_when_registered()

    def _deploy_when_registered(self) -> list[Command]:
        hosts = self._hosts()
        if not all(worker in self._addresses for worker in hosts):
            return []
        peers = {
            index: address
            for index, address in self._addresses.items()
            if address is not None and index not in self._dead
        }
        subtasks = self.affected if self.is_partial else None
        return [Send(index, Deploy(self.deployment, peers, subtasks)) for index in hosts]

    def _tasks_deployed(self, worker: WorkerIndex) -> list[Command]:
        self._deployed.add(worker)
        hosts = self._hosts()
        if not self._is_deploying or not self._deployed.issuperset(hosts):
            return []
        return [Send(index, OpenTasks()) for index in hosts]

    @property
    def _is_deploying(self) -> bool:
        return self.status is JobStatus.CREATED or self._phase is RestartPhase.DEPLOYING

    def _tasks_opened(
        self, worker: WorkerIndex, refused: dict[SubtaskId, RefusedStates], now_ms: int
    ) -> list[Command]:
        self._opened.add(worker)
        self._refused |= refused
        hosts = self._hosts()
        if not self._is_deploying or not self._opened.issuperset(hosts):
            return []
        if self._refused:
            error, first = together(list(self._refused.values())), min(self._refused)
            return self._fail(self._failure(now_ms, error, first), for_good=True)
        self.status = JobStatus.RUNNING
        self._phase = None
        self.affected = frozenset()
        return [ChangeStatus(self.status), *(Send(index, StartTasks()) for index in hosts)]

    def _subtask_finished(
        self, subtask: SubtaskId, accumulators: dict[str, Accumulator], now_ms: int
    ) -> list[Command]:
        if self._phase is not None and subtask in self.affected:
            return []
        self.finished_accumulators[subtask] = accumulators
        self.finished_at_ms[subtask] = now_ms
        self._unfinished.discard(subtask)
        if self._unfinished or self.is_ending:
            return []
        self.status = JobStatus.FINISHED
        return [ChangeStatus(self.status), Release()]

    # Failures -----------------------------------------------------------------------------------------------------------

    def _failure(
        self,
        now_ms: int,
        error: PenstockError,
        subtask: SubtaskId | None = None,
        worker: WorkerIndex | None = None,
    ) -> Failure:
        return Failure(self.deployment.attempt, now_ms, error, subtask, worker)

    def _subtask_failed(self, failure: Failure) -> list[Command]:
        subtask = failure.subtask
        if self.is_between_attempts and subtask in self.affected:
            return []  # it is being stopped already
        # Workers that lost touch and both live have to connect anew, which all of them do when everything starts again.
        is_of_everybody = isinstance(failure.error, WorkerLost)
        return self._fail(failure, None if subtask is None or is_of_everybody else frozenset({subtask}))

    def _worker_died(self, worker: WorkerIndex, reason: str, now_ms: int) -> list[Command]:
        if self.is_between_attempts and worker in self._being_replaced:
            # Its replacement has died too; the next is started with the next attempt.
            self._being_replaced.discard(worker)
            self._replacements.pop(worker, None)
            return []
        self._dead.add(worker)
        self._owed.pop(worker, None)
        if self.is_ending:
            return self._end_when_stopped()
        lost = self._lost_with(worker)
        if not lost:
            return []  # nobody needs what it did any more
        if self.is_between_attempts and lost <= self.affected:
            # Where a part starts again, the others of it are told, so that they forget it.
            stopping = self._stop_to_start_again() if self.is_partial else self._end_when_stopped()
            return self._replace(worker) + stopping
        error = WorkerLost(f"worker {worker} was lost: {reason}")
        commands = self._fail(self._failure(now_ms, error, worker=worker), lost)
        return commands + self._replace(worker) if self.is_between_attempts else commands

    def _replace(self, worker: WorkerIndex) -> list[Command]:
        self._being_replaced.add(worker)
        return [StartWorkers((worker,))]

    def _lost_with(self, worker: WorkerIndex) -> frozenset[SubtaskId]:
        """The subtasks that have to start again because of a dead worker.

        Those that have finished are among them as long as somebody who is not at his end reads what they gave, and where they
        are to start again anyway. What blocking exchanges have kept lies at their readers, so where there are any everything
        is lost.
        """
        if any(edge.blocking for edge in self.deployment.graph.edges):
            return frozenset(self._all_subtasks())
        regions = self._known_regions()
        worker_of = self.deployment.placement.worker_of
        mine = [subtask for subtask in self._all_subtasks() if worker_of(subtask) == worker]
        starting = self.affected if self.is_between_attempts else frozenset()
        needed = self._unfinished | starting
        return frozenset(subtask for subtask in mine if not regions.of(subtask).isdisjoint(needed))

    def _fail(
        self, failure: Failure, failed: frozenset[SubtaskId] | None = None, for_good: bool = False
    ) -> list[Command]:
        if self.is_ending:
            return []
        hit = self._to_restart(failure.error, failed)
        if self.is_between_attempts and hit <= self.affected and not for_good:
            return []
        self.failure = failure.error
        # A new list, as other threads may be reading the one before.
        self.failures = [*self.failures, failure][-MOST_FAILURES_TOLD:]
        # What cannot even be begun as it was written will not be begun the next time.
        cannot_begin = self.status is JobStatus.CREATED and isinstance(
            failure.error, ProgramError | RestoreFailed
        )
        for_good = for_good or cannot_begin or isinstance(failure.error, RunSuperseded)
        delay_ms = None if for_good else self.restarts.delay_ms(failure.timestamp_ms)
        if delay_ms is None:
            return self._stop_for(JobStatus.FAILING)
        self.restart_delay_ms = delay_ms
        self.affected |= hit
        return self._stop_to_start_again()

    def _to_restart(self, error: PenstockError, failed: frozenset[SubtaskId] | None) -> frozenset[SubtaskId]:
        """What a failure makes start again; ``failed`` None: it is not known whose failure it is, or everybody's."""
        if (
            failed is None
            or not self.by_region
            or self.status is JobStatus.CREATED
            or self._stops_with_savepoint
            or isinstance(
                error, RestoreFailed
            )  # another checkpoint would be older than what the rest has done
        ):
            return frozenset(self._all_subtasks())
        return self._known_regions().to_restart(failed)

    def _cancel(self) -> list[Command]:
        if self.is_ending:
            return []
        self.failure = JobCancelled(f"job {self.deployment.job_id} was cancelled")
        return self._stop_for(JobStatus.CANCELLING)

    # Another attempt ----------------------------------------------------------------------------------------------------

    def _stop_to_start_again(self) -> list[Command]:
        self.status, self._phase = JobStatus.RESTARTING, RestartPhase.STOPPING
        return [ChangeStatus(self.status), *self._stop_affected()]

    def _give_up_unresponsive(self) -> list[Command]:
        late = [worker for worker in self._addresses if self._owed.get(worker)]
        return [GiveUpWorkers(tuple(late))] if late else []

    def _start_again(self, restore: Restore | None) -> list[Command]:
        if self._phase is not RestartPhase.PAUSING:
            return []
        self._phase = RestartPhase.DEPLOYING
        self.deployment = replace(self.deployment, attempt=self.deployment.attempt + 1, restore=restore)
        self._unfinished |= self.affected
        for subtask in self.affected:
            self.finished_accumulators.pop(subtask, None)
            self.finished_at_ms.pop(subtask, None)
        hosts, is_partial = self._hosts(), self.is_partial
        self._deployed.difference_update(hosts)
        self._opened.difference_update(hosts)
        self._refused.clear()
        dead = tuple(w for w in hosts if w in self._dead and w not in self._being_replaced)
        alive = [worker for worker in hosts if worker not in self._dead]
        for worker in self._dead.intersection(hosts) if is_partial else hosts:
            self._addresses.pop(worker, None)
        self._addresses |= self._replacements
        self._dead.difference_update(hosts)
        self._being_replaced.clear()
        self._replacements.clear()
        commands: list[Command] = [StartWorkers(dead)] if dead else []
        if not is_partial:
            self._stops_with_savepoint = self._stops_all = False
            commands += [Send(worker, Renew()) for worker in alive]
        return commands + self._deploy_when_registered()

    # The end ------------------------------------------------------------------------------------------------------------

    def _stop_for(self, status: JobStatus) -> list[Command]:
        self.status, self._phase = status, None
        self.affected = frozenset(self._all_subtasks())
        return [ChangeStatus(self.status), *self._stop_affected()]

    def _stop_affected(self) -> list[Command]:
        if self._stops_all:
            return self._end_when_stopped()  # everybody was told before
        self._stops_all = not self.is_partial
        stop = StopTasks() if self._stops_all else StopTasks(self.affected, frozenset(self._dead))
        stops: list[Command] = []
        for worker in self._hosts():
            if worker in self._addresses and worker not in self._dead:
                self._owed[worker] = self._owed.get(worker, 0) + 1
                stops.append(Send(worker, stop))
        return stops or self._end_when_stopped()

    def _tasks_stopped(self, worker: WorkerIndex, accumulators: dict[str, Accumulator]) -> list[Command]:
        if not self._owed.get(worker):
            return []
        self._owed[worker] -= 1
        if self.is_ending:
            self._last_accumulators[worker] = accumulators
        return self._end_when_stopped()

    def _end_when_stopped(self) -> list[Command]:
        if not all(self._has_stopped(worker) for worker in self._hosts()):
            return []
        if self._phase is RestartPhase.STOPPING:
            self._phase = RestartPhase.PAUSING
            return [StartAgain(self.restart_delay_ms)]
        if not self.is_ending:
            return []
        self.status = JobStatus.FAILED if self.status is JobStatus.FAILING else JobStatus.CANCELED
        return [ChangeStatus(self.status), Release()]

    def _has_stopped(self, worker: WorkerIndex) -> bool:
        if worker in self._dead:
            return True
        return not self._owed.get(worker) and (self.is_ending or worker in self._addresses)

    # Who and where ------------------------------------------------------------------------------------------------------

    def _hosts(self) -> list[WorkerIndex]:
        """The workers that run what is affected, or everything where nothing is."""
        if not self.is_partial:
            return self._all_workers()
        return sorted({self.deployment.placement.worker_of(subtask) for subtask in self.affected})

    def _all_workers(self) -> list[WorkerIndex]:
        return [WorkerIndex(index) for index in range(self.deployment.workers)]

    def _all_subtasks(self) -> list[SubtaskId]:
        return [subtask for vertex in self.deployment.graph.vertices for subtask in vertex.subtasks()]

    def _known_regions(self) -> Regions:
        if self._regions is None:
            self._regions = Regions(self.deployment.graph)
        return self._regions

    def _remember(self, event: Event) -> None:
        self.story.append(f"{self.status.name}: {event!r:.160}")
        del self.story[:-200]
