"""OpenTelemetry out of a cluster: a collector of this test is told of metrics by both kinds of processes, and of spans."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.cluster.conftest import Cluster

PROGRAM = Path(__file__).with_name("counting.py")


class Collector(BaseHTTPRequestHandler):
    """Keeps the names of metrics, and spans with their attributes."""

    metrics: set[str]
    spans: list[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(content).resource_metrics:
                for scope in resource.scope_metrics:
                    self.metrics.update(metric.name for metric in scope.metrics)
        else:
            for of_service in ExportTraceServiceRequest.FromString(content).resource_spans:
                for of_scope in of_service.scope_spans:
                    for span in of_scope.spans:
                        values = {e.key: e.value.string_value or e.value.int_value for e in span.attributes}
                        self.spans.append((span.name, values))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    Collector.metrics, Collector.spans = set(), []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.slow
def test_a_collector_is_told_of_metrics_checkpoints_and_starts(
    cluster: Cluster, collector: ThreadingHTTPServer
) -> None:
    url = f"http://127.0.0.1:{collector.server_port}/v1"
    with open(cluster.home / "conf" / "config.yaml", "a", encoding="utf-8") as file:
        file.write(
            "metrics.reporter.otel.factory.class: org.apache.flink.metrics.otel.OpenTelemetryMetricReporterFactory\n"
            f"metrics.reporter.otel.exporter.endpoint: {url}/metrics\n"
            "metrics.reporter.otel.exporter.protocol: HTTP\n"
            "metrics.reporter.otel.interval: 200 ms\n"
            "traces.reporter.otel.factory.class: org.apache.flink.traces.otel.OpenTelemetryTraceReporterFactory\n"
            f"traces.reporter.otel.exporter.endpoint: {url}/traces\n"
            "traces.reporter.otel.exporter.protocol: HTTP\n"
        )
    cluster.penstock("start-cluster")
    job = cluster.submit(PROGRAM, "--", "1000000", "200")
    wanted = {"flink.jobmanager.job.numRestarts", "flink.taskmanager.job.task.operator.numRecordsIn"}
    cluster.wait_for(lambda: wanted <= Collector.metrics)
    cluster.wait_for(lambda: {"Checkpoint", "JobInitialization"} <= {name for name, _ in Collector.spans})
    checkpoint = next(values for name, values in Collector.spans if name == "Checkpoint")
    assert (checkpoint["job_id"], checkpoint["job_name"]) == (job, "counting")
    assert checkpoint["checkpointStatus"] == "COMPLETED" and checkpoint["fullSize"] > 0
    start = next(values for name, values in Collector.spans if name == "JobInitialization")
    assert (start["job_id"], start["attempt"]) == (job, 0)
