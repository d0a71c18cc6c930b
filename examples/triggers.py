"""Triggers: early results of a window while it is open, by event time and by the clock.

Run it with ``python examples/triggers.py``. It prints::

    event time, every 5 s: [2, 3, 3, 3]
    the clock, every 10 s: [1, 2, 3]
"""

from penstock.common import Time, WatermarkStrategy
from penstock.datastream import DataStream, StreamExecutionEnvironment
from penstock.datastream.window import (
    ContinuousEventTimeTrigger,
    ContinuousProcessingTimeTrigger,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)
from penstock.testing import CollectingSink, EmitWatermark, ManualJob, Pause, ScriptedSource, StreamRecord


def stream_of(script: list[object], env: StreamExecutionEnvironment) -> DataStream:
    """A stream of ones that come as the script says."""
    return env.from_source(ScriptedSource(script), WatermarkStrategy.no_watermarks(), "script")


def by_event_time() -> list[int]:
    """The counts of one window of 20 s that gives results every 5 s of event time."""
    env = StreamExecutionEnvironment.get_execution_environment()
    script = [StreamRecord(1, 1_000), StreamRecord(1, 3_000), EmitWatermark(5_000), StreamRecord(1, 8_000)]
    script += [EmitWatermark(12_000), EmitWatermark(20_000)]
    windows = stream_of(script, env).key_by(lambda _: "all")
    sums = windows.window(TumblingEventTimeWindows.of(Time.seconds(20)))
    results = sums.trigger(ContinuousEventTimeTrigger.of(Time.seconds(5))).reduce(lambda a, b: a + b)
    with results.execute_and_collect() as rows:
        return list(rows)


def by_the_clock() -> list[int]:
    """The same by processing time; the clock of a ManualJob moves only when it is told to, so nobody waits."""
    env = StreamExecutionEnvironment.get_execution_environment()
    script = [Pause(1_000), 1, Pause(12_000), 1, Pause(12_000), 1, Pause(60_000)]
    windows = stream_of(script, env).key_by(lambda _: "all")
    sums = windows.window(TumblingProcessingTimeWindows.of(Time.minutes(1)))
    sink = CollectingSink()
    sums.trigger(ContinuousProcessingTimeTrigger.of(Time.seconds(10))).reduce(lambda a, b: a + b).sink_to(
        sink
    )
    job = ManualJob(env)
    for _ in range(30):
        job.advance(1_000)
    job.cancel()
    return sink.records


def main() -> None:
    """Print what each window gave, result by result."""
    print(f"event time, every 5 s: {by_event_time()}")
    print(f"the clock, every 10 s: {by_the_clock()}")


if __name__ == "__main__":
    main()
