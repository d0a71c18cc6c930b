"""The benchmarks: who runs against whom on what, and the targets."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.inputs import compressed_file, events_file, parquet_file, text_file

# Where a broker of Kafka is, ``host:port``; without one its benchmarks are left out.
BROKER = "BENCH_KAFKA"

CHECKPOINTS = ("checkpoints", "checkpoint_ms", "checkpoint_mib", "pause_ms")

# In what the two are compared: where both sides use one thread, processor time disturbs less than the clock on the wall.
Measure = Literal["cpu_seconds", "seconds", "p99_ms"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``subject`` runs in turn with each of ``rivals``; the ratio of their speeds should be at least ``target``.

    ``parameters(quick)`` makes the input and says where it is. ``limits``: what the subject measures that has to stay below.
    ``figures``: what else each of them measured that is to be seen in the table. ``on_demand``: it takes so long that it runs
    only when it is named.
    """

    name: str
    title: str
    workload: str
    parameters: Callable[[bool], dict[str, Any]]
    subject: str = "penstock"
    rivals: tuple[str, ...] = ("plain",)
    target: float | None = None
    measure: Measure = "cpu_seconds"
    limits: tuple[tuple[str, float], ...] = ()
    figures: tuple[str, ...] = ()
    rounds: int = 5
    on_demand: bool = False


def _events(keys: int) -> Callable[[bool], dict[str, Any]]:
    """So many that the start of the job, which has a benchmark of its own, does not count."""
    return lambda quick: {"path": events_file(200_000 if quick else 4_000_000, keys)}


def _lines(quick: bool) -> dict[str, Any]:
    lines = 400_000 if quick else 2_000_000
    return {"path": events_file(lines, 1_000), "lines": lines}


def _many_lines(quick: bool) -> dict[str, Any]:
    """So many that the first records of a new process, which are slower, do not count."""
    lines = 400_000 if quick else 6_000_000
    return {"path": events_file(lines, 1_000), "lines": lines}


def _pairs(quick: bool) -> dict[str, Any]:
    return {"rows": 100_000 if quick else 1_000_000}


def _requests(quick: bool) -> dict[str, Any]:
    return {"requests": 100_000 if quick else 400_000}


def _timers(deleted: bool) -> Callable[[bool], dict[str, Any]]:
    return lambda quick: {"records": 200_000 if quick else 1_000_000, "deleted": deleted}


def _counts(keys: int) -> Callable[[bool], dict[str, Any]]:
    def parameters(quick: bool) -> dict[str, Any]:
        part = 10 if quick else 1
        return {"keys": keys // part, "records": (10 * keys + 10_000_000) // part, "interval_ms": 5000}

    return parameters


def _with_broker(address: str, latency_s: int) -> list[Benchmark]:
    """Those of Kafka, at a broker that runs."""

    def records(quick: bool) -> dict[str, Any]:
        return {"bootstrap": address, "records": 200_000 if quick else 1_000_000}

    return [
        Benchmark(
            "kafka-read", "texts from a topic of Kafka", "kafka_read", records, rivals=("plain", "pyflink"), target=0.7,
            measure="seconds", figures=("seconds",),
        ),
        Benchmark(
            "kafka-json", "JSON, filter, JSON, topic to topic, at least once", "kafka_json", records,
            subject="at_least_once", rivals=("plain", "pyflink"), target=0.6, measure="seconds", figures=("seconds",),
        ),
        Benchmark(
            "kafka-exactly-once", "the same, exactly once over at least once", "kafka_json", records,
            subject="exactly_once", rivals=("at_least_once", "pyflink_exactly_once"), target=0.6, measure="seconds",
            figures=("seconds",),
        ),
        Benchmark(
            "kafka-latency", f"topic to topic, 1,000 records/s, {latency_s} s", "kafka_latency",
            lambda quick: {"bootstrap": address, "seconds": latency_s}, rivals=("pyflink",), measure="p99_ms",
            limits=(("p99_ms", 50.0),), figures=("p50_ms", "p99_ms", "max_ms"), rounds=1,
        ),
    ]  # fmt: skip


def _of_clusters() -> list[Benchmark]:
    """Those of a cluster of daemons, each with a cluster of its own."""
    return [
        Benchmark(
            "cluster-start", "start-cluster, until all is ready", "cluster", lambda quick: {},
            subject="start", rivals=(), limits=(("ready_s", 1.5),), rounds=3,
        ),
        Benchmark(
            "cluster-submission", "a small job, from submission to RUNNING", "cluster", lambda quick: {},
            subject="submission", rivals=(), limits=(("running_s", 0.5),), rounds=3,
        ),
        Benchmark(
            "cluster-rows", "pairs between two TaskManagers", "cluster_exchange",
            lambda quick: {"numbers": 500_000 if quick else 12_000_000}, subject="rows", rivals=(), measure="seconds",
            limits=(("ns_per_crossing", 500),), rounds=3,
        ),
        Benchmark(
            "cluster-columns", "columns between two TaskManagers", "cluster_exchange",
            lambda quick: {"batches": 100 if quick else 4_000}, subject="columns", rivals=(), measure="seconds",
            limits=(("ns_per_crossing", 50),), rounds=3,
        ),
        Benchmark(
            "cluster-jobs", "20 jobs at once, 200 requests/s", "cluster",
            lambda quick: {"jobs": 4 if quick else 20, "requests_per_s": 200, "seconds": 5 if quick else 60},
            subject="many_jobs", rivals=(), limits=(("failed_requests", 1), ("jobmanager_mib", 200)), rounds=1,
        ),
        Benchmark(
            "cluster-cycles", "submit and cancel, 100 times", "cluster",
            lambda quick: {"cycles": 10 if quick else 100}, subject="submit_cancel", rivals=(),
            limits=(("more_threads", 1), ("more_descriptors", 1), ("more_children", 1), ("more_mib", 20)), rounds=1,
        ),
    ]  # fmt: skip


def benchmarks(latency_s: int) -> list[Benchmark]:
    """All of them, in the order of the table."""
    peers = ("plain", "bytewax", "pyflink")
    latency = (("p99_ms", 20.0), ("growth_mib", 2.0))
    of_requests = (("microseconds_per_request", 1_000_000 / 100_000),)
    return [
        Benchmark(
            "words", "word count, an update a word", "word_count",
            lambda quick: {"path": text_file(150_000 if quick else 4_000_000)}, rivals=peers, target=0.6,
        ),
        Benchmark(
            "steps", "map, filter, map; calls by hand", "map_filter_map",
            lambda quick: {"numbers": 500_000 if quick else 5_000_000}, rivals=(*peers, "inlined"), target=0.9,
        ),
        Benchmark("reduce-1k", "keyed sum from CSV, 1 k keys", "keyed_reduce", _events(1_000), rivals=peers, target=1.0),
        Benchmark(
            "rocksdb-count", "keyed count in RocksDB, 1 M keys that fit its cache", "rocksdb_count",
            lambda quick: {"updates": 1_000_000 if quick else 4_000_000, "keys": 1_000_000}, rivals=(),
            limits=(("microseconds_per_update", 1_000_000 / 300_000), ("longest_pause_ms", 50)), rounds=1,
        ),
        Benchmark(
            "rocksdb-memory", "keyed count in RocksDB, 20 M keys, 192 MiB", "rocksdb_memory",
            lambda quick: {"keys": 2_000_000 if quick else 20_000_000}, rivals=(),
            limits=(("grown_mib", 192),), rounds=1,
        ),
        Benchmark(
            "rocksdb-timers", "a timer for each record, in RocksDB over on the heap", "rocksdb_timers", _timers(False),
            subject="in_database", rivals=("on_heap",), rounds=3,
        ),
        Benchmark(
            "rocksdb-timers-put-off", "the same, each put off by the next record", "rocksdb_timers", _timers(True),
            subject="in_database", rivals=("on_heap",), rounds=3,
        ),
        Benchmark("reduce-100k", "keyed sum from CSV, 100 k keys", "keyed_reduce", _events(100_000), target=0.9),
        Benchmark("reduce-1m", "keyed sum from CSV, 1 M keys", "keyed_reduce", _events(1_000_000)),
        Benchmark("windows-1k", "10 s windows, 1 k keys", "windows", _events(1_000), target=0.8),
        Benchmark("windows-100k", "10 s windows, 100 k keys", "windows", _events(100_000), target=0.8),
        Benchmark("interval-join", "1 M with 1 M, 200 ms, 1 k keys", "interval_join", _pairs, target=0.5),
        Benchmark("window-join", "1 M with 1 M, 200 ms, 1 k keys", "window_join", _pairs, target=0.5),
        Benchmark(
            "checkpoints-1m", "keyed count, 1 M keys, checkpoint every 5 s", "checkpointed_count", _counts(1_000_000),
            subject="checkpointed", target=0.85, measure="seconds", rounds=3, figures=CHECKPOINTS,
        ),
        Benchmark(
            "checkpoints-5m", "keyed count, 5 M keys, checkpoint every 5 s", "checkpointed_count", _counts(5_000_000),
            subject="checkpointed", target=0.85, measure="seconds", rounds=3, figures=CHECKPOINTS,
        ),
        Benchmark(
            "recovery", "kill -9 of one of 2 workers, 1 M keys", "recovery",
            lambda quick: {"keys": 100_000 if quick else 1_000_000}, subject="killed", rivals=(),
            limits=(("again_s", 1.0),), rounds=3, figures=("checkpoint_mib",),
        ),
        Benchmark(
            "incremental", "checkpoint of 1 M keys, 1 % changed", "checkpoint_files",
            lambda quick: {"keys": 100_000 if quick else 1_000_000}, subject="rocksdb_incremental",
            rivals=("rocksdb_full", "hashmap_full"), measure="seconds", rounds=3,
            figures=("seconds", "stored_mib", "restore_ms"),
        ),
        Benchmark("lines", "lines of a text file", "file_lines", _lines, target=0.7),
        Benchmark(
            "lines-gzip", "lines of a gzip file", "file_lines",
            lambda quick: (lines := _lines(quick)) | {"path": compressed_file(lines["path"])}, target=0.7,
        ),
        Benchmark(
            "parquet", "Parquet to columns, pyarrow by hand", "file_columns",
            lambda quick: {"path": parquet_file(_lines(quick)["path"])}, target=0.9,
        ),
        Benchmark(
            "csv-columns", "CSV to columns, pyarrow by hand", "file_columns",
            lambda quick: {"path": _lines(quick)["path"]}, target=0.9,
        ),
        Benchmark(
            "file-sink", "numbers as lines of a file", "file_sink",
            lambda quick: {"rows": 300_000 if quick else 3_000_000}, target=0.7,
        ),
        Benchmark(
            "exchange", "rows between two workers", "exchange",
            lambda quick: {"numbers": 300_000 if quick else 3_000_000}, subject="rows", rivals=(), measure="seconds",
        ),
        Benchmark(
            "two-workers", "keyed sum, 2 workers over 1", "exchange", _many_lines,
            subject="two_workers", rivals=("one_worker",), target=1.5, measure="seconds", rounds=3,
        ),
        Benchmark(
            "async", "10 k requests of 50 ms, in order", "async_io", _requests, subject="ordered", target=0.8,
            limits=of_requests,
        ),
        Benchmark(
            "async-any", "the same, as they come", "async_io", _requests, subject="unordered", target=0.8,
            limits=of_requests,
        ),
        Benchmark(
            "start", "one element, whole process", "start_up", lambda quick: {}, rivals=("plain", "bytewax"),
            limits=(("seconds", 0.3), ("cpu_seconds", 0.3), ("peak_mib", 60.0)),
        ),
        Benchmark(
            "import", "import penstock.datastream, whole process", "start_up", lambda quick: {}, subject="importing",
            limits=(("seconds", 0.1),),
        ),
        Benchmark(
            "latency-1", f"1,000 records/s, {latency_s} s, 1 worker", "latency", lambda quick: {"seconds": latency_s},
            subject="one_worker", rivals=(), limits=latency, rounds=1,
        ),
        Benchmark(
            "latency-2", f"1,000 records/s, {latency_s} s, 2 workers", "latency", lambda quick: {"seconds": latency_s},
            subject="two_workers", rivals=(), limits=latency, rounds=1,
        ),
        *(
            Benchmark(
                f"flat-memory-{workers}", f"ten minutes of 1,000 records/s, {subject}", "latency",
                lambda quick: {"seconds": 60 if quick else 600}, subject=subject, rivals=(), limits=latency, rounds=1,
                on_demand=True,
            )
            for workers, subject in ((1, "one_worker"), (2, "two_workers"))
        ),
        *_of_clusters(),
        *(_with_broker(os.environ[BROKER], latency_s) if BROKER in os.environ else ()),
    ]  # fmt: skip


def chosen(names: list[str] | None, latency_s: int) -> list[Benchmark]:
    """Those whose name begins with one of ``names``; without names, all but those that run on demand.

    >>> [benchmark.name for benchmark in chosen(["flat-memory", "import"], 10)]
    ['import', 'flat-memory-1', 'flat-memory-2']
    """
    return [
        benchmark
        for benchmark in benchmarks(latency_s)
        if (any(map(benchmark.name.startswith, names)) if names else not benchmark.on_demand)
    ]
