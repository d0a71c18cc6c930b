"""Records that no window takes any more."""

from typing import TYPE_CHECKING, Any

from penstock.operators.collector import Collector
from penstock.operators.contract import OperatorContext

if TYPE_CHECKING:
    from penstock.operators.window.spec import WindowSpec

DROPPED_METRIC = "numLateRecordsDropped"


class LateRecords:
    """Puts late records aside where the program asked for them, and counts the others."""

    def __init__(self, spec: "WindowSpec", context: OperatorContext, collector: Collector) -> None:
        self._tag = spec.late_tag
        self._lateness_ms = spec.allowed_lateness_ms
        self._collector = collector
        self._dropped = context.metrics.counter(DROPPED_METRIC)

    def skipped(self, value: Any, timestamp: int, watermark: int) -> None:
        """A record that is in no window: it is late, unless it fell between two windows in time."""
        if timestamp + self._lateness_ms > watermark:
            return
        if self._tag is None:
            self._dropped.inc()
        else:
            self._collector.aside(self._tag, value, timestamp)
