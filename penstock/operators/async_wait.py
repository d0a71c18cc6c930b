"""Asynchronous I/O: a coroutine for each record, many at once; results in the order of the records, or as they come."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import isawaitable
from itertools import repeat
from operator import length_hint
from typing import TYPE_CHECKING, Any

from penstock.contracts.async_functions import AsyncFunction, AsyncRetryStrategy
from penstock.contracts.state import ListStateDescriptor
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP, StreamStatus
from penstock.operators.apart import values_apart
from penstock.operators.async_queue import Entry, OrderedQueue, Queue, Signal, UnorderedQueue
from penstock.operators.checkpointed import join_checkpoints
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import callable_of, is_rich, user_error

if TYPE_CHECKING:
    import asyncio

IN_FLIGHT = ListStateDescriptor("async-wait.in-flight")
CLEAN_UP_S = 1.0

Waiting = tuple[list[Any], list[int] | None, int] | Signal


@dataclass(frozen=True, slots=True)
class AsyncWaitSpec(SharingSpec):
    """Calls ``async_invoke(value)``, or the plain coroutine function, for each record; ``capacity`` of them at once.

    ``timeout_ms`` is for all attempts together, 0 for no bound; ``retries`` is None where nothing is tried again.
    """

    function: Any
    timeout_ms: int
    capacity: int
    ordered: bool
    retries: AsyncRetryStrategy[Any] | None = None
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return AsyncWait(context, self)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,) if self.retries is None else (self.function, self.retries)

    @property
    def runs_coroutines(self) -> bool:
        return True


class AsyncWait(Operator):
    """Three places for a record: waiting for room, in flight (until its results were emitted), gone.

    Coroutines run between the steps of the task. Their ends are gathered in a list, which ``catch_up`` works off in one go.
    """

    waits = True

    def __init__(self, context: OperatorContext, spec: AsyncWaitSpec) -> None:
        super().__init__(context)
        self._spec = spec
        self._invoke = callable_of(spec.function, "async_invoke", "an async function")
        self._collector = Collector(context, spec.output_type)
        self._queue: Queue = OrderedQueue() if spec.ordered else UnorderedQueue()
        self._waiting: deque[Waiting] = deque()
        self._flying: dict[Entry, None] = {}  # in the order of their deadlines
        self._running: dict[asyncio.Task[Any], Entry] = {}
        self._ended: list[asyncio.Task[Any]] = []
        self._stamped = False
        self._attempts = Attempts(context, spec.retries)
        self._sweep_planned = False
        self._sweep_due = False
        self._opened = False

    # The life of the function -------------------------------------------------------------------------------------------

    def open(self) -> None:
        assert self.context.operator_state is not None
        self._kept = self.context.operator_state.get_list_state(IN_FLIGHT)
        function = self._spec.function
        join_checkpoints([function], self.context)
        if is_rich(function):
            self._live(lambda: function.open(OperatorRuntimeContext(self.context)))
            self._opened = True

    def start(self) -> None:
        """Requests that were in flight are made again, now that the tasks of all workers are open."""
        assert self._kept is not None
        before = list(self._kept.get() or ())
        self._kept.clear()
        if before:
            values, timestamps = zip(*before, strict=True)
            stamped = any(timestamp != MIN_TIMESTAMP for timestamp in timestamps)
            self.on_batch(RowBatch(list(values), list(timestamps) if stamped else None))

    def close(self) -> None:
        for entry in self._flying:
            if entry.forget_retry is not None:
                entry.forget_retry()
        running, self._running = self._running, {}
        self._flying.clear()
        self._waiting.clear()
        try:
            self.context.coroutines.cancel(running, CLEAN_UP_S)
        finally:
            if self._opened:
                self._opened = False
                self._live(self._spec.function.close)

    def _live(self, call: Any) -> None:
        """``open`` or ``close`` of the user, a coroutine function or not."""
        try:
            result = call()
            if isawaitable(result):
                self.context.coroutines.complete(_awaiting(result))
        except Exception as error:
            raise user_error(self.context, error) from error

    # In -----------------------------------------------------------------------------------------------------------------

    @property
    def accepts_input(self) -> bool:
        return not self._waiting and len(self._flying) < self._spec.capacity

    @property
    def in_flight(self) -> bool:
        return bool(self._flying or self._waiting)

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if batch.values:
            self._waiting.append((batch.values, batch.timestamps, 0))
            self._admit()

    def on_watermark(self, timestamp: int) -> None:
        if self.in_flight:
            self._waiting.append(Signal(timestamp))
            self._admit()
        else:
            self.output.watermark(timestamp)

    def on_status(self, status: StreamStatus) -> None:
        if self.in_flight:
            self._waiting.append(Signal(status))
            self._admit()
        else:
            self.output.status(status)

    def _admit(self) -> None:
        """Start calls as far as there is room; a signal takes its place behind the records before it."""
        waiting = self._waiting
        while waiting:
            first = waiting[0]
            if isinstance(first, Signal):
                waiting.popleft()
                self._queue.signal(first)
                continue
            room = self._spec.capacity - len(self._flying)
            if room <= 0:
                return
            values, timestamps, start = first
            stop = min(start + room, len(values))
            if stop == len(values):
                waiting.popleft()
            else:
                waiting[0] = (values, timestamps, stop)
            if timestamps is None:
                self._launch(values[start:stop], repeat(MIN_TIMESTAMP))
            else:
                self._stamped = True
                self._launch(values[start:stop], timestamps[start:stop])

    def _launch(self, values: list[Any], timestamps: Iterable[int]) -> None:
        add, flying, running = self._queue.add, self._flying, self._running
        deadline = self.context.clock.now_ms() + self._spec.timeout_ms
        position = iter(values)
        tasks = self.context.coroutines.start(self._invoke, values, self._ended.append)
        try:
            for value, timestamp, task in zip(position, timestamps, tasks, strict=False):
                running[task] = entry = Entry(value, timestamp, deadline, task)
                flying[entry] = None
                add(entry)
        except Exception as error:
            failed = values[len(values) - length_hint(position) - 1]
            raise user_error(self.context, error, failed) from error
        if self._spec.timeout_ms > 0 and not self._sweep_planned:
            self._plan_sweep(deadline)

    # Out ----------------------------------------------------------------------------------------------------------------

    def catch_up(self) -> bool:
        if not self._ended and not self._sweep_due:
            return False
        if self._ended:
            self._settle()
        if self._sweep_due:
            self._sweep()
        self._release()
        if self._waiting:
            self._admit()
            self._release()
        return True

    def _settle(self) -> None:
        """Take the results of all calls that have ended."""
        ended = self._ended[:]
        self._ended.clear()
        running, complete = self._running, self._queue.complete
        retries = self._attempts.strategy is not None
        for task in ended:
            entry = running.pop(task, None)
            if entry is None:  # timed out before
                if not task.cancelled():
                    task.exception()
                continue
            entry.task = None
            try:
                results = task.result()
            except BaseException as error:
                if retries and isinstance(error, Exception) and self._tries_again(entry, None, error):
                    continue
                raise user_error(self.context, error, entry.value) from error
            if type(results) is not list:
                results = self._listed(entry, results)
            if retries and self._tries_again(entry, results, None):
                continue
            entry.results = values_apart(self.context, results)
            complete(entry)

    def _listed(self, entry: Entry, results: Any) -> list[Any]:
        try:
            return list(results)
        except TypeError as error:
            wrong = TypeError(
                f"an async function must give a list of results, an empty one for none, and gave {results!r:.100}"
            )
            wrong.__cause__ = error
            raise user_error(self.context, wrong, entry.value) from wrong

    def _release(self) -> None:
        """Emit what the queue lets go."""
        for piece in self._queue.take():
            if isinstance(piece, Signal):
                piece.send(self.output)
                continue
            values: list[Any] = []
            timestamps: list[int] = []
            stamp = timestamps.append
            flying = self._flying
            for entry in piece:
                del flying[entry]
                results = entry.results
                assert results is not None
                values += results
                if len(results) == 1:
                    stamp(entry.timestamp)
                else:
                    timestamps += [entry.timestamp] * len(results)
            self._collector.emit_all(values, timestamps if self._stamped else None)

    # Again, and too late ------------------------------------------------------------------------------------------------

    def _tries_again(self, entry: Entry, results: list[Any] | None, error: Exception | None) -> bool:
        backoff_ms = self._attempts.backoff_ms(entry, results, error)
        if backoff_ms is None:
            return False
        at_ms = self.context.clock.now_ms() + backoff_ms
        entry.forget_retry = self.context.processing_time.schedule(at_ms, lambda _: self._retry(entry))
        return True

    def _retry(self, entry: Entry) -> None:
        entry.forget_retry = None
        entry.attempts += 1
        try:
            [task] = self.context.coroutines.start(self._invoke, [entry.value], self._ended.append)
        except Exception as error:
            raise user_error(self.context, error, entry.value) from error
        entry.task = task
        self._running[task] = entry

    def _plan_sweep(self, at_ms: int) -> None:
        self._sweep_planned = True
        self.context.processing_time.schedule(at_ms, self._on_sweep_time)

    def _on_sweep_time(self, _: int) -> None:
        self._sweep_due = True

    def _sweep(self) -> None:
        """End every call whose time is over; one timer serves them all, as they have their deadlines in order."""
        self._sweep_due = self._sweep_planned = False
        now = self.context.clock.now_ms()
        late: list[Entry] = []
        for entry in self._flying:
            if entry.results is not None:
                continue
            if entry.deadline > now:
                self._plan_sweep(entry.deadline)
                break
            late.append(entry)
        for entry in late:
            self._time_out(entry)

    def _time_out(self, entry: Entry) -> None:
        if entry.task is not None:
            del self._running[entry.task]
            entry.task.cancel()
        if entry.forget_retry is not None:
            entry.forget_retry()
        function = self._spec.function
        try:
            if isinstance(function, AsyncFunction) or callable(getattr(function, "timeout", None)):
                results = function.timeout(entry.value)
            else:
                results = AsyncFunction.timeout(function, entry.value)
        except Exception as error:
            raise user_error(self.context, error, entry.value) from error
        results = results if type(results) is list else self._listed(entry, results)
        entry.results = values_apart(self.context, results)
        self._queue.complete(entry)

    # Snapshots ----------------------------------------------------------------------------------------------------------

    def snapshot(self, checkpoint_id: int) -> None:
        """Records that have not left are asked for anew after a restore; watermarks before them come again then."""
        records = [(entry.value, entry.timestamp) for entry in self._flying]
        for waiting in self._waiting:
            if not isinstance(waiting, Signal):
                values, timestamps, start = waiting
                stamps = repeat(MIN_TIMESTAMP) if timestamps is None else timestamps[start:]
                records += zip(values[start:], stamps, strict=False)
        self._kept.update(records)


class Attempts:
    """Asks the strategy whether to try again."""

    def __init__(self, context: OperatorContext, strategy: AsyncRetryStrategy[Any] | None) -> None:
        self._context = context
        self.strategy = strategy
        predicate = None if strategy is None else strategy.get_retry_predicate()
        self._result_predicate = None if predicate is None else predicate.result_predicate()
        self._exception_predicate = None if predicate is None else predicate.exception_predicate()

    def backoff_ms(self, entry: Entry, results: list[Any] | None, error: Exception | None) -> int | None:
        """How long to wait before the next attempt, None for no other attempt."""
        strategy = self.strategy
        try:
            if strategy is None or not self._wants_another(results, error):
                return None
            if not strategy.can_retry(entry.attempts):
                return None
            return max(0, int(strategy.get_backoff_time_millis(entry.attempts)))
        except Exception as failure:
            raise user_error(self._context, failure, entry.value) from failure

    def _wants_another(self, results: list[Any] | None, error: Exception | None) -> bool:
        if error is not None:
            return self._exception_predicate is not None and bool(self._exception_predicate(error))
        return self._result_predicate is not None and bool(self._result_predicate(results or []))


async def _awaiting(awaitable: Any) -> Any:
    return await awaitable
