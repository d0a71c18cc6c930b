"""Two keyed streams of ``(key, ts, value)``: pairs with one key in one tumbling window of event time."""

from collections.abc import Callable
from typing import Any

from benchmarks.workloads.interval_join import BATCH, rows_of


def plain(rows: int, keys: int = 1000, size: int = 200) -> Callable[[], dict[str, Any]]:
    """Dictionaries by window and key, with both streams read in turn; a window ends when both have gone on."""
    left, right = rows_of(rows, keys)

    def work() -> dict[str, Any]:
        windows: dict[int, dict[str, tuple[list[Any], list[Any]]]] = {}
        count = 0
        for start in range(0, rows + BATCH, BATCH):
            for side, stream in enumerate((left, right)):
                for row in stream[start : start + BATCH]:
                    key, time, _ = row
                    window = windows.setdefault(time // size, {})
                    if key not in window:
                        window[key] = ([], [])
                    window[key][side].append(row)
            over = (start + BATCH) // 10 // size if start < rows else rows
            for number in [number for number in windows if number < over]:
                for firsts, seconds in windows.pop(number).values():
                    for first in firsts:
                        for second in seconds:
                            last = first[2] + second[2]
                            count += 1
        return {"records": 2 * rows, "pairs": count, "check": last}

    return work


def penstock(rows: int, keys: int = 1000, size: int = 200) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.contracts.watermarks import WatermarkStrategy
    from penstock.datastream.window import TumblingEventTimeWindows

    left, right = rows_of(rows, keys)
    env = environment()
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda row, _: row[1])

    def timed(stream: list[tuple[str, int, int]]) -> Any:
        return env.from_collection(stream).assign_timestamps_and_watermarks(times)

    windows = timed(left).join(timed(right)).where(lambda row: row[0]).equal_to(lambda row: row[0])
    joined = windows.window(TumblingEventTimeWindows.of(size)).apply(lambda a, b: a[2] + b[2])
    joined.name("join").sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        return {"records": 2 * rows, "pairs": env.execute().get_metrics()["join.0.numRecordsOut"]}

    return work
