"""Source functions: code that runs in a thread of its own and emits as it likes."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isgeneratorfunction
from itertools import groupby
from threading import RLock
from typing import Any

from penstock.connectors.functions.checkpointed import ListCheckpointed, check_one_kind_of_state
from penstock.connectors.functions.hand_over import HandOver, Maker
from penstock.contracts.checkpointing import CheckpointedFunction, CheckpointListener, CheckpointParticipant
from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import Function
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.data.elements import MAX_WATERMARK
from penstock.errors import ProgramError


class SourceContext:
    """Given to ``run``: where a source function puts its records. Methods may block while the job is busy."""

    def __init__(
        self, hand_over: HandOver, lock: Any, now_ms: Callable[[], int], apart: Callable[[list[Any]], Any]
    ) -> None:
        self._apart = apart
        self._hand_over = hand_over
        self._add = hand_over.add
        self._wait_for_room = hand_over.wait_for_room
        self._lock = lock
        self._now_ms = now_ms

    def collect(self, element: Any) -> None:
        """Emit a record."""
        [element] = self._apart([element])
        self._put(element)

    def _put(self, element: Any) -> None:
        with self._lock:
            self._add(element)
        self._wait_for_room()

    def collect_with_timestamp(self, element: Any, timestamp: int) -> None:
        """Emit a record with its event time in milliseconds."""
        if type(timestamp) is not int:
            raise ProgramError(f"a timestamp is an integer of milliseconds, not {timestamp!r}")
        [element] = self._apart([element])
        self._put(_Stamped(element, timestamp))

    def emit_watermark(self, mark: int) -> None:
        """Say that no record at or before ``mark`` will follow."""
        timestamp = getattr(mark, "timestamp", mark)
        if type(timestamp) is not int:
            raise ProgramError(f"a watermark is an integer of milliseconds, not {mark!r}")
        self._put(_WatermarkMark(timestamp))

    def mark_as_temporarily_idle(self) -> None:
        """Do not hold others back until the next record."""
        self._put(_IDLE)

    def get_checkpoint_lock(self) -> Any:
        """Held while a checkpoint asks for the state: emit and change the state under it, so that both go together.

        ``with ctx.get_checkpoint_lock(): ctx.collect(record); self.offset += 1``
        """
        return self._lock

    def get_current_processing_time(self) -> int:
        """The clock's time."""
        return self._now_ms()

    def close(self) -> None:
        """Nothing more is emitted after this; the watermark moves to its end."""
        self._put(_WatermarkMark(MAX_WATERMARK))


class SourceFunction(Function):
    """A source written as a loop. Runs in one subtask; ``run`` has a thread of its own.

    ``open`` comes before ``run``, ``close`` after it. ``cancel`` is called from another thread and has to make ``run`` return
    soon. To take part in checkpoints derive from ``CheckpointedFunction`` or ``ListCheckpointed`` too;
    ``snapshot_state`` is called under the checkpoint lock.
    """

    @abstractmethod
    def run(self, ctx: SourceContext) -> None:
        """Emit records; the source has ended when this returns."""

    @abstractmethod
    def cancel(self) -> None:
        """Have ``run`` return."""


class ParallelSourceFunction(SourceFunction):
    """A source function that runs in each subtask; it divides the work itself, by the runtime context."""


class _KnowsItsContext(SourceFunction):
    _runtime_context: RuntimeContext

    def set_runtime_context(self, runtime_context: RuntimeContext) -> None:
        """Called by the engine before ``open``."""
        self._runtime_context = runtime_context

    def get_runtime_context(self) -> RuntimeContext:
        """Where the function runs, its metrics and accumulators."""
        return self._runtime_context


class RichSourceFunction(_KnowsItsContext):
    """A source function that can ask for its runtime context at any time."""


class RichParallelSourceFunction(_KnowsItsContext, ParallelSourceFunction):
    """A parallel source function that can ask for its runtime context at any time."""


class FunctionSource(Source):
    """Runs a :class:`SourceFunction`. Records are exactly-once where the function keeps its state under the lock."""

    def __init__(self, function: SourceFunction, bounded: bool = False) -> None:
        if not isinstance(function, SourceFunction):
            hint = f"; write {function.__name__}()" if isinstance(function, type) else ""
            raise ProgramError(
                f"a source function is an object of a SourceFunction class, not {function!r}{hint}"
            )
        check_one_kind_of_state(function)
        self._function = self.user_function = function
        self._bounded = bounded

    @property
    def is_parallel(self) -> bool:
        """Whether the source may run in more than one subtask."""
        return isinstance(self._function, ParallelSourceFunction)

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED if self._bounded else Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return self.restore_enumerator(context, [])

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        if context.current_parallelism() > 1 and not self.is_parallel:
            raise ProgramError(
                f"{type(self._function).__name__} is not a ParallelSourceFunction, so its parallelism must be 1, not "
                f"{context.current_parallelism()}; derive it from ParallelSourceFunction or set the parallelism to 1"
            )
        return _SubtaskEnumerator(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _FunctionReader(context, self._function)

    def display_name(self) -> str:
        return "Custom Source"


def source_of_function(function: Any) -> Source:
    """The source for what ``add_source`` takes: a :class:`SourceFunction`, a generator function, or a source itself.

    :raises ProgramError: for anything else.
    """
    if isinstance(function, Source):
        return function
    if isgeneratorfunction(function):
        from penstock.connectors.functions.generator import GeneratorSource

        return GeneratorSource(function, bounded=False)
    return FunctionSource(function)


@dataclass(frozen=True, slots=True)
class FunctionSplit:
    """One run of the function: its state, what it had emitted that the task had not taken yet, and whether it was over."""

    index: int
    state: tuple[Any, ...] = ()
    pending: tuple[Any, ...] = ()
    over: bool = False
    restored: bool = False

    def split_id(self) -> str:
        return str(self.index)


@dataclass(frozen=True, slots=True)
class _Stamped:
    value: Any
    timestamp: int


@dataclass(frozen=True, slots=True)
class _WatermarkMark:
    timestamp: int


@dataclass(frozen=True, slots=True)
class _IdleMark:
    pass


_IDLE = _IdleMark()
_MARKED = {_Stamped, _WatermarkMark, _IdleMark}


class _SubtaskEnumerator(SplitEnumerator):
    """Gives each subtask one run of the function; runs that were given out are in the readers' snapshots."""

    def __init__(self, context: SplitEnumeratorContext, given: list[int]) -> None:
        self._context = context
        self._given = set(given)

    def handle_split_request(self, subtask: int) -> None:
        if free := set(range(self._context.current_parallelism())) - self._given:
            index = subtask if subtask in free else min(free)
            self._given.add(index)
            self._context.assign_split(FunctionSplit(index), subtask)
        self._context.signal_no_more_splits(subtask)

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        self._given.difference_update(split.index for split in splits)

    def snapshot_state(self, checkpoint_id: int) -> Any:
        return sorted(self._given)


class _FunctionReader(SourceReader):
    def __init__(self, context: SourceReaderContext, function: SourceFunction) -> None:
        self._context = context
        self._function = function
        self._hand_over = HandOver(context.wake_up)
        self._lock = RLock()
        self._splits: list[FunctionSplit] = []
        self._restored_pending: list[Any] = []
        self._maker: Maker | None = None
        self._checkpoints: CheckpointParticipant | None = None
        self._opened = False
        self._no_more_splits = False
        self._over = False

    def start(self) -> None:
        if not self._splits:
            self._context.send_split_request()

    def add_splits(self, splits: list[Any]) -> None:
        self._splits += splits

    def notify_no_more_splits(self) -> None:
        self._no_more_splits = True

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if self._maker is None and not self._over:
            if not self._splits:
                return InputStatus.END_OF_INPUT if self._no_more_splits else InputStatus.NOTHING_AVAILABLE
            self._begin()
        if self._restored_pending:
            _emit(self._restored_pending, output)
            self._restored_pending = []
            return InputStatus.MORE_AVAILABLE
        # Asked first: a function that ends after this has put its last records before.
        over = self._maker is None or self._maker.over
        _emit(self._hand_over.take(), output)
        if len(self._hand_over):
            return InputStatus.MORE_AVAILABLE
        if not over:
            return InputStatus.NOTHING_AVAILABLE
        if self._maker is not None:
            self._maker.raise_error()
        return InputStatus.END_OF_INPUT

    def _begin(self) -> None:
        running = [split for split in self._splits if not split.over]
        self._restored_pending = [item for split in self._splits for item in split.pending]
        self._over = not running
        if self._over:
            return
        function, context = self._function, self._context
        if isinstance(function, ListCheckpointed) and any(split.restored for split in running):
            function.restore_state([entry for split in running for entry in split.state])
        runtime_context = context.runtime_context()
        if isinstance(function, _KnowsItsContext):
            function.set_runtime_context(runtime_context)
        if isinstance(function, CheckpointedFunction | CheckpointListener):
            self._checkpoints = context.checkpoints_of(function)
            self._checkpoints.initialize()
        self._opened = True
        function.open(runtime_context)
        source_context = SourceContext(
            self._hand_over, self._lock, context.clock().now_ms, self._context.apart
        )
        self._maker = Maker(
            lambda: function.run(source_context), self._hand_over, f"{type(function).__name__}.run"
        )
        self._maker.start()

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        if self._maker is None and not self._over:
            if not self._splits:
                return []
            # Only an opened function knows its state.
            self._begin()
        index = self._splits[0].index
        with self._hand_over.without_bound(), self._lock:
            pending = (*self._restored_pending, *self._hand_over.pending())
            over = self._maker is None or self._maker.over
            if self._maker is not None:
                self._maker.raise_error()
            state: list[Any] = []
            if isinstance(self._function, ListCheckpointed) and not over:
                state = self._function.snapshot_state(checkpoint_id)
            if self._checkpoints is not None and not over:
                self._checkpoints.snapshot(checkpoint_id)
            return [FunctionSplit(index, tuple(state), pending, over, restored=True)]

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        if self._checkpoints is not None:
            self._checkpoints.complete(checkpoint_id)

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        if self._checkpoints is not None:
            self._checkpoints.abort(checkpoint_id)

    def close(self) -> None:
        try:
            if self._maker is not None:
                self._maker.stop(self._function.cancel)
        finally:
            if self._opened:
                self._function.close()


def _emit(items: list[Any], output: ReaderOutput) -> None:
    if not items:
        return
    if _MARKED.isdisjoint(map(type, items)):
        output.collect_batch(items)
        return
    for kind, run in groupby(items, lambda item: type(item) if type(item) in _MARKED else None):
        if kind is None:
            output.collect_batch(list(run))
        elif kind is _Stamped:
            stamped = list(run)
            output.collect_batch([item.value for item in stamped], [item.timestamp for item in stamped])
        elif kind is _IdleMark:
            output.mark_idle()
        else:
            for mark in run:
                output.emit_watermark(mark.timestamp)
