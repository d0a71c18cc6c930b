"""The interval join: pairs of records with one key, the right one from ``lower`` to ``upper`` behind the left one in time.

Records of both sides are kept per key in the order of their times, so that the partners of a record are one range of a list.
A key has at most one timer a side that matters, for its earliest record: what Flink cleans up at each record's own timer
goes when that one fires, at the same watermark.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from inspect import getgeneratorlocals, isgeneratorfunction
from itertools import chain, compress, islice
from types import GeneratorType
from typing import Any, ClassVar

from penstock.contracts.join_functions import ProcessJoinContext
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import KeyedStateBackend, KeyedTable, ValueStateDescriptor
from penstock.contracts.timers import Timers
from penstock.data.batch import RowBatch
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.errors import ProgramError
from penstock.operators.apart import each_apart, keeps_apart
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.join.inner_loop import inner_loops
from penstock.operators.pieces import Work
from penstock.operators.process_records import FunctionLife
from penstock.operators.unread_argument import leaves_unread
from penstock.operators.user_code import callable_of, user_error
from penstock.operators.window.late import DROPPED_METRIC

STATE_NAME = "interval-join-buffers"
TIMERS_NAME = "interval-join-cleanup"
KEYS_PER_FLUSH = 64
MOST_RESULTS = 20_000

Buffers = tuple[list[int], list[Any], list[bool], list[int], list[Any], list[bool]]
"""Of one key: times, values and, in outer joins, whether each had a partner; first of the left side, then of the right."""

SIDE_FIELDS = 3

_THERE = (list, tuple)

Calls = Generator[Iterable[Any], None, None]
"""Calls a function for pairs; yields what it gives and is yet to be read, and keeps the rest."""


@dataclass(frozen=True, slots=True)
class IntervalJoinSpec(SharingSpec):
    """Bounds are inclusive. ``keeps`` says of left and right whether records without partner are given to the function."""

    ports: ClassVar[int] = 2

    lower_ms: int
    upper_ms: int
    function: Any
    late_tags: tuple[OutputTag | None, OutputTag | None] = (None, None)
    keeps: tuple[bool, bool] = (False, False)
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return IntervalJoin(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)

    @property
    def uses_keyed_state(self) -> bool:
        return True


class PairContext(ProcessJoinContext):
    """One object for all pairs; the times are set before each call."""

    __slots__ = ("_collector", "left_time", "right_time", "time")

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self.left_time = self.right_time = self.time = MIN_TIMESTAMP

    def get_left_timestamp(self) -> int:
        return self.left_time

    def get_right_timestamp(self) -> int:
        return self.right_time

    def get_timestamp(self) -> int:
        return self.time

    def output(self, output_tag: OutputTag, value: Any) -> None:
        self._collector.aside(output_tag, value, self.time)


class Pairs:
    """Calls the function of the user, and keeps what it gives for the records of one batch.

    A function that yields is read as it goes, as is everything else that is no list or tuple.
    """

    def __init__(self, context: OperatorContext, function: Any, collector: Collector) -> None:
        self._operator = context
        self._collector = collector
        self.process = callable_of(function, "process_element", "process")
        self.context = PairContext(collector)
        self.sees_times = not leaves_unread(self.process, 2)
        self.yields = isgeneratorfunction(self.process) or keeps_apart(context)
        self.process = each_apart(context, self.process)
        self.emitted = 0
        self.results: list[Any] = []
        self.stamps: list[int] = []

    def of_left(
        self, value: Any, time: int, partners: list[Any], times: list[int]
    ) -> Iterator[Iterable[Any]]:
        """A left record with its partners, in the order of their times: what the function gives and is yet to be read."""
        process, context, stamps, results = self.process, self.context, self.stamps, self.results
        gathers, one_time, partner = not self.yields, times[-1] <= time, None
        context.left_time = context.time = time
        try:
            for partner, context.right_time in zip(partners, times, strict=False):
                if not one_time:
                    context.time = max(time, context.right_time)
                given = process(value, partner, context)
                if gathers and given.__class__ in _THERE:
                    results.extend(given)
                elif given is not None:
                    yield given
                if not one_time:
                    stamps += [context.time] * (len(results) - len(stamps))
        except Exception as error:
            raise user_error(self._operator, error, (value, partner)) from error
        stamps += [time] * (len(results) - len(stamps))
        if (
            len(stamps) >= MOST_RESULTS
        ):  # results of records with so many partners don't wait for the end of the batch
            yield ()

    def of_right(
        self, value: Any, time: int, partners: list[Any], times: list[int]
    ) -> Iterator[Iterable[Any]]:
        """A right record with its partners, in the order of their times: what the function gives and is yet to be read."""
        process, context, stamps, results = self.process, self.context, self.stamps, self.results
        gathers, one_time, partner = not self.yields, times[-1] <= time, None
        context.right_time = context.time = time
        try:
            for partner, context.left_time in zip(partners, times, strict=False):
                if not one_time:
                    context.time = max(time, context.left_time)
                given = process(partner, value, context)
                if gathers and given.__class__ in _THERE:
                    results.extend(given)
                elif given is not None:
                    yield given
                if not one_time:
                    stamps += [context.time] * (len(results) - len(stamps))
        except Exception as error:
            raise user_error(self._operator, error, (partner, value)) from error
        stamps += [time] * (len(results) - len(stamps))
        if (
            len(stamps) >= MOST_RESULTS
        ):  # results of records with so many partners don't wait for the end of the batch
            yield ()

    def run(self, calls: Calls, port: int) -> Iterator[int]:
        """Read what the calls give, and emit it, in pieces; yields how much in the middle of it."""
        for given in (chain.from_iterable(calls),) if self.yields else calls:
            rest = iter(given)
            while self._take_piece(rest, calls, port):
                self.stamps += [self.context.time] * (len(self.results) - len(self.stamps))
                yield self.emit()
        self.emit()

    def _take_piece(self, rest: Iterator[Any], calls: Calls, port: int) -> bool:
        """Read on up to where there is a piece; whether there is one."""
        results = self.results
        before = len(results)
        wanted = max(0, self._operator.pieces.most_rows - before)
        try:
            results.extend(islice(rest, wanted))
        except Exception as error:
            where = _suspended(calls)
            pair = where.get("value"), where.get("partner")
            raise user_error(self._operator, error, pair if port == 0 else pair[::-1]) from error
        return len(results) - before == wanted

    def emit(self) -> int:
        """Emit what was kept, with the times of the pairs; how much it was."""
        results, stamps = self.results[:], self.stamps[:]
        self.results.clear()
        self.stamps.clear()
        self.emitted += len(results)
        self._collector.emit_results(results, stamps)
        return len(results)

    def of_one(self, port: int, value: Any, time: int, given_up_at: int) -> Iterator[int]:
        """A record that no partner can come for any more: results have that time, and so are behind no watermark."""
        context = self.context
        context.left_time, context.right_time = (time, MIN_TIMESTAMP) if port == 0 else (MIN_TIMESTAMP, time)
        context.time = given_up_at
        pair = (value, None) if port == 0 else (None, value)
        try:
            rest = self._collector.take_piece(self.process(*pair, context), given_up_at)
            while rest is not None:
                yield self._collector.flush()
                rest = self._collector.take_piece(rest, given_up_at)
        except Exception as error:
            raise user_error(self._operator, error, pair) from error


class IntervalJoin(Operator):
    """Both sides of all keys, and the watermark: which records are late hangs on it, also after a restart."""

    timers: Timers
    table: KeyedTable

    def __init__(self, spec: IntervalJoinSpec, context: OperatorContext) -> None:
        super().__init__(context)
        assert context.keyed_state is not None
        self.backend: KeyedStateBackend = context.keyed_state
        self._late_tags = spec.late_tags
        self._keeps = spec.keeps
        self._outer = any(spec.keeps)
        # Where the partners of a record lie, from its own time; and how long after it the last of them can be.
        self.bounds = ((spec.lower_ms, spec.upper_ms), (-spec.upper_ms, -spec.lower_ms))
        self.retention_ms = (max(spec.upper_ms, 0), max(-spec.lower_ms, 0))
        self._collector = Collector(context, spec.output_type)
        self.pairs = Pairs(context, spec.function, self._collector)
        self._life = FunctionLife(spec.function, context)
        self._dropped = context.metrics.counter(DROPPED_METRIC)
        self._loops = (
            None if self._outer or self.pairs.sees_times else inner_loops(MOST_RESULTS, self.pairs.yields)
        )
        self._watermark = MIN_TIMESTAMP
        self._keys_ended = 0
        self._fan_out = 1

    def open(self) -> None:
        assert self.context.make_timers is not None
        self._life.open()
        self.timers = self.context.make_timers(TIMERS_NAME)
        self.table = self.backend.table(ValueStateDescriptor(STATE_NAME))

    # Records ------------------------------------------------------------------------------------------------------------

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.pieces.run(self._take(batch, port))

    def _take(self, batch: RowBatch, port: int) -> Work:
        """So many records in each piece that those before have given few enough pairs."""
        size, start = len(batch.values), 0
        while start < size:
            stop = min(start + -(-self.context.pieces.most_rows // self._fan_out), size)
            before = self.pairs.emitted
            yield from self._take_piece(batch if stop - start == size else batch.slice(start, stop), port)
            records, taken, start = (stop - start) * self._fan_out, stop - start, stop
            self._fan_out = max(1, self._fan_out // 2, -(-(self.pairs.emitted - before) // taken))
            if start == size:
                return records
            yield records
        return 0

    def _take_piece(self, batch: RowBatch, port: int) -> Iterator[int]:
        timestamps = batch.timestamps
        first = MIN_TIMESTAMP if timestamps is None else min(timestamps)
        if timestamps is None or first == MIN_TIMESTAMP:
            raise _missing_timestamp().at(self.context.place)
        if first < self._watermark:
            batch = self._without_late(batch, port)
        calls = self._join(batch, port) if self._loops is None else self._loops[port](self, batch)
        yield from self.pairs.run(calls, port)
        self.backend.after_records(len(batch.values))

    def _without_late(self, batch: RowBatch, port: int) -> RowBatch:
        """Put aside or count the records behind the watermark: their partners may be gone."""
        assert batch.timestamps is not None
        assert batch.keys is not None
        watermark, tag = self._watermark, self._late_tags[port]
        in_time = [timestamp >= watermark for timestamp in batch.timestamps]
        if tag is None:
            self._dropped.inc(in_time.count(False))
        else:
            for value, timestamp in zip(batch.values, batch.timestamps, strict=True):
                if timestamp < watermark:
                    self._collector.aside(tag, value, timestamp)
        values, timestamps, keys = (
            list(compress(part, in_time)) for part in (batch.values, batch.timestamps, batch.keys)
        )
        return RowBatch(values, timestamps, keys)

    def _join(self, batch: RowBatch, port: int) -> Calls:
        """Add each record to its side, and call the function for it with each of its partners, the earliest first."""
        assert batch.timestamps is not None
        assert batch.keys is not None
        pane: MutableMapping[Any, Buffers] = self.table.pane(None)
        get, is_left, outer = pane.get, port == 0, self._outer
        register, retention_ms = self.timers.register_event_time_timer, self.retention_ms[port]
        to_low, to_high = self.bounds[port]
        backend, pairs = self.backend, self.pairs
        call = pairs.of_left if is_left else pairs.of_right
        for value, key, time in zip(batch.values, batch.keys, batch.timestamps, strict=True):
            entry = get(key)
            if entry is None:
                entry = ([], [], [], [], [], [])
            if is_left:
                own_times, own_values, own_matched, times, values, matched = entry
            else:
                times, values, matched, own_times, own_values, own_matched = entry
            if own_times and time >= own_times[-1]:
                at = -1
                own_times.append(time)
                own_values.append(value)
            else:
                if not own_times or time < own_times[0]:
                    register(key, port, time + retention_ms)
                at = bisect_right(own_times, time)
                own_times.insert(at, time)
                own_values.insert(at, value)
            low = high = 0
            if times and times[-1] >= time + to_low:
                low = bisect_left(times, time + to_low)
                high = len(times) if times[-1] <= time + to_high else bisect_right(times, time + to_high, low)
            if outer:
                own_matched.insert(len(own_matched) if at < 0 else at, low < high)
                matched[low:high] = [True] * (high - low)
            pane[key] = entry
            if low < high:
                backend.current_key = key
                yield from call(value, time, values[low:high], times[low:high])

    # Time ---------------------------------------------------------------------------------------------------------------

    def on_watermark(self, timestamp: int) -> None:
        self.context.pieces.run(self._pass_on(timestamp))

    def _pass_on(self, timestamp: int) -> Work:
        dropped = 0
        if timestamp > self._watermark:
            self._watermark = timestamp
            dropped = yield from self._clean_up(timestamp)
            self._collector.flush()
        self.output.watermark(timestamp)
        return dropped

    def _clean_up(self, watermark: int) -> Work:
        dropped = 0
        pane: MutableMapping[Any, Buffers] = self.table.pane(None)
        for time, key, port in self.timers.advance_watermark(watermark):
            # Single records are emitted in the order of time over all keys; where there are none, one go does for a key.
            yield from self._drop(pane, key, port, time if self._outer else watermark)
            dropped += 1
            if dropped >= self.context.pieces.most_rows or self._collector.is_full:
                yield max(dropped, self._collector.flush())
                dropped = 0
        return dropped

    def _drop(self, pane: MutableMapping[Any, Buffers], key: Any, port: int, until: int) -> Iterator[int]:
        """Forget the records of one side that have no partner to come from ``until`` on."""
        entry = pane.get(key)
        if entry is None:
            return
        times, values, matched = entry[port * SIDE_FIELDS : (port + 1) * SIDE_FIELDS]
        retention_ms = self.retention_ms[port]
        count = bisect_right(times, until - retention_ms)
        if self._keeps[port] and not all(matched[:count]):
            single = [at for at in range(count) if not matched[at]]
            self.backend.current_key = key
            most = self.context.pieces.most_rows
            for number, at in enumerate(single, 1):
                given_up_at = min(times[at] + retention_ms, MAX_WATERMARK)
                yield from self.pairs.of_one(port, values[at], times[at], given_up_at)
                if number % most == 0:
                    yield max(most, self._collector.flush())
        if count == 0:
            return  # the timer of a record that went with an earlier one
        del times[:count], values[:count], matched[:count]
        if not entry[0] and not entry[SIDE_FIELDS]:
            del pane[key]
            return
        pane[key] = entry
        if times:
            self.timers.register_event_time_timer(key, port, times[0] + retention_ms)

    def end_key(self, key: Any) -> None:
        self.context.pieces.run(self._end_key(key))

    def _end_key(self, key: Any) -> Work:
        dropped = yield from self._clean_up(MAX_WATERMARK)
        self.backend.clear_key(key)
        self._keys_ended += 1
        if self._keys_ended % KEYS_PER_FLUSH == 0:
            self._collector.flush()
        return dropped

    # Life ---------------------------------------------------------------------------------------------------------------

    def snapshot(self, checkpoint_id: int) -> Any:
        # Not the last one of all: a job that goes on from a drained savepoint gets new input.
        return None if self._watermark in (MIN_TIMESTAMP, MAX_WATERMARK) else self._watermark

    def restore(self, own: Any) -> None:
        if own is not None:
            self._watermark = own

    def finish(self) -> None:
        self._collector.flush()

    def close(self) -> None:
        self._life.close()


def _suspended(calls: Calls) -> dict[str, Any]:
    """The variables of the calls where they stand."""
    inner: Any = calls
    while isinstance(inner.gi_yieldfrom, GeneratorType):
        inner = inner.gi_yieldfrom
    return getgeneratorlocals(inner)


def _missing_timestamp() -> ProgramError:
    return ProgramError(
        "a record without a timestamp reached an interval join, which needs event time on both sides; call "
        "assign_timestamps_and_watermarks(...) with a timestamp assigner on each of the two streams"
    )
