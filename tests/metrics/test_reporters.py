"""Reporters: what the options name, and what each of them tells."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from penstock.errors import OutsideError, ProgramError
from penstock.metrics.readings import Kind, Reading, Scope
from penstock.metrics.reporters.configured import reporters_of
from penstock.metrics.reporters.prometheus_text import exposition
from penstock.metrics.reporters.reporting import Reporting
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import ReporterSettings

OF_TASK = {
    "host": "here", "tm_id": "tm-1", "job_id": "ab", "job_name": 'counts "all"', "task_id": "cd", "task_name": "Map -> Sink",
    "task_attempt_num": "0", "subtask_index": "1",
}  # fmt: skip
READINGS = [
    Reading(Scope.JOBMANAGER, "taskSlotsTotal", 2, {"host": "here"}),
    Reading(Scope.TASK, "numRecordsIn", 7, OF_TASK),
    Reading(Scope.TASK, "currentInputWatermark", -9, OF_TASK),
    Reading(Scope.OPERATOR, "mine.size", 1.5, {**OF_TASK, "operator_id": "ef", "operator_name": "Map"}),
    Reading(Scope.OPERATOR, "state", "open", {**OF_TASK, "operator_id": "ef", "operator_name": "Map"}),
]


def test_prometheus_reads_what_is_written_for_it() -> None:
    settings = ReporterSettings(
        "prom", {"scope.variables.excludes": "task_attempt_num", "scope.variables.additional": "region:eu"}
    )
    families = list(text_string_to_metric_families(exposition(READINGS, settings)))
    samples = {sample.name: sample for family in families for sample in family.samples}
    assert {name: sample.value for name, sample in samples.items()} == {
        "flink_jobmanager_taskSlotsTotal": 2.0,
        "flink_taskmanager_job_task_numRecordsIn": 7.0,
        "flink_taskmanager_job_task_currentInputWatermark": -9.0,
        "flink_taskmanager_job_task_operator_mine_size": 1.5,
    }
    labels = samples["flink_taskmanager_job_task_numRecordsIn"].labels
    assert labels == {
        "host": "here", "tm_id": "tm_1", "job_id": "ab", "job_name": "counts__all_", "task_id": "cd",
        "task_name": "Map____Sink", "subtask_index": "1", "region": "eu",
    }  # fmt: skip
    assert {family.type for family in families} == {"gauge"}


def test_labels_are_told_as_they_are_where_that_is_wanted() -> None:
    settings = ReporterSettings("prom", {"filterLabelValueCharacters": "false"})
    (sample,) = (
        sample
        for family in text_string_to_metric_families(exposition(READINGS, settings))
        for sample in family.samples
        if sample.name == "flink_taskmanager_job_task_numRecordsIn"
    )
    assert sample.labels == OF_TASK


def test_the_values_of_groups_with_keys_are_labels() -> None:
    variables = {**OF_TASK, "topic": "orders"}
    reading = Reading(Scope.OPERATOR, "topic.orders.read", 3, variables, Kind.COUNTER, "topic.read")
    ((family,),) = [list(text_string_to_metric_families(exposition([reading], ReporterSettings("prom", {}))))]
    (sample,) = family.samples
    assert (sample.name, sample.labels["topic"]) == (
        "flink_taskmanager_job_task_operator_topic_read",
        "orders",
    )
    assert ScopeNames({}).of(reading).endswith(".topic.orders.read")


def test_metrics_are_filtered_by_their_types() -> None:
    told = [
        Reading(Scope.TASK, "numRecordsIn", 1, OF_TASK, Kind.COUNTER),
        Reading(Scope.TASK, "numRecordsInPerSecond", 1, OF_TASK, Kind.METER),
        Reading(Scope.TASK, "busyTimeMsPerSecond", 1, OF_TASK),
    ]
    settings = ReporterSettings(
        "out", {"filter.includes": "*:num*:counter,meter;*:busy*", "filter.excludes": "::METER"}
    )
    passes = settings.filter().lets_pass
    assert [each.name for each in told if passes(each)] == ["numRecordsIn", "busyTimeMsPerSecond"]


def test_a_reporter_whose_port_is_taken_is_logged_and_the_others_tell(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = {
            "metrics.reporter.prom.factory.class": "prometheus",
            "metrics.reporter.prom.port": str(taken.getsockname()[1]),
            "metrics.reporter.lines.factory.class": "slf4j",
        }
        reporting = Reporting(options, lambda: READINGS)
        reporting.start()
        assert reporting.has_reporters
        reporting.close()
    assert (
        "reporter prom tells nothing: metrics.reporter.prom: nothing can listen on 127.0.0.1" in caplog.text
    )


@pytest.fixture
def statsd() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(120)
        yield made


def test_statsd_is_told_gauges_under_the_names_of_scopes(statsd: socket.socket) -> None:
    options = {
        "metrics.reporters": "out",
        "metrics.reporter.out.factory.class": "org.apache.flink.metrics.statsd.StatsDReporterFactory",
        "metrics.reporter.out.host": "127.0.0.1",
        "metrics.reporter.out.port": str(statsd.getsockname()[1]),
        "metrics.reporter.out.interval": "10 ms",
        "metrics.reporter.out.filter.excludes": "jobmanager*;*:st*",
        "metrics.scope.task": "<job_id>.<subtask_index>",
    }
    reporting = Reporting(options, lambda: READINGS)
    reporting.start()
    try:
        lines = [statsd.recv(4096).decode() for _ in range(4)]
    finally:
        reporting.close()
    assert lines == [
        "ab.1.numRecordsIn:7|g",
        "ab.1.currentInputWatermark:0|g",
        "ab.1.currentInputWatermark:-9|g",
        'here.taskmanager.tm-1.counts-"all".Map.1.mine.size:1.5|g',
    ]


class Gateway(BaseHTTPRequestHandler):
    """Keeps what a Pushgateway would be told."""

    told: list[tuple[str, str, bytes]]

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.told.append((self.command, self.path, content))
        self.send_response(202)
        self.end_headers()

    do_DELETE = do_PUT

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def gateway() -> Iterator[ThreadingHTTPServer]:
    Gateway.told = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_pushgateway_is_told_and_cleared_at_the_end(gateway: ThreadingHTTPServer) -> None:
    options = {
        "metrics.reporter.push.factory.class": "PrometheusPushGateway",
        "metrics.reporter.push.hostUrl": f"http://127.0.0.1:{gateway.server_port}",
        "metrics.reporter.push.jobName": "shop",
        "metrics.reporter.push.randomJobNameSuffix": "false",
        "metrics.reporter.push.groupingKey": "zone=a b;rack=1",
    }
    ((_, reporter),) = reporters_of(options)
    reporter.open(lambda: READINGS)
    reporter.report(READINGS)
    reporter.close()
    path = "/metrics/job/shop/zone/a%20b/rack/1"
    assert [(method, where) for method, where, _ in Gateway.told] == [("PUT", path), ("DELETE", path)]
    assert b"flink_jobmanager_taskSlotsTotal{" in Gateway.told[0][2]
    gateway.shutdown()
    gateway.server_close()
    with pytest.raises(OutsideError, match="the Pushgateway at"):
        reporter.report(READINGS)


def test_the_log_is_told_in_one_record(caplog: pytest.LogCaptureFixture) -> None:
    ((_, reporter),) = reporters_of({"metrics.reporter.lines.factory.class": "slf4j"})
    with caplog.at_level("INFO"):
        reporter.report(READINGS)
    (record,) = caplog.records
    assert "here.jobmanager.taskSlotsTotal: 2\n" in record.getMessage()
    assert 'here.taskmanager.tm-1.counts "all".Map.1.state: open' in record.getMessage()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"factory.class": "org.apache.flink.metrics.jmx.JMXReporterFactory"},
            "is not in this version; there are",
        ),
        ({"factory.class": "carrier.pigeon.Factory"}, "is not known; there are prometheus"),
        ({}, "factory.class does not say what it is"),
        ({"factory.class": "statsd"}, "metrics.reporter.out.host has to be set"),
        ({"factory.class": "statsd", "host": "h", "port": "many"}, "is a port or a range such as 9250-9260"),
        ({"factory.class": "slf4j", "interval": "soon"}, "metrics.reporter.out.interval"),
        (
            {"factory.class": "slf4j", "filter.includes": "*:*:speed"},
            "with a type of counter, gauge, meter, histogram",
        ),
        ({"factory.class": "slf4j", "filter.excludes": "a:b:meter:d"}, "filter.excludes is SCOPE:NAME:TYPE"),
        ({"factory.class": "pushgateway", "hostUrl": "nowhere"}, "is an HTTP address"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_start(options: dict[str, str], says: str) -> None:
    given = {f"metrics.reporter.out.{key}": value for key, value in options.items()}
    with pytest.raises(ProgramError, match=says):
        reporters_of({"metrics.reporters": "out", **given})


def test_intervals_are_written_as_in_flink() -> None:
    options = {"metrics.reporter.out.factory.class": "slf4j", "metrics.reporter.out.interval": "90 SECONDS"}
    ((settings, _),) = reporters_of(options)
    assert settings.interval_s == 90


def test_a_format_with_a_variable_that_its_scope_has_not_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"metrics.scope.jm: there is no <job_name> .* there are <host>"):
        reporters_of({"metrics.scope.jm": "<host>.<job_name>"})
