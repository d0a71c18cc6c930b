"""Time of day and waiting, behind a protocol; the only file that reads the wall clock.

Times are milliseconds since the epoch (int). Durations that are only compared with each other use :func:`monotonic`.
"""

import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """What the runtime knows of time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""

    def monotonic_s(self) -> float:
        """Seconds that never jump; only differences mean anything."""


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.perf_counter()


class ManualClock:
    """A clock that stands still until a test moves it.

    >>> clock = ManualClock(1_000)
    >>> clock.advance(500)
    >>> clock.now_ms()
    1500
    """

    __slots__ = ("_now_ms", "_passed_ms")

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._passed_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._passed_ms / 1000

    def advance(self, ms: int) -> None:
        """Let ``ms`` milliseconds pass."""
        if ms < 0:
            raise ValueError(f"time does not run backwards: advance({ms})")
        self._now_ms += ms
        self._passed_ms += ms

    def set(self, now_ms: int) -> None:
        """Jump to a time, also backwards, as a badly set machine does."""
        self._now_ms = now_ms


SYSTEM_CLOCK = SystemClock()


def monotonic() -> float:
    """Seconds on a clock that never jumps; only differences mean anything."""
    return time.perf_counter()


def pause(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)
