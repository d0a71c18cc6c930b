"""A source that does what a list says: records, pauses, watermarks, silence and failures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.pace import BATCH_RECORDS
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
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import ProgramError
from penstock.testing.records import StreamRecord


@dataclass(frozen=True, slots=True)
class Pause:
    """Emit nothing for ``ms`` milliseconds of the task's clock."""

    ms: int


@dataclass(frozen=True, slots=True)
class EmitWatermark:
    """Emit a watermark."""

    timestamp: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Mark the source idle until its next record or watermark."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Raise an exception. ``once`` names a file that is made then: where it is there already nothing is raised, so that a
    job that restarts comes by."""

    exception: Exception
    once: str | Path | None = None


@dataclass(frozen=True, slots=True)
class ScriptPosition:
    """The split of a script: the items from ``position`` on are still to be done."""

    position: int

    def split_id(self) -> str:
        return "script"


class ScriptedSource(Source):
    """Does the items of a list in order, in one reader, whatever the parallelism: it is for ``env.from_source``.

    An item is a value, a :class:`StreamRecord` with an event time, or :class:`Pause`, :class:`EmitWatermark`, :class:`Idle`,
    :class:`Fail`. An unbounded script stays silent at its end until the job is cancelled. Its position is restored with
    the job; a pause in which it was saved begins anew.

    >>> from penstock.common import WatermarkStrategy
    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> script = ["a", Pause(5), StreamRecord("b", 10), EmitWatermark(10)]
    >>> stream = env.from_source(ScriptedSource(script), WatermarkStrategy.no_watermarks(), "script")
    >>> with stream.execute_and_collect() as rows:
    ...     list(rows)
    ['a', 'b']
    """

    def __init__(
        self, script: Sequence[Any], bounded: bool = True, records_per_batch: int = BATCH_RECORDS
    ) -> None:
        if records_per_batch < 1:
            raise ProgramError(f"a batch has at least one record; records_per_batch is {records_per_batch}")
        self._script = list(script)
        self._bounded = bounded
        self._records_per_batch = records_per_batch

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED if self._bounded else Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, [ScriptPosition(0)])

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _ScriptReader(context, self._script, self._bounded, self._records_per_batch)

    def display_name(self) -> str:
        return "Scripted Source"


class _ScriptReader(SplitAfterSplit[ScriptPosition]):
    def __init__(
        self, context: SourceReaderContext, script: list[Any], bounded: bool, records_per_batch: int
    ) -> None:
        super().__init__(context)
        self._script = script
        self._bounded = bounded
        self._most = records_per_batch
        self._paused_until: int | None = None
        self._now_ms: Callable[[], int] = context.clock().now_ms

    def begin(self, split: ScriptPosition) -> None:
        if split.position > len(self._script):
            raise ProgramError(
                f"the job is to go on at item {split.position} of a script of {len(self._script)} items; "
                "restore it with the script that it was started with"
            )

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if self._waits():
            return InputStatus.NOTHING_AVAILABLE
        status = super().poll_next(output)
        return InputStatus.NOTHING_AVAILABLE if self._waits() else status

    def wait_ms(self) -> int | None:
        return None if self._paused_until is None else max(0, self._paused_until - self._now_ms())

    def read(self, split: ScriptPosition, output: ReaderOutput) -> ScriptPosition | None:
        position = split.position
        if position == len(self._script):
            return None if self._bounded else split
        item = self._script[position]
        match item:
            case Pause(ms):
                if self._paused_until is None:
                    self._paused_until = self._now_ms() + ms
                    return split
                self._paused_until = None
            case EmitWatermark(timestamp):
                output.emit_watermark(timestamp)
            case Idle():
                output.mark_idle()
            case Fail():
                _fail(item)
            case _:
                position = self._emit_records(position, output) - 1
        done = replace(split, position=position + 1)
        return None if self._bounded and done.position == len(self._script) else done

    def _emit_records(self, start: int, output: ReaderOutput) -> int:
        """Emit records from ``start`` on as one batch; the position behind the last of them."""
        stop = start
        while (
            stop < len(self._script)
            and stop - start < self._most
            and not isinstance(self._script[stop], (Pause, EmitWatermark, Idle, Fail))
        ):
            stop += 1
        records = [
            item if isinstance(item, StreamRecord) else StreamRecord(item)
            for item in self._script[start:stop]
        ]
        timestamps = None
        if any(record.timestamp is not None for record in records):
            timestamps = [MIN_TIMESTAMP if r.timestamp is None else r.timestamp for r in records]
        output.collect_batch([record.value for record in records], timestamps)
        return stop

    def _waits(self) -> bool:
        """Whether there is nothing to do now: within a pause, or at the end of an unbounded script."""
        if self._paused_until is not None:
            return self._now_ms() < self._paused_until
        at_end = self._current is not None and self._current.position == len(self._script)
        return at_end and not self._bounded


def _fail(item: Fail) -> None:
    if item.once is not None:
        marker = Path(item.once)
        if marker.exists():
            return
        marker.touch()
    raise item.exception
