"""ProcessFunction: a function of the user on a stream without keys, with side outputs and a look at the time."""

from dataclasses import dataclass
from typing import Any

from penstock.data.batch import RowBatch
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.process_contexts import RecordContext, TimeOnly
from penstock.operators.process_records import Calls, FunctionLife, methods_of


@dataclass(frozen=True, slots=True)
class ProcessSpec(SharingSpec):
    """Calls ``process_element(value, ctx)`` for each record."""

    function: Any
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return Process(context, self.function, self.output_type)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)


class Process(Operator):
    """``methods`` names the function's method for each input."""

    def __init__(
        self,
        context: OperatorContext,
        function: Any,
        output_type: Any,
        methods: tuple[str, ...] = ("process_element",),
    ) -> None:
        super().__init__(context)
        self._collector = Collector(context, output_type)
        self._life = FunctionLife(function, context)
        self._process = methods_of(function, methods, "process")
        self._time = TimeOnly(context.clock)
        self._calls = [
            Calls(context, each, self._context_of(port)) for port, each in enumerate(self._process)
        ]

    def _context_of(self, port: int) -> RecordContext:
        return RecordContext(self._collector, self._time)

    def open(self) -> None:
        self._life.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.pieces.run(self._calls[port].run(batch, self._collector.emit_results))

    def on_watermark(self, timestamp: int) -> None:
        self.context.pieces.then(self._advance, timestamp)

    def _advance(self, timestamp: int) -> None:
        self._time.watermark = timestamp
        self.output.watermark(timestamp)

    def close(self) -> None:
        self._life.close()
