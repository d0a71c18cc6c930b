"""Work off the task's thread, as the seed schedules it: later than it was given, and never again after its owner has died."""

from collections import deque
from collections.abc import Callable
from typing import Any

from penstock.runtime.background import Background, Then, Work
from penstock.testing.simulation.actors import Actor, Scheduler
from penstock.testing.simulation.faults import Fault, Misfortunes

Delay = Callable[[Fault], int]


class SimulatedBackground(Background, Actor):
    """In the place of the thread: an actor that does one piece of work at a time, in order."""

    def __init__(
        self, owner: Actor, name: str, wake_up: Callable[[], None], scheduler: Scheduler, delay: Delay
    ) -> None:
        Background.__init__(self, name, wake_up, threaded=False)
        Actor.__init__(self, f"{name} of {owner.name}")
        self.is_idle = True
        self._owner = owner
        self._tell = wake_up
        self._scheduler = scheduler
        self._delay = delay
        self._queue: deque[tuple[int, Work, Then]] = deque()
        scheduler.actors.append(self)

    def submit(self, work: Work, then: Then) -> None:
        self._under_way += 1
        due_ms = self._scheduler.clock.now_ms() + self._delay(Fault.SLOW_STORAGE)
        if self._queue:
            due_ms = max(due_ms, self._queue[-1][0])
        self._queue.append((due_ms, work, then))
        self._scheduler.wake_at(due_ms, self)

    def act(self) -> None:
        if self._is_due():
            self._do_next()
            self._tell()
        self.is_idle = not self._is_due()

    def died(self) -> None:
        """Threads die with their process."""
        self._owner.is_doomed = True
        self._owner.died()

    def settle(self) -> None:
        while self._queue:
            self._do_next()
        self.deliver()

    def close(self, finish: bool = False) -> None:
        while finish and self._queue:
            self._do_next()
        self.discard()

    def discard(self) -> None:
        """Do nothing of what was given."""
        self._queue.clear()
        if self in self._scheduler.actors:
            self._scheduler.actors.remove(self)

    def _is_due(self) -> bool:
        return bool(self._queue) and self._queue[0][0] <= self._scheduler.clock.now_ms()

    def _do_next(self) -> None:
        _, work, then = self._queue.popleft()
        self._do(work, then)


def background_maker(
    owner: Actor, scheduler: Scheduler, delay: Delay, made: list[SimulatedBackground]
) -> Callable[[str, Callable[[], None]], Background]:
    """What a worker or a driver makes its backgrounds with."""

    def make(name: str, wake_up: Callable[[], None]) -> Background:
        background: Any = SimulatedBackground(owner, name, wake_up, scheduler, delay)
        made.append(background)
        return background  # type: ignore[no-any-return]

    return make


def delays(misfortunes: Misfortunes, draw: Callable[[int, int], int]) -> Delay:
    """How long something takes: hardly any time, or very long when its fault strikes."""

    def delay(kind: Fault) -> int:
        return draw(200, 3_000) if misfortunes.strikes(kind) else draw(0, 3)

    return delay
