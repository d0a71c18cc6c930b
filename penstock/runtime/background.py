"""Work that blocks, such as writing files: one thread does it in order, and what comes of it is taken up by the owner."""

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

Work = Callable[[], Any]
Then = Callable[[Any, BaseException | None], None]
MakeBackground = Callable[[str, Callable[[], None]], "Background"]
"""Given a name and ``wake_up``: a :class:`Background` with its thread, :func:`at_once`, or what a simulation has instead."""

TURN_S: Final = 0.0005
"""How long a busy thread keeps the interpreter while another wants it, as long as there is work in the background."""


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

    def close(self, finish: bool = False) -> None:
        """Take no more work; with ``finish`` wait until all that was given is done. Results are still delivered."""
        if self._thread is not None:
            self._work.put(None)
            if finish:
                self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            with _SHORT_TURNS.taken():
                self._do(*item)
            self._wake_up()

    def _do(self, work: Work, then: Then) -> None:
        try:
            result, error = work(), None
        except Exception as failure:  # noqa: BLE001  (the owner is told, whatever it is)
            result, error = None, failure
        self._done.append((then, result, error))


def at_once(name: str, wake_up: Callable[[], None]) -> Background:
    """One without a thread."""
    return Background(name, wake_up, threaded=False)


class _ShortTurns:
    """Shortens the interpreter's switch interval while any thread has work, and puts it back afterwards.

    Each system call gives the interpreter away, and beside a thread that computes it comes back one switch interval
    later. With the usual 5 ms, some thousand calls, as of the import of a library, take 10 s instead of a fraction of one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._takers = 0
        self._usual_s = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        with self._lock:
            if not self._takers:
                self._usual_s = sys.getswitchinterval()
                sys.setswitchinterval(min(TURN_S, self._usual_s))
            self._takers += 1
        try:
            yield
        finally:
            with self._lock:
                self._takers -= 1
                if not self._takers:
                    sys.setswitchinterval(self._usual_s)


_SHORT_TURNS: Final = _ShortTurns()
