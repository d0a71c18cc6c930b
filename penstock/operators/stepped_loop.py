"""An asyncio event loop that runs only when told to, and then says how long it would sleep.

It uses nothing but what asyncio offers: a loop may be given a selector, and asks it to ``select`` once a round with the time
that it wants to sleep. The selector here never sleeps while the loop is stepped: it notes that time and stops the loop.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterable, Iterator
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.errors import ProgramError

ROUNDS_PER_RUN = 32
LAST_GRACE_S = 1.0


class _Selector(selectors.DefaultSelector):  # type: ignore[misc,valid-type,unused-ignore]
    """Sleeps for asyncio as any other, except while ``stop`` is set: then it looks, and does not sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.stop: Callable[[], None] | None = None
        self.rounds = 0
        self.sleep_s: float | None = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.stop is None:
            return super().select(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        self.rounds -= 1
        if timeout != 0 and not ready:
            self.sleep_s = timeout
            self.stop()
        elif self.rounds <= 0:
            self.stop()
        return ready


class SteppedLoop(asyncio.SelectorEventLoop):
    """``sleep_s`` and ``descriptor``: until when, and for what, the caller of :meth:`run_ready` may sleep."""

    def __init__(self) -> None:
        self._events = _Selector()
        super().__init__(self._events)

    @property
    def sleep_s(self) -> float | None:
        """Seconds until the next timer as of the last :meth:`run_ready`; 0 when there is more to run now."""
        return self._events.sleep_s

    @property
    def descriptor(self) -> int:
        """Readable when a socket of a coroutine is ready, or another thread has called in."""
        return self._events.fileno()

    def start(
        self,
        function: Callable[[Any], Coroutine[Any, Any, Any]],
        values: Iterable[Any],
        on_done: Callable[[Any], None],
    ) -> "Iterator[asyncio.Task[Any]]":
        """For each value, as it is asked for, a task that takes its first step in the next :meth:`run_ready`."""
        self._events.sleep_s = 0.0
        make = asyncio.Task
        for value in values:
            task = make(function(value), loop=self, name="async function")
            task.add_done_callback(on_done)
            yield task

    def run_ready(self) -> None:
        """Run callbacks until none is ready, at most ``ROUNDS_PER_RUN`` times all that are."""
        _check_thread()
        events = self._events
        events.sleep_s = 0.0
        events.rounds = ROUNDS_PER_RUN
        events.stop = self.stop
        try:
            self.run_forever()
        finally:
            events.stop = None

    def complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine, waiting for it."""
        try:
            _check_thread()
        except ProgramError:
            coroutine.close()
            raise
        self._events.sleep_s = 0.0
        return self.run_until_complete(coroutine)

    def cancel(self, tasks: "list[asyncio.Task[Any]]", grace_s: float) -> None:
        """Cancel tasks and wait for their ends, but not longer than ``grace_s``."""
        for task in tasks:
            task.cancel()
        if tasks:
            self.complete(asyncio.wait(tasks, timeout=grace_s))

    def abandon(self) -> None:
        """Close without a word to the tasks."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine: Any = task.get_coro()
            if getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()  # runs nothing, and keeps Python from complaining that nobody awaited it
        self.close()

    def shut_down(self) -> None:
        """Cancel everything, and close."""
        try:
            self.cancel(list(asyncio.all_tasks(self)), LAST_GRACE_S)
            self.complete(self.shutdown_asyncgens())
        finally:
            self.close()


class _ClockedLoop(SteppedLoop):
    """Timers go by a clock that somebody moves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__()

    def time(self) -> float:
        return self._clock.now_ms() / 1000

    def cancel(self, tasks: "list[asyncio.Task[Any]]", grace_s: float) -> None:
        """Nobody moves the clock meanwhile, so what does not end at once is left."""
        for task in tasks:
            task.cancel()
        self.run_ready()


def make_loop(clock: Clock) -> SteppedLoop:
    """A new event loop of this thread."""
    _check_thread()
    return SteppedLoop() if clock is SYSTEM_CLOCK else _ClockedLoop(clock)


def _check_thread() -> None:
    """One thread runs one event loop at a time."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ProgramError(
        "async functions cannot run here, as an event loop already runs in this thread; "
        "run the job in a thread of its own, for instance with await asyncio.to_thread(...) or execute_async()"
    )
