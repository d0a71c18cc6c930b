"""Metrics that leave a cluster: Prometheus scrapes each of its processes, StatsD and the log are told."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.conftest import Cluster
from tests.services.kafka_broker import free_ports

PROGRAM = Path(__file__).with_name("counting.py")
# What a JobManager and a TaskManager of Flink 2.3 told Prometheus of a job of two tasks: each name with its labels.
RECORDED: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("flink_prometheus.json").read_text()
)
_JVM = r"Status_JVM_(ClassLoader|GarbageCollector_(G1|All_TimeMs)|Memory_(Direct|Mapped|Metaspace|NonHeap|Heap_Committed)).*"
_CHECKPOINTS = r"lastCheckpoint(ExternalPath|MetadataSize|PersistedData|ProcessedData|RestoreTimestamp)"
_TASK = (
    r"Shuffle_.*|mailbox.*|numBuffers.*|numBytesIn(Local|Remote).*|(hard|soft)BackPressured.*|max(Hard|Soft)BackPressure.*"
    r"|changelogBusy.*|checkpoint(AlignmentTime|StartDelayNanos)|initializationTime|numFiredTimers.*|currentInputWatermark"
)
_OPERATOR = r"current(In|Out)putWatermark|currentEmitEventTimeLag|numBytes.*|numRecordsInErrors|sourceIdleTime|split_.*"
# What ours lack, as docs/guide/metrics.md says.
LACKING = re.compile(
    rf"flink_(jobmanager|taskmanager)_({_JVM}|Status_Flink_.*|Status_Shuffle_.*)"
    rf"|flink_jobmanager_job_({_CHECKPOINTS}|allSubTasksRunningOrFinishedTime|deployingTime|operator_coordinator_.*)"
    rf"|flink_taskmanager_job_task_({_TASK}|operator_({_OPERATOR}))"
)
FUSED = """
from penstock.common import WatermarkStrategy
from penstock.datastream import MapFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy

class Tax(MapFunction):
    def open(self, context):
        group = context.get_metrics_group().add_group("shop", "north west")
        self.paid = group.counter("paid")
        self.amounts = group.distribution("amounts")
    def map(self, amount):
        self.paid.inc()
        self.amounts.update(amount)
        return amount

env = StreamExecutionEnvironment.get_execution_environment()
source = DataGeneratorSource(lambda index: index, 1_000_000, RateLimiterStrategy.per_second(200))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").rebalance()
numbers.map(lambda number: number).name("first").map(Tax()).name("tax").print()
env.execute("fused")
"""
Scraped = dict[str, list[Any]]


@pytest.fixture
def statsd() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(120)
        yield made


def endpoints(cluster: Cluster, role: str) -> list[str]:
    """Where the processes of a role say that they are to be scraped."""
    texts = [path.read_text() for path in sorted((cluster.home / "log").glob(f"*{role}*.log"))]
    return [url for text in texts for url in re.findall(r"metrics for Prometheus are at (\S+)", text)]


def scraped(endpoint: str) -> Scraped:
    with urlopen(endpoint, timeout=120) as answer:
        text = answer.read().decode()
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def configure(cluster: Cluster, text: str) -> None:
    with open(cluster.home / "conf" / "config.yaml", "a", encoding="utf-8") as file:
        file.write(text)


def with_prometheus(cluster: Cluster, ports: str) -> None:
    configure(
        cluster,
        "metrics.reporter.prom.factory.class: org.apache.flink.metrics.prometheus.PrometheusReporterFactory\n"
        f"metrics.reporter.prom.port: {ports}\n",
    )


def a_range(count: int) -> str:
    """A range of ports of which so many are free."""
    first = min(free_ports(8))
    return f"{first}-{first + 40 + count}"


@pytest.mark.slow
def test_each_process_has_an_endpoint_of_its_own_with_flinks_names(cluster: Cluster) -> None:
    with_prometheus(cluster, a_range(3))
    configure(cluster, "metrics.system-resource: true\nmetrics.system-resource-probing-interval: 100 ms\n")
    cluster.penstock("start-cluster", "-n", "2", "-s", "1")
    job = cluster.submit(PROGRAM, "-p", "2", "--", "1000000", "200")
    managers = {each["id"] for each in cluster.client.get("/taskmanagers")["taskmanagers"]}
    (of_jobmanager,), of_taskmanagers = endpoints(cluster, "jobmanager"), endpoints(cluster, "taskmanager")
    assert len({of_jobmanager, *of_taskmanagers}) == 3

    def told(name: str) -> list[Any]:
        return [sample for each in of_taskmanagers for sample in scraped(each).get(name, [])]

    def counted() -> list[Any] | None:
        found = told("flink_taskmanager_job_task_operator_numRecordsIn")
        own = [each for each in found if each.labels["operator_name"] == "KEYED_PROCESS" and each.value > 0]
        return own if len(own) == 2 else None

    own = cluster.wait_for(counted)
    assert {each.labels["subtask_index"] for each in own} == {"0", "1"}
    assert {each.labels["tm_id"] for each in own} == {
        re.sub("[^a-zA-Z0-9:_]", "_", each) for each in managers
    }
    assert {(each.labels["job_id"], each.labels["job_name"]) for each in own} == {(job, "counting")}
    assert {each.labels["host"] for each in own} == {"127_0_0_1"}
    label = own[0].labels
    parts = (label["job_id"], label["task_id"], label["subtask_index"], label["task_attempt_num"])
    assert label["task_attempt_id"] == "_".join(parts)

    of_one = scraped(of_taskmanagers[0])
    assert not [name for name in of_one if name.startswith("flink_jobmanager")]
    assert of_one["flink_taskmanager_Status_JVM_Memory_Heap_Used"][0].value > 1 << 20
    assert {
        each.labels["subtask_index"] for each in of_one["flink_taskmanager_job_task_busyTimeMsPerSecond"]
    } < {"0", "1"}
    cluster.wait_for(lambda: sum(each.value for each in told("flink_taskmanager_job_task_numBytesIn")) > 0)
    assert {each.value >= 0 for each in told("flink_taskmanager_job_task_numBytesOutPerSecond")} == {True}
    assert 0 <= of_one["flink_taskmanager_System_CPU_Usage"][0].value <= 100

    of_jobs = cluster.wait_for(lambda: _with_checkpoints(scraped(of_jobmanager)))
    assert of_jobs["flink_jobmanager_taskSlotsTotal"][0].value == 2
    assert of_jobs["flink_jobmanager_job_numRestarts"][0].value == 0
    assert of_jobs["flink_jobmanager_System_Memory_Total"][0].value > 0
    assert not [name for name in of_jobs if name.startswith("flink_taskmanager")]
    _assert_flinks_names_are_there(of_jobs, RECORDED["jobmanager"])
    every = [scraped(each) for each in of_taskmanagers]
    together = {name: samples for each in every for name, samples in each.items()}
    _assert_flinks_names_are_there(together, RECORDED["taskmanager"])
    names = {each["id"] for each in cluster.client.get("/jobmanager/metrics")}
    assert {"System.CPU.Usage", "System.Network.lo.SendRate"} <= names


def _assert_flinks_names_are_there(found: Scraped, recorded: dict[str, list[str]]) -> None:
    assert sorted(name for name in recorded if name not in found and not LACKING.fullmatch(name)) == []
    assert sorted(name for name in recorded if name in found and LACKING.fullmatch(name)) == [], "it has come"
    for name in recorded.keys() & found.keys():
        assert sorted(found[name][0].labels) == recorded[name], name


def _with_checkpoints(found: Scraped) -> Scraped | None:
    completed = found.get("flink_jobmanager_job_numberOfCompletedCheckpoints", [])
    return found if completed and completed[0].value > 0 else None


@pytest.mark.slow
def test_functions_that_are_fused_keep_their_own_metrics_and_groups_with_keys_are_labels(
    cluster: Cluster, tmp_path: Path
) -> None:
    with_prometheus(cluster, a_range(2))
    cluster.penstock("start-cluster")
    program = tmp_path / "fused.py"
    program.write_text(FUSED)
    job = cluster.submit(program)

    def paid() -> list[Any]:
        (endpoint,) = endpoints(cluster, "taskmanager")
        found = scraped(endpoint).get("flink_taskmanager_job_task_operator_shop_paid", [])
        return [each for each in found if each.value > 0]

    (sample,) = cluster.wait_for(paid)
    assert (sample.labels["operator_name"], sample.labels["shop"]) == ("tax", "north_west")
    (endpoint,) = endpoints(cluster, "taskmanager")
    records = scraped(endpoint)["flink_taskmanager_job_task_operator_numRecordsIn"]
    assert {"first", "tax"} <= {each.labels["operator_name"] for each in records}
    vertex = cluster.job(job)["vertices"][1]["id"]
    path = f"/jobs/{job}/vertices/{vertex}/metrics"
    names = {each["id"] for each in cluster.client.get(path)}
    assert {"0.first.numRecordsIn", "0.tax.numRecordsOut", "0.tax.shop.north west.paid"} <= names


@pytest.mark.slow
def test_bytes_that_cross_between_processes_are_told_of_vertices(cluster: Cluster) -> None:
    cluster.penstock("start-cluster", "-s", "2")
    job = cluster.submit(PROGRAM, "-p", "2", "--", "1000000", "500")

    def told() -> Any:
        source, counting = cluster.job(job)["vertices"]
        of = (source["metrics"], counting["metrics"])
        return of[1]["read-bytes"] > 0 and of

    source, counting = cluster.wait_for(told)
    assert (
        source["write-bytes"] >= counting["read-bytes"]
        and source["read-bytes"] == counting["write-bytes"] == 0
    )
    flags = ("read-bytes", "write-bytes", "read-records", "write-records")
    cluster.wait_for(
        lambda: all(
            each["metrics"][f"{name}-complete"] for each in cluster.job(job)["vertices"] for name in flags
        )
    )


@pytest.mark.slow
def test_statsd_and_the_logs_are_told_by_the_process_that_measures(
    cluster: Cluster, statsd: socket.socket
) -> None:
    configure(
        cluster,
        "metrics.reporters: stats, lines\n"
        "metrics.reporter.stats.factory.class: statsd\n"
        "metrics.reporter.stats.host: 127.0.0.1\n"
        f"metrics.reporter.stats.port: {statsd.getsockname()[1]}\n"
        "metrics.reporter.stats.interval: 100 ms\n"
        "metrics.reporter.stats.filter.includes: taskmanager.job.task:numRecordsIn\n"
        "metrics.reporter.lines.factory.class: slf4j\n"
        "metrics.reporter.lines.interval: 200 ms\n",
    )
    cluster.penstock("start-cluster", "-s", "2")
    cluster.submit(PROGRAM, "-p", "2", "--", "1000000", "200")
    line = statsd.recv(4096).decode()
    assert line.startswith("127.0.0.1.taskmanager.") and ".counting." in line, line
    assert ".numRecordsIn" in line and line.endswith("|g"), line
    for role, says in (
        ("jobmanager", "127.0.0.1.jobmanager.counting.lastCheckpointDuration: "),
        ("taskmanager", ".counting.KEYED PROCESS.0.numRecordsIn: "),
    ):
        (log,) = (cluster.home / "log").glob(f"*{role}*.log")
        cluster.wait_for(lambda: says in log.read_text())  # noqa: B023


def test_a_reporter_that_is_not_there_is_named_at_the_start(cluster: Cluster) -> None:
    said = cluster.penstock("start-cluster", "-D", "metrics.reporter.old.factory.class=jmx", check=False)
    assert "metrics.reporter.old.factory.class: jmx is not in this version" in said
