"""A sink that forgets everything, for measurements and for streams that are run for their effects."""

from typing import Any

from penstock.contracts.effects import Effect
from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext


class DiscardingSink(Sink):
    """Takes every record and does nothing with it.

    >>> DiscardingSink().display_name()
    'DiscardingSink'
    """

    effect = Effect.NONE

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _DiscardingWriter()


class _DiscardingWriter(SinkWriter):
    def write(self, element: Any, context: SinkWriterContext) -> None:
        pass

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        pass
