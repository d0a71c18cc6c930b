"""Spans: each is told once, to the log and to a collector."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from penstock.errors import ProgramError
from penstock.metrics.reporters.span_reporters import span_reporters_of
from penstock.metrics.reporters.tracing import Tracing
from penstock.metrics.traces import Span

CHECKPOINT = Span(
    "tracker", "Checkpoint", 1_000, 1_250, {"checkpointId": 7, "job_name": "a shop", "host": "here"}
)
START = Span("tracker", "JobInitialization", 500, 900, {"job_name": "a shop", "host": "here"})


class Collector(BaseHTTPRequestHandler):
    """Reads spans as a collector does."""

    told: list[Any]

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.told.append(ExportTraceServiceRequest.FromString(content))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    Collector.told = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_collector_and_the_log_are_told_of_each_span_once(
    collector: ThreadingHTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    options = {
        "traces.reporters": "otel, lines",
        "traces.reporter.otel.factory.class": "org.apache.flink.traces.otel.OpenTelemetryTraceReporterFactory",
        "traces.reporter.otel.exporter.endpoint": f"http://127.0.0.1:{collector.server_port}/v1/traces",
        "traces.reporter.otel.exporter.protocol": "HTTP",
        "traces.reporter.otel.service.name": "shop",
        "traces.reporter.otel.scope.variables.excludes": "host",
        "traces.reporter.otel.scope.variables.additional": "region:eu",
        "traces.reporter.lines.factory.class": "org.apache.flink.traces.slf4j.Slf4jTraceReporterFactory",
        "traces.reporter.unused.factory.class": "slf4j",
    }
    known: dict[object, Span] = {1: CHECKPOINT}
    looked = threading.Event()

    def read() -> dict[object, Span]:
        looked.set()
        return dict(known)

    tracing = Tracing(options, read)
    with caplog.at_level("INFO"):
        tracing.start()
        assert looked.wait(120)
        known[2] = START
        tracing.close()
    spans = []
    for request in Collector.told:
        (of_service,) = request.resource_spans
        assert "shop" in {each.value.string_value for each in of_service.resource.attributes}
        for of_scope in of_service.scope_spans:
            assert of_scope.scope.name == "tracker"
            spans += list(of_scope.spans)
    assert [each.name for each in spans] == ["Checkpoint", "JobInitialization"]
    first = spans[0]
    assert (first.start_time_unix_nano, first.end_time_unix_nano) == (1_000_000_000, 1_250_000_000)
    attributes = {each.key: each.value.int_value or each.value.string_value for each in first.attributes}
    assert attributes == {"checkpointId": 7, "job_name": "a shop", "region": "eu"}
    assert [record.getMessage().startswith("reported span of lines: Span(") for record in caplog.records] == [
        True
    ] * 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"traces.reporters": "a"}, "traces.reporter.a.factory.class has to be set"),
        (
            {"traces.reporter.a.factory.class": "pigeon"},
            "traces.reporter.a.factory.class: pigeon is not known",
        ),
        ({"traces.reporter.a.factory.class": "otel"}, "traces.reporter.a.exporter.endpoint has to be set"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_start(options: dict[str, str], says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        span_reporters_of(options)
