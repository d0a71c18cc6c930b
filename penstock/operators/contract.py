"""The contract between the task and an operator.

An ``OperatorSpec`` is plain data that travels in the graph; ``build`` makes the ``Operator`` on the worker. The task calls an
operator from one thread only, in this order::

    build -> [restore] -> open -> start
          -> (on_batch | on_watermark | on_status | on_timer callbacks | catch_up | snapshot)* -> finish -> close

No operator of a job is started before all are open. From then on ``snapshot`` may come between any two calls, also after
``finish``, and what it returns must be enough to go on from there in a new operator. A list that it returns is dealt out to
the subtasks where the job goes on at another parallelism; any other value is given back at the same parallelism, and at
another one where all subtasks had the same: what must survive a change of parallelism is a list, or lies in keyed or operator
state. A :class:`KeptTogether` goes whole to one subtask: that of old subtask *j* to new subtask *j* modulo the parallelism.
``close`` is called exactly once, after a failure too, and then perhaps without ``open`` or ``start``. Batches and the lists
in them are shared: an operator makes new ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from penstock.clock import Clock
from penstock.contracts.accumulators import Accumulator
from penstock.contracts.checkpointing import CheckpointParticipant
from penstock.contracts.effects import Effect
from penstock.contracts.state import (
    KeyedStateBackend,
    KeyedStateSnapshot,
    OperatorStateBackend,
    OperatorStateSnapshot,
)
from penstock.data.batch import Batch
from penstock.data.elements import StreamStatus
from penstock.errors import StateError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.pieces import Pieces

if TYPE_CHECKING:
    from penstock.contracts.timers import Timers


class KeptTogether(list[Any]):
    """A list that one subtask hands on as a whole, as it belongs to something outside that bears the subtask's number."""


class Layout(Enum):
    """Which kind of batch an operator takes or gives."""

    ROWS = "rows"
    COLUMNS = "columns"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Origin:
    """The line of the user's program that made an operator."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Output:
    """Where an operator puts what it makes; the task fills in the targets before ``open``.

    ``emit(batch)``, ``watermark(timestamp)`` and ``status(stream_status)`` are plain attributes, so that a chain of operators
    costs one call each.
    """

    __slots__ = ("_sides", "emit", "status", "watermark")

    def __init__(
        self,
        emit: Callable[[Batch], None],
        watermark: Callable[[int], None],
        status: Callable[[StreamStatus], None],
        sides: dict[str, Callable[[Batch], None]],
    ) -> None:
        self.emit = emit
        self.watermark = watermark
        self.status = status
        self._sides = sides

    def set_sides(self, sides: dict[str, Callable[[Batch], None]]) -> None:
        """Where each side output goes; called by the task while it wires the chain."""
        self._sides = sides

    def side(self, tag_id: str) -> Callable[[Batch], None]:
        """Where records of a side output go; records of a side output that nobody reads are discarded, as in Flink."""
        return self._sides.get(tag_id, _discard)

    def reads_side(self, tag_id: str) -> bool:
        """Whether anybody reads the side output."""
        return tag_id in self._sides


def _discard(batch: Batch) -> None:
    del batch


class ProcessingTime(Protocol):
    """Calls back when the clock has reached a time, between two steps of the task."""

    def schedule(self, at_ms: int, callback: Callable[[int], None]) -> Callable[[], None]:
        """Have ``callback(at_ms)`` called at ``at_ms`` or later; the function returned cancels it."""


class SourceLink(Protocol):
    """The way from a source's reader to its enumerator, and to the worker that polls it."""

    def send_split_request(self) -> None:
        """Ask for another split."""

    def send_source_event(self, event: Any) -> None:
        """Send the enumerator a message."""

    def wake_up(self) -> None:
        """Have the reader polled soon; may be called by any thread."""


@dataclass(slots=True)
class OperatorContext:
    """What the task gives to one operator of one subtask."""

    job_id: str
    operator_id: str
    name: str
    origin: Origin | None
    subtask_index: int
    parallelism: int
    max_parallelism: int
    attempt: int
    batch_mode: bool
    clock: Clock
    processing_time: ProcessingTime
    metrics: MetricGroup
    settings: dict[str, str]
    output: Output
    keyed_state: KeyedStateBackend | None = None
    operator_state: OperatorStateBackend | None = None
    make_timers: "Callable[[str], Timers] | None" = None
    accumulators: dict[str, Accumulator] = field(default_factory=dict)
    metrics_of: Callable[[str], MetricGroup] = field(default=lambda name: MetricGroup((name,)))
    current_watermark: Callable[[], int] = field(default=lambda: -(2**63))
    send_to_client: Callable[[str, list[Any]], None] = field(default=lambda collector, rows: None)
    source_link: SourceLink | None = None
    pieces: Pieces = field(default_factory=Pieces)
    coroutines: Coroutines = field(default_factory=Coroutines)
    feedback: FeedbackLoops = field(default_factory=FeedbackLoops)
    restored_checkpoint_id: int | None = None
    takes_checkpoints: bool = False
    participants: list[CheckpointParticipant] = field(default_factory=list)
    effect: Effect = Effect.CHANGES
    """What the operator does to records. Where that is ``CHANGES``, it copies each result before user code runs again; all
    other copies are made where its batches leave it."""
    refused: dict[str, StateError] | None = None
    """While the operator is opened after a restore: by name the states that it could not have, to be told all at once."""

    @property
    def place(self) -> str:
        """Operator, subtask and the user's line, for errors."""
        where = f", made at {self.origin}" if self.origin else ""
        return f"in operator {self.name!r}, subtask {self.subtask_index + 1}/{self.parallelism}{where}"


@dataclass(frozen=True, slots=True)
class OperatorSnapshot:
    """Everything that one operator of one subtask needs to go on: keyed state and timers by key group, operator state, and
    its own value."""

    keyed: KeyedStateSnapshot | None = None
    timers: dict[str, Any] = field(default_factory=dict)
    operator: OperatorStateSnapshot | None = None
    own: Any = None
    checkpoint_id: int = 0


class OperatorSpec:
    """What travels. Subclasses are frozen dataclasses."""

    __slots__ = ()

    ports: ClassVar[int] = 1

    @property
    def input_layout(self) -> Layout:
        """Which batches the operator takes."""
        return Layout.ROWS

    @property
    def output_layout(self) -> Layout:
        """Which batches it gives; ``ANY`` gives what it takes."""
        return Layout.ROWS

    def build(self, context: OperatorContext) -> "Operator":
        """The operator, on the worker."""
        raise TypeError(f"{type(self).__name__} does not say how it is built")

    def user_functions(self) -> tuple[Any, ...]:
        """The functions of the user that travel with it, for checks and for plans."""
        return ()

    @property
    def effect(self) -> Effect:
        """What it does to records: its functions, and itself where it gives what its state keeps."""
        from penstock.operators.effects import effect_of

        return effect_of(self.user_functions())

    @property
    def ends_stream(self) -> bool:
        """Whether it is a sink."""
        return False

    @property
    def first_port(self) -> int | None:
        """The port that has to be read to its end before the others in BATCH mode; None for no such port."""
        return None

    @property
    def uses_keyed_state(self) -> bool:
        """Whether the operator needs keys, and state per key."""
        return False

    @property
    def runs_coroutines(self) -> bool:
        """Whether the worker's thread has to be free for an event loop."""
        return False


class SharingSpec(OperatorSpec):
    """Of operators that give what their state or a function keeps, or a part of what they are given more than once."""

    __slots__ = ()

    @property
    def effect(self) -> Effect:
        from penstock.operators.effects import effect_of

        return max(Effect.SHARES, effect_of(self.user_functions()))


class Operator:
    """Behaviour of one operator in one subtask; what is not overridden passes on or does nothing."""

    waits: ClassVar[bool] = False
    """Whether records stay in it until something outside has happened; then the three below are asked before each step."""

    def __init__(self, context: OperatorContext) -> None:
        self.context = context
        self.output = context.output

    @property
    def accepts_input(self) -> bool:
        """Whether it has room; the task takes in nothing while it has none, but finishes what it is giving."""
        return True

    @property
    def in_flight(self) -> bool:
        """Whether records are in it that will still leave; ``finish`` waits until there are none."""
        return False

    def catch_up(self) -> bool:
        """Emit what has become ready since, without any input; says whether anything was done."""
        return False

    def open(self) -> None:
        """Called once; functions of the user are opened, and states asked for. The job may still turn out not to run."""

    def start(self) -> None:
        """Called once before the first element: all operators of the job are open, and it runs now."""

    def on_batch(self, batch: Any, port: int = 0) -> None:
        """Take a batch of the layout that the spec asks for."""
        raise TypeError(f"{type(self).__name__} takes no batches")

    def on_watermark(self, timestamp: int) -> None:
        """The minimum of the watermarks of all inputs has moved up to ``timestamp``."""
        self.context.pieces.then(self.output.watermark, timestamp)

    def on_status(self, status: StreamStatus) -> None:
        """All inputs have become idle, or one is active again."""
        self.context.pieces.then(self.output.status, status)

    def was_held_up(self) -> None:
        """For lack of room behind it the task has not looked at its input: that nothing came is not the input's silence."""

    def on_end_of_input(self, port: int) -> None:
        """One input is at its end."""

    def end_key(self, key: Any) -> None:
        """BATCH mode on keyed input: all records of ``key`` have been given, none will follow."""

    def finish(self) -> None:
        """All inputs are at their end; emit what is left."""

    def take_snapshot(self, checkpoint_id: int) -> Any:
        """What the task calls: functions of the user bring what they keep into their state, then :meth:`snapshot`."""
        for participant in self.context.participants:
            participant.snapshot(checkpoint_id)
        return self.snapshot(checkpoint_id)

    def checkpoint_completed(self, checkpoint_id: int) -> None:
        """What the task calls when a checkpoint is complete."""
        self.notify_checkpoint_complete(checkpoint_id)
        for participant in self.context.participants:
            participant.complete(checkpoint_id)

    def checkpoint_aborted(self, checkpoint_id: int) -> None:
        """What the task calls when a checkpoint will never be complete."""
        self.notify_checkpoint_aborted(checkpoint_id)
        for participant in self.context.participants:
            participant.abort(checkpoint_id)

    def snapshot(self, checkpoint_id: int) -> Any:
        """What the operator itself must remember, beyond keyed and operator state; a picklable value or None."""
        return None

    def restore(self, own: Any) -> None:
        """Take what ``snapshot`` returned; called before ``open``."""

    @property
    def awaits_checkpoint(self) -> bool:
        """After ``finish``: whether the task has to stay until a checkpoint has made final what was written."""
        return False

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        """The checkpoint is complete and will be found after a failure."""

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        """The checkpoint will never be complete."""

    def close(self) -> None:
        """Release everything; called once."""
