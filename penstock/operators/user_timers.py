"""The timers that functions of the user set: their service, and their firing."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from penstock.contracts.context import TimeDomain, TimerService
from penstock.contracts.state import KeyedStateBackend
from penstock.contracts.timers import Timers
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.operators.collector import Collector
from penstock.operators.contract import OperatorContext
from penstock.operators.pieces import Work
from penstock.operators.user_code import shorten, user_error

TIMERS_NAME = "user-timers"

OnTimer = Callable[[int, Any], Iterable[Any] | None]


class TimerContext(Protocol):
    """What is set in a context before a timer fires."""

    time: int
    emit_time: int
    domain: TimeDomain


class UserTimerService(TimerService):
    """Timers of the current key. Keeps the processing time of the earliest one scheduled; nothing in BATCH mode.

    There are ``timers`` from :meth:`open` on, which is when the task can give those of a snapshot.
    ``watermark`` is the operator's own: of what it has been given, not of what its task has read.
    While ``key_is_over`` (BATCH mode, after the last record of a key) no timer is taken any more, as in Flink: one that
    sets the next would go on for ever.
    """

    __slots__ = (
        "_armed_at",
        "_cancel",
        "_clock",
        "_fire",
        "_keyed_state",
        "_make_timers",
        "_schedule",
        "key_is_over",
        "timers",
        "watermark",
    )

    timers: Timers

    def __init__(self, context: OperatorContext, fire_processing_time: Callable[[int], None]) -> None:
        assert context.keyed_state is not None
        assert context.make_timers is not None
        self._make_timers = context.make_timers
        self.watermark = MIN_TIMESTAMP
        self.key_is_over = False
        self._keyed_state: KeyedStateBackend = context.keyed_state
        self._clock = context.clock
        self._schedule = None if context.batch_mode else context.processing_time.schedule
        self._fire = fire_processing_time
        self._armed_at: int | None = None
        self._cancel: Callable[[], None] | None = None

    def current_processing_time(self) -> int:
        return self._clock.now_ms()

    def current_watermark(self) -> int:
        return self.watermark

    def register_processing_time_timer(self, timestamp: int) -> None:
        if self.key_is_over:
            return
        self.timers.register_processing_time_timer(self._keyed_state.current_key, None, timestamp)
        if self._armed_at is None or timestamp < self._armed_at:
            self.arm()

    def register_event_time_timer(self, timestamp: int) -> None:
        if not self.key_is_over:
            self.timers.register_event_time_timer(self._keyed_state.current_key, None, timestamp)

    def delete_processing_time_timer(self, timestamp: int) -> None:
        self.timers.delete_processing_time_timer(self._keyed_state.current_key, None, timestamp)

    def delete_event_time_timer(self, timestamp: int) -> None:
        self.timers.delete_event_time_timer(self._keyed_state.current_key, None, timestamp)

    def open(self) -> None:
        """Have the timers, those of a snapshot too."""
        self.timers = self._make_timers(TIMERS_NAME)
        self.arm()

    def arm(self) -> None:
        """Be called at the time of the earliest processing-time timer."""
        if self._schedule is None:
            return
        at_ms = self.timers.next_processing_time()
        if at_ms == self._armed_at:
            return
        self.disarm()
        if at_ms is not None:
            self._armed_at = at_ms
            self._cancel = self._schedule(at_ms, self._on_time)

    def disarm(self) -> None:
        """Not be called any more."""
        if self._cancel is not None:
            self._cancel()
        self._cancel = self._armed_at = None

    def _on_time(self, at_ms: int) -> None:
        self._cancel = self._armed_at = None
        self._fire(max(at_ms, self._clock.now_ms()))
        self.arm()


class TimerFiring:
    """Calls ``on_timer`` for the timers that are due, with key, time and domain set."""

    def __init__(
        self,
        context: OperatorContext,
        collector: Collector,
        make_timer_context: Callable[[TimerService], TimerContext],
        on_timer: OnTimer | None,
    ) -> None:
        assert context.keyed_state is not None
        self._context = context
        self._keyed_state: KeyedStateBackend = context.keyed_state
        self._collector = collector
        self._on_timer: OnTimer = _nothing if on_timer is None else on_timer
        self.service = UserTimerService(context, self._on_processing_time)
        self._timer_context = make_timer_context(self.service)

    def advance_watermark(self, watermark: int) -> Work:
        """Fire the event-time timers up to ``watermark``; those set meanwhile too."""
        self.service.watermark = watermark
        return (
            yield from self._fire(self.service.timers.advance_watermark(watermark), TimeDomain.EVENT_TIME)
        )

    def end_key(self) -> Work:
        """BATCH mode: fire all that is left, as no other record of the key will come. Timers set meanwhile are ignored."""
        service = self.service
        service.watermark, service.key_is_over = MAX_WATERMARK, True
        fired = yield from self._fire(service.timers.advance_watermark(MAX_WATERMARK), TimeDomain.EVENT_TIME)
        due = service.timers.advance_processing_time(MAX_WATERMARK)
        fired += yield from self._fire(due, TimeDomain.PROCESSING_TIME)
        service.watermark, service.key_is_over = MIN_TIMESTAMP, False
        return fired

    def _on_processing_time(self, now_ms: int) -> None:
        self._context.pieces.run(self._fire_by_clock(now_ms))

    def _fire_by_clock(self, now_ms: int) -> Work:
        due = self.service.timers.advance_processing_time(now_ms)
        fired = yield from self._fire(due, TimeDomain.PROCESSING_TIME)
        self._collector.flush()
        return fired

    def _fire(self, due: Iterator[tuple[int, Any, Any]], domain: TimeDomain) -> Work:
        """Fire timers. Results are emitted when they are many; those of the last timers are left to the caller."""
        for fired, is_last in self._call(due, domain):
            if is_last:
                return fired
            yield max(fired, self._collector.flush())
        return 0

    def _call(self, due: Iterator[tuple[int, Any, Any]], domain: TimeDomain) -> Iterator[tuple[int, bool]]:
        """Call the function for the timers; stops after many of them, and within one whose results have become many."""
        keyed_state, timer_context, pieces = self._keyed_state, self._timer_context, self._context.pieces
        on_timer, take = self._on_timer, self._collector.take_piece
        in_event_time = domain is TimeDomain.EVENT_TIME
        timer_context.domain = domain
        timestamp, key, fired = MIN_TIMESTAMP, None, 0
        try:
            for timestamp, key, _ in due:
                keyed_state.current_key = key
                timer_context.time = timestamp
                timer_context.emit_time = emit_time = timestamp if in_event_time else MIN_TIMESTAMP
                results = on_timer(timestamp, timer_context)
                fired += 1
                while results is not None and (results := take(results, emit_time)) is not None:
                    yield fired, False
                    fired = 0
                if fired >= pieces.most_rows:
                    yield fired, False
                    fired = 0
        except Exception as error:
            where = (
                f"in the {domain.name.lower().replace('_', '-')} timer at {timestamp} of key {shorten(key)}"
            )
            raise user_error(self._context, error).at(where) from error
        yield fired, True


def _nothing(timestamp: int, context: Any) -> None:
    del timestamp, context
