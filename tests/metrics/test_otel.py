"""OpenTelemetry: collectors of this test, over HTTP and gRPC, read what a reporter sends."""

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from penstock.errors import OutsideError, ProgramError
from penstock.metrics.readings import Kind, Reading, Scope
from penstock.metrics.reporters.configured import reporters_of
from penstock.metrics.reporters.contract import Reporter

FACTORY = "org.apache.flink.metrics.otel.OpenTelemetryMetricReporterFactory"
OF_TASK = {"tm_id": "tm-1", "job_name": "a shop", "subtask_index": "1"}


def readings(count: int) -> list[Reading]:
    return [
        Reading(Scope.TASK, "numRecordsIn", count, OF_TASK, Kind.COUNTER),
        Reading(Scope.TASK, "numRecordsIn", 2 * count, {**OF_TASK, "subtask_index": "0"}, Kind.COUNTER),
        Reading(Scope.TASK, "numRecordsInPerSecond", 1.5, OF_TASK, Kind.METER),
        Reading(Scope.JOB, "numRestarts", 3, {"job_name": "a shop"}),
        Reading(
            Scope.OPERATOR, "topic.orders.read", 4, {**OF_TASK, "topic": "orders"}, Kind.GAUGE, "topic.read"
        ),
        Reading(Scope.OPERATOR, "state", "open", OF_TASK),
    ]


class Collector(BaseHTTPRequestHandler):
    """Reads requests as a collector does."""

    told: list[Any]
    status = 200

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        self.told.append((self.path, metrics_service_pb2.ExportMetricsServiceRequest.FromString(content)))
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    Collector.told, Collector.status = [], 200
    made = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def reporter_of(**options: str) -> Reporter:
    given = {f"metrics.reporter.otel.{key.replace('_', '.')}": value for key, value in options.items()}
    ((_, reporter),) = reporters_of({"metrics.reporter.otel.factory.class": FACTORY, **given})
    return reporter


def points_of(request: Any) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The points of each metric, as attributes and value."""
    found = {}
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        data = getattr(metric, metric.WhichOneof("data"))
        found[metric.name] = [
            (
                {each.key: each.value.string_value for each in point.attributes},
                point.as_int if point.WhichOneof("value") == "as_int" else point.as_double,
            )
            for point in data.data_points
        ]
    return found


def test_a_collector_is_told_over_http_with_flinks_names(collector: ThreadingHTTPServer) -> None:
    reporter = reporter_of(
        exporter_endpoint=f"http://127.0.0.1:{collector.server_port}/v1/metrics",
        exporter_protocol="HTTP",
        exporter_compression="gzip",
        exporter_timeout="5 s",
        service_name="the shop's stream",
        service_version="7",
        scope_variables_excludes="tm_id",
        scope_variables_additional="region:eu",
    )
    reporter.open(list)
    reporter.report(readings(10))
    reporter.report(readings(12))
    reporter.close()
    (path, first), (_, second) = Collector.told
    assert path == "/v1/metrics"
    resource = {each.key: each.value.string_value for each in first.resource_metrics[0].resource.attributes}
    assert (resource["service.name"], resource["service.version"]) == ("the shop's stream", "7")
    own, other = ({"job_name": "a shop", "region": "eu", "subtask_index": n} for n in "10")
    of_operator = {**own, "topic": "orders"}
    expected = {
        "flink.taskmanager.job.task.numRecordsIn": [(own, 10), (other, 20)],
        "flink.taskmanager.job.task.numRecordsInPerSecond.rate": [(own, 1.5)],
        "flink.jobmanager.job.numRestarts": [({"job_name": "a shop", "region": "eu"}, 3)],
        "flink.taskmanager.job.task.operator.topic.read": [(of_operator, 4)],
    }
    assert points_of(first) == expected
    grown = {"flink.taskmanager.job.task.numRecordsIn": [(own, 2), (other, 4)]}
    assert points_of(second) == {**expected, **grown}, "counters go as what has come since the last report"
    (sums,) = (m.sum for m in second.resource_metrics[0].scope_metrics[0].metrics if m.HasField("sum"))
    assert sums.is_monotonic
    assert sums.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    before = first.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0]
    assert sums.data_points[0].start_time_unix_nano == before.time_unix_nano


def test_a_counter_that_goes_down_is_left_out_once(collector: ThreadingHTTPServer) -> None:
    reporter = reporter_of(
        exporter_endpoint=f"http://127.0.0.1:{collector.server_port}/v1/metrics", exporter_protocol="http"
    )
    for count in (10, 4, 7):
        reporter.report([Reading(Scope.TASK, "numRecordsIn", count, OF_TASK, Kind.COUNTER)])
    reporter.close()
    values = [
        points_of(request).get("flink.taskmanager.job.task.numRecordsIn") for _, request in Collector.told
    ]
    assert values == [[(OF_TASK, 10)], None, [(OF_TASK, 3)]]


class Service(metrics_service_pb2_grpc.MetricsServiceServicer):  # type: ignore[misc]
    """A collector that speaks gRPC."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:
        del context
        self.told.append(request)
        return metrics_service_pb2.ExportMetricsServiceResponse()


def test_a_collector_is_told_over_grpc_in_batches() -> None:
    service = Service()
    server = grpc.server(ThreadPoolExecutor(1))
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    reporter = reporter_of(exporter_endpoint=f"http://127.0.0.1:{port}", batch_size="3")
    try:
        reporter.report(readings(10))
    finally:
        reporter.close()
        server.stop(None).wait()
    assert len(service.told) == 2
    merged: dict[str, list[Any]] = {}
    for request in service.told:
        for name, points in points_of(request).items():
            merged.setdefault(name, []).extend(points)
    assert {name: len(points) for name, points in merged.items()} == {
        "flink.taskmanager.job.task.numRecordsIn": 2,
        "flink.taskmanager.job.task.numRecordsInPerSecond.rate": 1,
        "flink.jobmanager.job.numRestarts": 1,
        "flink.taskmanager.job.task.operator.topic.read": 1,
    }


def test_a_collector_that_refuses_is_named(collector: ThreadingHTTPServer) -> None:
    Collector.status = 400
    endpoint = f"http://127.0.0.1:{collector.server_port}/v1/metrics"
    reporter = reporter_of(exporter_endpoint=endpoint, exporter_protocol="HTTP")
    with pytest.raises(OutsideError, match=f"the collector at {endpoint} cannot be told"):
        reporter.report(readings(1))
    reporter.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "metrics.reporter.otel.exporter.endpoint has to be set"),
        (
            {"exporter_endpoint": "h", "exporter_protocol": "smoke"},
            "exporter.protocol is one of grpc, http, not 'smoke'",
        ),
        (
            {"exporter_endpoint": "h", "exporter_compression": "zip"},
            "exporter.compression is one of none, gzip",
        ),
        ({"exporter_endpoint": "h", "exporter_timeout": "soon"}, "metrics.reporter.otel.exporter.timeout"),
        ({"exporter_endpoint": "h", "batch_size": "some"}, "batch.size is a number, not 'some'"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_start(options: dict[str, str], says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        reporter_of(**options)
