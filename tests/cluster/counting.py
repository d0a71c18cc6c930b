"""A program for clusters: numbers, counted by what is left when they are divided by three; ``counting.py COUNT RATE``."""

import sys
from typing import Any

from penstock.common import WatermarkStrategy
from penstock.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
from penstock.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):
    """``key:number:count``."""

    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", None))

    def process_element(self, value: int, ctx: Any) -> Any:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"{ctx.get_current_key()}:{value}:{count}"


def main(count: int, rate: float) -> None:
    """Build the program and run it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(100)
    source = DataGeneratorSource(lambda index: index, count, RateLimiterStrategy.per_second(rate))
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
    numbers.key_by(lambda number: number % 3).process(Count()).uid("count").print().uid("print")
    env.execute("counting")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
