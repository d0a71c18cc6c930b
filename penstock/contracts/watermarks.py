"""Event time: timestamp assigners, watermark generators and the strategy that names both.

Source: Flink's documentation, "Generating Watermarks".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from penstock.data.elements import MIN_TIMESTAMP
from penstock.data.time import Duration
from penstock.errors import ProgramError


class TimestampAssigner(ABC):
    """Gives each record its event time."""

    @abstractmethod
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        """The event time in milliseconds; ``record_timestamp`` is what the source gave, ``MIN_TIMESTAMP`` for nothing."""


class WatermarkOutput(ABC):
    """Where a generator puts its watermarks."""

    @abstractmethod
    def emit_watermark(self, watermark: int) -> None:
        """Say that no record at or before ``watermark`` is expected; one that is not higher than the last is ignored."""

    @abstractmethod
    def mark_idle(self) -> None:
        """Stop holding others back until a record or watermark comes."""

    @abstractmethod
    def mark_active(self) -> None:
        """Take part in the minimum again."""


class WatermarkGenerator(ABC):
    """Makes watermarks from what it sees: on each record (punctuated), at intervals (periodic), or both."""

    @abstractmethod
    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        """Called for each record, in order."""

    @abstractmethod
    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        """Called every ``pipeline.auto-watermark-interval`` milliseconds."""


class BoundedOutOfOrdernessWatermarks(WatermarkGenerator):
    """The highest timestamp so far, less the bound, less one millisecond."""

    def __init__(self, max_out_of_orderness_ms: int) -> None:
        self._delay_ms = max_out_of_orderness_ms
        self.max_timestamp = MIN_TIMESTAMP + max_out_of_orderness_ms + 1

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        if event_timestamp > self.max_timestamp:
            self.max_timestamp = event_timestamp

    def on_batch(self, timestamps: list[int]) -> None:
        """The same as ``on_event`` for each, at the speed of ``max``."""
        self.max_timestamp = max(self.max_timestamp, max(timestamps))

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        output.emit_watermark(self.max_timestamp - self._delay_ms - 1)


class NoWatermarks(WatermarkGenerator):
    """Never makes a watermark."""

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        pass

    def on_batch(self, timestamps: list[int]) -> None:
        """Nothing, for a whole batch."""

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        pass


@dataclass(frozen=True, slots=True)
class WatermarkAlignment:
    """Sources of one group wait for each other."""

    group: str
    max_drift_ms: int
    update_interval_ms: int


@dataclass(frozen=True, slots=True)
class WatermarkStrategy:
    """How event times and watermarks are made: a generator, an assigner, idleness, alignment. A value; ``with_`` copies.

    >>> strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5))
    >>> strategy = strategy.with_timestamp_assigner(lambda value, timestamp: value["at"])
    >>> strategy.assigner({"at": 17}, 0)
    17
    """

    generator: Callable[[], WatermarkGenerator]
    assigner: Callable[[Any, int], int] | None = None
    idle_timeout_ms: int | None = None
    alignment: WatermarkAlignment | None = None

    @property
    def looks_at_records(self) -> bool:
        """Whether event times or watermarks come from the records themselves."""
        return self.assigner is not None or self.generator is not NoWatermarks

    @staticmethod
    def for_monotonous_timestamps() -> "WatermarkStrategy":
        """For timestamps that only grow: the watermark follows closely behind."""
        return WatermarkStrategy(_Bounded(0))

    @staticmethod
    def for_bounded_out_of_orderness(max_out_of_orderness: Any) -> "WatermarkStrategy":
        """For timestamps that come at most ``max_out_of_orderness`` late (Duration, timedelta or milliseconds)."""
        delay_ms = _milliseconds(max_out_of_orderness, "max_out_of_orderness")
        if delay_ms < 0:
            raise ProgramError(f"max_out_of_orderness cannot be negative, and it is {delay_ms} ms")
        return WatermarkStrategy(_Bounded(delay_ms))

    @staticmethod
    def no_watermarks() -> "WatermarkStrategy":
        """For streams that only know processing time."""
        return WatermarkStrategy(NoWatermarks)

    @staticmethod
    def for_generator(generator_supplier: Callable[[], WatermarkGenerator]) -> "WatermarkStrategy":
        """For watermarks of your own; the supplier is called once per subtask (and split)."""
        if isinstance(generator_supplier, WatermarkGenerator) or not callable(generator_supplier):
            raise ProgramError(
                f"for_generator takes a function that makes a WatermarkGenerator, not {generator_supplier!r}; "
                "pass the class itself or a lambda"
            )
        return WatermarkStrategy(generator_supplier)

    def with_timestamp_assigner(
        self, timestamp_assigner: TimestampAssigner | Callable[[Any, int], int]
    ) -> "WatermarkStrategy":
        """Take event times from an assigner, or from a function of the value and the timestamp it has."""
        if isinstance(timestamp_assigner, TimestampAssigner):
            return replace(self, assigner=timestamp_assigner.extract_timestamp)
        if callable(timestamp_assigner):
            return replace(self, assigner=timestamp_assigner)
        raise ProgramError(
            f"a timestamp assigner is a TimestampAssigner or a function (value, timestamp) -> milliseconds, "
            f"not {timestamp_assigner!r}"
        )

    def with_idleness(self, idle_timeout: Any) -> "WatermarkStrategy":
        """Mark a source idle that has been silent for ``idle_timeout``, so that it does not hold others back."""
        timeout_ms = _milliseconds(idle_timeout, "idle_timeout")
        if timeout_ms <= 0:
            raise ProgramError(f"an idle timeout must be positive, not {timeout_ms} ms")
        return replace(self, idle_timeout_ms=timeout_ms)

    def with_watermark_alignment(
        self, watermark_group: str, max_allowed_watermark_drift: Any, update_interval: Any = None
    ) -> "WatermarkStrategy":
        """Hold back sources of one group that run ahead of the slowest by more than the drift; for ``from_source``.

        Every ``update_interval``, one second by default, sources say how far they are.
        """
        drift_ms = _milliseconds(max_allowed_watermark_drift, "max_allowed_watermark_drift")
        interval_ms = 1_000 if update_interval is None else _milliseconds(update_interval, "update_interval")
        if not isinstance(watermark_group, str) or not watermark_group:
            raise ProgramError(f"a watermark group is a name, not {watermark_group!r}")
        if interval_ms < 1:
            raise ProgramError(f"an update interval must be positive, not {interval_ms} ms")
        return replace(self, alignment=WatermarkAlignment(watermark_group, drift_ms, interval_ms))


def _milliseconds(value: Any, what: str) -> int:
    try:
        return Duration.of(value).to_millis()
    except (TypeError, ValueError) as error:
        raise ProgramError(f"{what} is {value!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Bounded:
    """Makes generators; a class so that strategies can be compared and printed."""

    delay_ms: int

    def __call__(self) -> WatermarkGenerator:
        return BoundedOutOfOrdernessWatermarks(self.delay_ms)


__all__ = [
    "BoundedOutOfOrdernessWatermarks",
    "Duration",
    "NoWatermarks",
    "TimestampAssigner",
    "WatermarkAlignment",
    "WatermarkGenerator",
    "WatermarkOutput",
    "WatermarkStrategy",
]
