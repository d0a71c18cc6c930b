"""Drives a sink's writer and, where it has one, its committer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.clock import Clock
from penstock.contracts.sink import CommittingSinkWriter, Sink, SinkWriter, StatefulSinkWriter
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import OutsideError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.checkpointed import join_checkpoints
from penstock.operators.contract import Layout, Operator, OperatorContext, OperatorSpec
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
        self._writer: SinkWriter | None = None
        self._moving = _WriterContext(context)

    def open(self) -> None:
        init = _InitContext(self.context)
        sink = self._spec.sink
        try:
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
                self._writer.write(batch.columns, self._moving)
        except Exception as error:
            raise user_error(self.context, error) from error

    def on_watermark(self, timestamp: int) -> None:
        assert self._writer is not None
        self._writer.write_watermark(timestamp)

    def on_status(self, status: Any) -> None:
        pass

    def finish(self) -> None:
        """The last commit of a bounded job: everything that was written becomes visible."""
        assert self._writer is not None
        try:
            self._writer.flush(True)
            if isinstance(self._writer, CommittingSinkWriter):
                self._commit(self._writer.prepare_commit())
        except Exception as error:
            raise user_error(self.context, error) from error

    def _commit(self, committables: list[Any]) -> None:
        committer = self._spec.sink.create_committer()
        if committer is None or not committables:
            return
        try:
            left = committer.commit(committables)
        finally:
            committer.close()
        if left:
            raise OutsideError(
                f"{len(left)} of {len(committables)} committables could not be committed at the end of the job"
            )

    def prepare_commit(self, checkpoint_id: int) -> list[Any]:
        assert self._writer is not None
        self._writer.flush(False)
        return self._writer.prepare_commit() if isinstance(self._writer, CommittingSinkWriter) else []

    def snapshot(self, checkpoint_id: int) -> Any:
        if isinstance(self._writer, StatefulSinkWriter):
            return self._writer.snapshot_state(checkpoint_id)
        return None

    def restore(self, own: Any) -> None:
        self._restored = own

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


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

    def restored_checkpoint_id(self) -> int | None:
        return self._context.restored_checkpoint_id

    def metric_group(self) -> MetricGroup:
        return self._context.metrics

    def clock(self) -> Clock:
        return self._context.clock

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
