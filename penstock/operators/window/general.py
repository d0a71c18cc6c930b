"""The window operator for any assigner, trigger and evictor, record by record.

A timer belongs to (key, window) and is shared by the trigger and the end of the window, as in Flink: when the window ends the
trigger is asked once more, whether or not it had registered a timer for that time.
"""

from collections.abc import Generator, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

from penstock.contracts.timers import Timers
from penstock.data.batch import RowBatch
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.data.own_copies import copy_or_same
from penstock.errors import ProgramError
from penstock.operators.apart import keeps_apart
from penstock.operators.contract import Operator, OperatorContext
from penstock.operators.pieces import Work
from penstock.operators.process_records import key_is_unusable, unusable_key
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import shorten, user_error
from penstock.operators.window.contents import Store, make_store
from penstock.operators.window.evaluation import Evaluator
from penstock.operators.window.late import LateRecords
from penstock.operators.window.stagger import OwnAssigner
from penstock.operators.window.times import Times
from penstock.operators.window.trigger_context import (
    Leftover,
    OperatorAssignerContext,
    OperatorTriggerContext,
)
from penstock.operators.window.wake_up import WakeUp
from penstock.windows.assigners.assigner import MergingWindowAssigner
from penstock.windows.assigners.counting import CountTumblingWindowAssigner
from penstock.windows.assigners.global_windows import GlobalWindows
from penstock.windows.assigners.tumbling import TumblingEventTimeWindows, TumblingProcessingTimeWindows
from penstock.windows.triggers.trigger import TriggerResult

if TYPE_CHECKING:
    from penstock.operators.window.spec import WindowSpec

TIMERS_NAME = "window-timers"
KEYS_PER_FLUSH = 64

CONTINUE = TriggerResult.CONTINUE

_OF_ONE_WINDOW = (
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
    CountTumblingWindowAssigner,
    GlobalWindows,
    MergingWindowAssigner,
)
"""The assigners that put no record into two windows."""


class GeneralWindows(Operator):
    """Windows that do not merge."""

    merging = False

    timers: Timers
    trigger_context: OperatorTriggerContext
    _wake_up: WakeUp | None = None

    def __init__(self, spec: "WindowSpec", context: OperatorContext) -> None:
        super().__init__(context)
        assert context.keyed_state is not None
        self.spec = spec
        self.backend = context.keyed_state
        self.times = Times(context.clock)
        self.trigger = spec.trigger
        self.event_time: bool = spec.assigner.is_event_time()
        self._own_assigner = OwnAssigner(spec.assigner)
        self.assigner = self._own_assigner.get()
        self.assigner_context = OperatorAssignerContext(self.times, OperatorRuntimeContext(context))
        self.evaluator = Evaluator(spec, context, self.times, self.merging)
        self.collector = self.evaluator.collector
        self.late = LateRecords(spec, context, self.collector)
        self._store: Store | None = None
        self._keys_ended = 0
        self._copies = keeps_apart(context) and not isinstance(spec.assigner, _OF_ONE_WINDOW)

    def open(self) -> None:
        assert self.context.make_timers is not None
        self.times.recover(self.context.operator_state)
        # Not before: what is restored is put into the timers when they are made.
        self.timers = self.context.make_timers(TIMERS_NAME)
        self.trigger_context = OperatorTriggerContext(
            self.backend, self.timers, self.times, self.context.metrics
        )
        self._store = self._make_store()
        self._wake_up = WakeUp(self.context, self.timers, self._on_processing_time)
        self.evaluator.open()
        self._plan()

    def _make_store(self) -> Store:
        spec = self.spec
        if spec.evictor is None:
            return make_store(self.context, self.backend, spec.contents)
        from penstock.operators.window.evicting import EvictingStore, EvictorTimes

        times = EvictorTimes(self.times, self.context.metrics)
        return EvictingStore(self.context, self.backend, spec.contents, spec.evictor, times)

    @property
    def store(self) -> Store:
        """The contents of the windows; there from ``open`` on."""
        assert self._store is not None
        return self._store

    # Records ------------------------------------------------------------------------------------------------------------

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.pieces.run(self._take(batch))

    def _take(self, batch: RowBatch) -> Work:
        size, start = len(batch.values), 0
        while True:
            stop = min(start + self.context.pieces.most_rows, size)
            yield from self._add(batch if stop - start == size else batch.slice(start, stop))
            if stop == size:
                return stop - start
            yield stop - start
            start = stop

    def _add(self, batch: RowBatch) -> Iterator[int]:
        assert batch.keys is not None
        backend, add = self.backend, self.add_record
        key = value = None
        try:
            for key, value, timestamp in zip(
                batch.keys, batch.values, batch.timestamps or repeat(MIN_TIMESTAMP), strict=False
            ):
                backend.current_key = key
                yield from add(key, value, timestamp)
        except Exception as error:
            if key_is_unusable(error, key):
                raise unusable_key(batch, self.context) from error
            raise user_error(self.context, error, value) from error
        backend.after_records(len(batch.values))
        self._plan()
        if not self.context.batch_mode:
            self.collector.flush()

    def add_record(self, key: Any, value: Any, timestamp: int) -> Iterator[int]:
        """Put one record into its windows."""
        taken = False
        for window in self.assigner.assign_windows(value, timestamp, self.assigner_context):
            cleanup_time = self.cleanup_time(window)
            if self.event_time and cleanup_time <= self.times.watermark:
                continue
            taken = True
            self.store.add(window, key, copy_or_same(value) if self._copies else value, timestamp)
            self.trigger_context.window = window
            result = self.trigger.on_element(value, timestamp, window, self.trigger_context)
            if result is not CONTINUE:
                yield from self.act(result, key, window, window, timestamp)
            self.register_cleanup(cleanup_time)
        if not taken and self.event_time:
            self.late.skipped(value, timestamp, self.times.watermark)

    def act(
        self,
        result: TriggerResult,
        key: Any,
        window: Any,
        state_window: Any,
        time: int,
        is_last: bool = False,
    ) -> Iterator[int]:
        """Do what the trigger said. ``time``: of the record or timer that it said it to. ``is_last``: the window is dropped
        next."""
        if not isinstance(result, TriggerResult):
            raise ProgramError(
                f"{type(self.trigger).__name__} answered {shorten(result)}; a trigger returns a TriggerResult"
            )
        if result.is_fire():
            elements = self.store.to_fire(state_window, key, window)
            if elements is not None:
                end = window.max_timestamp()
                # Windows that never end leave their results the time of what made them fire, as PyFlink does.
                at = end if end < MAX_WATERMARK else time
                rest = self.evaluator.begin(key, window, elements, at, is_last or result.is_purge())
                while rest is not None:
                    yield self.collector.flush()
                    rest = self.evaluator.go_on(rest, key, window, at)
            self.store.after_fire(state_window, key, window)
        if result.is_purge():
            self.store.clear(state_window, key)

    # The end of windows -------------------------------------------------------------------------------------------------

    def cleanup_time(self, window: Any) -> int:
        """When the window is dropped; ``MAX_WATERMARK`` for never."""
        end: int = window.max_timestamp()
        return min(end + self.spec.allowed_lateness_ms, MAX_WATERMARK) if self.event_time else end

    def register_cleanup(self, cleanup_time: int) -> None:
        """See that the window of the trigger context is dropped."""
        if self.trigger_context.deleted:
            self.trigger_context.deleted.clear()
        if cleanup_time == MAX_WATERMARK:
            return
        if self.event_time:
            self.trigger_context.register_event_time_timer(cleanup_time)
        else:
            self.trigger_context.register_processing_time_timer(cleanup_time)

    def delete_cleanup(self, key: Any, window: Any) -> None:
        """Forget when a window is to be dropped."""
        time = self.cleanup_time(window)
        if time == MAX_WATERMARK:
            return
        delete = (
            self.timers.delete_event_time_timer
            if self.event_time
            else self.timers.delete_processing_time_timer
        )
        delete(key, window, time)
        delete(key, Leftover(window), time)

    def _keep_cleanup(self, key: Any, window: Any, cleanup_time: int) -> None:
        """A trigger that deletes a timer of its own may have deleted that of the cleanup: it needs another."""
        if cleanup_time in self.trigger_context.deleted and cleanup_time != MAX_WATERMARK:
            if self.event_time:
                self.timers.register_event_time_timer(key, Leftover(window), cleanup_time)
            else:
                self.timers.register_processing_time_timer(key, Leftover(window), cleanup_time)
        self.trigger_context.deleted.clear()

    def drop(self, key: Any, window: Any, state_window: Any) -> None:
        """Clear everything of a key's window."""
        self.store.clear(state_window, key)
        self.trigger_context.window = window
        self.trigger.clear(window, self.trigger_context)
        self.trigger_context.deleted.clear()
        self.delete_cleanup(key, window)
        self.evaluator.clear(key, window)

    # Time ---------------------------------------------------------------------------------------------------------------

    def on_watermark(self, timestamp: int) -> None:
        self.context.pieces.run(self._pass_on(timestamp))

    def _pass_on(self, timestamp: int) -> Work:
        fired = 0
        if timestamp > self.times.watermark:
            self.times.watermark = timestamp
            fired = yield from self._fire(self.timers.advance_watermark(timestamp), True)
            self._plan()
        self.collector.flush()
        self.output.watermark(timestamp)
        return fired

    def _on_processing_time(self, now_ms: int) -> None:
        self.context.pieces.run(self._fire_by_clock(now_ms))

    def _fire_by_clock(self, now_ms: int) -> Work:
        fired = yield from self._fire(self.timers.advance_processing_time(now_ms), False)
        if not self.context.batch_mode:
            self.collector.flush()
        return fired

    def _fire(self, due: Iterator[tuple[int, Any, Any]], of_event_time: bool) -> Work:
        """Results are emitted when they are many; those of the last timers are left to the caller."""
        fired = 0
        for time, key, namespace in due:
            yield from self._on_timer(time, key, namespace, of_event_time)
            fired += 1
            if fired >= self.context.pieces.most_rows or self.collector.is_full:
                yield max(fired, self.collector.flush())
                fired = 0
        return fired

    def _on_timer(self, time: int, key: Any, namespace: Any, of_event_time: bool) -> Iterator[int]:
        self.backend.current_key = key
        try:
            if type(namespace) is Leftover:
                self.drop_leftover(key, namespace.window)
            else:
                yield from self.fire_timer(time, key, namespace, of_event_time)
        except Exception as error:
            window = namespace.window if type(namespace) is Leftover else namespace
            place = f"in the timer at {time} of {window}, key {shorten(key)}"
            raise user_error(self.context, error).at(place) from error

    def drop_leftover(self, key: Any, window: Any) -> None:
        """The window is over, and its trigger does not want to know."""
        self.drop(key, window, window)

    def fire_timer(self, time: int, key: Any, window: Any, of_event_time: bool) -> Iterator[int]:
        """Ask the trigger, and drop the window when this is its end."""
        yield from self.ask_trigger(time, key, window, window, of_event_time)

    def ask_trigger(
        self, time: int, key: Any, window: Any, state_window: Any, of_event_time: bool
    ) -> Generator[int, None, bool]:
        """Ask the trigger and do what it says; returns whether the window was dropped."""
        context = self.trigger_context
        context.window = window
        ask = self.trigger.on_event_time if of_event_time else self.trigger.on_processing_time
        result = ask(time, window, context)
        cleanup_time = self.cleanup_time(window)
        is_over = of_event_time == self.event_time and time == cleanup_time
        if result is not CONTINUE:
            yield from self.act(result, key, window, state_window, time, is_over)
        if is_over:
            self.drop(key, window, state_window)
            return True
        if context.deleted:
            self._keep_cleanup(key, window, cleanup_time)
        return False

    def _plan(self) -> None:
        assert self._wake_up is not None
        self._wake_up.plan()

    def _cancel(self) -> None:
        if self._wake_up is not None:
            self._wake_up.cancel()

    def end_key(self, key: Any) -> None:
        """All timers of the key fire, of both times; new ones are not taken. Then everything of the key is forgotten."""
        self.context.pieces.run(self._end_key(key))

    def _end_key(self, key: Any) -> Work:
        self.times.watermark = MAX_WATERMARK
        self.times.key_is_over = True
        fired = yield from self._fire(self.timers.advance_watermark(MAX_WATERMARK), True)
        fired += yield from self._fire_by_clock(MAX_WATERMARK)
        self.times.key_is_over = False
        self.times.watermark = MIN_TIMESTAMP
        self.backend.clear_key(key)
        self._keys_ended += 1
        if self._keys_ended % KEYS_PER_FLUSH == 0:
            self.collector.flush()
        return fired

    # Life ---------------------------------------------------------------------------------------------------------------

    def snapshot(self, checkpoint_id: int) -> Any:
        self.times.save(self.context.operator_state)
        return (self.times.snapshot(), self._own_assigner.snapshot())

    def restore(self, own: Any) -> None:
        if own is None:
            return
        watermark, shift_ms = own
        self.times.watermark = MIN_TIMESTAMP if watermark is None else watermark
        self._own_assigner.restore(shift_ms)
        self.assigner = self._own_assigner.get()

    def finish(self) -> None:
        # Timers that the clock has not come to are dropped at the end of the input, as in Flink.
        self._cancel()
        self.collector.flush()

    def close(self) -> None:
        self._cancel()
        self.evaluator.close()
