"""Who is told of spans: the log, and OpenTelemetry collectors."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from penstock.errors import ProgramError
from penstock.metrics.reporters.otlp import otel_resource, otlp_exporter
from penstock.metrics.reporters.settings import ReporterSettings, by_name, chosen_names
from penstock.metrics.traces import Span

FAMILY = "traces"
_log = logging.getLogger(__name__)


class SpanReporter(Protocol):
    """Tells something outside of spans, one by one."""

    def tell(self, span: Span) -> None:
        """A span has ended."""

    def close(self) -> None:
        """Tell what is not told yet, and nothing more."""


class LogSpans:
    """Writes spans into the log, as Flink's Slf4j reporter does."""

    def __init__(self, settings: ReporterSettings) -> None:
        self._settings = settings

    def tell(self, span: Span) -> None:
        _log.info("reported span of %s: %s", self._settings.name, span)

    def close(self) -> None:
        """Nothing is held."""


class OpenTelemetrySpans:
    """Sends spans over OTLP; OpenTelemetry gathers them, sends them by a thread of its own, and logs what fails."""

    def __init__(self, settings: ReporterSettings) -> None:
        exporter = otlp_exporter(settings, "trace_exporter:OTLPSpanExporter")
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._settings = settings
        self._provider = TracerProvider(resource=otel_resource(settings), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))

    def tell(self, span: Span) -> None:
        excluded, additional = self._settings.excluded_variables, self._settings.additional_variables
        attributes: dict[str, Any] = {**span.attributes, **additional}
        told = self._provider.get_tracer(span.scope).start_span(
            span.name,
            attributes={name: value for name, value in attributes.items() if name not in excluded},
            start_time=span.start_ms * 1_000_000,
        )
        told.end(span.end_ms * 1_000_000)

    def close(self) -> None:
        self._provider.shutdown()


_HERE: dict[str, Callable[[ReporterSettings], SpanReporter]] = {"slf4j": LogSpans, "otel": OpenTelemetrySpans}


def span_reporters_of(options: Mapping[str, str]) -> list[SpanReporter]:
    """The reporters of ``traces.reporters``, or all that have a factory where that is not set.

    >>> span_reporters_of({})
    []

    :raises ProgramError: for a reporter that is not known, or without what it needs.
    """
    found: list[SpanReporter] = []
    given = by_name(FAMILY, options)
    for name in chosen_names(options.get("traces.reporters"), given):
        settings = ReporterSettings(name, given.get(name, {}), FAMILY)
        kind = settings.text("factory.class")
        make = _HERE.get(_short(kind))
        if make is None:
            raise ProgramError(
                f"{settings.prefix}.factory.class: {kind} is not known; there are {', '.join(_HERE)}"
            )
        found.append(make(settings))
    return found


def _short(kind: str) -> str:
    """The name of a reporter out of the name of its class.

    >>> _short("org.apache.flink.traces.otel.OpenTelemetryTraceReporterFactory"), _short("slf4j")
    ('otel', 'slf4j')
    """
    name = kind.rpartition(".")[2].removesuffix("Factory").removesuffix("TraceReporter").lower()
    return {"opentelemetry": "otel"}.get(name, name)
