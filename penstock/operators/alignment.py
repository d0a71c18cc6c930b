"""Watermark alignment: sources of one group wait for each other, so that none runs far ahead in event time.

Each source tells its coordinator now and then how far its watermark is; the coordinator answers with the highest watermark
that is allowed: the lowest of the group, and the drift more. What is ahead of that stops reading. Source: Flink's
documentation, "Watermark alignment".
"""

from collections.abc import Callable
from dataclasses import dataclass

from penstock.contracts.watermarks import WatermarkAlignment
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.operators.contract import OperatorContext, SourceLink


@dataclass(frozen=True, slots=True)
class WatermarkReport:
    """From a source to its coordinator: how far it is; ``MAX_WATERMARK`` from one that holds nobody back."""

    watermark: int


@dataclass(frozen=True, slots=True)
class WatermarkLimit:
    """From the coordinator to a source: stop reading while your watermark is higher."""

    watermark: int


class SourceAlignment:
    """One subtask's part. ``position`` says the watermark, and whether the source is idle."""

    def __init__(
        self,
        alignment: WatermarkAlignment,
        context: OperatorContext,
        link: SourceLink,
        position: Callable[[], tuple[int, bool]],
    ) -> None:
        self._interval_ms = alignment.update_interval_ms
        self._context = context
        self._link = link
        self._position = position
        self._reported = MIN_TIMESTAMP
        self._cancel: Callable[[], None] | None = None
        self.limit = MAX_WATERMARK
        self._plan()

    @property
    def pauses(self) -> bool:
        """Whether the source is too far ahead to go on reading."""
        watermark, idle = self._position()
        return watermark > self.limit and not idle

    def _plan(self) -> None:
        at_ms = self._context.clock.now_ms() + self._interval_ms
        self._cancel = self._context.processing_time.schedule(at_ms, self._due)

    def _due(self, at_ms: int) -> None:
        watermark, idle = self._position()
        self._report(MAX_WATERMARK if idle else watermark)
        self._plan()

    def _report(self, watermark: int) -> None:
        if watermark != self._reported:
            self._reported = watermark
            self._link.send_source_event(WatermarkReport(watermark))

    def finish(self) -> None:
        """The source is at its end, and holds nobody back any more."""
        self._report(MAX_WATERMARK)
        self.close()

    def close(self) -> None:
        """Report nothing more."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
