"""From source to sink: a stream of 1,000 records a second, each with the time at which it was due."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

PER_SECOND = 1_000


def one_worker(seconds: int) -> Callable[[], dict[str, Any]]:
    return _job(seconds, 1)


def two_workers(seconds: int) -> Callable[[], dict[str, Any]]:
    return _job(seconds, 2)


def _job(seconds: int, parallelism: int) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.latency_ends import LatencySink, SteadySource
    from benchmarks.workloads.penstock_job import environment
    from penstock.contracts.watermarks import WatermarkStrategy

    env = environment(parallelism)
    directory = tempfile.mkdtemp(prefix="penstock-latency-")
    source = SteadySource(PER_SECOND, seconds)
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "steady")
    stream.key_by(lambda record: record[0]).map(lambda record: record).sink_to(LatencySink(directory))

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        env.execute()
        parts = [json.loads(path.read_text()) for path in Path(directory).iterdir()]
        late_us = sorted(late for part in parts for late in part["late_us"])
        return {
            "records": len(late_us),
            "seconds": time.perf_counter() - started,
            "p50_ms": late_us[len(late_us) // 2] / 1000,
            "p99_ms": late_us[len(late_us) * 99 // 100] / 1000,
            "growth_mib": max(growth(part["rss_mib"]) for part in parts),
        }

    return work


def growth(samples: list[float]) -> float:
    """How much a series has grown from its beginning to its end: the median slope between any two samples, all along.

    One sample that is too high or too low, at an end or anywhere, changes it little; a leak shows in every pair.

    >>> growth([10.0, 10.1, 10.0, 10.1, 10.0, 10.1, 10.0, 15.0])
    0.0
    >>> growth([10.0, 11.0, 12.0, 13.0, 90.0, 15.0])
    5.0
    """
    slopes = [
        (after - before) / distance
        for distance in range(1, len(samples))
        for before, after in zip(samples, samples[distance:], strict=False)
    ]
    return median(slopes) * (len(samples) - 1) if slopes else 0.0
