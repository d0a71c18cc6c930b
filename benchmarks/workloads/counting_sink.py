"""Takes columns and counts their rows."""

from typing import Any

from penstock.contracts.accumulators import IntCounter
from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext


class CountingColumnsSink(Sink):
    """Counts rows in the accumulator ``rows``."""

    input_layout = "columns"

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _Writer(context)


class _Writer(SinkWriter):
    def __init__(self, context: WriterInitContext) -> None:
        self._rows = IntCounter()
        context.runtime_context().add_accumulator("rows", self._rows)

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._rows.add(element.num_rows)
