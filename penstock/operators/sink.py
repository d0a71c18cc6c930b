"""Drives a sink's writer and, where it has one, its committer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.clock import Clock
from penstock.contracts.sink import CommittingSinkWriter, Sink, SinkWriter, StatefulSinkWriter
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.metrics.kinds import MetricGroup
from penstock.operators.checkpointed import join_checkpoints
from penstock.operators.commits import LAST, Commits, Committable, WriterState
from penstock.operators.contract import KeptTogether, Layout, Operator, OperatorContext, OperatorSpec
from penstock.operators.user_code import user_error

if TYPE_CHECKING:
    from penstock.contracts.context import RuntimeContext


@dataclass(frozen=True, slots=True)
class SinkSpec(OperatorSpec):
    """A sink; ``input_type`` is the declared type of its records, for sinks that write text."""

    sink: Sink
    input_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return SinkOperator(self, context)

    @property
    def input_layout(self) -> Layout:
        return Layout(self.sink.input_layout)

    @property
    def ends_stream(self) -> bool:
        return True

    def user_functions(self) -> tuple[Any, ...]:
        return (self.sink,)


class SinkOperator(Operator):
    """The end of a chain."""

    def __init__(self, spec: SinkSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._restored: list[Any] | None = None
        self._commits = Commits(lambda: spec.sink.create_committer_for(_InitContext(context)), context)
        self._writer: SinkWriter | None = None
        self._has_ended = False
        self._moving = _WriterContext(context)

    def open(self) -> None:
        if not self._commits.has_restored:
            self._make_writer()

    def start(self) -> None:
        """What was to be committed is committed again, and only then is there a writer: its transactions end older ones."""
        if self._writer is None:
            self._make_writer()

    def _make_writer(self) -> None:
        init = _InitContext(self.context)
        sink = self._spec.sink
        try:
            self._commits.commit_restored()
            if self._restored is None:
                self._writer = sink.create_writer(init)
            else:
                self._writer = sink.restore_writer(init, self._restored)
        except Exception as error:
            raise user_error(self.context, error) from error

    def on_batch(self, batch: Any, port: int = 0) -> None:
        assert self._writer is not None
        try:
            if isinstance(batch, RowBatch):
                self._writer.write_batch(batch.values, batch.timestamps, self._moving)
            else:
                self._writer.write_columns(batch.columns, self._moving)
        except Exception as error:
            raise user_error(self.context, error) from error

    def on_watermark(self, timestamp: int) -> None:
        assert self._writer is not None
        self._writer.write_watermark(timestamp)

    def on_status(self, status: Any) -> None:
        pass

    def finish(self) -> None:
        """The last commit of a bounded job: by one more checkpoint where they are taken, otherwise now."""
        assert self._writer is not None
        try:
            self._writer.flush(True)
            self._commits.gather(LAST, self._prepared())
            self._has_ended = True
            if not self.context.takes_checkpoints:
                self._commits.commit_last()
        except Exception as error:
            raise user_error(self.context, error) from error

    def snapshot(self, checkpoint_id: int) -> Any:
        """The writer's states, and what waits to be committed; kept together, as transactions bear the subtask's number.

        After the end of the input the writer is not asked for more, as in Flink.
        """
        assert self._writer is not None
        try:
            if not self._has_ended:
                self._writer.flush(False)
                self._commits.gather(checkpoint_id, self._prepared())
            states = (
                self._writer.snapshot_state(checkpoint_id)
                if isinstance(self._writer, StatefulSinkWriter)
                else []
            )
        except Exception as error:
            raise user_error(self.context, error) from error
        own: list[Any] = [WriterState(state) for state in states]
        return KeptTogether([*own, *self._commits.waiting(checkpoint_id)]) or None

    def _prepared(self) -> list[Any]:
        return self._writer.prepare_commit() if isinstance(self._writer, CommittingSinkWriter) else []

    def restore(self, own: Any) -> None:
        self._restored = [entry.state for entry in own if isinstance(entry, WriterState)]
        self._commits.restore([entry for entry in own if isinstance(entry, Committable)])

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        try:
            self._commits.commit_up_to(checkpoint_id)
        except Exception as error:
            raise user_error(self.context, error) from error

    @property
    def awaits_checkpoint(self) -> bool:
        return self._commits.is_waiting

    def close(self) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
        finally:
            self._commits.close()


class _InitContext:
    def __init__(self, context: OperatorContext) -> None:
        self._context = context

    def index_of_subtask(self) -> int:
        return self._context.subtask_index

    def number_of_parallel_subtasks(self) -> int:
        return self._context.parallelism

    def attempt_number(self) -> int:
        return self._context.attempt

    def job_id(self) -> str:
        return self._context.job_id

    def operator_id(self) -> str:
        return self._context.operator_id

    def restored_checkpoint_id(self) -> int | None:
        return self._context.restored_checkpoint_id

    def configuration(self) -> dict[str, str]:
        return self._context.settings

    def metric_group(self) -> MetricGroup:
        return self._context.metrics

    def clock(self) -> Clock:
        return self._context.clock

    def register_timer(self, at_ms: int, callback: Callable[[int], None]) -> Callable[[], None]:
        def call(due_ms: int) -> None:
            try:
                callback(due_ms)
            except Exception as error:
                raise user_error(self._context, error) from error

        return self._context.processing_time.schedule(at_ms, call)

    def runtime_context(self) -> "RuntimeContext":
        from penstock.operators.runtime_context import OperatorRuntimeContext

        return OperatorRuntimeContext(self._context)

    def join_checkpoints(self, function: Any) -> None:
        join_checkpoints([function], self._context)


class _WriterContext:
    """Moves with the records: ``now_at`` sets the timestamp that ``timestamp()`` answers."""

    def __init__(self, context: OperatorContext) -> None:
        self._context = context
        self._timestamp: int | None = None

    def now_at(self, timestamp: int | None) -> None:
        self._timestamp = None if timestamp == MIN_TIMESTAMP else timestamp

    def timestamp(self) -> int | None:
        return self._timestamp

    def current_watermark(self) -> int:
        return self._context.current_watermark()
