"""Sources written as generators, the shortest way to a source of one's own."""

import inspect
from abc import ABC, abstractmethod
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import Any

from penstock.connectors.functions.hand_over import HandOver, Maker
from penstock.connectors.splits import SplitQueue
from penstock.contracts.context import RuntimeContext
from penstock.contracts.pace import BATCH_RECORDS, Pace
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
from penstock.errors import ProgramError


class Resume(Enum):
    """How a generator goes on after a restart.

    ``SKIP``: it is made again, and the records emitted before are skipped; it must yield the same ones each time.
    ``POSITION``: it is made again and starts by itself at ``ctx.position``. ``RESTART``: it starts from the beginning.
    """

    SKIP = "skip"
    POSITION = "position"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class GeneratorContext:
    """Given to a generator function that takes an argument.

    ``index`` of ``count``: which part of the source this generator is. There is one for each subtask of the first start; the
    parts stay the same when the job goes on at another parallelism. ``position``: how many records it yielded before.
    """

    index: int
    count: int
    position: int
    runtime_context: RuntimeContext


class GeneratorSource(Source):
    """Emits what a function's generator yields: values, or ``(value, timestamp)`` where ``timestamps`` is true.

    ``function()`` or ``function(ctx)`` (a :class:`GeneratorContext`) is called once in each subtask. The generator runs in
    the task's thread, between other work, so it must not wait for anything; one that does asks for ``blocking=True`` and
    gets a thread. ``resume`` says how it goes on after a restart, see :class:`Resume`.

    >>> GeneratorSource(lambda: range(3)).display_name()
    'Generator Source'
    """

    def __init__(
        self,
        function: Callable[..., Iterable[Any]],
        *,
        bounded: bool = True,
        timestamps: bool = False,
        blocking: bool = False,
        resume: Resume | str = Resume.SKIP,
    ) -> None:
        if not callable(function):
            raise ProgramError(
                f"a generator source takes a function that makes an iterable, not {type(function).__name__}; "
                "write lambda: ... before it"
            )
        try:
            self._resume = Resume(resume)
        except ValueError:
            raise ProgramError(f"resume must be 'skip', 'position' or 'restart', not {resume!r}") from None
        self._takes_context = _takes_argument(function)
        if self._resume is Resume.POSITION and not self._takes_context:
            raise ProgramError(
                "with resume='position' the function must take an argument, and start at ctx.position"
            )
        self._function = self.user_function = function
        self._bounded = bounded
        self._timestamps = timestamps
        self._blocking = blocking

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED if self._bounded else Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        count = context.current_parallelism()
        return SplitQueue(context, [GeneratorSplit(index, count) for index in range(count)])

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _GeneratorReader(context, self)

    def display_name(self) -> str:
        return "Generator Source"

    def generate(self, split: "GeneratorSplit", runtime_context: RuntimeContext) -> Iterator[Any]:
        """The generator of one split, not yet at its position."""
        context = GeneratorContext(split.index, split.count, split.position, runtime_context)
        made = self._function(context) if self._takes_context else self._function()
        try:
            return iter(made)
        except TypeError:
            raise ProgramError(
                f"the function of a generator source must yield, or return an iterable; it returned {made!r:.200}"
            ) from None

    def first(self, split: "GeneratorSplit") -> int:
        """How many records to skip."""
        return split.position if self._resume is Resume.SKIP else 0

    def emit(self, records: list[Any], output: ReaderOutput) -> None:
        """Emit a batch of what the generator yielded."""
        if not records:
            return
        if not self._timestamps:
            output.collect_batch(records)
            return
        try:
            values = [value for value, _ in records]
            times = [timestamp for _, timestamp in records]
            array("q", times)
        except (TypeError, ValueError, OverflowError):
            wrong = next(record for record in records if not _is_stamped(record))
            raise ProgramError(
                f"a generator with timestamps=True yields (value, timestamp in milliseconds), not {wrong!r:.200}"
            ) from None
        output.collect_batch(values, times)

    def start_run(self, split: "GeneratorSplit", context: SourceReaderContext) -> "_Run":
        """Begin one split."""
        return _InThread(self, split, context) if self._blocking else _OnTaskThread(self, split, context)


@dataclass(frozen=True, slots=True)
class GeneratorSplit:
    """One generator of ``count``, which has yielded ``position`` records that were emitted."""

    index: int
    count: int
    position: int = 0

    def split_id(self) -> str:
        return f"{self.index}/{self.count}"


class _GeneratorReader(SourceReader):
    """Has one split as a rule, several after a restart at a lower parallelism; then they take turns."""

    def __init__(self, context: SourceReaderContext, source: GeneratorSource) -> None:
        self._context = context
        self._source = source
        self._new: deque[GeneratorSplit] = deque()
        self._runs: deque[_Run] = deque()
        self._no_more_splits = False

    def start(self) -> None:
        if not self._new:
            self._context.send_split_request()

    def add_splits(self, splits: list[Any]) -> None:
        self._new += splits

    def notify_no_more_splits(self) -> None:
        self._no_more_splits = True

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        while self._new:
            self._runs.append(self._source.start_run(self._new[0], self._context))
            self._new.popleft()
        for _ in range(len(self._runs)):
            run = self._runs[0]
            status = run.read(output)
            if status is InputStatus.END_OF_INPUT:
                self._runs.popleft()
                run.close()
                return self._after_a_run()
            self._runs.rotate(-1)
            if status is InputStatus.MORE_AVAILABLE:
                return status
        ended = self._no_more_splits and not self._runs
        return InputStatus.END_OF_INPUT if ended else InputStatus.NOTHING_AVAILABLE

    def _after_a_run(self) -> InputStatus:
        if self._runs:
            return InputStatus.MORE_AVAILABLE
        if self._no_more_splits:
            return InputStatus.END_OF_INPUT
        self._context.send_split_request()
        return InputStatus.NOTHING_AVAILABLE

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return [run.split for run in self._runs] + list(self._new)

    def close(self) -> None:
        while self._runs:
            self._runs.pop().close()


class _Run(ABC):
    """A generator at work. ``split`` has the position behind the last record emitted."""

    split: GeneratorSplit

    @abstractmethod
    def read(self, output: ReaderOutput) -> InputStatus:
        """Emit a batch at most."""

    @abstractmethod
    def close(self) -> None:
        """Give up the generator."""


class _OnTaskThread(_Run):
    def __init__(self, source: GeneratorSource, split: GeneratorSplit, context: SourceReaderContext) -> None:
        self.split = split
        self._source = source
        self._generator = source.generate(split, context.runtime_context())
        self._records = context.apart(self._generator)
        self._to_skip = source.first(split)
        self._pace = Pace()
        self._now = context.clock().monotonic_s

    def read(self, output: ReaderOutput) -> InputStatus:
        began = self._now()
        wanted = min(self._pace.records, output.records_wanted, BATCH_RECORDS)
        if self._to_skip:
            wanted = min(wanted, self._to_skip)
        records: list[Any] = []
        try:
            records.extend(islice(self._records, wanted))
        except Exception:
            # What was yielded before the exception is in the list.
            if not self._to_skip:
                self._source.emit(records, output)
            raise
        self._pace.took(len(records), self._now() - began)
        ended = len(records) < wanted
        if self._to_skip:
            self._to_skip -= len(records)
            if ended:
                raise _too_few(self.split, self.split.position - self._to_skip)
        else:
            self._source.emit(records, output)
            self.split = replace(self.split, position=self.split.position + len(records))
        return InputStatus.END_OF_INPUT if ended else InputStatus.MORE_AVAILABLE

    def close(self) -> None:
        _close_generator(self._generator)


class _InThread(_Run):
    def __init__(self, source: GeneratorSource, split: GeneratorSplit, context: SourceReaderContext) -> None:
        self.split = split
        self._source = source
        self._generator = source.generate(split, context.runtime_context())
        self._records = context.apart(self._generator)
        self._to_skip = source.first(split)
        self._hand_over = HandOver(context.wake_up)
        self._maker = Maker(self._make, self._hand_over, f"generator {split.split_id()}")
        self._maker.start()

    def _make(self) -> None:
        try:
            skipped = sum(1 for _ in islice(self._generator, self._to_skip))
            if skipped < self._to_skip:
                raise _too_few(self.split, skipped)
            put = self._hand_over.put
            for record in self._records:
                put(record)
        finally:
            _close_generator(self._generator)

    def read(self, output: ReaderOutput) -> InputStatus:
        over = self._maker.over
        records = self._hand_over.take()
        self._source.emit(records, output)
        if records:
            self.split = replace(self.split, position=self.split.position + len(records))
        if len(self._hand_over):
            return InputStatus.MORE_AVAILABLE
        if not over:
            return InputStatus.NOTHING_AVAILABLE
        self._maker.raise_error()
        return InputStatus.END_OF_INPUT

    def close(self) -> None:
        self._maker.stop()


def _too_few(split: GeneratorSplit, yielded: int) -> ProgramError:
    return ProgramError(
        f"generator {split.split_id()} yielded {split.position} records before the restart and only {yielded} now; "
        "make it yield the same records each time, or choose resume='position' or resume='restart'"
    )


def _close_generator(generator: Iterator[Any]) -> None:
    if inspect.isgenerator(generator):
        generator.close()


def _is_stamped(record: Any) -> bool:
    try:
        _, timestamp = record
        array("q", [timestamp])
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _takes_argument(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
    if len(required) > 1:
        raise ProgramError(
            f"the function of a generator source takes no argument or one, but {function!r} needs {len(required)}"
        )
    return bool(required)
