"""Has the worker call when the earliest processing-time timer is due."""

from collections.abc import Callable

from penstock.contracts.timers import Timers
from penstock.operators.contract import OperatorContext


class WakeUp:
    """At most one callback of the worker's clock is planned. In BATCH mode none: timers fire when their key is over."""

    def __init__(self, context: OperatorContext, timers: Timers, on_time: Callable[[int], None]) -> None:
        self._context = context
        self._timers = timers
        self._on_time = on_time
        self._planned_ms: int | None = None
        self._take_back: Callable[[], None] | None = None

    def plan(self) -> None:
        """Called after anything that may have registered timers."""
        next_ms = self._timers.next_processing_time()
        if next_ms is None or self._context.batch_mode:
            return
        if self._planned_ms is not None and self._planned_ms <= next_ms:
            return
        self.cancel()
        self._planned_ms = next_ms
        self._take_back = self._context.processing_time.schedule(next_ms, self._due)

    def _due(self, at_ms: int) -> None:
        self._planned_ms = self._take_back = None
        # The clock may have gone on since, and what is due by now need not wait for another call.
        self._on_time(max(at_ms, self._context.clock.now_ms()))
        self.plan()

    def cancel(self) -> None:
        """Take the callback back."""
        if self._take_back is not None:
            self._take_back()
        self._planned_ms = self._take_back = None
