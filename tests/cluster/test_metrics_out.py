"""Metrics that leave a cluster: Prometheus scrapes a real one, StatsD and the log are told."""

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


@pytest.fixture
def statsd() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(120)
        yield made


def test_prometheus_statsd_and_the_log_are_told_of_jobs_and_processes(
    cluster: Cluster, statsd: socket.socket
) -> None:
    (port,) = free_ports(1)
    with open(cluster.home / "conf" / "config.yaml", "a", encoding="utf-8") as file:
        file.write(
            "metrics.reporters: prom, stats, lines\n"
            "metrics.reporter.prom.factory.class: org.apache.flink.metrics.prometheus.PrometheusReporterFactory\n"
            f"metrics.reporter.prom.port: {port}\n"
            "metrics.reporter.stats.factory.class: statsd\n"
            "metrics.reporter.stats.host: 127.0.0.1\n"
            f"metrics.reporter.stats.port: {statsd.getsockname()[1]}\n"
            "metrics.reporter.stats.interval: 100 ms\n"
            "metrics.reporter.stats.filter.includes: taskmanager.job.task:numRecordsIn\n"
            "metrics.reporter.lines.factory.class: slf4j\n"
            "metrics.reporter.lines.interval: 200 ms\n"
        )
    cluster.penstock("start-cluster", "-s", "2")
    job = cluster.submit(PROGRAM, "-p", "2", "--", "1000000", "200")
    (manager,) = cluster.client.get("/taskmanagers")["taskmanagers"]

    def scraped() -> dict[str, list[Any]]:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
            text = answer.read().decode()
        families = list(text_string_to_metric_families(text))
        return {family.name: family.samples for family in families}

    def records() -> Any:
        samples = scraped().get("flink_taskmanager_job_task_operator_numRecordsIn", [])
        own = [each for each in samples if each.labels["operator_name"] == "KEYED PROCESS" and each.value > 0]
        checkpoints = scraped().get("flink_jobmanager_job_numberOfCompletedCheckpoints", [])
        return len(own) == 2 and checkpoints and checkpoints[0].value > 0 and own

    own = cluster.wait_for(records)
    assert {each.labels["subtask_index"] for each in own} == {"0", "1"}
    assert {each.labels["tm_id"] for each in own} == {manager["id"]}
    assert {(each.labels["job_id"], each.labels["job_name"]) for each in own} == {(job, "counting")}
    found = scraped()
    assert found["flink_jobmanager_taskSlotsTotal"][0].value == 2
    assert found["flink_jobmanager_job_numRestarts"][0].value == 0
    assert found["flink_taskmanager_Status_JVM_Memory_Heap_Used"][0].value > 1 << 20
    assert found["flink_taskmanager_job_task_busyTimeMsPerSecond"][0].value >= 0

    line = statsd.recv(4096).decode()
    assert line.startswith("127.0.0.1.taskmanager.") and ".counting." in line, line
    assert ".numRecordsIn" in line and line.endswith("|g"), line
    (log,) = (cluster.home / "log").glob("*jobmanager*.log")
    cluster.wait_for(lambda: "127.0.0.1.jobmanager.counting.lastCheckpointDuration: " in log.read_text())


def test_a_reporter_that_is_not_there_is_named_at_the_start(cluster: Cluster) -> None:
    said = cluster.penstock("start-cluster", "-D", "metrics.reporter.old.factory.class=jmx", check=False)
    assert "metrics.reporter.old.factory.class: jmx is not in this version" in said
