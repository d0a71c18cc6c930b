"""A program as its user's type checker sees it: each ``assert_type`` is checked by mypy and pyright, and true at run time."""

from collections.abc import Iterator
from typing import Any, NamedTuple, assert_type

from penstock.common import WatermarkStrategy
from penstock.datastream import (
    AggregateFunction,
    BroadcastProcessFunction,
    CloseableIterator,
    ConnectedStreams,
    DataStream,
    JoinFunction,
    KeyedProcessFunction,
    KeyedStream,
    MapFunction,
    OutputTag,
    ProcessFunction,
    ProcessJoinFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
    WindowedStream,
)
from penstock.datastream.state import MapStateDescriptor, ValueState, ValueStateDescriptor
from penstock.datastream.window import GlobalWindows

LIMITS = MapStateDescriptor("limits")
COLD = OutputTag[str]("cold")


class Reading(NamedTuple):
    sensor: str
    at_ms: int
    celsius: float


class Rising(KeyedProcessFunction[str, Reading, Reading]):
    last: ValueState[float]

    def open(self, runtime_context: RuntimeContext) -> None:
        self.last = runtime_context.get_state(ValueStateDescriptor("last"))

    def process_element(self, value: Reading, ctx: KeyedProcessFunction.Context) -> Iterator[Reading]:
        before = self.last.value()
        assert_type(before, float | None)
        if before is not None and value.celsius > before:
            yield value
        self.last.update(value.celsius)


class Fahrenheit(MapFunction[Reading, float]):
    def map(self, value: Reading) -> float:
        return value.celsius * 9 / 5 + 32


class Warm(ProcessFunction[Reading, int]):
    def process_element(
        self, value: Reading, ctx: ProcessFunction.Context
    ) -> Iterator[int | tuple[OutputTag[str], str]]:
        if value.celsius < 19:
            yield COLD, value.sensor
        else:
            yield value.at_ms


class Mean(AggregateFunction[Reading, tuple[float, int], float]):
    def create_accumulator(self) -> tuple[float, int]:
        return 0.0, 0

    def add(self, value: Reading, accumulator: tuple[float, int]) -> tuple[float, int]:
        return accumulator[0] + value.celsius, accumulator[1] + 1

    def get_result(self, accumulator: tuple[float, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: tuple[float, int], acc_b: tuple[float, int]) -> tuple[float, int]:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


class Limited(BroadcastProcessFunction[Reading, str, int]):
    def process_element(
        self, value: Reading, ctx: BroadcastProcessFunction.ReadOnlyContext
    ) -> Iterator[int | tuple[OutputTag[str], str]]:
        yield value.at_ms
        yield COLD, value.sensor

    def process_broadcast_element(self, value: str, ctx: BroadcastProcessFunction.Context) -> None:
        ctx.get_broadcast_state(LIMITS).put(value, 0)


class Named(JoinFunction[Reading, str, tuple[str, float]]):
    def join(self, first: Reading, second: str) -> tuple[str, float]:
        return second, first.celsius


class Near(ProcessJoinFunction[Reading, Reading, float]):
    def process_element(
        self, left: Reading, right: Reading, ctx: ProcessJoinFunction.Context
    ) -> Iterator[float]:
        yield right.celsius - left.celsius


class Undeclared(MapFunction):
    def map(self, value: Reading) -> str:
        return value.sensor


def main() -> list[Reading]:
    env = StreamExecutionEnvironment.get_execution_environment()
    readings = env.from_collection([Reading("a", 1, 20.0), Reading("a", 2, 21.5), Reading("b", 3, 18.0)])
    assert_type(readings, DataStream[Reading])
    names = readings.map(lambda reading: reading.sensor)
    assert_type(names, DataStream[str])
    assert_type(names.flat_map(lambda name: [len(name)]), DataStream[int])
    timed = readings.filter(lambda reading: reading.celsius > 0).assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(
            lambda reading, _: reading.at_ms
        )
    )
    assert_type(timed, DataStream[Reading])
    keyed = timed.key_by(lambda reading: reading.sensor)
    assert_type(keyed, KeyedStream[Reading])
    assert_type(keyed.reduce(lambda a, b: a if a.celsius > b.celsius else b), DataStream[Reading])
    assert_type(keyed.map(lambda reading: reading.celsius), DataStream[float])
    assert_type(names.execute_and_collect(limit=1), list[str])
    assert_type(readings.map(Fahrenheit()), DataStream[float])
    assert_type(readings.map(Undeclared()), DataStream[Any])
    warm = readings.process(Warm())
    assert_type(warm, DataStream[int])
    assert_type(warm.get_side_output(COLD), DataStream[str])
    windowed = keyed.window(GlobalWindows.create_with_end_of_stream_trigger())
    assert_type(windowed, WindowedStream[Reading])
    assert_type(windowed.reduce(lambda a, b: a), DataStream[Reading])
    assert_type(windowed.max("celsius"), DataStream[Reading])
    both = readings.connect(names)
    assert_type(both, ConnectedStreams[Reading, str])
    assert_type(both.map(lambda reading: reading.celsius, lambda name: 0.0), DataStream[float])
    assert_type(windowed.aggregate(Mean()), DataStream[float])
    assert_type(keyed.full_window_partition().aggregate(Mean()), DataStream[float])
    assert_type(readings.connect(names.broadcast(LIMITS)).process(Limited()), DataStream[int])
    joined = readings.join(names).where(lambda reading: reading.sensor).equal_to(lambda name: name)
    in_windows = joined.window(GlobalWindows.create_with_end_of_stream_trigger())
    assert_type(in_windows.apply(Named()), DataStream[tuple[str, float]])
    assert_type(in_windows.apply(lambda reading, name: reading.at_ms), DataStream[int])
    grouped = readings.co_group(names).where(lambda reading: reading.sensor).equal_to(lambda name: name)
    in_groups = grouped.window(GlobalWindows.create_with_end_of_stream_trigger())
    assert_type(in_groups.apply(lambda readings, names: [len(list(readings))]), DataStream[int])
    near = keyed.interval_join(keyed).between(-5, 5)
    assert_type(near.process(Near()), DataStream[float])
    assert_type(near.process(lambda left, right, ctx: [left.sensor]), DataStream[str])
    rising = keyed.process(Rising())
    assert_type(rising, DataStream[Reading])
    late: DataStream[Reading] = rising.get_side_output(OutputTag("late"))
    with rising.union(late).execute_and_collect() as results:
        found: CloseableIterator[Reading] = results
        return list(found)


if __name__ == "__main__":
    for rise in main():
        print(rise)
