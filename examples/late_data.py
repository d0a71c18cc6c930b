"""Event-time windows: readings that come out of order, an update for a late one, and what comes too late put aside.

Run it with ``python examples/late_data.py``. It prints::

    window 0 s: 3 readings
    window 0 s: 4 readings
    window 10 s: 1 readings
    too late: ('hall', 3)
    window 20 s: 1 readings
"""

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.common import Time, WatermarkStrategy
from penstock.datastream import OutputTag, ProcessWindowFunction, StreamExecutionEnvironment
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.testing import EmitWatermark, ScriptedSource, StreamRecord

TOO_LATE = OutputTag("too late")


def reading(second: int) -> StreamRecord:
    """A reading of the hall's sensor, with its event time in milliseconds."""
    return StreamRecord(("hall", second), second * 1000)


# A watermark says: nothing at or before this time is expected any more. Real sources make them by a WatermarkStrategy.
SCRIPT = [
    *(reading(second) for second in (1, 7, 4)),  # out of order, but not late
    EmitWatermark(10_000),  # ends the window from 0 s to 10 s
    reading(12),
    reading(9),  # late, but within the allowed five seconds: the window gives an update
    EmitWatermark(25_000),  # ends the next window; the first one is now forgotten
    reading(3),  # later still
    reading(26),
]


class CountReadings(ProcessWindowFunction[Any, str, str, Any]):
    """A line for each window and each of its updates."""

    def process(self, key: str, context: Any, elements: Iterable[Any]) -> Iterator[str]:
        """Called when the window ends, and again for each late reading."""
        yield f"window {context.window().start // 1000} s: {len(list(elements))} readings"


def main() -> None:
    """Print the windows, and what was too late for them."""
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(ScriptedSource(SCRIPT), WatermarkStrategy.no_watermarks(), "readings")
    windows = (
        stream.key_by(lambda reading: reading[0])
        .window(TumblingEventTimeWindows.of(Time.seconds(10)))
        .allowed_lateness(5_000)
        .side_output_late_data(TOO_LATE)
        .process(CountReadings())
    )
    windows.print()
    windows.get_side_output(TOO_LATE).map(lambda late: f"too late: {late}").print()
    env.execute("late data")


if __name__ == "__main__":
    main()
