"""Two keyed streams of ``(key, ts, value)``: pairs with one key, the right one up to ``width`` ms later."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

BATCH = 10_000


def rows_of(rows: int, keys: int) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    """Both streams, each in order of time: 10 records of each in a millisecond."""
    import random

    chance = random.Random(1706)
    names = [f"k{number}" for number in range(keys)]

    def stream() -> list[tuple[str, int, int]]:
        return [(names[int(chance.random() * keys)], row // 10, row) for row in range(rows)]

    return stream(), stream()


def plain(rows: int, keys: int = 1000, width: int = 200) -> Callable[[], dict[str, Any]]:
    """Dictionaries of sorted lists, with both streams read in turn and what is too old removed now and then."""
    left, right = rows_of(rows, keys)

    def work() -> dict[str, Any]:
        lefts: dict[str, tuple[list[int], list[Any]]] = {}
        rights: dict[str, tuple[list[int], list[Any]]] = {}
        count = 0
        for start in range(0, rows, BATCH):
            for batch, own, other, low, high in (
                (left[start : start + BATCH], lefts, rights, 0, width),
                (right[start : start + BATCH], rights, lefts, -width, 0),
            ):
                for row in batch:
                    key, time, _ = row
                    if key not in own:
                        own[key] = ([], [])
                    times, values = own[key]
                    times.append(time)
                    values.append(row)
                    if key in other:
                        times, values = other[key]
                        first = bisect_left(times, time + low)
                        last = bisect_right(times, time + high, first)
                        for partner in values[first:last]:
                            result = (partner[2] + row[2],)
                            count += 1
            oldest = (start + BATCH) // 10 - width
            for times, values in [*lefts.values(), *rights.values()]:
                gone = bisect_left(times, oldest)
                del times[:gone], values[:gone]
        return {"records": 2 * rows, "pairs": count, "check": result}

    return work


def penstock(rows: int, keys: int = 1000, width: int = 200) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.contracts.watermarks import WatermarkStrategy

    left, right = rows_of(rows, keys)
    env = environment()
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda row, _: row[1])

    def timed(stream: list[tuple[str, int, int]]) -> Any:
        return env.from_collection(stream).assign_timestamps_and_watermarks(times).key_by(lambda row: row[0])

    joined = timed(left).interval_join(timed(right)).between(0, width)
    joined.process(lambda a, b, ctx: (a[2] + b[2],)).name("join").sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        return {"records": 2 * rows, "pairs": env.execute().get_metrics()["join.0.numRecordsOut"]}

    return work
