"""Watermark alignment: a source that could run ahead waits for the slowest of its group.

Run it with ``python examples/watermark_alignment.py``. It prints::

    not aligned: the past was up to 8 s ahead of the present
    aligned:     the past was up to 4 s ahead of the present
"""

from penstock.common import Duration, WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.testing import CollectingSink, EmitWatermark, ManualJob, Pause, ScriptedSource, StreamRecord

Script = list[StreamRecord | EmitWatermark | Pause]


def readings(name: str, pause_ms: int) -> Script:
    """Ten seconds of event time, a reading each; ``pause_ms`` is how long the source takes for a second."""
    items: Script = []
    for second in range(10):
        items += [
            StreamRecord((name, second), second * 1_000),
            EmitWatermark(second * 1_000),
            Pause(pause_ms),
        ]
    return items


def largest_lead(strategy: WatermarkStrategy) -> int:
    """By how many seconds of event time one source was ahead of the other at most."""
    env = StreamExecutionEnvironment.get_execution_environment()
    sink = CollectingSink()
    past = env.from_source(ScriptedSource(readings("past", 200)), strategy, "read as fast as it goes")
    present = env.from_source(ScriptedSource(readings("present", 1_000)), strategy, "as it happens")
    past.union(present).sink_to(sink)
    job = ManualJob(env)  # its time is moved by hand, so that this takes no ten seconds
    while not job.is_done:
        job.advance(100)
    at = {"past": 0, "present": 0}
    leads = []
    for name, second in sink.records:
        at[name] = second
        leads.append(at["past"] - at["present"])
    return max(leads)


def main() -> None:
    """Without alignment a join or a window would have to keep what was read too early."""
    strategy = WatermarkStrategy.no_watermarks()  # these sources make their own
    # Three seconds of drift; sources tell how far they are every 100 ms, so that one gets a little further.
    aligned = strategy.with_watermark_alignment("readings", Duration.of_seconds(3), Duration.of_millis(100))
    print(f"not aligned: the past was up to {largest_lead(strategy)} s ahead of the present")
    print(f"aligned:     the past was up to {largest_lead(aligned)} s ahead of the present")


if __name__ == "__main__":
    main()
