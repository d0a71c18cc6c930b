"""KeyedProcessFunction: a function of the user with state, timers and side outputs, one record at a time."""

from dataclasses import dataclass
from typing import Any

from penstock.contracts.context import TimerService
from penstock.contracts.state import KeyedStateBackend
from penstock.data.batch import RowBatch
from penstock.operators.apart import each_apart
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.pieces import Work
from penstock.operators.process_contexts import FiringContext, KeyedRecordContext
from penstock.operators.process_records import Calls, FunctionLife, methods_of
from penstock.operators.user_timers import TimerContext, TimerFiring


@dataclass(frozen=True, slots=True)
class KeyedProcessSpec(SharingSpec):
    """Calls ``process_element(value, ctx)`` for each record, and ``on_timer(timestamp, ctx)`` for each timer."""

    function: Any
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return KeyedProcess(context, self.function, self.output_type)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)

    @property
    def uses_keyed_state(self) -> bool:
        return True


class KeyedProcess(Operator):
    """Keeps nothing itself: everything to remember is in the keyed state and in the timers.

    ``methods`` names the function's method for each input.
    """

    def __init__(
        self,
        context: OperatorContext,
        function: Any,
        output_type: Any,
        methods: tuple[str, ...] = ("process_element",),
    ) -> None:
        super().__init__(context)
        assert context.keyed_state is not None
        self._keyed_state: KeyedStateBackend = context.keyed_state
        self._collector = Collector(context, output_type)
        self._life = FunctionLife(function, context)
        self._process = methods_of(function, methods, "process")
        on_timer = getattr(function, "on_timer", None)
        self._firing = TimerFiring(
            context, self._collector, self._timer_context, on_timer and each_apart(context, on_timer)
        )
        record_context = self._context_of_records(self._firing.service)
        self._calls = [Calls(context, each, record_context, self._keyed_state) for each in self._process]

    def _context_of_records(self, timer_service: TimerService) -> KeyedRecordContext:
        return KeyedRecordContext(self._collector, timer_service, self._keyed_state)

    def _timer_context(self, timer_service: TimerService) -> TimerContext:
        return FiringContext(self._collector, timer_service, self._keyed_state)

    def open(self) -> None:
        self._life.open()
        self._firing.service.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.pieces.run(self._calls[port].run(batch, self._collector.emit_results))

    def on_watermark(self, timestamp: int) -> None:
        self.context.pieces.run(self._advance(timestamp))

    def _advance(self, timestamp: int) -> Work:
        fired = yield from self._firing.advance_watermark(timestamp)
        self._collector.flush()
        self.output.watermark(timestamp)
        return fired

    def end_key(self, key: Any) -> None:
        self.context.pieces.run(self._end_key(key))

    def _end_key(self, key: Any) -> Work:
        fired = yield from self._firing.end_key()
        self._keyed_state.clear_key(key)
        self._collector.flush()
        return fired

    def finish(self) -> None:
        """Processing-time timers that are not due will never fire, as in Flink."""
        self._firing.service.disarm()

    def close(self) -> None:
        self._firing.service.disarm()
        self._life.close()
