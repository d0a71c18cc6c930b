"""Event times and watermarks for the records of a source, of one of its splits, or of a stream in mid-flow."""

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from penstock.contracts.watermarks import (
    BoundedOutOfOrdernessWatermarks,
    NoWatermarks,
    WatermarkGenerator,
    WatermarkOutput,
    WatermarkStrategy,
)
from penstock.data.batch import RowBatch
from penstock.data.elements import ACTIVE, IDLE, MAX_WATERMARK, MIN_TIMESTAMP, StreamStatus
from penstock.errors import ProgramError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import OperatorContext
from penstock.operators.user_code import shorten, user_error

if TYPE_CHECKING:
    from penstock.operators.assigned_times import AssignedTimes, Assigner

AUTO_WATERMARK_INTERVAL = "pipeline.auto-watermark-interval"
DEFAULT_AUTO_WATERMARK_INTERVAL_MS = 200
OUTPUT_WATERMARK = "currentOutputWatermark"
_NO_TIME = "not an integer of milliseconds between -2**63 and 2**63 - 1"


class WatermarkTarget(WatermarkOutput):
    """Lets a watermark through when it is higher than the last one; keeps what punctuated generators emit in order."""

    def __init__(
        self,
        context: OperatorContext,
        watermark: Callable[[int], None],
        status: Callable[[StreamStatus], None],
    ) -> None:
        self._context = context
        self._watermark = watermark
        self._status = status
        self.last = MIN_TIMESTAMP
        self.idle = False

    def report(self, metrics: MetricGroup) -> None:
        """Register the last watermark as the metric ``currentOutputWatermark``; it is None before the first."""
        metrics.gauge(OUTPUT_WATERMARK, lambda: None if self.last == MIN_TIMESTAMP else self.last)

    def emit_watermark(self, watermark: int) -> None:
        if type(watermark) is not int or watermark > MAX_WATERMARK:
            watermark = self._checked(watermark)
        if watermark > self.last:
            self.last = watermark
            self.mark_active()
            self._watermark(watermark)

    def _checked(self, watermark: Any) -> int:
        """Integers of other libraries become Python's."""
        try:
            return int(array("q", [watermark])[0])
        except (TypeError, OverflowError):
            raise ProgramError(
                f"the watermark {shorten(watermark)} is {_NO_TIME}; round it where it is emitted"
            ).at(self._context.place) from None

    def mark_idle(self) -> None:
        if not self.idle:
            self.idle = True
            self._status(IDLE)

    def mark_active(self) -> None:
        if self.idle:
            self.idle = False
            self._status(ACTIVE)


class EventTime:
    """Stamps batches and makes watermarks by a strategy; in BATCH mode it only stamps."""

    def __init__(
        self,
        strategy: WatermarkStrategy,
        context: OperatorContext,
        emit: Callable[[RowBatch], None],
        to: WatermarkTarget,
    ) -> None:
        self._strategy = strategy
        self._context = context
        self._emit = emit
        self._to = to
        self._generator = strategy.generator()
        self._takes_batches = _on_batch(self._generator)
        self._assigned = None if strategy.assigner is None else _assigned_times(strategy.assigner, context)
        self._last_activity_ms = context.clock.now_ms()

    def process(self, batch: RowBatch) -> None:
        """Stamp a batch and pass it on, with the watermarks that its records cause."""
        timestamps = batch.timestamps
        if self._assigned is not None:
            timestamps = self._assigned.of(batch)
            check_timestamps(timestamps, batch, self._context)
            batch = batch.stamped(timestamps)
        if self._context.batch_mode:
            self._emit(batch)
            return
        self.note_activity()
        if self._takes_batches is None:
            self._one_by_one(batch)
        else:
            if timestamps:
                self._takes_batches(timestamps)
            self._emit(batch)
        if self._strategy.idle_timeout_ms is not None:  # the time that those behind have taken is not silence
            self._last_activity_ms = self._context.clock.now_ms()

    def _one_by_one(self, batch: RowBatch) -> None:
        """Give each record to the generator, and cut the batch where a watermark falls."""
        cuts = _Cuts()
        on_event = self._generator.on_event
        timestamps = batch.timestamps or [MIN_TIMESTAMP] * len(batch)
        try:
            for cuts.position, value in enumerate(batch.values, 1):
                on_event(value, timestamps[cuts.position - 1], cuts)
        except Exception as error:
            raise user_error(self._context, error, batch.values[cuts.position - 1]) from error
        start = 0
        for position, watermark in cuts.watermarks:
            if position > start:
                self._emit(batch.slice(start, position))
                start = position
            if watermark is None:
                self._to.mark_idle()
            else:
                self._to.emit_watermark(watermark)
        if start < len(batch):
            self._emit(batch if start == 0 else batch.slice(start, len(batch)))

    def note_activity(self) -> None:
        """Records have come, so the input is not idle."""
        if self._context.batch_mode:
            return
        if self._strategy.idle_timeout_ms is not None:
            self._last_activity_ms = self._context.clock.now_ms()
        self._to.mark_active()

    def stays_active(self, now_ms: int) -> None:
        """Silence up to now is not the input's: nothing was read."""
        self._last_activity_ms = now_ms

    def periodic(self, now_ms: int) -> None:
        """Called every auto-watermark interval."""
        if self._context.batch_mode:
            return
        timeout = self._strategy.idle_timeout_ms
        if timeout is not None and now_ms - self._last_activity_ms >= timeout:
            self._to.mark_idle()
            return
        try:
            self._generator.on_periodic_emit(self._to)
        except Exception as error:
            raise user_error(self._context, error) from error


def _assigned_times(assigner: "Assigner", context: OperatorContext) -> "AssignedTimes":
    from penstock.operators.assigned_times import AssignedTimes

    return AssignedTimes(assigner, context)


def _on_batch(generator: WatermarkGenerator) -> Callable[[list[int]], None] | None:
    """How a generator of the engine's takes many timestamps at once; what users write, subclasses too, sees each record."""
    if type(generator) in (BoundedOutOfOrdernessWatermarks, NoWatermarks):
        return generator.on_batch  # type: ignore[attr-defined,no-any-return]
    return None


class _Cuts(WatermarkOutput):
    """Remembers behind which record a generator emitted what; None stands for idleness."""

    def __init__(self) -> None:
        self.position = 0
        self.watermarks: list[tuple[int, int | None]] = []

    def emit_watermark(self, watermark: int) -> None:
        self.watermarks.append((self.position, watermark))

    def mark_idle(self) -> None:
        self.watermarks.append((self.position, None))

    def mark_active(self) -> None:
        pass


def check_timestamps(timestamps: list[int], batch: RowBatch, context: OperatorContext) -> None:
    """Refuse what is not a 64-bit integer.

    :raises ProgramError: with the first record whose timestamp does not fit.
    """
    try:
        array("q", timestamps)
    except (TypeError, OverflowError):
        for value, timestamp in zip(batch.values, timestamps, strict=True):
            try:
                array("q", [timestamp])
            except (TypeError, OverflowError):
                raise ProgramError(
                    f"the timestamp {shorten(timestamp)} is {_NO_TIME}; the record was {shorten(value)}"
                ).at(context.place) from None


def auto_watermark_interval_ms(settings: dict[str, str]) -> int:
    """How often periodic generators are asked, 0 for never."""
    text = settings.get(AUTO_WATERMARK_INTERVAL)
    if text is None:
        return DEFAULT_AUTO_WATERMARK_INTERVAL_MS
    from penstock.data.time import Duration

    return Duration.of(text).to_millis()


class PeriodicCalls:
    """Calls ``function(now_ms)`` every interval until closed; nothing at all for an interval of 0 or in BATCH mode."""

    def __init__(self, context: OperatorContext, function: Callable[[int], None]) -> None:
        self._context = context
        self._function = function
        self._interval_ms = 0 if context.batch_mode else auto_watermark_interval_ms(context.settings)
        self._cancel: Callable[[], None] | None = None
        self._arm()

    def _arm(self) -> None:
        if self._interval_ms > 0:
            at = self._context.clock.now_ms() + self._interval_ms
            self._cancel = self._context.processing_time.schedule(at, self._fire)

    def _fire(self, at_ms: int) -> None:
        self._function(self._context.clock.now_ms())
        self._arm()

    def close(self) -> None:
        """Stop calling."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
