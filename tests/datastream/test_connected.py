"""Connected streams and broadcast state, from the program to its rows."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.contracts.state import MapStateDescriptor, ValueStateDescriptor
from penstock.data.types import Types
from penstock.datastream import (
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    DataStream,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    MapFunction,
    OutputTag,
    StreamExecutionEnvironment,
)
from penstock.errors import ProgramError, TypeMismatch

RULES = MapStateDescriptor("rules")


def environment(mode: str = "STREAMING") -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment({"execution.runtime-mode": mode})


def rows(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as results:
        return list(results)


class Texts(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return f"number {value}"

    def map2(self, value: Any) -> Any:
        return f"word {value}"


class Totals(KeyedCoProcessFunction):
    """The sum of a key over both streams, at the end."""

    def open(self, runtime_context: Any) -> None:
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", default_value=0))

    def process_element1(self, value: Any, ctx: Any) -> None:
        self.sum.update(self.sum.value() + value)
        ctx.timer_service().register_event_time_timer(1)

    def process_element2(self, value: Any, ctx: Any) -> None:
        self.process_element1(100 * value, ctx)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        yield ctx.get_current_key(), self.sum.value()


class Price(BroadcastProcessFunction[Any, Any, Any]):
    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        yield value, ctx.get_broadcast_state(RULES).get(value)

    def process_broadcast_element(self, value: Any, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(*value)


class PriceByKey(KeyedBroadcastProcessFunction[Any, Any, Any, Any]):
    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", default_value=0))

    def process_element(self, value: Any, ctx: Any) -> None:
        self.count.update(self.count.value() + 1)
        ctx.timer_service().register_event_time_timer(1)

    def process_broadcast_element(self, value: Any, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(*value)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        key = ctx.get_current_key()
        yield key, self.count.value(), ctx.get_broadcast_state(RULES).get(key)


@pytest.mark.parametrize("mode", ["STREAMING", "BATCH"])
def test_a_co_map_sees_both_streams(mode: str) -> None:
    env = environment(mode)
    both = env.from_collection([1, 2]).connect(env.from_collection(["a"])).map(Texts(), Types.STRING())
    assert both.get_name() == "Co-Map"
    assert both.get_type() == Types.STRING()
    assert sorted(rows(both)) == ["number 1", "number 2", "word a"]


def test_two_plain_functions_take_the_place_of_a_function_class() -> None:
    env = environment()
    connected = env.from_collection([1, 2]).connect(env.from_collection(["ab"]))
    mapped = connected.map(lambda n: n * 10, str.upper)
    flat = connected.flat_map(lambda n: [n] * n, list, output_type=None)
    processed = connected.process(lambda n, ctx: [n], lambda word, ctx: iter(word))
    assert sorted(map(str, rows(mapped.union(flat, processed)))) == sorted(
        ["10", "20", "AB", "1", "2", "2", "a", "b", "1", "2", "a", "b"]
    )


@pytest.mark.parametrize("mode", ["STREAMING", "BATCH"])
def test_keyed_streams_share_state_and_timers_however_they_were_keyed(mode: str) -> None:
    def parity(value: int) -> int:
        return value % 2

    env = environment(mode)
    left, right = env.from_collection([1, 2, 3]), env.from_collection([4, 5])
    before = left.key_by(parity).connect(right.key_by(parity)).process(Totals())
    after = left.connect(right).key_by(parity, parity, Types.INT()).process(Totals())
    assert before.get_name() == "Keyed Co-Process"
    assert sorted(rows(before.union(after))) == [(0, 402), (0, 402), (1, 504), (1, 504)]


def test_a_co_process_function_has_side_outputs() -> None:
    words = OutputTag("words")

    class Split(CoProcessFunction):
        def process_element1(self, value: Any, ctx: Any) -> Iterator[Any]:
            yield value

        def process_element2(self, value: Any, ctx: Any) -> Iterator[Any]:
            yield words, value

    env = environment()
    main = env.from_collection([1]).connect(env.from_collection(["a"])).process(Split())
    aside = main.get_side_output(words).map(lambda word: ("aside", word))
    assert sorted(map(str, rows(main.union(aside)))) == ["('aside', 'a')", "1"]


def test_a_stream_may_be_connected_with_itself_and_with_a_union() -> None:
    env = environment()
    numbers = env.from_collection([1, 2])
    more = numbers.union(env.from_collection([3]))
    assert sorted(rows(numbers.connect(more).map(lambda n: n, lambda n: -n))) == [-3, -2, -1, 1, 2]


@pytest.mark.parametrize("parallelism", [1, 2])
def test_in_batch_mode_the_broadcast_side_is_read_first(parallelism: int) -> None:
    env = environment("BATCH")
    env.set_parallelism(parallelism)
    prices = env.from_collection([(f"w{n}", n) for n in range(50)]).broadcast(RULES)
    priced = env.from_collection(["w3", "w49", "x"]).connect(prices).process(Price())
    assert sorted(rows(priced)) == [("w3", 3), ("w49", 49), ("x", None)]


@pytest.mark.parametrize("mode", ["STREAMING", "BATCH"])
def test_a_keyed_stream_reads_broadcast_state_in_its_timers(mode: str) -> None:
    env = environment(mode)
    prices = env.from_collection([("a", 1), ("b", 2)]).broadcast(RULES)
    keyed = env.from_collection(["a", "c", "a"]).key_by(lambda word: word)
    assert sorted(rows(keyed.connect(prices).process(PriceByKey()))) == [("a", 2, 1), ("c", 1, None)]


def test_functions_of_the_wrong_kind_are_refused_where_they_are_given() -> None:
    class One(MapFunction):
        def map(self, value: Any) -> Any:
            return value

    class Two(CoFlatMapFunction):
        def flat_map1(self, value: Any) -> None: ...
        def flat_map2(self, value: Any) -> None: ...

    env = environment()
    numbers = env.from_collection([1])
    connected = numbers.connect(numbers)
    with pytest.raises(TypeMismatch, match=r"must be a CoMapFunction![\s\S]*test_connected\.py:\d+"):
        connected.map(One())
    with pytest.raises(TypeMismatch, match="must be a CoMapFunction!"):
        connected.map(Two())
    with pytest.raises(TypeMismatch, match="must be a CoFlatMapFunction!"):
        connected.flat_map(Texts())
    with pytest.raises(TypeMismatch, match="must be a CoProcessFunction or KeyedCoProcessFunction!"):
        connected.process(Two)
    with pytest.raises(TypeMismatch, match="Two plain functions do as well"):
        connected.map(One(), One())
    with pytest.raises(ProgramError, match="2 arguments"):
        connected.process(lambda value: [value], lambda value: [value])
    with pytest.raises(TypeMismatch, match="needs two keyed streams"):
        connected.process(Totals())


def test_broadcast_functions_of_the_wrong_kind_are_refused_where_they_are_given() -> None:
    env = environment()
    words, rules = env.from_collection(["a"]), env.from_collection([("a", 1)]).broadcast(RULES)
    with pytest.raises(
        TypeMismatch, match="KeyedBroadcastProcessFunction should be applied to keyed DataStream"
    ):
        words.connect(rules).process(PriceByKey())
    with pytest.raises(
        TypeMismatch, match="BroadcastProcessFunction should be applied to non-keyed DataStream"
    ):
        words.key_by(len).connect(rules).process(Price())
    with pytest.raises(TypeMismatch, match="takes a BroadcastProcessFunction"):
        words.connect(rules).process(Texts())  # type: ignore[arg-type]
    with pytest.raises(TypeMismatch, match="descriptors of map state"):
        words.broadcast(ValueStateDescriptor("one"))


def test_only_streams_of_one_environment_can_be_connected() -> None:
    numbers = environment().from_collection([1])
    with pytest.raises(ProgramError, match="of one environment"):
        numbers.connect(environment().from_collection([1]))
    with pytest.raises(ProgramError, match="connect takes a DataStream"):
        numbers.connect([1])
