"""Work that blocks, such as writing files: one thread does it in order, and what comes of it is taken up by the owner."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from penstock.runtime.short_turns import short_turns

Work = Callable[[], Any]
Then = Callable[[Any, BaseException | None], None]
MakeBackground = Callable[[str, Callable[[], None]], "Background"]
"""Given a name and ``wake_up``: a :class:`Background` with its thread, :func:`at_once`, or what a simulation has instead."""


class Background:
    """``then(result, error)`` of each piece of work is called by :meth:`deliver`, in the thread of the owner.

    ``wake_up`` is called by the other thread when there is something to deliver. Without a thread (``threaded`` false) work
    is done at once, so that a job in which nothing is a thread can be stepped by hand. The thread is started with the first
    work and ends with :meth:`close`; whoever gives work bounds how much of it there is.

    >>> background = Background("example", lambda: None, threaded=False)
    >>> background.submit(lambda: 1 + 1, lambda result, error: print(result, error))
    >>> background.deliver()
    2 None
    True
    """

    def __init__(self, name: str, wake_up: Callable[[], None], threaded: bool = True) -> None:
        self._name = name
        self._wake_up = wake_up
        self._threaded = threaded
        self._work: queue.SimpleQueue[tuple[Work, Then] | None] = queue.SimpleQueue()
        self._done: deque[tuple[Then, Any, BaseException | None]] = deque()
        self._thread: threading.Thread | None = None
        self._under_way = 0

    @property
    def is_busy(self) -> bool:
        """Whether work was given whose result has not been delivered."""
        return self._under_way > 0

    def submit(self, work: Work, then: Then) -> None:
        """Have something done, after everything that was given before."""
        self._under_way += 1
        if not self._threaded:
            self._do(work, then)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name=self._name)
            self._thread.start()
        self._work.put((work, then))

    def deliver(self) -> bool:
        """Call what is to be called with the results so far; says whether there was anything."""
        delivered = False
        while self._done:
            then, result, error = self._done.popleft()
            self._under_way -= 1
            delivered = True
            then(result, error)
        return delivered

    def settle(self) -> None:
        """Wait until all that was given is done, and call what is to be called with the results."""
        if self._thread is not None:
            is_done = threading.Event()
            self.submit(is_done.set, _nothing)
            is_done.wait()
        self.deliver()

    def close(self, finish: bool = False) -> None:
        """Take no more work; with ``finish`` wait until all that was given is done. Results are still delivered."""
        if self._thread is not None:
            self._work.put(None)
            if finish:
                self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            with short_turns():
                self._do(*item)
            self._wake_up()

    def _do(self, work: Work, then: Then) -> None:
        try:
            result, error = work(), None
        except Exception as failure:  # noqa: BLE001  (the owner is told, whatever it is)
            result, error = None, failure
        self._done.append((then, result, error))


def _nothing(result: Any, error: BaseException | None) -> None:
    del result, error


def at_once(name: str, wake_up: Callable[[], None]) -> Background:
    """One without a thread."""
    return Background(name, wake_up, threaded=False)
