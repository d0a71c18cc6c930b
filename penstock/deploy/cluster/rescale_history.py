"""How a job came to its parallelism: each change that was wanted, and what became of it.

Source: Flink 2.3's ``/jobs/:jobid/rescales``; causes, states and reasons are its words.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from penstock.chance import secret_token
from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobGraph
from penstock.dataflow.slots_wanted import slots_by_group
from penstock.dataflow.submission import JobStatus

MOST_KEPT = 100
RESTARTING = "Restarting"
WAITING = "WaitingForResources"
EXECUTING = "Executing"


class Cause(Enum):
    """Why a job was to have a parallelism."""

    INITIAL_SCHEDULE = "it was submitted"
    UPDATE_REQUIREMENT = "somebody asked for it"
    NEW_RESOURCE_AVAILABLE = "the slots are others"
    RECOVERABLE_FAILOVER = "it started again"


_CHANGES = (Cause.UPDATE_REQUIREMENT, Cause.NEW_RESOURCE_AVAILABLE)


class Reason(Enum):
    """Why it is over."""

    SUCCEEDED = auto()
    EXCEPTION_OCCURRED = auto()
    RESOURCE_REQUIREMENTS_UPDATED = auto()
    NO_RESOURCES_OR_PARALLELISMS_CHANGE = auto()
    JOB_FINISHED = auto()
    JOB_FAILED = auto()
    JOB_CANCELED = auto()

    @property
    def state(self) -> str:
        """What has become of it.

        >>> [reason.state for reason in (Reason.SUCCEEDED, Reason.EXCEPTION_OCCURRED, Reason.JOB_CANCELED)]
        ['COMPLETED', 'FAILED', 'IGNORED']
        """
        return {Reason.SUCCEEDED: "COMPLETED", Reason.EXCEPTION_OCCURRED: "FAILED"}.get(self, "IGNORED")


_OF_ENDED_JOBS = {
    JobStatus.RUNNING: Reason.SUCCEEDED,
    JobStatus.FINISHED: Reason.JOB_FINISHED,
    JobStatus.FAILED: Reason.JOB_FAILED,
    JobStatus.CANCELED: Reason.JOB_CANCELED,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide a job is: each vertex by the id of its first operator, and the slots of each slot sharing group."""

    parallelisms: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(graph: JobGraph) -> "Layout":
        """That of a graph."""
        return Layout(
            {vertex.head.id: vertex.parallelism for vertex in graph.vertices}, slots_by_group(graph)
        )


@dataclass(slots=True)
class Span:
    """A state of the way, from when to when."""

    state: str
    entered_ms: int
    left_ms: int | None = None
    failure: str | None = None


@dataclass(slots=True, eq=False)
class Rescale:
    """One change. ``before`` is None for the first one, ``reason`` as long as it is under way."""

    number: int
    cause: Cause
    before: Layout | None
    wanted: Layout
    spans: list[Span]
    requirements_id: str
    id: str = field(default_factory=lambda: secret_token(16).hex())
    reason: Reason | None = None

    @property
    def started_ms(self) -> int:
        """When it began."""
        return self.spans[0].entered_ms

    @property
    def ended_ms(self) -> int | None:
        """When it was over."""
        return None if self.reason is None else self.spans[-1].entered_ms

    @property
    def after(self) -> Layout | None:
        """What the job has come to; None where it stayed as it was."""
        return self.wanted if self.reason is Reason.SUCCEEDED else None

    def come_to(self, state: str) -> None:
        """It has come into another state."""
        now = SYSTEM_CLOCK.now_ms()
        self.spans[-1].left_ms = now
        self.spans.append(Span(state, now))


class RescaleHistory:
    """Of one job; the last ones are kept, and all are counted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.changes = 0
        """How often it has come to another parallelism."""
        self._kept: deque[Rescale] = deque(maxlen=MOST_KEPT)
        self._number = 0
        self._requirements_id = secret_token(16).hex()

    def begin(self, cause: Cause, before: JobGraph | None, wanted: JobGraph) -> Rescale:
        """A change is wanted; one that is under way has not come to its end then."""
        asked = cause is Cause.UPDATE_REQUIREMENT
        self._end_all(
            Reason.RESOURCE_REQUIREMENTS_UPDATED if asked else Reason.NO_RESOURCES_OR_PARALLELISMS_CHANGE
        )
        return self._add(cause, before, wanted)

    def _add(self, cause: Cause, before: JobGraph | None, wanted: JobGraph) -> Rescale:
        self._number += 1
        if cause is Cause.UPDATE_REQUIREMENT:
            self._requirements_id = secret_token(16).hex()
        first = Span(WAITING if before is None else RESTARTING, SYSTEM_CLOCK.now_ms())
        layout = None if before is None else Layout.of(before)
        made = Rescale(self._number, cause, layout, Layout.of(wanted), [first], self._requirements_id)
        self._kept.append(made)
        return made

    def end(self, rescale: Rescale, reason: Reason, failure: str | None = None) -> None:
        """It is over; only the first end counts."""
        if rescale.reason is None:
            rescale.spans[-1].failure = failure
            rescale.come_to(EXECUTING)
            rescale.reason = reason
            self.counts[reason.state] += 1
            self.changes += reason is Reason.SUCCEEDED and rescale.cause in _CHANGES

    def ignore(self, cause: Cause, graph: JobGraph) -> None:
        """What is wanted is what there is."""
        self.end(self._add(cause, graph, graph), Reason.NO_RESOURCES_OR_PARALLELISMS_CHANGE)

    def note(self, status: JobStatus, graph: JobGraph) -> None:
        """The job, which nobody rescales, has come into a status: it starts again at its parallelism, or has come to it."""
        reason = _OF_ENDED_JOBS.get(status)
        if reason is not None:
            self._end_all(reason)
        elif status is JobStatus.RESTARTING and not self.in_progress:
            self.begin(Cause.RECOVERABLE_FAILOVER, graph, graph)

    def end_with(self, rescale: Rescale, status: JobStatus, error: BaseException | None) -> None:
        """It came to its end, with an error or without, when the job was in a status."""
        if error is None:
            self.end(rescale, Reason.SUCCEEDED)
        else:
            ended = status.is_globally_terminal_state() or status is JobStatus.CANCELLING
            reason = _OF_ENDED_JOBS.get(status, Reason.JOB_CANCELED) if ended else Reason.EXCEPTION_OCCURRED
            self.end(rescale, reason, str(error))

    def _end_all(self, reason: Reason) -> None:
        for each in list(self._kept):
            self.end(each, reason)

    def kept(self) -> list[Rescale]:
        """The last ones, the newest first."""
        return list(reversed(self._kept))

    @property
    def in_progress(self) -> int:
        """How many are under way."""
        return sum(each.reason is None for each in list(self._kept))
