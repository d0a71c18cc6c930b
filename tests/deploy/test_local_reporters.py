"""Jobs in the program's own process and its workers tell the reporters that their options name, as those of a cluster do."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from penstock.clock import pause
from penstock.common import Configuration, JobClient, WatermarkStrategy
from penstock.connectors.discard.sink import DiscardingSink
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
from penstock.datastream.functions import MapFunction
from penstock.errors import PenstockError, ProgramError
from tests.services.kafka_broker import free_ports

PROMETHEUS = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
OF_TASKS = "flink_taskmanager_job_task_operator_"
Samples = dict[str, list[Any]]


class FailingOnce(MapFunction):
    """It counts what it has seen in a metric of its own, and fails at the tenth where no file says that it has."""

    def __init__(self, noted: str = "") -> None:
        self._noted = noted

    def open(self, context: Any) -> None:
        self._seen = context.get_metrics_group().counter("seen")

    def map(self, number: int) -> int:
        self._seen.inc()
        if self._noted and self._seen.get_count() == 10 and not Path(self._noted).exists():
            Path(self._noted).touch()
            raise RuntimeError("only once")
        return number


def environment(parallelism: int, **options: str) -> StreamExecutionEnvironment:
    env = StreamExecutionEnvironment.get_execution_environment(Configuration.from_dict(options))
    env.set_parallelism(parallelism)
    return env


def write(env: StreamExecutionEnvironment, count: int, noted: str = "") -> None:
    source = DataGeneratorSource(lambda index: index, count, RateLimiterStrategy.per_second(100))
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    numbers.rebalance().map(FailingOnce(noted)).name("counts").sink_to(DiscardingSink())


def a_range() -> str:
    """A range of ports of which one is free."""
    first = min(free_ports(1))
    return f"{first}-{first + 40}"


def until(find: Callable[[], Any]) -> Any:
    """What is found at last."""
    while not (found := find()):
        pause(0.02)
    return found


def endpoint(caplog: pytest.LogCaptureFixture) -> str:
    """Where the reporter said that it is to be scraped."""

    def find() -> str | None:
        texts = [record.getMessage() for record in caplog.records]
        found = [re.search(r"metrics for Prometheus are at (\S+)", text) for text in texts]
        return next((each[1] for each in found if each), None)

    told: str = until(find)
    return told


def scraped(url: str) -> Samples:
    with urlopen(url, timeout=120) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {sample.name: family.samples for family in families for sample in family.samples}


@contextmanager
def running(env: StreamExecutionEnvironment) -> Iterator[JobClient]:
    client = env.execute_async("reported")
    try:
        yield client
    finally:
        client.cancel().result()
        with pytest.raises(PenstockError, match="cancelled"):
            client.get_job_execution_result().result()


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_job_of_this_process_is_told_to_prometheus_as_one_of_a_cluster(
    parallelism: int, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    caplog.set_level(logging.INFO)
    options = {"metrics.reporters": "prom", "metrics.reporter.prom.factory.class": PROMETHEUS}
    env = environment(parallelism, **options, **{"metrics.reporter.prom.port": a_range()})
    write(env, 1_000_000)
    with running(env) as client:
        url = endpoint(caplog)

        def counting() -> Samples | None:
            found = scraped(url)
            seen = [each.labels["subtask_index"] for each in found.get(OF_TASKS + "seen", []) if each.value]
            return found if len(seen) == parallelism else None

        found = until(counting)
        job = {"host": "localhost", "job_id": str(client.get_job_id()), "job_name": "reported"}
        (manager,) = {each.labels["tm_id"] for each in found["flink_taskmanager_Status_JVM_CPU_Load"]}
        for each in found[OF_TASKS + "numRecordsIn"]:
            assert each.labels.items() >= {**job, "tm_id": manager}.items()
        (restarts,) = found["flink_jobmanager_job_numRestarts"]
        assert (restarts.labels, restarts.value) == (job, 0)
        for name, value in (
            ("numRegisteredTaskManagers", 1),
            ("numRunningJobs", 1),
            ("taskSlotsTotal", parallelism),
            ("taskSlotsAvailable", 0),
        ):
            assert [each.value for each in found[f"flink_jobmanager_{name}"]] == [value]
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=120).connect()
    assert not [each for each in recwarn if "reporter" in str(each.message)]


@pytest.mark.parametrize("parallelism", [1, 2])
def test_checkpoints_and_starts_of_a_job_of_this_process_are_spans(
    parallelism: int, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    options = {
        "traces.reporter.lines.factory.class": "org.apache.flink.traces.slf4j.Slf4jTraceReporterFactory"
    }
    env = environment(parallelism, **options)
    env.enable_checkpointing(1_000_000)
    write(env, 1_000_000, str(tmp_path / "failed"))

    def told() -> dict[tuple[str, object], Any]:
        spans = [record.args[1] for record in caplog.records if record.msg.startswith("reported span of")]
        return {
            (span.name, span.attributes.get("attempt", span.attributes.get("checkpointType"))): span
            for span in spans
        }

    with running(env) as client:
        until(lambda: ("JobInitialization", 1) in told())
        client.trigger_savepoint(str(tmp_path)).result()
        job_id = str(client.get_job_id())
    spans = told()
    assert spans.keys() == {("JobInitialization", 0), ("JobInitialization", 1), ("Checkpoint", "Savepoint")}
    assert {span.attributes["job_id"] for span in spans.values()} == {job_id}
    first, second = spans["JobInitialization", 0], spans["JobInitialization", 1]
    assert first.start_ms <= first.end_ms <= second.start_ms <= second.end_ms
    assert spans["Checkpoint", "Savepoint"].attributes["checkpointStatus"] == "COMPLETED"


def test_one_of_two_jobs_whose_reporters_want_the_same_port_runs_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    key, named = "metrics.reporter.prom.port", {"metrics.reporter.prom.factory.class": "prometheus"}
    first = environment(1, **named, **{key: a_range()})
    write(first, 1_000_000)
    with running(first):
        second = environment(1, **named, **{key: str(urlsplit(endpoint(caplog)).port)})
        second.from_collection([1]).sink_to(DiscardingSink())
        second.execute()
    assert [
        record.getMessage()
        for record in caplog.records
        if "reporter prom tells nothing" in record.getMessage()
    ]


def test_what_makes_no_sense_in_the_options_of_reporters_is_told_before_anything_runs() -> None:
    env = environment(1, **{"metrics.reporter.prom.factory.class": "pigeon"})
    write(env, 1)
    with pytest.raises(ProgramError, match=r"metrics.reporter.prom.factory.class: pigeon is not known"):
        env.execute()


@pytest.mark.parametrize(
    "options", [{}, {"metrics.reporters": "", "metrics.reporter.a.factory.class": "slf4j"}]
)
def test_a_job_whose_options_name_no_reporter_has_none(
    options: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    env = environment(1, **options)
    env.from_collection([1]).sink_to(DiscardingSink())
    env.execute()
    assert not [record for record in caplog.records if "reporter" in record.name]
