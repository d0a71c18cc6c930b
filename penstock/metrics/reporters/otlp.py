"""The way to an OpenTelemetry collector: what the options of a reporter say of it. Source: Flink's documentation, "Metric
Reporters", "OpenTelemetry"."""

from importlib import import_module
from typing import Any

from penstock.config.quantities import parse_duration
from penstock.errors import ProgramError
from penstock.metrics.reporters.settings import ReporterSettings

DEFAULT_TIMEOUT = "10 s"
_PROTOCOLS = ("grpc", "http")
_COMPRESSIONS = ("none", "gzip")


def otlp_exporter(settings: ReporterSettings, place: str, **more: Any) -> Any:
    """An exporter of OpenTelemetry's own: ``place`` is its module behind that of the protocol, with its name.

    :raises ProgramError: for options that make no sense, or where it is not installed.
    """
    endpoint = settings.text("exporter.endpoint")
    protocol = _one_of(settings, "exporter.protocol", "gRPC", _PROTOCOLS)
    compression = _one_of(settings, "exporter.compression", "none", _COMPRESSIONS)
    module, _, name = place.partition(":")
    try:
        make = getattr(import_module(f"opentelemetry.exporter.otlp.proto.{protocol}.{module}"), name)
        if protocol == "grpc":
            grpc = import_module("grpc")
            chosen = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
            more |= {"insecure": not endpoint.startswith("https:")}
        else:
            chosen = import_module("opentelemetry.exporter.otlp.proto.http").Compression(compression)
    except ImportError as error:
        raise ProgramError(
            f"{settings.prefix}: OpenTelemetry is not installed here ({error}); `pip install 'penstock[otel]'`"
        ) from error
    return make(endpoint=endpoint, timeout=_timeout_s(settings), compression=chosen, **more)


def otel_resource(settings: ReporterSettings) -> Any:
    """Who tells: ``service.name`` and ``service.version``, beside what OpenTelemetry's own variables say."""
    from opentelemetry.sdk.resources import Resource

    given = settings.given
    return Resource.create({key: given[key] for key in ("service.name", "service.version") if given.get(key)})


def _one_of(settings: ReporterSettings, key: str, default: str, known: tuple[str, ...]) -> str:
    text = settings.text(key, default)
    if text.lower() not in known:
        raise ProgramError(f"{settings.prefix}.{key} is one of {', '.join(known)}, not {text!r}")
    return text.lower()


def _timeout_s(settings: ReporterSettings) -> float:
    text = settings.text("exporter.timeout", DEFAULT_TIMEOUT)
    try:
        return parse_duration(text) / 1e9
    except ValueError as error:
        raise ProgramError(f"{settings.prefix}.exporter.timeout: {error}") from error
