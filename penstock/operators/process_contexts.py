"""The contexts that process functions are given; one object serves all records, ``time`` is set before each call."""

from penstock.clock import Clock
from penstock.contracts.context import (
    KeyedOnTimerContext,
    KeyedProcessContext,
    ProcessContext,
    TimeDomain,
    TimerService,
)
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import KeyedStateBackend
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import ProgramError
from penstock.operators.collector import Collector


class TimeOnly(TimerService):
    """Tells the time on a stream without keys; the operator sets ``watermark``."""

    __slots__ = ("_clock", "watermark")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watermark = MIN_TIMESTAMP

    def current_processing_time(self) -> int:
        return self._clock.now_ms()

    def current_watermark(self) -> int:
        return self.watermark

    def register_processing_time_timer(self, timestamp: int) -> None:
        raise self._no_timers(timestamp)

    def register_event_time_timer(self, timestamp: int) -> None:
        raise self._no_timers(timestamp)

    def delete_processing_time_timer(self, timestamp: int) -> None:
        raise self._no_timers(timestamp)

    def delete_event_time_timer(self, timestamp: int) -> None:
        raise self._no_timers(timestamp)

    def _no_timers(self, timestamp: int) -> ProgramError:
        return ProgramError(
            "Register timers is only supported on a keyed stream. Timers belong to keys: call key_by before process; "
            f"the timer was for {timestamp}"
        )


class RecordContext(ProcessContext):
    """The context of a record without a key."""

    __slots__ = ("_collector", "_timer_service", "time")

    def __init__(self, collector: Collector, timer_service: TimerService) -> None:
        self._collector = collector
        self._timer_service = timer_service
        self.time = MIN_TIMESTAMP

    def timer_service(self) -> TimerService:
        return self._timer_service

    def timestamp(self) -> int:
        return self.time

    def output(self, output_tag: OutputTag, value: object) -> None:
        self._collector.aside(output_tag, value, self.time)


class KeyedRecordContext(RecordContext, KeyedProcessContext):
    """The context of a record with a key, which is the current key of the state."""

    __slots__ = ("_keyed_state",)

    def __init__(
        self, collector: Collector, timer_service: TimerService, keyed_state: KeyedStateBackend
    ) -> None:
        super().__init__(collector, timer_service)
        self._keyed_state = keyed_state

    def get_current_key(self) -> object:
        return self._keyed_state.current_key


class FiringContext(KeyedRecordContext, KeyedOnTimerContext):
    """The context of a timer: ``time`` is the timer's, ``emit_time`` the timestamp of what it emits."""

    __slots__ = ("domain", "emit_time")

    def __init__(
        self, collector: Collector, timer_service: TimerService, keyed_state: KeyedStateBackend
    ) -> None:
        super().__init__(collector, timer_service, keyed_state)
        self.domain = TimeDomain.EVENT_TIME
        self.emit_time = MIN_TIMESTAMP

    def time_domain(self) -> TimeDomain:
        return self.domain

    def output(self, output_tag: OutputTag, value: object) -> None:
        self._collector.aside(output_tag, value, self.emit_time)
