"""From source to sink: a stream of 1,000 records a second, each with the time at which it was due."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
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
            "growth_mib": max(part["rss_mib"][-1] - part["rss_mib"][0] for part in parts),
        }

    return work
