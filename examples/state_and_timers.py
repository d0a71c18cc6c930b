"""Keyed state and timers: machines that have been silent for ten seconds of event time.

Run it with ``python examples/state_and_timers.py``. It prints::

    pump has been silent since 4 s, after 2 signals
    fan has been silent since 8 s, after 2 signals
    pump has been silent since 30 s, after 3 signals
"""

from collections.abc import Iterator
from typing import Any

from penstock.common import WatermarkStrategy
from penstock.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from penstock.datastream.state import ValueStateDescriptor
from penstock.testing import EmitWatermark, ScriptedSource, StreamRecord

SILENCE_MS = 10_000
SIGNALS = [("pump", 1), ("fan", 2), ("pump", 4), ("fan", 8), ("pump", 30)]


class Silence(KeyedProcessFunction):
    """Keeps the time of a machine's last signal; its state and timers belong to the machine that it is called for."""

    def open(self, runtime_context: Any) -> None:
        """Ask for the handles once; they always mean the current key."""
        self.last = runtime_context.get_state(ValueStateDescriptor("last signal"))
        self.count = runtime_context.get_state(ValueStateDescriptor("signals"))

    def process_element(self, value: Any, ctx: Any) -> None:
        """Note the signal, and put off the alarm."""
        timers = ctx.timer_service()
        if self.last.value() is not None:
            timers.delete_event_time_timer(self.last.value() + SILENCE_MS)
        self.last.update(ctx.timestamp())
        self.count.update((self.count.value() or 0) + 1)
        timers.register_event_time_timer(ctx.timestamp() + SILENCE_MS)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[str]:
        """Called when the watermark has passed the time."""
        since = self.last.value() // 1000
        yield f"{ctx.get_current_key()} has been silent since {since} s, after {self.count.value()} signals"


def main() -> None:
    """Print the alarms."""
    env = StreamExecutionEnvironment.get_execution_environment()
    script: list[Any] = []
    for machine, second in SIGNALS:
        script += [EmitWatermark(second * 1000 - 1), StreamRecord((machine, second), second * 1000)]
    stream = env.from_source(ScriptedSource(script), WatermarkStrategy.no_watermarks(), "signals")
    stream.key_by(lambda signal: signal[0]).process(Silence()).print()
    env.execute("silence")


if __name__ == "__main__":
    main()
