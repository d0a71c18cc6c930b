"""Event times and watermarks given in mid-stream; what comes from upstream is replaced."""

from dataclasses import dataclass
from typing import Any

from penstock.contracts.effects import Effect
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.batch import RowBatch
from penstock.data.elements import MAX_WATERMARK, StreamStatus
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.effects import effect_of
from penstock.operators.event_time import EventTime, PeriodicCalls, WatermarkTarget
from penstock.operators.user_code import user_error


@dataclass(frozen=True, slots=True)
class AssignWatermarksSpec(OperatorSpec):
    """Stamps records by a strategy, and makes its watermarks."""

    strategy: WatermarkStrategy

    def build(self, context: OperatorContext) -> Operator:
        return AssignWatermarks(self.strategy, context)

    def user_functions(self) -> tuple[Any, ...]:
        assigner = self.strategy.assigner
        return (self.strategy.generator,) if assigner is None else (self.strategy.generator, assigner)

    @property
    def effect(self) -> Effect:
        """Records are passed on; an assigner may still change them."""
        changes = effect_of(self.strategy.assigner) is Effect.CHANGES
        return Effect.CHANGES if changes else Effect.NONE


class AssignWatermarks(Operator):
    """One generator for the subtask. Watermarks are not remembered over a restart, as in Flink."""

    def __init__(self, strategy: WatermarkStrategy, context: OperatorContext) -> None:
        super().__init__(context)
        self._strategy = strategy
        self._target = WatermarkTarget(self.context, self.output.watermark, self.output.status)
        self._event_time: EventTime | None = None
        self._periodic: PeriodicCalls | None = None

    def open(self) -> None:
        self._target.report(self.context.metrics)
        try:
            self._event_time = EventTime(self._strategy, self.context, self.output.emit, self._target)
        except Exception as error:
            raise user_error(self.context, error) from error
        self._periodic = PeriodicCalls(self.context, self._event_time.periodic)

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        assert self._event_time is not None
        self._event_time.process(batch)

    def on_watermark(self, timestamp: int) -> None:
        """Only the end of time passes; every other watermark is the strategy's to make."""
        if timestamp == MAX_WATERMARK:
            self._target.emit_watermark(timestamp)

    def on_status(self, status: StreamStatus) -> None:
        """Whether upstream is idle does not matter: the strategy decides that too."""

    def was_held_up(self) -> None:
        if self._event_time is not None:
            self._event_time.stays_active(self.context.clock.now_ms())

    def finish(self) -> None:
        """What the generator still has to say; nothing behind the end of time."""
        self._stop()
        if self._event_time is not None and self._target.last != MAX_WATERMARK:
            self._event_time.periodic(self.context.clock.now_ms())

    def close(self) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._periodic is not None:
            self._periodic.close()
            self._periodic = None
