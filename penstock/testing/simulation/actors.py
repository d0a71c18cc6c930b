"""Whose turn it is: everything that acts in a simulated world, one at a time, in an order that the seed chooses."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from penstock.chance import Chance
from penstock.clock import ManualClock

SLOW_SHARE = 0.05
ACTS_BETWEEN_MOODS = 60


class Killed(BaseException):
    """Thrown through whatever the actor was doing at the moment when it dies; nobody catches it but the scheduler."""


class Actor(ABC):
    """Something that acts. ``is_idle``: it has nothing to do until somebody wakes it up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_idle = False
        self.is_doomed = False

    @abstractmethod
    def act(self) -> None:
        """Do one thing."""

    def died(self) -> None:  # noqa: B027
        """``Killed`` was thrown while it acted, or ought to have been."""


class Scheduler:
    """Chooses who acts, moves the clock, and wakes up whoever waits for a time."""

    def __init__(self, clock: ManualClock, chance: Chance, is_calm: bool) -> None:
        self.clock = clock
        self.actors: list[Actor] = []
        self.acting: Actor | None = None
        self.acts = 0
        self._chance = chance
        self._is_calm = is_calm
        self._alarms: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._slow: set[str] = set()

    def at(self, at_ms: int, action: Callable[[], None]) -> None:
        """Call ``action`` once the clock shows ``at_ms``."""
        heappush(self._alarms, (at_ms, next(self._order), action))

    def wake_at(self, at_ms: int, actor: Actor) -> None:
        """Wake an actor up then."""

        def wake() -> None:
            actor.is_idle = False

        self.at(at_ms, wake)

    def forget_alarms(self) -> None:
        """Nothing of what was to happen happens any more."""
        self._alarms.clear()

    def run_one(self) -> bool:
        """Let one actor do one thing; false when nobody has anything to do, and nothing is waited for."""
        while True:
            self._ring()
            ready = [actor for actor in self.actors if not actor.is_idle]
            if ready:
                break
            if not self._alarms:
                return False
            self.clock.advance(max(0, self._alarms[0][0] - self.clock.now_ms()))
        actor = self._choose(ready)
        self.acts += 1
        self.perform(actor, actor.act)
        if self._is_calm:
            self.clock.advance(self.acts % 2)
        elif self._chance.random() < 0.3:
            self.clock.advance(self._chance.choice((1, 1, 2, 5)))
        return True

    def perform(self, actor: Actor, action: Callable[[], None]) -> None:
        """Do something as an actor, which may die of it."""
        before, self.acting = self.acting, actor
        try:
            action()
        except Killed:
            actor.is_doomed = True
        finally:
            self.acting = before
        if actor.is_doomed:
            actor.died()

    def _ring(self) -> None:
        now = self.clock.now_ms()
        while self._alarms and self._alarms[0][0] <= now:
            heappop(self._alarms)[2]()

    def _choose(self, ready: list[Actor]) -> Actor:
        if self._is_calm:
            return ready[self.acts % len(ready)]
        if self.acts % ACTS_BETWEEN_MOODS == 0:
            self._slow = {actor.name for actor in self.actors if self._chance.random() < 0.3}
        weights = [SLOW_SHARE if actor.name in self._slow else 1.0 for actor in ready]
        return self._chance.choices(ready, weights)[0]
