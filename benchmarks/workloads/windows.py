"""Count and sum by key in tumbling windows of 10 s of event time over CSV rows ``key,ts,value``, which are up to 1 s late."""

from collections.abc import Callable
from typing import Any

WINDOW_MS = 10_000
LATENESS_MS = 1_000


def plain(path: str) -> Callable[[], dict[str, Any]]:
    """The watermark follows each 4096 lines, as it follows batches in an engine."""

    def work() -> dict[str, Any]:
        windows: dict[int, dict[str, tuple[int, int]]] = {}
        latest = results = late = 0
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                key, time, value = line.split(",")
                at_ms = int(time)
                start = at_ms - at_ms % WINDOW_MS
                if at_ms > latest:
                    latest = at_ms
                window = windows.get(start)
                if window is None:
                    if start + WINDOW_MS + LATENESS_MS <= latest:
                        late += 1
                        continue
                    window = windows[start] = {}
                count, total = window.get(key, (0, 0))
                window[key] = count + 1, total + int(value)
                if number % 4096 == 0:
                    results += _fire(windows, latest - LATENESS_MS)
        results += _fire(windows, latest + 2 * WINDOW_MS)
        return {"records": number, "check": results}

    return work


def _fire(windows: dict[int, dict[str, tuple[int, int]]], watermark_ms: int) -> int:
    results = 0
    for start in [start for start in windows if start + WINDOW_MS <= watermark_ms]:
        for key, (count, total) in windows.pop(start).items():
            _ = (key, start, count, total)
            results += 1
    return results


def penstock(path: str) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment, events
    from penstock.common import Duration, Time, WatermarkStrategy
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.contracts.watermarks import TimestampAssigner
    from penstock.datastream.window import TumblingEventTimeWindows

    class Column(TimestampAssigner):
        def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
            return value[1]  # type: ignore[no-any-return]

    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(LATENESS_MS))
    rows = events(environment(columns=True), path).assign_timestamps_and_watermarks(
        strategy.with_timestamp_assigner(Column())
    )
    ones = rows.map(lambda row: (row[0], 1, row[2])).key_by(lambda row: row[0])
    windows = ones.window(TumblingEventTimeWindows.of(Time.milliseconds(WINDOW_MS)))
    results = windows.reduce(lambda a, b: (a[0], a[1] + b[1], a[2] + b[2])).name("windows")
    results.sink_to(DiscardingSink())
    env = rows.get_execution_environment()

    def work() -> dict[str, Any]:
        return {"check": env.execute().get_metrics()["windows.0.numRecordsOut"]}

    return work
