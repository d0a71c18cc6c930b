"""A job as its metrics and spans are told of, wherever it runs."""

from collections.abc import Mapping
from typing import Protocol

from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics, PastAttempt, Recovery
from penstock.dataflow.submission import JobStatus
from penstock.ids import SubtaskId
from penstock.runtime.job.attempts import Attempts


class ToldJob(Protocol):
    """What is known of a job; any thread may ask."""

    @property
    def id(self) -> str:
        """Its identity."""

    @property
    def name(self) -> str:
        """What the program calls it."""

    @property
    def graph(self) -> JobGraph:
        """What runs."""

    @property
    def status(self) -> JobStatus:
        """Where it stands."""

    @property
    def times(self) -> Mapping[JobStatus, int]:
        """When it came into each status, in milliseconds since the epoch."""

    @property
    def started_at_ms(self) -> int:
        """When it was taken over."""

    @property
    def ended_at_ms(self) -> int | None:
        """When it was over; None before."""

    @property
    def parallelism_changes(self) -> int:
        """How often it has come to another parallelism."""

    @property
    def attempts(self) -> Attempts:
        """The attempts of each subtask under its present driver."""

    def past_attempts(self, subtask: SubtaskId) -> tuple[PastAttempt, ...]:
        """The attempts of a subtask before its last one, the oldest first."""

    def recovery(self) -> Recovery:
        """How it came through its failures so far."""

    def checkpoints(self) -> list[CheckpointStatistics]:
        """What became of its last checkpoints and savepoints, the oldest first."""

    def checkpoint_counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state, of all there were."""
