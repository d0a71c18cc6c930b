"""A sink that calls a function for each record."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from penstock.clock import Clock
from penstock.connectors.functions.checkpointed import ListCheckpointed, check_one_kind_of_state
from penstock.contracts.checkpointing import CheckpointedFunction, CheckpointListener
from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import Function
from penstock.contracts.sink import (
    Sink,
    SinkWriter,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)
from penstock.errors import ProgramError


class SinkContext:
    """Given to ``invoke`` with each record; valid during that call only."""

    __slots__ = ("_clock", "_writer_context")

    def __init__(self, writer_context: SinkWriterContext, clock: Clock) -> None:
        self._writer_context = writer_context
        self._clock = clock

    def timestamp(self) -> int | None:
        """The record's event time, None when it has none."""
        return self._writer_context.timestamp()

    def current_watermark(self) -> int:
        """The watermark."""
        return self._writer_context.current_watermark()

    def current_processing_time(self) -> int:
        """The clock's time."""
        return self._clock.now_ms()


class SinkFunction(Function):
    """Takes the records of one subtask. A record counts as written when ``invoke`` returns."""

    @abstractmethod
    def invoke(self, value: Any, context: SinkContext) -> None:
        """Write one record."""

    def write_watermark(self, watermark: int) -> None:
        """The watermark has moved."""

    def finish(self) -> None:
        """The input has ended; write out what is buffered."""


class RichSinkFunction(SinkFunction):
    """A sink function that can ask for its runtime context at any time."""

    _runtime_context: RuntimeContext

    def set_runtime_context(self, runtime_context: RuntimeContext) -> None:
        """Called by the engine before ``open``."""
        self._runtime_context = runtime_context

    def get_runtime_context(self) -> RuntimeContext:
        """Where the function runs, its metrics and accumulators."""
        return self._runtime_context


class FunctionSink(Sink):
    """Calls a function with each record: a plain one with the value, a :class:`SinkFunction` with value and context.

    At-least-once: after a failure the records since the last checkpoint are written again.

    >>> FunctionSink([].append).display_name()
    'Sink Function'
    """

    def __init__(self, function: SinkFunction | Callable[[Any], object]) -> None:
        if isinstance(function, type) and issubclass(function, SinkFunction):
            raise ProgramError(
                f"a sink takes an object, not the class {function.__name__}; write {function.__name__}()"
            )
        if not (isinstance(function, SinkFunction) or callable(function)):
            raise ProgramError(
                f"a sink takes a SinkFunction or a function of one value, not {function!r} of type "
                f"{type(function).__name__}"
            )
        check_one_kind_of_state(function)
        self._function = function

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return self._writer(context, None)

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> SinkWriter:
        return self._writer(context, states)

    def _writer(self, context: WriterInitContext, states: list[Any] | None) -> SinkWriter:
        function = self._function
        if not isinstance(function, SinkFunction):
            return _CallWriter(function)
        if isinstance(function, RichSinkFunction):
            function.set_runtime_context(context.runtime_context())
        if not isinstance(function, ListCheckpointed):
            return _InvokeWriter(function, context)
        if states:
            function.restore_state(states)
        return _StatefulInvokeWriter(function, function, context)

    def display_name(self) -> str:
        return type(self._function).__name__ if isinstance(self._function, SinkFunction) else "Sink Function"


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.500}"
    except Exception as error:  # noqa: BLE001 - the user's __repr__
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"


class _CallWriter(SinkWriter):
    def __init__(self, function: Callable[[Any], object]) -> None:
        self._function = function

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self.write_batch([element], None, context)

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        function = self._function
        value = None
        try:
            for value in values:
                function(value)
        except Exception as error:
            error.add_note(f"the record was {_shown(value)}")
            raise


class _InvokeWriter(SinkWriter):
    def __init__(self, function: SinkFunction, context: WriterInitContext) -> None:
        self._function = function
        self._clock = context.clock()
        if isinstance(function, CheckpointedFunction | CheckpointListener):
            context.join_checkpoints(function)
        function.open(context.runtime_context())

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._invoke_all([element], SinkContext(context, self._clock))

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        sink_context = SinkContext(context, self._clock)
        moving: Any = context
        if timestamps is None:
            moving.now_at(None)
            self._invoke_all(values, sink_context)
            return
        for value, timestamp in zip(values, timestamps, strict=True):
            moving.now_at(timestamp)
            self._invoke_all([value], sink_context)

    def _invoke_all(self, values: list[Any], sink_context: SinkContext) -> None:
        invoke = self._function.invoke
        value = None
        try:
            for value in values:
                invoke(value, sink_context)
        except Exception as error:
            error.add_note(f"the record was {_shown(value)}")
            raise

    def write_watermark(self, watermark: int) -> None:
        self._function.write_watermark(watermark)

    def flush(self, end_of_input: bool) -> None:
        if end_of_input:
            self._function.finish()

    def close(self) -> None:
        self._function.close()


class _StatefulInvokeWriter(_InvokeWriter, StatefulSinkWriter):
    def __init__(self, function: SinkFunction, state: ListCheckpointed, context: WriterInitContext) -> None:
        super().__init__(function, context)
        self._state = state

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return self._state.snapshot_state(checkpoint_id)
