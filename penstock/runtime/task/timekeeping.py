"""Processing time of one worker: callbacks at times, fired between steps."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from penstock.clock import Clock
from penstock.ids import SubtaskId

Callback = Callable[[int], None]


class WorkerTime:
    """A heap of callbacks; :meth:`fire` calls those that are due. ``firing``: whose callback is being called, or raised.

    >>> from penstock.clock import ManualClock
    >>> clock = ManualClock()
    >>> time = WorkerTime(clock)
    >>> cancel = time.schedule(10, print)
    >>> clock.advance(10); _ = time.fire()
    10
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[int, int, list[Callback], SubtaskId | None]] = []
        self._order = count()
        self.firing: SubtaskId | None = None

    def schedule(self, at_ms: int, callback: Callback, owner: SubtaskId | None = None) -> Callable[[], None]:
        """Call ``callback(at_ms)`` once the clock shows ``at_ms``; the function returned takes it back."""
        cell = [callback]
        heappush(self._heap, (at_ms, next(self._order), cell, owner))
        return cell.clear

    def of(self, owner: SubtaskId) -> "TaskTime":
        """The same for one subtask, whose callbacks can be forgotten alone."""
        return TaskTime(self, owner)

    def fire(self) -> bool:
        """Call everything that is due now; says whether anything was called."""
        heap = self._heap
        if not heap or heap[0][0] > self.clock.now_ms():
            return False
        fired = False
        now = self.clock.now_ms()
        while heap and heap[0][0] <= now:
            at_ms, _, cell, self.firing = heappop(heap)
            if cell:
                cell[0](at_ms)
                fired = True
        self.firing = None
        return fired

    def clear(self) -> None:
        """Forget everything that was scheduled."""
        self._heap.clear()

    def forget(self, owners: Collection[SubtaskId]) -> None:
        """Forget what was scheduled for some subtasks."""
        for _, _, cell, owner in self._heap:
            if owner in owners:
                cell.clear()

    def next_ms(self) -> int | None:
        """When the next callback is due."""
        while self._heap and not self._heap[0][2]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None


@dataclass(frozen=True, slots=True)
class TaskTime:
    """The part of a worker's time that belongs to one subtask."""

    worker_time: WorkerTime
    owner: SubtaskId

    def schedule(self, at_ms: int, callback: Callback) -> Callable[[], None]:
        """As :meth:`WorkerTime.schedule`."""
        return self.worker_time.schedule(at_ms, callback, self.owner)
