"""A source for simulations: several splits whose records come a few at a time, with pauses between."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
    SplitOutput,
)
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import ProgramError
from penstock.testing.records import StreamRecord


@dataclass(frozen=True, slots=True)
class TrickleSplit:
    """One list of records: those from ``position`` on are still to be read."""

    number: int
    position: int = 0

    def split_id(self) -> str:
        return f"trickle-{self.number}"


class Trickle(Source):
    """Lists of records, one for each split; ``per_batch`` records come at a time, then nothing for ``pause_ms``.

    A record is a value, or a :class:`~penstock.testing.StreamRecord` with an event time; each split has a watermark of its
    own.

    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> stream = env.from_source(Trickle([["a", "b"], ["c"]], pause_ms=0), Trickle.strategy(), "letters")
    >>> with stream.execute_and_collect() as rows:
    ...     sorted(rows)
    ['a', 'b', 'c']
    """

    def __init__(self, splits: Sequence[Sequence[Any]], per_batch: int = 2, pause_ms: int = 5) -> None:
        if per_batch < 1 or pause_ms < 0:
            raise ProgramError(
                f"per_batch is at least 1 and pause_ms at least 0, not {per_batch} and {pause_ms}"
            )
        self._splits = [list(split) for split in splits]
        self._per_batch = per_batch
        self._pause_ms = pause_ms

    @staticmethod
    def of(values: Iterable[Any], per_batch: int = 2, pause_ms: int = 5) -> "Trickle":
        """All values in one split, so that their order is kept."""
        return Trickle([list(values)], per_batch, pause_ms)

    @staticmethod
    def strategy() -> WatermarkStrategy:
        """Watermarks by the times of the records, which must not run backwards in a split."""
        return WatermarkStrategy.for_monotonous_timestamps()

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return _DealtOut(context, [TrickleSplit(number) for number in range(len(self._splits))])

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return _DealtOut(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _TrickleReader(context, self._splits, self._per_batch, self._pause_ms)

    def display_name(self) -> str:
        return "Trickle"


class _DealtOut(SplitEnumerator):
    """Gives each reader all its splits when it starts: none comes when the reader's watermark is past it."""

    def __init__(self, context: SplitEnumeratorContext, splits: list[TrickleSplit]) -> None:
        self._context = context
        self._waiting = splits

    def add_reader(self, subtask: int) -> None:
        readers = self._context.current_parallelism()
        mine = [split for split in self._waiting if split.number % readers == subtask]
        self._waiting = [split for split in self._waiting if split not in mine]
        for split in mine:
            self._context.assign_split(split, subtask)
        self._context.signal_no_more_splits(subtask)

    def handle_split_request(self, subtask: int) -> None:
        """No reader asks."""

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        self._waiting += splits

    def snapshot_state(self, checkpoint_id: int) -> Any:
        return list(self._waiting)


class _TrickleReader(SourceReader):
    """Reads all its splits in turn, once it knows that it has them all."""

    def __init__(
        self, context: SourceReaderContext, splits: list[list[Any]], per_batch: int, pause_ms: int
    ) -> None:
        self._lists = splits
        self._per_batch = per_batch
        self._pause_ms = pause_ms
        self._now_ms: Callable[[], int] = context.clock().now_ms
        self._mine: list[TrickleSplit] = []
        self._outputs: dict[str, SplitOutput] = {}
        self._no_more = False
        self._next_ms = 0

    def add_splits(self, splits: list[Any]) -> None:
        self._mine += splits

    def notify_no_more_splits(self) -> None:
        self._no_more = True

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if not self._no_more:
            return InputStatus.NOTHING_AVAILABLE
        if not self._mine:
            return InputStatus.END_OF_INPUT
        for split in self._mine:  # all before the first record, so that each holds the watermark back
            if split.split_id() not in self._outputs:
                self._outputs[split.split_id()] = output.create_output_for_split(split.split_id())
        now = self._now_ms()
        if now < self._next_ms:
            return InputStatus.NOTHING_AVAILABLE
        self._next_ms = now + self._pause_ms
        split = self._mine.pop(0)
        rest = self._emit(split)
        if rest is not None:
            self._mine.append(rest)
        else:
            output.release_output_for_split(split.split_id())
            self._outputs.pop(split.split_id(), None)
        if not self._mine:
            return InputStatus.END_OF_INPUT
        return InputStatus.MORE_AVAILABLE if self._pause_ms == 0 else InputStatus.NOTHING_AVAILABLE

    def _emit(self, split: TrickleSplit) -> TrickleSplit | None:
        """Emit the next records of a split; what is left of it."""
        stop = split.position + self._per_batch
        items = self._lists[split.number]
        records = [
            r if isinstance(r, StreamRecord) else StreamRecord(r) for r in items[split.position : stop]
        ]
        if records:
            times = [MIN_TIMESTAMP if r.timestamp is None else r.timestamp for r in records]
            timed = any(r.timestamp is not None for r in records)
            self._outputs[split.split_id()].collect_batch(
                [r.value for r in records], times if timed else None
            )
        return replace(split, position=stop) if stop < len(items) else None

    def wait_ms(self) -> int | None:
        return max(0, self._next_ms - self._now_ms()) if self._mine and self._no_more else None

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return list(self._mine)
