"""Evictors: what a window drops of its records before its function sees them, or after.

Run it with ``python examples/evictors.py``. It prints::

    the last 2 of 4:        [30, 10]
    near the last, +-10:    [20, 10]
    of the last 2 seconds:  [30, 10]
"""

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.common import Time, WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment, WindowFunction
from penstock.datastream.window import (
    CountEvictor,
    DeltaEvictor,
    Evictor,
    TimeEvictor,
    TumblingEventTimeWindows,
)

READINGS = [(50, 0), (20, 4_000), (30, 7_000), (10, 8_000)]  # value and event time


class Values(WindowFunction[Any, Any, Any, Any]):
    """What is left in a window."""

    def apply(self, key: str, window: Any, inputs: Iterable[Any]) -> Iterator[list[int]]:
        """Called at the end of the window, with what the evictor has left."""
        yield [value for value, _ in inputs]


def left_by(evictor: Evictor[Any, Any]) -> list[Any]:
    """What a window of ten seconds has at its end."""
    env = StreamExecutionEnvironment.get_execution_environment()
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(
        lambda reading, _: reading[1]
    )
    windows = (
        env.from_collection(READINGS)
        .assign_timestamps_and_watermarks(times)
        .key_by(lambda reading: "hall")
        .window(TumblingEventTimeWindows.of(Time.seconds(10)))
    )
    with windows.evictor(evictor).apply(Values()).execute_and_collect() as results:
        return list(results)


def main() -> None:
    """Three evictors on the same records."""
    print("the last 2 of 4:       ", *left_by(CountEvictor.of(2)))
    near = DeltaEvictor.of(11, lambda reading, last: abs(reading[0] - last[0]))
    print("near the last, +-10:   ", *left_by(near))
    print("of the last 2 seconds: ", *left_by(TimeEvictor.of(Time.seconds(2))))


if __name__ == "__main__":
    main()
