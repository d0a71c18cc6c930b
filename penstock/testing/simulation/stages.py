"""Stages of random programs, from a stream to another one; what comes out does not depend on who was quicker.

Records are ``(key, number, time)``. Where an operator's result depends on the order of its input, the input comes in one
order: from one split, over edges that keep it. Everything else gathers sums until event time says that all are there.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.chance import Chance
from penstock.common import Duration, Time
from penstock.contracts.join_functions import ProcessJoinFunction
from penstock.datastream import (
    AsyncDataStream,
    DataStream,
    KeyedBroadcastProcessFunction,
    KeyedProcessFunction,
    StreamExecutionEnvironment,
)
from penstock.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from penstock.datastream.window import (
    EventTimeSessionWindows,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)
from penstock.testing.records import StreamRecord
from penstock.testing.simulation.trickle import Trickle
from penstock.testing.simulation.world import current_world, is_simulated

RULES = MapStateDescriptor("rules")
AT_THE_END = 1_000_000


@dataclass(slots=True)
class Pace:
    """How much longer than in a simulation the pauses of the sources are, and how long at least."""

    factor: int = 1
    least_ms: int = 0


PACE = Pace()


def source(environment: StreamExecutionEnvironment, chance: Chance, name: str) -> DataStream:
    splits = []
    for number in range(chance.randint(1, 4)):
        records, now = [], 0
        for position in range(chance.randint(0, 24)):
            now += chance.choice((0, 2, 4, 20))  # even: see SESSION_GAP
            records.append(StreamRecord((chance.randint(0, 5), number * 100 + position, now), now))
        splits.append(records)
    source = Trickle(
        splits, chance.choice((1, 2, 5)), chance.choice((0, 3, 12)) * PACE.factor + PACE.least_ms
    )
    return environment.from_source(source, Trickle.strategy(), name)


def may_raise() -> None:
    if is_simulated():
        current_world().maybe_raise()


def key(record: Any) -> Any:
    return record[0]


def _number(record: Any) -> Any:
    return record[1]


def _later(record: Any) -> Any:
    may_raise()
    return (record[0], record[1] + 1, record[2])


def _twice(record: Any) -> Iterator[Any]:
    yield record
    yield (record[0], -record[1], record[2])


def _sum(a: Any, b: Any) -> Any:
    return (a[0], a[1] + b[1], max(a[2], b[2]))


Stage = Callable[[DataStream, StreamExecutionEnvironment, Chance], DataStream]


# Stages -----------------------------------------------------------------------------------------------------------------


def rows(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    return stream.map(_later).flat_map(_twice).filter(lambda record: record[1] % 5 != 0)


def spread(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    way: Callable[[DataStream], DataStream] = chance.choice(
        (DataStream.rebalance, DataStream.rescale, DataStream.shuffle)
    )
    return way(stream).map(_later)


SESSION_GAP = Time.milliseconds(17)
"""No two times of a stream are so far apart: those of sources are even, those of windows and timers a whole number of their
steps apart. Sessions that touch are joined only if the first has not fired, so that who is quicker would decide."""


def window(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    assigner = chance.choice(
        (
            TumblingEventTimeWindows.of(Time.milliseconds(chance.choice((7, 40)))),
            SlidingEventTimeWindows.of(Time.milliseconds(30), Time.milliseconds(15)),
            EventTimeSessionWindows.with_gap(SESSION_GAP),
        )
    )
    return stream.key_by(key).window(assigner).reduce(_sum)


class SumByTimers(KeyedProcessFunction):
    """Adds up the numbers of a key; gives the sum and begins anew at each border of event time that has records."""

    def open(self, runtime_context: Any) -> None:
        self.total = runtime_context.get_reducing_state(ReducingStateDescriptor("total", lambda a, b: a + b))
        self.seen = runtime_context.get_map_state(MapStateDescriptor("seen"))

    def process_element(self, value: Any, ctx: Any) -> None:
        border = (ctx.timestamp() // 10 + 1) * 10
        self.seen.put(border, (self.seen.get(border) or 0) + value[1])
        ctx.timer_service().register_event_time_timer(border)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        may_raise()
        self.total.add(self.seen.get(timestamp))
        self.seen.remove(timestamp)
        yield (ctx.get_current_key(), self.total.get(), timestamp)


def timers(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    return stream.key_by(key).process(SumByTimers())


class Differences(KeyedProcessFunction):
    """Gives what each number is above the last one of its key, which depends on their order."""

    def open(self, runtime_context: Any) -> None:
        self.last = runtime_context.get_state(ValueStateDescriptor("last"))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        before = self.last.value() or 0
        self.last.update(value[1])
        yield (value[0], value[1] - before, value[2])


def in_order(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    """What depends on order, of a source with one split, joined to the stream."""
    items = [
        StreamRecord((chance.randint(0, 3), chance.randint(0, 99), at), at)
        for at in range(chance.randint(5, 30))
    ]
    ordered = environment.from_source(
        Trickle([items], 2, 4 * PACE.factor), Trickle.strategy(), "in order"
    ).key_by(key)
    kind = chance.randint(0, 2)
    if kind == 0:
        results = ordered.reduce(_sum)
    elif kind == 1:
        results = ordered.process(Differences())
    else:
        results = ordered.count_window(3).reduce(_sum)
    return stream.union(results)


def union(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    return stream.union(source(environment, chance, "right").map(_later))


def interval_join(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    right = source(environment, chance, "right").key_by(key)
    joined = stream.key_by(key).interval_join(right).between(Duration.of_millis(-5), Duration.of_millis(20))
    return joined.process(_Pair())


class _Pair(ProcessJoinFunction[Any, Any, Any]):
    def process_element(self, left: Any, right: Any, ctx: Any) -> Iterator[Any]:
        yield _pair(left, right)


def _pair(left: Any, right: Any) -> Any:
    return (left[0], left[1] * 1_000 + right[1], max(left[2], right[2]))


def window_join(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    right = source(environment, chance, "right")
    joined = stream.join(right).where(key).equal_to(key)
    window = TumblingEventTimeWindows.of(Time.milliseconds(20))
    paired: DataStream = joined.window(window).apply(_pair)
    return paired


class ByRules(KeyedBroadcastProcessFunction[Any, Any, Any, Any]):
    """Keeps records until all rules are there, which is known at the end, and adds what the rules say."""

    def open(self, runtime_context: Any) -> None:
        self.kept = runtime_context.get_list_state(ListStateDescriptor("kept"))

    def process_element(self, value: Any, ctx: Any) -> None:
        self.kept.add(value)
        ctx.timer_service().register_event_time_timer(AT_THE_END)

    def process_broadcast_element(self, value: Any, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(value[1], value[2])

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        known = sum(number for _, number in ctx.get_broadcast_state(RULES).items())
        for key, number, at in sorted(self.kept.get()):
            yield (key, number + known, at)


def broadcast(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    rules = source(environment, chance, "rules").broadcast(RULES)
    raised: DataStream = stream.key_by(key).connect(rules).process(ByRules())
    return raised


async def _ask(record: Any) -> list[Any]:
    await asyncio.sleep((record[1] % 7) / 1_000)
    return [(record[0], record[1] * 2, record[2])]


def asynchronous(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    wait = chance.choice((AsyncDataStream.ordered_wait, AsyncDataStream.unordered_wait))
    return wait(stream, _ask, Time.seconds(100), chance.choice((1, 4, 20)))
