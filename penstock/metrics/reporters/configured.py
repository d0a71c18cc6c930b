"""Which reporters the options name, and how each is made; Flink's class names mean its counterparts here."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from penstock.errors import ProgramError
from penstock.metrics.reporters.contract import Reporter
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import ReporterSettings, by_name, chosen_names

_HERE = {
    "prometheus": "prometheus:PrometheusReporter",
    "prometheuspushgateway": "push_gateway:PushGatewayReporter",
    "pushgateway": "push_gateway:PushGatewayReporter",
    "statsd": "statsd:StatsDReporter",
    "slf4j": "log_lines:LogReporter",
    "logging": "log_lines:LogReporter",
    "otel": "otel:OpenTelemetryReporter",
    "opentelemetry": "otel:OpenTelemetryReporter",
    "opentelemetrymetric": "otel:OpenTelemetryReporter",
}
_NOT_HERE = ("jmx", "graphite", "influxdb", "datadog")


def reporters_of(options: Mapping[str, str]) -> list[tuple[ReporterSettings, Reporter]]:
    """The reporters of ``metrics.reporters``, or all that have a factory where that is not set.

    >>> [settings.name for settings, _ in reporters_of({"metrics.reporter.lines.factory.class": "slf4j"})]
    ['lines']

    :raises ProgramError: for a reporter that is not known, or not in this version, or without what it needs.
    """
    by_reporter = by_name("metrics", options)
    names_of = ScopeNames(options)
    found = []
    for name in chosen_names(options.get("metrics.reporters"), by_reporter):
        given = {"scope.delimiter": options.get("metrics.scope.delimiter", "."), **by_reporter.get(name, {})}
        settings = ReporterSettings(name, given)
        settings.filter()
        _ = settings.interval_s  # what is wrong in these is told at the start
        found.append((settings, _made(settings, names_of)))
    return found


def _made(settings: ReporterSettings, names: ScopeNames) -> Reporter:
    kind = settings.given.get("factory.class") or settings.given.get("class")
    if kind is None:
        raise ProgramError(
            f"metrics.reporters names {settings.name!r}, and metrics.reporter.{settings.name}.factory.class does not say "
            f"what it is: {', '.join(_HERE)}"
        )
    short = _short(kind)
    place = _HERE.get(short)
    if place is None:
        why = "is not in this version" if short in _NOT_HERE else "is not known"
        raise ProgramError(
            f"metrics.reporter.{settings.name}.factory.class: {kind} {why}; there are {', '.join(_HERE)}"
        )
    module, _, name = place.partition(":")
    make: Any = getattr(import_module(f"penstock.metrics.reporters.{module}"), name)
    reporter: Reporter = make(settings, names)
    return reporter


def _short(kind: str) -> str:
    """The name of a reporter out of the name of its class.

    >>> _short("org.apache.flink.metrics.prometheus.PrometheusReporterFactory"), _short("StatsD")
    ('prometheus', 'statsd')
    """
    return kind.rpartition(".")[2].removesuffix("Factory").removesuffix("Reporter").lower()
