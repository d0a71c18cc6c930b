"""Threads beside a busy one: how soon they get the interpreter back.

Each system call of a thread gives the interpreter away, and beside a thread that computes it comes back one switch interval
later. With Python's usual 5 ms, some thousand calls, as of the import of a library, take 10 s instead of a fraction of one.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

TURN_S: Final = 0.0005
_HALF_A_MICROSECOND: Final = 5e-7  # what is set is cut to whole microseconds, and not all of them are a float


@contextmanager
def short_turns() -> Iterator[None]:
    """Shorten the switch interval of the process for as long as anybody is in here; the last one out puts it back."""
    _TURNS.shorten()
    try:
        yield
    finally:
        _TURNS.restore()


class _Turns:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._takers = 0
        self._usual_s = 0.0

    def shorten(self) -> None:
        with self._lock:
            if not self._takers:
                self._usual_s = sys.getswitchinterval()
                if self._usual_s > TURN_S:
                    sys.setswitchinterval(TURN_S)
            self._takers += 1

    def restore(self) -> None:
        with self._lock:
            self._takers -= 1
            if not self._takers and self._usual_s > TURN_S:
                sys.setswitchinterval(self._usual_s + _HALF_A_MICROSECOND)


_TURNS: Final = _Turns()
