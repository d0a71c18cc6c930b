"""Coroutines of user code on the worker's own thread: an asyncio event loop that is run a bit at a time."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from penstock.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    import asyncio

    from penstock.operators.stepped_loop import SteppedLoop


class Coroutines:
    """All coroutines of one worker.

    They never run beside other user code: the worker calls :meth:`run` between the steps of its tasks, and sleeps
    until :attr:`descriptor` is readable or :attr:`sleep_s` has passed. The event loop, and asyncio with it, comes into being
    with the first coroutine. Time is the worker's: with a clock that a test moves, ``asyncio.sleep`` waits for the test.

    >>> import asyncio
    >>> from penstock.clock import ManualClock
    >>> async def double(x):
    ...     await asyncio.sleep(1)
    ...     return 2 * x
    >>> clock, done = ManualClock(), []
    >>> coroutines = Coroutines(clock)
    >>> [task] = coroutines.start(double, [21], done.append)
    >>> coroutines.run(); coroutines.sleep_s
    1.0
    >>> clock.advance(1_000)
    >>> coroutines.run(); done[0].result()
    42
    >>> coroutines.close()
    """

    __slots__ = ("_clock", "_loop")

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._loop: SteppedLoop | None = None

    @property
    def is_live(self) -> bool:
        """Whether there is an event loop, which wants to be run now and then."""
        return self._loop is not None

    @property
    def sleep_s(self) -> float | None:
        """How long :meth:`run` need not be called, unless the descriptor becomes readable; None for ever."""
        return None if self._loop is None else self._loop.sleep_s

    @property
    def descriptor(self) -> int | None:
        """Becomes readable when what a coroutine waits for outside has come."""
        return None if self._loop is None else self._loop.descriptor

    def run(self) -> None:
        """Run what is ready, until nothing is or for a bounded time."""
        if self._loop is not None:
            self._loop.run_ready()

    def start(
        self,
        function: Callable[[Any], Coroutine[Any, Any, Any]],
        values: Iterable[Any],
        on_done: Callable[[Any], None],
    ) -> "Iterator[asyncio.Task[Any]]":
        """For each value, as it is asked for, a task that runs ``function(value)``; :meth:`run` takes its first step.

        ``on_done(task)`` is called in :meth:`run`, and must not raise.
        """
        return self._made().start(function, values, on_done)

    def complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, and the others with it; the worker does nothing else meanwhile."""
        return self._made().complete(coroutine)

    def cancel(self, tasks: "Iterable[asyncio.Task[Any]]", grace_s: float) -> None:
        """Cancel tasks, and give them so long to clean up."""
        if self._loop is not None:
            self._loop.cancel(list(tasks), grace_s)

    def close(self) -> None:
        """Cancel what still runs, and close the event loop."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.shut_down()

    def abandon(self) -> None:
        """Forget what still runs: none of it goes on, not even to clean up."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.abandon()

    def _made(self) -> "SteppedLoop":
        if self._loop is None:
            from penstock.operators.stepped_loop import make_loop

            self._loop = make_loop(self._clock)
        return self._loop
