"""What a sink promises: a writer in each task, and where it can, a committer for its second phase.

Between two barriers a writer writes; ``prepare_commit`` at the barrier hands out what the committer makes visible once the
checkpoint is complete. Commits are idempotent: after a failure the same committable is committed again. Source: Flink's
documentation, "Sinks" (FLIP-143, FLIP-372).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from penstock.clock import Clock
from penstock.contracts.effects import Effect
from penstock.metrics.kinds import MetricGroup

if TYPE_CHECKING:
    import pyarrow

    from penstock.contracts.context import RuntimeContext


class WriterInitContext(Protocol):
    """What a writer may ask of the engine."""

    def index_of_subtask(self) -> int:
        """Which writer this is, from 0."""

    def number_of_parallel_subtasks(self) -> int:
        """How many writers there are."""

    def attempt_number(self) -> int:
        """How often the writer was started before."""

    def job_id(self) -> str:
        """The job."""

    def operator_id(self) -> str:
        """The sink's operator, the same in every attempt."""

    def restored_checkpoint_id(self) -> int | None:
        """The checkpoint that the task goes on from; None for one that starts from nothing."""

    def configuration(self) -> dict[str, str]:
        """The job's settings."""

    def metric_group(self) -> MetricGroup:
        """Where the writer registers its metrics."""

    def clock(self) -> Clock:
        """The task's clock."""

    def register_timer(self, at_ms: int, callback: Callable[[int], None]) -> Callable[[], None]:
        """Have ``callback(at_ms)`` called between two records when the clock has reached ``at_ms``; what is returned takes
        it back."""

    def runtime_context(self) -> "RuntimeContext":
        """What functions of the user are given in ``open``."""

    def join_checkpoints(self, function: Any) -> None:
        """Have a function of the user take part in checkpoints, if it is of a kind that does; before its ``open``."""


class SinkWriterContext(Protocol):
    """Given with each record."""

    def timestamp(self) -> int | None:
        """The record's event time."""

    def current_watermark(self) -> int:
        """The task's watermark."""


class SinkWriter(ABC):
    """Writes the records of one task."""

    @abstractmethod
    def write(self, element: Any, context: SinkWriterContext) -> None:
        """Write or buffer one record."""

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        """Write many records; overridden where that is cheaper. ``context.timestamp()`` is set for each ``write``."""
        moving: Any = context
        write = self.write
        for index, value in enumerate(values):
            moving.now_at(None if timestamps is None else timestamps[index])
            write(value, context)

    def write_columns(self, columns: "pyarrow.RecordBatch", context: SinkWriterContext) -> None:
        """Write a batch of Arrow columns; only for sinks whose ``input_layout`` is columns or any."""
        self.write(columns, context)

    def write_watermark(self, watermark: int) -> None:  # noqa: B027
        """The task's watermark has moved."""

    def flush(self, end_of_input: bool) -> None:  # noqa: B027
        """Write out what is buffered; called before each ``prepare_commit`` and at the end."""

    def close(self) -> None:  # noqa: B027
        """Called once at the end, also after a failure."""


class CommittingSinkWriter(SinkWriter):
    """A writer whose output becomes visible in a second phase."""

    @abstractmethod
    def prepare_commit(self) -> list[Any]:
        """What was written since the last call, as picklable committables."""


class StatefulSinkWriter(SinkWriter):
    """A writer that remembers something over a restart."""

    @abstractmethod
    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        """Picklable states; after a restart at another parallelism a writer may get several or none."""


class Committer(ABC):
    """Makes committables visible. Must stand being asked for the same one twice."""

    @abstractmethod
    def commit(self, committables: list[Any]) -> list[Any]:
        """Commit all; return those that should be tried again later."""

    def recommit(self, committables: list[Any]) -> list[Any]:
        """Commit what a restored checkpoint holds, before there is a writer; return those that should be tried again."""
        return self.commit(committables)

    def progress(self) -> int:
        """A number that grows while what was handed back gets on: a commit that takes long is not one that stands still."""
        return 0

    def close(self) -> None:  # noqa: B027
        """Called once at the end."""


class Sink(ABC):
    """A factory that travels to the cluster and makes a writer in each task."""

    input_layout = "rows"
    """``rows``, ``columns``, or ``any`` for a sink that writes both as they come."""
    effect = Effect.CHANGES
    """What it does to the records that it is given; a sink that says ``NONE`` never changes one."""

    @abstractmethod
    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        """A writer for one task that starts from nothing."""

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> SinkWriter:
        """A writer that goes on from ``snapshot_state``; sinks with stateful writers override it."""
        return self.create_writer(context)

    def create_committer(self) -> Committer | None:
        """The committer, None for a sink of one phase."""
        return None

    def create_committer_for(self, context: WriterInitContext) -> Committer | None:
        """The committer of one task; overridden instead of the other where it has to know whose it is."""
        return self.create_committer()

    def check_job(self, settings: dict[str, str], is_bounded: bool) -> None:  # noqa: B027
        """Called when the job's graph is made: raises ``ProgramError`` where the sink cannot work with these settings."""

    def claims(self) -> tuple[str, ...]:
        """What outside is for this sink alone, in words that an error can say; two sinks of a job must not claim the same."""
        return ()

    def display_name(self) -> str:
        """How the sink is called in plans where the user gave no name."""
        return type(self).__name__
