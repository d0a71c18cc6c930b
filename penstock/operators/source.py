"""Drives a source's reader: polls it, stamps its records, makes watermarks per split."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.clock import Clock
from penstock.contracts.checkpointing import CheckpointParticipant
from penstock.contracts.effects import Effect
from penstock.contracts.source import InputStatus, Source, SourceReader, SplitOutput
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.batch import Batch, ColumnBatch, RowBatch
from penstock.data.elements import ACTIVE, IDLE, MAX_WATERMARK, MIN_TIMESTAMP, StreamStatus
from penstock.errors import ProgramError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.alignment import SourceAlignment, WatermarkLimit
from penstock.operators.bridge import RowMaker
from penstock.operators.checkpointed import FunctionCheckpoints
from penstock.operators.contract import Layout, Operator, OperatorContext, OperatorSpec, SourceLink
from penstock.operators.event_time import EventTime, PeriodicCalls, WatermarkTarget, check_timestamps
from penstock.operators.pieces import Work
from penstock.operators.user_code import shorten, user_error

if TYPE_CHECKING:
    import pyarrow

    from penstock.contracts.context import RuntimeContext

ALLOW_UNALIGNED_SPLITS = "pipeline.watermark-alignment.allow-unaligned-source-splits"


@dataclass(frozen=True, slots=True)
class SourceSpec(OperatorSpec):
    """A source, its watermark strategy and the type that the user declared for its records."""

    source: Source
    strategy: WatermarkStrategy
    output_type: Any = None

    def build(self, context: OperatorContext) -> "SourceOperator":
        return SourceOperator(self, context)

    @property
    def output_layout(self) -> Layout:
        """Columns become rows here already where event times come from them, or where rows of another type are declared."""
        if self.strategy.looks_at_records or self.output_type is not None:
            return Layout.ROWS
        return Layout(self.source.output_layout)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.source, self.strategy)

    @property
    def effect(self) -> Effect:
        function = self.source.user_function
        if function is None:
            return self.source.effect
        from penstock.operators.effects import effect_of

        return max(Effect.SHARES, effect_of(function))


class SourceOperator(Operator):
    """The head of a source task: the task calls :meth:`poll` instead of giving it batches."""

    def __init__(self, spec: SourceSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._restored: list[Any] = []
        self._reader: SourceReader | None = None
        self._out: _TaskOutput | None = None
        self._periodic: PeriodicCalls | None = None
        self._alignment: SourceAlignment | None = None
        self._paused_splits: set[str] = set()

    @property
    def reader(self) -> SourceReader:
        """The reader, from ``open`` to ``close``."""
        assert self._reader is not None
        return self._reader

    def open(self) -> None:
        link = self.context.source_link
        assert link is not None
        try:
            self._reader = self._spec.source.create_reader(_ReaderContext(self.context, link))
            self._out = _TaskOutput(self._spec, self.context, self.output.emit, self)
            self._out.target.report(self.context.metrics)
            if self._restored:
                self._reader.add_splits(self._restored)
        except Exception as error:
            raise user_error(self.context, error) from error
        alignment = self._spec.strategy.alignment
        if alignment is not None and not self.context.batch_mode:
            self._alignment = SourceAlignment(alignment, self.context, link, self._out.position)
        self._periodic = PeriodicCalls(self.context, self._make_watermarks)

    def start(self) -> None:
        try:
            self.reader.start()
        except Exception as error:
            raise user_error(self.context, error) from error

    def poll(self) -> InputStatus:
        """Read and emit one batch at most; what does not fit into the step is emitted in later ones."""
        out = self._out
        assert out is not None
        if self._is_held_back:
            return InputStatus.NOTHING_AVAILABLE
        try:
            status = self.reader.poll_next(out)
        except Exception as error:
            out.flush()
            raise user_error(self.context, error) from error
        out.flush()
        return status

    @property
    def _is_held_back(self) -> bool:
        return self._alignment is not None and self._alignment.pauses

    def wait_ms(self) -> int | None:
        """After NOTHING_AVAILABLE: poll again after so many milliseconds at the latest; None waits for something to come."""
        return None if self._is_held_back else self.reader.wait_ms()

    def fileno(self) -> int | None:
        """After NOTHING_AVAILABLE: a descriptor that becomes readable when there is something to read."""
        return None if self._is_held_back else self.reader.fileno()

    def handle_event(self, event: Any) -> None:
        """A message from the coordinator: the limit of alignment, or one of the enumerator to the reader."""
        if not isinstance(event, WatermarkLimit):
            self.reader.handle_source_event(event)
        elif self._alignment is not None:
            self._alignment.limit = event.watermark
            self._align_splits()

    def was_held_up(self) -> None:
        if self._out is not None:
            self._out.stays_active(self.context.clock.now_ms())

    def _make_watermarks(self, now_ms: int) -> None:
        """What waits for others is not silent: it must not become idle."""
        assert self._out is not None
        held_back = None if self._is_held_back else self._paused_splits
        self._out.periodic(now_ms, held_back)
        if self._alignment is not None:
            self._align_splits()

    def _align_splits(self) -> None:
        """Have the reader pause splits that are ahead of the limit; a single one waits together with its reader."""
        assert self._out is not None
        assert self._alignment is not None
        ahead = self._out.splits_above(self._alignment.limit)
        pause, resume = sorted(ahead - self._paused_splits), sorted(self._paused_splits - ahead)
        self._paused_splits = ahead
        if not (pause or resume):
            return
        if not self.reader.pauses_splits:
            if self.context.settings.get(ALLOW_UNALIGNED_SPLITS, "false").lower() == "true":
                return
            raise ProgramError(
                f"the splits {', '.join(pause)} are ahead of the watermark {self._alignment.limit} that is allowed, "
                f"and {type(self.reader).__name__} cannot pause single splits: give it pause_or_resume_splits, read one "
                f"split in each subtask, or set {ALLOW_UNALIGNED_SPLITS} to true, which lets them run ahead"
            ).at(self.context.place)
        try:
            self.reader.pause_or_resume_splits(pause, resume)
        except Exception as error:
            raise user_error(self.context, error) from error

    def finish(self) -> None:
        self._stop()
        if self._alignment is not None:
            self._alignment.finish()
        self.output.status(ACTIVE)
        self.output.watermark(MAX_WATERMARK)

    def snapshot(self, checkpoint_id: int) -> Any:
        return self.reader.snapshot_state(checkpoint_id)

    def restore(self, own: Any) -> None:
        self._restored = list(own)

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        self.reader.notify_checkpoint_complete(checkpoint_id)

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        self.reader.notify_checkpoint_aborted(checkpoint_id)

    def _stop(self) -> None:
        """No watermark and no idleness come behind the end."""
        if self._periodic is not None:
            self._periodic.close()
            self._periodic = None

    def close(self) -> None:
        self._stop()
        if self._alignment is not None:
            self._alignment.close()
        if self._reader is not None:
            self._reader.close()


class _SplitOutput:
    """Collects the records of one split (or of the whole reader) and gives them to its own event time."""

    def __init__(
        self, spec: SourceSpec, context: OperatorContext, emit: Callable[[Any], None], to: WatermarkTarget
    ) -> None:
        self._spec = spec
        self._context = context
        self._emit = emit
        self._pieces = context.pieces
        # What a function makes comes apart already; see ``apart`` of the reader's context.
        self._copies = _Copies() if _keeps_apart(context) and spec.source.user_function is None else None
        self._values: list[Any] = []
        self._timestamps: list[int] = []
        self._row_maker: RowMaker | None = None
        self.target = to
        self.event_time = EventTime(spec.strategy, context, emit, to)

    def collect(self, record: Any, timestamp: int | None = None) -> None:
        self._values.append(record if self._copies is None else self._copies.of_one(record))
        self._timestamps.append(MIN_TIMESTAMP if timestamp is None else timestamp)

    def collect_batch(self, records: list[Any], timestamps: list[int] | None = None) -> None:
        if self._values:
            self.flush()
        if timestamps is not None and len(timestamps) != len(records):
            raise ProgramError(
                f"the source's reader gave {len(records)} records with {len(timestamps)} timestamps, the first "
                f"{shorten(records[:1])} with {shorten(timestamps[:1])}; collect_batch takes a timestamp for each, or None"
            ).at(self._context.place)
        if records:
            records = records if self._copies is None else self._copies.of_all(records)
            self._pass_on(RowBatch(records, timestamps))

    def collect_columns(self, columns: "pyarrow.RecordBatch") -> None:
        source = self._spec.source
        if self._spec.output_layout is Layout.COLUMNS:
            if columns.num_rows:
                self.event_time.note_activity()
                self._pieces.run(self._in_pieces(self._emit, ColumnBatch(columns)))
            return
        if self._row_maker is None:
            self._row_maker = RowMaker(source.rows_have_names)
        for _, rows in self._row_maker.rows(columns):
            self._pass_on(rows)

    def collect_aside(self, tag_id: str, record: Any) -> None:
        self._context.output.side(tag_id)(RowBatch([record], None))

    def emit_watermark(self, watermark: int) -> None:
        self.flush()
        self._pieces.then(self.target.emit_watermark, watermark)

    def mark_idle(self) -> None:
        self.flush()
        self._pieces.then(lambda _: self.target.mark_idle(), None)

    def flush(self) -> None:
        """Emit the records that were collected one by one."""
        if self._values:
            values, timestamps = self._values, self._timestamps
            self._values, self._timestamps = [], []
            stamped = any(time != MIN_TIMESTAMP for time in timestamps)
            self._pass_on(RowBatch(values, timestamps if stamped else None))

    def _pass_on(self, batch: RowBatch) -> None:
        output_type = self._spec.output_type
        if output_type is not None:
            batch = RowBatch(output_type.convert_batch(batch.values), batch.timestamps)
        if batch.timestamps is not None and self._spec.strategy.assigner is None:
            check_timestamps(batch.timestamps, batch, self._context)
        self._pieces.run(self._in_pieces(self.event_time.process, batch))

    def _in_pieces(self, give: Callable[[Any], None], batch: Batch) -> Work:
        """Give a batch, if need be in several."""
        size = len(batch)
        start, stop = 0, self._pieces.pace.records
        while stop < size:
            give(batch.slice(start, stop))
            yield stop - start
            start, stop = stop, stop + self._pieces.pace.records
        give(batch if start == 0 else batch.slice(start, size))
        return size - start


class _TaskOutput(_SplitOutput):
    """What the reader is given: the output of the whole task, and one for each split that asks for it."""

    def __init__(
        self, spec: SourceSpec, context: OperatorContext, emit: Callable[[Any], None], source: SourceOperator
    ) -> None:
        self._task = WatermarkTarget(context, source.output.watermark, source.output.status)
        super().__init__(spec, context, emit, self._task)
        self._splits: dict[str, _SplitOutput] = {}

    @property
    def records_wanted(self) -> int:
        return self._pieces.pace.records

    def create_output_for_split(self, split_id: str) -> SplitOutput:
        if split_id not in self._splits:
            target = WatermarkTarget(self._context, self._split_moved, self._split_status)
            self._splits[split_id] = _SplitOutput(self._spec, self._context, self._emit, target)
            self._task.mark_active()  # a task that had no splits may have been idle
        return self._splits[split_id]

    def release_output_for_split(self, split_id: str) -> None:
        output = self._splits.get(split_id)
        if output is not None:
            output.flush()
            self._pieces.then(self._release, split_id)

    def _release(self, split_id: str) -> None:
        if self._splits.pop(split_id, None) is not None:
            if self._splits and self._all_idle:
                self._task.mark_idle()
            self._split_moved(MIN_TIMESTAMP)

    def periodic(self, now_ms: int, held_back: set[str] | None) -> None:
        """Ask every generator, the one of the whole task only while there are no splits.

        ``held_back`` are splits that wait for others, None stands for all.
        """
        self.stays_active(now_ms, held_back)
        for _, output in self._by_split():
            output.event_time.periodic(now_ms)

    def stays_active(self, now_ms: int, held_back: set[str] | None = None) -> None:
        """Nothing was read of some splits, None stands for all, so that none of them was silent."""
        for name, output in self._by_split():
            if held_back is None or name in held_back:
                output.event_time.stays_active(now_ms)

    def _by_split(self) -> list[tuple[str, _SplitOutput]]:
        return list(self._splits.items()) or [("", self)]

    def position(self) -> tuple[int, bool]:
        """The watermark of the whole reader, and whether it is idle."""
        return self._task.last, self._task.idle

    def splits_above(self, limit: int) -> set[str]:
        """The splits with higher watermarks, where there are several."""
        if len(self._splits) < 2:
            return set()
        return {
            name
            for name, output in self._splits.items()
            if output.target.last > limit and not output.target.idle
        }

    def flush(self) -> None:
        super().flush()
        for output in self._splits.values():
            output.flush()

    @property
    def _all_idle(self) -> bool:
        return all(output.target.idle for output in self._splits.values())

    def _split_moved(self, _: int) -> None:
        active = [output.target.last for output in self._splits.values() if not output.target.idle]
        if active:
            self._task.emit_watermark(min(active))

    def _split_status(self, status: StreamStatus) -> None:
        if status == IDLE and self._all_idle:
            self._task.mark_idle()
        elif status == ACTIVE:
            self._task.mark_active()
        self._split_moved(MIN_TIMESTAMP)


class _ReaderContext:
    """What the reader may ask."""

    def __init__(self, context: OperatorContext, link: SourceLink) -> None:
        self._context = context
        self.send_split_request = link.send_split_request
        self.send_source_event = link.send_source_event
        self.wake_up = link.wake_up

    def index_of_subtask(self) -> int:
        return self._context.subtask_index

    def current_parallelism(self) -> int:
        return self._context.parallelism

    def metric_group(self) -> MetricGroup:
        return self._context.metrics

    def configuration(self) -> dict[str, str]:
        return dict(self._context.settings)

    def clock(self) -> Clock:
        return self._context.clock

    def apart(self, records: Iterable[Any]) -> Iterable[Any]:
        return map(_Copies().of_one, records) if _keeps_apart(self._context) else records

    def runtime_context(self) -> "RuntimeContext":
        from penstock.operators.runtime_context import OperatorRuntimeContext

        return OperatorRuntimeContext(self._context)

    def checkpoints_of(self, function: Any) -> CheckpointParticipant:
        return FunctionCheckpoints(function, self._context)


def _keeps_apart(context: OperatorContext) -> bool:
    return context.effect is Effect.CHANGES


class _Copies:
    """Copies of records; what makes them is loaded for sources of users alone."""

    def __init__(self) -> None:
        from penstock.data.own_copies import copies_or_same, copy_or_same

        self.of_one = copy_or_same
        self.of_all = copies_or_same
