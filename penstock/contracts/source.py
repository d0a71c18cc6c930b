"""What a source promises: an enumerator beside the coordinator hands out splits, readers in the tasks read them.

Everything that must survive a restart is in the splits (a split knows the position up to which it was read) and in the
enumerator's snapshot. Source: Flink's documentation, "Data Sources" (FLIP-27).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from penstock.clock import Clock
from penstock.contracts.checkpointing import CheckpointParticipant
from penstock.contracts.effects import Effect
from penstock.metrics.kinds import MetricGroup

if TYPE_CHECKING:
    import pyarrow

    from penstock.contracts.context import RuntimeContext
    from penstock.data.type_information import TypeInformation


class Boundedness(Enum):
    """Whether a source comes to an end by itself."""

    BOUNDED = 0
    CONTINUOUS_UNBOUNDED = 1


class InputStatus(Enum):
    """What a reader says after each poll."""

    MORE_AVAILABLE = 0
    NOTHING_AVAILABLE = 1
    END_OF_INPUT = 2


class SourceSplit(Protocol):
    """A part of the input that one reader reads; pickled into checkpoints, so a plain value."""

    def split_id(self) -> str:
        """A name that no other split of the source has."""


class SplitOutput(Protocol):
    """Where the records of one split go. Batches are cheap per record, single records are not."""

    def collect(self, record: Any, timestamp: int | None = None) -> None:
        """Emit one record, with its event time where the system knows it."""

    def collect_batch(self, records: list[Any], timestamps: list[int] | None = None) -> None:
        """Emit many rows; the lists belong to the engine afterwards."""

    def collect_columns(self, columns: "pyarrow.RecordBatch") -> None:
        """Emit an Arrow record batch; where the source's ``output_layout`` is rows, or they are wanted, it becomes rows."""

    def collect_aside(self, tag_id: str, record: Any) -> None:
        """Emit one record into a side output of the source, in no order with what is collected."""

    def emit_watermark(self, watermark: int) -> None:
        """Emit a watermark that the outside system gave."""

    def mark_idle(self) -> None:
        """Stop holding back others until the next record."""


class ReaderOutput(SplitOutput, Protocol):
    """Where a reader puts its records."""

    @property
    def records_wanted(self) -> int:
        """How many records fit into one step of the task. A reader may emit more at once, but its task can take no checkpoint
        before all of them have gone through its operators."""

    def create_output_for_split(self, split_id: str) -> SplitOutput:
        """The output of one split, with a watermark generator of its own; the task takes the minimum over splits."""

    def release_output_for_split(self, split_id: str) -> None:
        """The split is at its end and no longer takes part in the minimum."""


class SourceReaderContext(Protocol):
    """What a reader may ask of the engine."""

    def index_of_subtask(self) -> int:
        """Which reader this is, from 0."""

    def current_parallelism(self) -> int:
        """How many readers there are."""

    def send_split_request(self) -> None:
        """Ask the enumerator for another split."""

    def send_source_event(self, event: Any) -> None:
        """Send a picklable message to the enumerator."""

    def wake_up(self) -> None:
        """Have ``poll_next`` called soon; the only method that other threads may call."""

    def metric_group(self) -> MetricGroup:
        """Where the reader registers its metrics."""

    def configuration(self) -> dict[str, str]:
        """The job's configuration."""

    def clock(self) -> Clock:
        """The task's clock."""

    def apart(self, records: Iterable[Any]) -> Iterable[Any]:
        """Records of a function of the user, each copied as it comes if the function may go on changing it."""

    def runtime_context(self) -> "RuntimeContext":
        """What functions of the user are given in ``open``."""

    def checkpoints_of(self, function: Any) -> CheckpointParticipant:
        """How a function of the user takes part in checkpoints; the reader calls it, as it alone knows when."""


class SourceReader(ABC):
    """Reads splits in one task. Called by the task's thread only; must not block in any method."""

    pauses_splits = False
    """Whether the reader can stop reading some of its splits: see ``pause_or_resume_splits``."""

    def start(self) -> None:  # noqa: B027
        """Called once, after splits of a restored state were added. Ask for a split here."""

    @abstractmethod
    def poll_next(self, output: ReaderOutput) -> InputStatus:
        """Emit what is ready, a batch at most, and return.

        ``MORE_AVAILABLE``: call again at once. ``NOTHING_AVAILABLE``: call again when ``wait_ms`` is over, when ``fileno``
        is readable, or after ``wake_up``. ``END_OF_INPUT``: never call again.
        """

    def wait_ms(self) -> int | None:
        """After NOTHING_AVAILABLE: poll again after so many milliseconds at the latest; None waits for a wake-up alone."""
        return None

    def fileno(self) -> int | None:
        """After NOTHING_AVAILABLE: a descriptor to wait for; None when there is none."""
        return None

    @abstractmethod
    def add_splits(self, splits: list[Any]) -> None:
        """Splits to read, new ones or those of a restored state with their positions."""

    def notify_no_more_splits(self) -> None:  # noqa: B027
        """The enumerator has no split for this reader any more."""

    @abstractmethod
    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        """The splits still to be read, with the position behind the last record emitted."""

    def pause_or_resume_splits(self, to_pause: list[str], to_resume: list[str]) -> None:  # noqa: B027
        """Read nothing of some splits, and go on with others, so that splits of one reader stay near in event time.

        Called for sources with watermark alignment and several outputs of splits, where ``pauses_splits`` is true.
        """

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:  # noqa: B027
        """The checkpoint is safe; offsets may be committed outside."""

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:  # noqa: B027
        """The checkpoint will never be complete."""

    def handle_source_event(self, event: Any) -> None:  # noqa: B027
        """A message from the enumerator."""

    def close(self) -> None:  # noqa: B027
        """Called once at the end, also after a failure."""


class SplitEnumeratorContext(Protocol):
    """What an enumerator may ask of the engine."""

    def current_parallelism(self) -> int:
        """How many readers there are."""

    def registered_readers(self) -> list[int]:
        """The readers that have started."""

    def assign_split(self, split: Any, subtask: int) -> None:
        """Give a split to a reader."""

    def signal_no_more_splits(self, subtask: int) -> None:
        """Tell a reader that it gets no more."""

    def send_event_to_reader(self, subtask: int, event: Any) -> None:
        """Send a picklable message to a reader."""

    def call_async(self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]) -> None:
        """Run blocking ``work`` in the one thread for it, then call ``then(result, error)`` where the enumerator lives."""

    def call_at_interval(
        self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None], interval_ms: int
    ) -> None:
        """As ``call_async``, now and then again every ``interval_ms``; not while it is under way still."""

    def configuration(self) -> dict[str, str]:
        """The job's configuration."""


class SplitEnumerator(ABC):
    """Finds splits and hands them out; lives beside the coordinator, one for the whole job; must not block."""

    def start(self) -> None:  # noqa: B027
        """Called once before everything else."""

    @abstractmethod
    def handle_split_request(self, subtask: int) -> None:
        """A reader asks for a split: assign one, or signal that there are no more, now or later."""

    @abstractmethod
    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        """A reader failed before a checkpoint had these splits: they must be handed out again."""

    def add_reader(self, subtask: int) -> None:  # noqa: B027
        """A reader has started."""

    def handle_source_event(self, subtask: int, event: Any) -> None:  # noqa: B027
        """A message from a reader."""

    @abstractmethod
    def snapshot_state(self, checkpoint_id: int) -> Any:
        """What has not been handed out, as a picklable value."""

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:  # noqa: B027
        """The checkpoint is safe."""

    def close(self) -> None:  # noqa: B027
        """Called once at the end."""


class Source(ABC):
    """A factory that travels to the cluster: makes the enumerator there and a reader in each task."""

    output_layout = "rows"
    checks_types = False
    """Whether records are certain to be of the declared type, so that they need not be checked again."""
    effect = Effect.CHANGES
    """What its readers do to records: ``NONE`` says that each is new, ``SHARES`` that readers hold them, but change none."""
    user_function: Any = None
    """The function that makes the records, where there is one: then they are changed by nothing else, and the reader lets
    them go through :meth:`SourceReaderContext.apart`."""
    rows_have_names = False
    """Whether rows that come out of columns are ``Row`` objects; otherwise they are tuples."""

    @abstractmethod
    def get_boundedness(self) -> Boundedness:
        """Whether the source ends by itself."""

    @abstractmethod
    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        """A new enumerator for a job that starts from nothing."""

    @abstractmethod
    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        """An enumerator that goes on from what ``snapshot_state`` returned."""

    @abstractmethod
    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        """A reader for one task."""

    def get_produced_type(self) -> "TypeInformation | None":
        """The type of the records where the program declares none; None leaves it open."""
        return None

    def display_name(self) -> str:
        """How the source is called in plans where the user gave no name."""
        return type(self).__name__
