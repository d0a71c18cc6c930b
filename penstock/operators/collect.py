"""Sends records to the client that waits for them."""

from dataclasses import dataclass

from penstock.contracts.effects import Effect
from penstock.data.batch import RowBatch
from penstock.data.elements import StreamStatus
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec


@dataclass(frozen=True, slots=True)
class CollectSpec(OperatorSpec):
    """The sink of ``execute_and_collect``; ``collector`` names it within the job."""

    collector: str

    def build(self, context: OperatorContext) -> Operator:
        return CollectOperator(self.collector, context)

    @property
    def effect(self) -> Effect:
        """The rows are the program's, which may do with them what it wants."""
        return Effect.CHANGES

    @property
    def ends_stream(self) -> bool:
        return True


class CollectOperator(Operator):
    """One message a batch; the task stops stepping while the client has too many of them."""

    def __init__(self, collector: str, context: OperatorContext) -> None:
        super().__init__(context)
        self._collector = collector

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.send_to_client(self._collector, batch.values)

    def on_watermark(self, timestamp: int) -> None:
        pass

    def on_status(self, status: StreamStatus) -> None:
        pass
