"""One job of a JobManager, over all the drivers that it has had."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.dataflow.recovery import (
    MOST_FAILURES_TOLD,
    AttemptFailure,
    CheckpointState,
    CheckpointStatistics,
    PastAttempt,
    Recovery,
)
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.deploy.cluster.job_results import JobResult
from penstock.deploy.cluster.rescale_history import Cause, Rescale, RescaleHistory
from penstock.deploy.cluster.submission import Submission
from penstock.deploy.local.executor import LocalJob
from penstock.errors import JobCancelled, JobFailed, OutsideError, PenstockError, ProgramError
from penstock.ids import JobID, SubtaskId
from penstock.operators.collect import CollectSpec
from penstock.operators.contract import OperatorSpec
from penstock.runtime.job.attempts import Attempts
from penstock.runtime.job.ended import EndedDriver
from penstock.runtime.placement import placed_by_group
from penstock.runtime.task_values import Measured

MOST_CHECKPOINTS_TOLD = 100
MOST_ATTEMPTS_TOLD = 100

_UNTIL_FORGOTTEN = {
    JobStatus.FINISHED: JobStatus.RUNNING,
    JobStatus.FAILED: JobStatus.FAILING,
    JobStatus.CANCELED: JobStatus.CANCELLING,
}
_MAY_RESCALE = (JobStatus.CREATED, JobStatus.RUNNING, JobStatus.RESTARTING)


class JobNotFound(ProgramError):
    """No job of this id is known."""


class JobArrives(OutsideError):
    """A job that a JobManager before this one has left is not taken up yet."""


class Phase(Enum):
    """How far a job is on its way to another parallelism."""

    STOPPING = "stopping where it was"
    TRYING = "starting at the new parallelism"
    RETURNING = "starting at the old parallelism again"


@dataclass(slots=True, eq=False)
class Rescaling:
    """A job's way to another parallelism, and back where it does not come to run there; ``told`` is its place in the history.
    ``done`` once it runs at the new one; raises why it does not."""

    graph: JobGraph
    before: JobGraph
    told: Rescale
    done: "Future[None]" = field(default_factory=Future)
    phase: Phase = Phase.STOPPING

    def succeed(self) -> None:
        """The job runs at its new parallelism."""
        with suppress(InvalidStateError):  # somebody has cancelled it meanwhile
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        """The job does not come to its new parallelism; the first reason counts."""
        with suppress(InvalidStateError):
            self.done.set_exception(OutsideError(why))


@dataclass(slots=True)
class Past:
    """What became of a job under the drivers before its present one. ``jobs``: those whose rows a client may still take."""

    failures: tuple[str, ...] = ()
    attempts: tuple[AttemptFailure, ...] = ()
    checkpoints: tuple[CheckpointStatistics, ...] = ()
    counts: Counter[CheckpointState] = field(default_factory=Counter)
    jobs: tuple[LocalJob, ...] = ()
    subtasks: dict[SubtaskId, tuple[PastAttempt, ...]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class DispatchedJob:
    """One job. ``times``: when it came into each status, in milliseconds since the epoch; ``places`` says on which
    TaskManager each of its workers is. ``is_cancelled``: somebody wants its end. ``lock`` is held while what storage has of
    it is changed; ``is_forgotten``: nobody will take it up any more. ``is_over``: it has ended, and all is known of how."""

    submission: Submission
    name: str
    graph: JobGraph
    job: LocalJob = field(init=False)
    rescaling: Rescaling | None = None
    is_cancelled: bool = False
    times: dict[JobStatus, int] = field(default_factory=dict)
    failure: str = ""
    net_runtime_ms: int = 0
    places: Callable[[], dict[int, str]] = dict
    past: Past = field(default_factory=Past)
    rescales: RescaleHistory = field(default_factory=RescaleHistory)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_forgotten: bool = False
    is_over: bool = False

    @property
    def id(self) -> str:
        """Its identity."""
        return self.submission.job_id

    @property
    def is_rescaling(self) -> bool:
        """Whether it is on its way to another parallelism."""
        return self.rescaling is not None

    @property
    def may_rescale(self) -> bool:
        """Whether it runs, or waits to, and nobody wants its end."""
        return not self.is_rescaling and not self.is_cancelled and self.job.status() in _MAY_RESCALE

    @property
    def status(self) -> JobStatus:
        """Where it stands. It has not ended before it is forgotten: until then another JobManager may still run it again."""
        status, rescaling = self.job.status(), self.rescaling
        if rescaling is None:
            return status if self.is_forgotten else _UNTIL_FORGOTTEN.get(status, status)
        if self.is_cancelled:
            return JobStatus.CANCELLING
        stops = status in (JobStatus.CREATED, JobStatus.CANCELLING, JobStatus.CANCELED)
        return JobStatus.RESTARTING if stops or rescaling.phase is not Phase.STOPPING else status

    @property
    def has_ended(self) -> bool:
        """Whether it is over for good."""
        return self.status.is_globally_terminal_state()

    def begin_rescaling(self, graph: JobGraph, cause: Cause) -> Rescaling:
        """It is to go on as another graph."""
        told = self.rescales.begin(cause, self.graph, graph)
        self.rescaling = begun = Rescaling(graph, self.graph, told)
        begun.done.add_done_callback(
            lambda outcome: self.rescales.end_with(told, self.status, outcome.exception())
        )
        return begun

    def places_of(self, vertex: JobVertex) -> list[str]:
        """For each subtask of a vertex the TaskManager in whose slot it is, or was last; nothing while it has none."""
        placement, places = placed_by_group(self.graph), self.places()
        return [places.get(placement.worker_of(subtask), "") for subtask in vertex.subtasks()]

    def measured(self) -> Measured:
        """What is measured of its subtasks now."""
        return Measured(self.job.metrics(), self.graph)

    @property
    def attempts(self) -> Attempts:
        """The attempts of each subtask under its present driver."""
        return self.job.attempts

    @property
    def parallelism_changes(self) -> int:
        """How often it has come to another parallelism."""
        return self.rescales.changes

    @property
    def started_at_ms(self) -> int:
        """When it was taken over."""
        return self.times[JobStatus.CREATED]

    @property
    def ended_at_ms(self) -> int | None:
        """When it was over."""
        return next((at for status, at in self.times.items() if status.is_globally_terminal_state()), None)

    def as_result(self, epoch: int) -> JobResult:
        """What is noted of its end under the JobManager of an epoch. It has come to it, forgotten or not."""
        now_ms, status = SYSTEM_CLOCK.now_ms(), self.job.status().name
        return JobResult(self.id, self.name, status, self.failure, self.started_at_ms, now_ms, epoch)

    @property
    def collectors(self) -> set[str]:
        """The collecting sinks whose rows go to a client."""
        specs = [chained.spec for vertex in self.graph.vertices for chained in vertex.operators]
        return {spec.collector for spec in specs if isinstance(spec, CollectSpec)}

    def take_rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collecting sink has received and nobody has taken, from whichever driver it came."""
        now = (
            self.job
        )  # asked first: where another takes its place in this moment, it is among those of the past
        for each in (*self.past.jobs, now):
            yield from each.take_rows(collector)

    @property
    def rows_have_ended(self) -> bool:
        """Whether no other rows come, under another driver neither."""
        now = self.job
        return now.is_done and not self.is_rescaling and self.job is now

    def note_status(self, status: JobStatus) -> None:
        """It has come into a status now."""
        self.times.pop(status, None)
        self.times[status] = SYSTEM_CLOCK.now_ms()
        if self.rescaling is None:
            self.rescales.note(status, self.graph)

    def recovery(self) -> Recovery:
        """How it came through its failures so far."""
        now, past = self.job.recovery(), self.past
        return Recovery(
            now.restarts,
            (*past.failures, *now.failures)[-MOST_FAILURES_TOLD:],
            now.restored_checkpoint,
            (*past.attempts, *now.attempts)[-MOST_FAILURES_TOLD:],
        )

    def checkpoints(self) -> list[CheckpointStatistics]:
        """What became of its last checkpoints and savepoints, the oldest first."""
        return [*self.past.checkpoints, *self.job.checkpoints()][-MOST_CHECKPOINTS_TOLD:]

    def checkpoint_counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state, of all there were."""
        return dict(self.past.counts + Counter(self.job.checkpoint_counts()))

    def past_attempts(self, subtask: SubtaskId) -> tuple[PastAttempt, ...]:
        """The attempts of a subtask before its last one that are remembered, the oldest first."""
        return (*self.past.subtasks.get(subtask, ()), *self.job.attempts.past(subtask))

    def let_go(self) -> None:
        """It has ended: keep nothing but what is told of it."""
        self.submission = replace(self.submission, graph=b"", files=None)
        self.graph = _without_specs(self.graph)
        self.job.let_go()

    def keep_past(self, graph: JobGraph) -> Past:
        """What is told of it when another driver goes on after the one that ran ``graph``."""
        told = self.recovery()
        counts = self.past.counts + Counter(self.job.checkpoint_counts())
        jobs = self.past.jobs
        if self.collectors:
            self.job.let_go()
            jobs += (self.job,)
        return Past(
            told.failures, told.attempts, tuple(self.checkpoints()), counts, jobs, self._past_subtasks(graph)
        )

    def _past_subtasks(self, graph: JobGraph) -> dict[SubtaskId, tuple[PastAttempt, ...]]:
        """All attempts of subtasks under this driver and those before it."""
        driven, now_ms = self.job, SYSTEM_CLOCK.now_ms()
        measured, finished = Measured(driven.metrics(), graph), driven.finished_at_ms()
        accumulators = driven.subtask_accumulators()
        placement, places = placed_by_group(graph), self.places()
        found = {}
        for vertex in graph.vertices:
            for subtask in vertex.subtasks():
                running, known = driven.attempts.running(subtask), self.past_attempts(subtask)
                if known and known[-1].number == running.number:  # it had ended before the driver stopped
                    found[subtask] = known[-MOST_ATTEMPTS_TOLD:]
                    continue
                last = PastAttempt(
                    running.number,
                    "FINISHED" if subtask in finished else "CANCELED",
                    running.began_ms,
                    finished.get(subtask, now_ms),
                    places.get(placement.worker_of(subtask), ""),
                    measured.of_task(vertex, subtask.index),
                    accumulators.get(subtask, {}),
                )
                found[subtask] = (*known, last)[-MOST_ATTEMPTS_TOLD:]
        return found


@dataclass(slots=True, eq=False)
class ArrivingJob:
    """A job that is being taken up again: its modules are loaded, its checkpoints looked for. ``failure``: why that could not
    be done so far; it is tried again until ``given_up``."""

    id: str
    name: str
    since_ms: int
    failure: str = ""
    given_up: threading.Event = field(default_factory=threading.Event)

    def told(self) -> JobArrives:
        """What is said to whoever asks for it."""
        why = f"; so far it could not: {self.failure}" if self.failure else ""
        return JobArrives(f"job {self.id} is being taken up again{why}")

    def as_cancelled(self) -> DispatchedJob:
        """What is told of it when it was cancelled before it was taken up."""
        error = JobCancelled(f"job {self.id} was cancelled before it was taken up again")
        made = self._as_ended(JobStatus.CANCELED, error, self.since_ms)
        made.note_status(JobStatus.CANCELED)
        return made

    def as_noted(self, result: JobResult) -> DispatchedJob:
        """What is told of it when it had ended under a JobManager before this one."""
        outcome: JobExecutionResult | PenstockError = JobExecutionResult(JobID(self.id), 0)
        if result.ended_as is not JobStatus.FINISHED:
            error = JobCancelled if result.ended_as is JobStatus.CANCELED else JobFailed
            outcome = error(result.failure or f"job {self.id} is {result.status}")
        made = self._as_ended(result.ended_as, outcome, result.started_ms)
        made.times[result.ended_as] = result.ended_ms
        made.failure = result.failure
        return made

    def _as_ended(
        self, status: JobStatus, outcome: JobExecutionResult | PenstockError, started_ms: int
    ) -> DispatchedJob:
        submission, graph = Submission(self.id, self.name, b""), JobGraph(self.name, (), (), False)
        made = DispatchedJob(submission, self.name, graph)
        made.job = LocalJob(EndedDriver.that_has_not_run(JobID(self.id), status, outcome))
        made.times[JobStatus.CREATED] = started_ms
        made.is_cancelled = status is JobStatus.CANCELED
        made.is_forgotten = made.is_over = True
        return made


def _without_specs(graph: JobGraph) -> JobGraph:
    """The graph as it is told of when it does not run any more: what travels to workers, such as a collection's elements, is
    left out, but for the names of collecting sinks."""
    vertices = tuple(
        replace(vertex, operators=tuple(_without_spec(operator) for operator in vertex.operators))
        for vertex in graph.vertices
    )
    return replace(graph, vertices=vertices)


def _without_spec(operator: ChainedOperator) -> ChainedOperator:
    return operator if isinstance(operator.spec, CollectSpec) else replace(operator, spec=OperatorSpec())
