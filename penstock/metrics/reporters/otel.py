"""Sends metrics to an OpenTelemetry collector; names and temporality are those of Flink's reporter."""

from collections.abc import Iterator, Sequence
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.errors import OutsideError
from penstock.metrics.readings import Kind, Reading, as_number
from penstock.metrics.reporters.contract import Read
from penstock.metrics.reporters.otlp import otel_resource, otlp_exporter
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import LOGICAL, ReporterSettings

Series = tuple[str, tuple[tuple[str, str], ...]]


class OpenTelemetryReporter:
    """Counters go as sums of what has come since the last report, everything else as gauges; a meter is its ``.rate``."""

    def __init__(self, settings: ReporterSettings, names: ScopeNames) -> None:
        del names  # OpenTelemetry has attributes instead
        self._settings = settings
        size = settings.number("batch.size", 0)
        self._exporter = otlp_exporter(
            settings, "metric_exporter:OTLPMetricExporter", max_export_batch_size=size if size > 0 else None
        )
        self._resource = otel_resource(settings)
        self._counts: dict[Series, float] = {}
        self._since_ns = _now_ns()

    def open(self, read: Read) -> None:
        """Nothing is held open."""

    def report(self, readings: Sequence[Reading]) -> None:
        from opentelemetry.sdk.metrics.export import (
            MetricExportResult,
            MetricsData,
            ResourceMetrics,
            ScopeMetrics,
        )
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        now_ns = _now_ns()
        metrics = list(self._metrics(readings, now_ns))
        self._since_ns = now_ns
        scope = ScopeMetrics(InstrumentationScope("penstock"), metrics, "")
        told = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        if self._exporter.export(told) is not MetricExportResult.SUCCESS:
            raise OutsideError(f"the collector at {self._settings.text('exporter.endpoint')} cannot be told")

    def close(self) -> None:
        self._exporter.shutdown()

    def _metrics(self, readings: Sequence[Reading], now_ns: int) -> Iterator[Any]:
        """Readings as OpenTelemetry has them, those of one name together."""
        from opentelemetry.sdk.metrics.export import (
            AggregationTemporality,
            Gauge,
            Metric,
            NumberDataPoint,
            Sum,
        )

        sums: dict[str, list[Any]] = {}
        gauges: dict[str, list[Any]] = {}
        counts: dict[Series, float] = {}
        for reading in readings:
            value = as_number(reading.value)
            if value is None:
                continue
            name, attributes = _name(reading), self._attributes(reading)
            if reading.kind is Kind.COUNTER:
                series = (name, tuple(sorted(attributes.items())))
                counts[series] = value
                value -= self._counts.get(series, 0)
                if value < 0:  # it was counted down, or began anew; a sum cannot tell of that
                    continue
            found = sums if reading.kind is Kind.COUNTER else gauges
            found.setdefault(name, []).append(NumberDataPoint(attributes, self._since_ns, now_ns, value))
        self._counts = counts
        for name, points in sums.items():
            yield Metric(name, "", "", Sum(points, AggregationTemporality.DELTA, True))
        for name, points in gauges.items():
            yield Metric(name, "", "", Gauge(points))

    def _attributes(self, reading: Reading) -> dict[str, str]:
        excluded = self._settings.excluded_variables
        every = {**reading.variables, **self._settings.additional_variables}
        return {name: value for name, value in every.items() if name not in excluded}


def _name(reading: Reading) -> str:
    name = f"flink.{LOGICAL[reading.scope]}.{reading.logical_name or reading.name}"
    return f"{name}.rate" if reading.kind is Kind.METER else name


def _now_ns() -> int:
    return SYSTEM_CLOCK.now_ms() * 1_000_000
