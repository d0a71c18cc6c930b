"""More stages of random programs: operator state that is dealt out or known to all, state that may expire, the clock, loops.

Each passes on every record it is given once, so that what comes out of one is the same whatever it has kept for how long.
"""

from collections.abc import Iterator
from typing import Any

from penstock.chance import Chance
from penstock.common import Time
from penstock.contracts.state import CheckpointedFunction
from penstock.contracts.state_ttl import StateTtlConfig
from penstock.datastream import DataStream, KeyedProcessFunction, ProcessFunction, StreamExecutionEnvironment
from penstock.datastream.state import ListStateDescriptor, MapStateDescriptor
from penstock.testing.records import StreamRecord
from penstock.testing.simulation.stages import AT_THE_END, PACE, key, may_raise
from penstock.testing.simulation.trickle import Trickle

HELD = ListStateDescriptor("held")
MARKED = ListStateDescriptor("marked")
NOT_YET, NOW = "not yet", "now"
LONGER_THAN_A_TURN_MS = 2_000


class HeldUntilMarked(ProcessFunction, CheckpointedFunction):
    """Keeps records in operator state, dealt out on a restore, until the mark comes that every subtask is sent."""

    def initialize_state(self, context: Any) -> None:
        store = context.get_operator_state_store()
        self._held_state = store.get_list_state(HELD)
        self._marked_state = store.get_union_list_state(MARKED)
        self._held = list(self._held_state.get())
        self._is_marked = any(self._marked_state.get())

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        if value[0] == NOW:
            may_raise()
            self._is_marked = True
            held, self._held = self._held, []
            yield from held
        elif value[0] != NOT_YET:
            if self._is_marked:
                yield value
            else:
                self._held.append(value)

    def snapshot_state(self, context: Any) -> None:
        self._held_state.update(self._held)
        self._marked_state.update([self._is_marked])


def held_until_marked(
    stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance
) -> DataStream:
    items = [StreamRecord((NOT_YET, at, at), at) for at in range(chance.randint(0, 12))]
    items.append(StreamRecord((NOW, 0, 20), 20))
    marks = environment.from_source(Trickle([items], 1, 5 * PACE.factor), Trickle.strategy(), "marks")
    return stream.rebalance().union(marks.broadcast()).process(HeldUntilMarked())


class OnlyOnce(KeyedProcessFunction):
    """Passes on what it has not seen yet; what it remembers could expire, but never does."""

    def __init__(self, ttl: StateTtlConfig) -> None:
        self._ttl = ttl

    def open(self, runtime_context: Any) -> None:
        descriptor = MapStateDescriptor("seen before")
        descriptor.enable_time_to_live(self._ttl)
        self._seen = runtime_context.get_map_state(descriptor)

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        if not self._seen.contains(value):
            self._seen.put(value, [True])
            yield value


def only_once(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    builder = StateTtlConfig.new_builder(Time.days(1))
    cleanup = chance.randint(0, 3)
    if cleanup == 1:
        builder = builder.cleanup_full_snapshot()
    elif cleanup == 2:
        builder = builder.cleanup_incrementally(chance.randint(1, 5), chance.random() < 0.5)
    elif cleanup == 3:
        builder = builder.cleanup_in_rocksdb_compact_filter(100)
    return stream.key_by(key).process(OnlyOnce(builder.build()))


class HeldForAWhile(KeyedProcessFunction):
    """Keeps records until the clock has moved on, or nothing more comes."""

    def __init__(self, wait_ms: int) -> None:
        self._wait_ms = wait_ms

    def open(self, runtime_context: Any) -> None:
        self._held = runtime_context.get_list_state(ListStateDescriptor("held for a while"))

    def process_element(self, value: Any, ctx: Any) -> None:
        self._held.add(value)
        timers = ctx.timer_service()
        timers.register_processing_time_timer(timers.current_processing_time() + self._wait_ms)
        timers.register_event_time_timer(AT_THE_END)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        may_raise()
        held = list(self._held.get() or ())
        self._held.clear()
        yield from held


def held_for_a_while(
    stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance
) -> DataStream:
    return stream.key_by(key).process(HeldForAWhile(chance.choice((0, 5, 50, 1_000))))


def turns(stream: DataStream, environment: StreamExecutionEnvironment, chance: Chance) -> DataStream:
    """Lets each record go round in a loop a few times; for aligned checkpoints alone."""
    loop = stream.iterate(LONGER_THAN_A_TURN_MS)
    stepped = loop.map(lambda record: (record[0], record[1], record[2] + 1))
    more = stepped.filter(lambda record: record[2] % 4 != 0)
    loop.close_with(more.rebalance() if chance.random() < 0.5 else more)
    return stepped.filter(lambda record: record[2] % 4 == 0)
