"""Alerts of an IoT gateway: a room that stays hot, by event time, with readings that come late or not at all.

Run it with ``python examples/iot_alerts.py``. It prints::

    ALERT lab: over 30 degrees since 10 s
    late reading dropped: Reading(room='lab', second=3, celsius=99.0)
    OFFLINE hall: last heard at 12 s
    OFFLINE lab: last heard at 55 s
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from penstock.common import WatermarkGenerator, WatermarkStrategy
from penstock.datastream import KeyedProcessFunction, OutputTag, StreamExecutionEnvironment
from penstock.datastream.state import ValueStateDescriptor

HOT_FOR_MS, SILENT_FOR_MS, LIMIT_CELSIUS = 15_000, 30_000, 30.0
LATE = OutputTag("late")


class Reading(NamedTuple):
    """What a sensor says."""

    room: str
    second: int
    celsius: float


READINGS = [
    Reading("lab", 0, 21.0),
    Reading("hall", 12, 19.0),  # comes before an older one of the lab, which is in order
    Reading("lab", 10, 31.5),
    Reading("lab", 20, 33.0),
    Reading("lab", 30, 32.0),
    Reading("lab", 3, 99.0),  # 27 seconds behind the newest, more than the five that are waited for
    Reading("lab", 55, 22.0),
]


class Watch(KeyedProcessFunction):
    """One room: since when it is hot, and when it was last heard of."""

    def open(self, runtime_context: Any) -> None:
        """Handles of the state of the current room."""
        self.hot_since = runtime_context.get_state(ValueStateDescriptor("hot since"))
        self.last_heard = runtime_context.get_state(ValueStateDescriptor("last heard"))

    def process_element(self, value: Reading, ctx: Any) -> Iterator[Any]:
        """Update the state, and set the timers that may become alerts."""
        at = ctx.timestamp()
        timers = ctx.timer_service()
        if at <= timers.current_watermark():
            yield LATE, f"late reading dropped: {value}"
            return
        self.last_heard.update(max(at, self.last_heard.value() or 0))
        timers.register_event_time_timer(at + SILENT_FOR_MS)
        if value.celsius <= LIMIT_CELSIUS:
            self.hot_since.clear()
        elif self.hot_since.value() is None:
            self.hot_since.update(at)
            timers.register_event_time_timer(at + HOT_FOR_MS)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[str]:
        """A timer is an alert only if nothing has come in between."""
        room, hot_since, heard = ctx.get_current_key(), self.hot_since.value(), self.last_heard.value()
        if hot_since is not None and timestamp == hot_since + HOT_FOR_MS:
            yield f"ALERT {room}: over 30 degrees since {hot_since // 1000} s"
        if timestamp == heard + SILENT_FOR_MS:
            yield f"OFFLINE {room}: last heard at {heard // 1000} s"


class FiveSecondsBehind(WatermarkGenerator):
    """A watermark after each reading: nothing older than five seconds before the newest is waited for."""

    def __init__(self) -> None:
        self.newest = 0

    def on_event(self, event: Reading, event_timestamp: int, output: Any) -> None:
        """Called for each reading."""
        self.newest = max(self.newest, event_timestamp)
        output.emit_watermark(self.newest - 5_000)

    def on_periodic_emit(self, output: Any) -> None:
        """Called by the clock; for_bounded_out_of_orderness makes its watermarks here, which is cheaper."""


def main() -> None:
    """Print the alerts, and what was too late."""
    env = StreamExecutionEnvironment.get_execution_environment()
    strategy = WatermarkStrategy.for_generator(FiveSecondsBehind)
    alerts = (
        env.from_collection(READINGS)
        .assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(lambda r, _: r.second * 1000))
        .key_by(lambda reading: reading.room)
        .process(Watch())
    )
    alerts.print()
    alerts.get_side_output(LATE).print()
    env.execute("alerts")


if __name__ == "__main__":
    main()
