"""Spans: things that took time, such as a checkpoint, as they are told to systems that keep traces."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """``scope`` and ``name`` are Flink's; times are milliseconds since the epoch."""

    scope: str
    name: str
    start_ms: int
    end_ms: int
    attributes: Mapping[str, Value] = field(default_factory=dict)


ReadSpans = Callable[[], Mapping[object, Span]]
"""Spans that have ended, each by what tells it from the others."""
