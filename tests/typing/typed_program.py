"""A program as its user's type checker sees it: each ``assert_type`` is checked by mypy and pyright, and true at run time."""

from collections.abc import Iterator
from typing import Any, NamedTuple, assert_type

from penstock.common import WatermarkStrategy
from penstock.datastream import (
    CloseableIterator,
    ConnectedStreams,
    DataStream,
    KeyedProcessFunction,
    KeyedStream,
    MapFunction,
    OutputTag,
    ProcessFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
    WindowedStream,
)
from penstock.datastream.state import ValueState, ValueStateDescriptor
from penstock.datastream.window import GlobalWindows

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
        WatermarkStrategy.no_watermarks()
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
    rising = keyed.process(Rising())
    assert_type(rising, DataStream[Reading])
    late: DataStream[Reading] = rising.get_side_output(OutputTag("late"))
    with rising.union(late).execute_and_collect() as results:
        found: CloseableIterator[Reading] = results
        return list(found)


if __name__ == "__main__":
    for rise in main():
        print(rise)
