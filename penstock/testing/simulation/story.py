"""What happened in a simulated world, in order: its end for a person to read, its whole for comparing two runs."""

import hashlib
import re
from collections import deque

from penstock.clock import Clock

FIRST_LINES = 30
LAST_LINES = 70
_RANDOM_NAME = re.compile(r"[0-9a-f]{12,}")


class Story:
    """Lines with their times. Names that are random by design, such as those of files, are written as ``~``.

    >>> from penstock.clock import ManualClock
    >>> story = Story(ManualClock(5))
    >>> story.tell("worker 1 dies")
    >>> story.lines()
    ['     5 worker 1 dies']
    """

    def __init__(self, clock: Clock, start_ms: int = 0) -> None:
        self._clock = clock
        self._start_ms = start_ms
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._hash = hashlib.blake2b(digest_size=8)
        self.length = 0

    def tell(self, what: str) -> None:
        """Something happened now."""
        line = f"{self._clock.now_ms() - self._start_ms:6} {_RANDOM_NAME.sub('~', what)}"
        (self._first if self.length < FIRST_LINES else self._last).append(line)
        self._hash.update(line.encode())
        self.length += 1

    def note(self, what: str) -> None:
        """Something too small to be kept, that counts for the comparison."""
        self._hash.update(_RANDOM_NAME.sub("~", what).encode())

    def lines(self) -> list[str]:
        """The first and the last lines."""
        left_out = self.length - len(self._first) - len(self._last)
        gap = [f"       ... {left_out} more ..."] if left_out > 0 else []
        return [*self._first, *gap, *self._last]

    def digest(self) -> str:
        """Equal for two runs in which the same happened at the same times."""
        return self._hash.hexdigest()
