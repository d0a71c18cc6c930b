"""Processing time: callbacks at times, called by whoever owns them, between other work."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from penstock.clock import Clock

Callback = Callable[[int], None]


def _always() -> bool:
    return True


class DueCalls:
    """A heap of callbacks; :meth:`fire` calls those that are due. Each task has its own, and calls them in its steps.

    >>> from penstock.clock import ManualClock
    >>> clock = ManualClock()
    >>> time = DueCalls(clock)
    >>> cancel = time.schedule(10, print)
    >>> clock.advance(10); _ = time.fire()
    10
    """

    __slots__ = ("_heap", "_order", "clock")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[int, int, list[Callback]]] = []
        self._order = count()

    def schedule(self, at_ms: int, callback: Callback) -> Callable[[], None]:
        """Call ``callback(at_ms)`` once the clock shows ``at_ms``; the function returned takes it back."""
        cell = [callback]
        heappush(self._heap, (at_ms, next(self._order), cell))
        return cell.clear

    def fire(self, goes_on: Callable[[], bool] = _always) -> bool:
        """Call what is due now, one by one while it ``goes_on``; says whether anything was called."""
        heap = self._heap
        if not heap or heap[0][0] > self.clock.now_ms():
            return False
        fired = False
        now = self.clock.now_ms()
        while heap and heap[0][0] <= now and goes_on():
            at_ms, _, cell = heappop(heap)
            if cell:
                cell[0](at_ms)
                fired = True
        return fired

    def next_ms(self) -> int | None:
        """When the next callback is due."""
        while self._heap and not self._heap[0][2]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None
