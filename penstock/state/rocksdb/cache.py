"""How much of the state is kept as objects: a bound over all states of a backend, held by two generations.

What is used goes to the young generation. When that has grown to half of the bound, everything changed is written out, the
old generation is dropped and the young one becomes old. So what was used lately stays, at no cost per access. How many
objects fit is estimated from the bytes of those that were written and read.
"""

from typing import Protocol

_OVERHEAD_BYTES = 160  # a place in a dictionary, and the heads of two small objects
_BYTES_PER_STORED = 4  # Python's objects are larger than their pickles
_LEAST_ENTRIES = 2
MOST_CHANGED = 1 << 20
"""Changed entries are written out when there are so many, so that little is left to do at a barrier."""


class Cached(Protocol):
    """A state, as the cache sees it."""

    def write_out(self) -> None:
        """Write what has changed to the database."""

    def rotate(self) -> None:
        """Drop the old generation; the young one becomes old. Nothing is changed at this moment."""


class ObjectCache:
    """Counts the entries of the young generation and starts the next."""

    __slots__ = ("_cached", "_limit_bytes", "_mean_bytes", "_young", "half")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._mean_bytes = 32.0
        self._cached: list[Cached] = []
        self._young = 0
        self.half = 0
        self._measure(0.0)

    def add(self, cached: Cached) -> None:
        """Have a state take part."""
        self._cached.append(cached)

    def grown(self, count: int) -> None:
        """Called when so many entries have come to the young generation, and all that is changed is marked."""
        self._young += count
        if self._young >= self.half:
            for cached in self._cached:
                cached.write_out()
            for cached in self._cached:
                cached.rotate()
            self._young = 0

    def measured(self, count: int, size_bytes: int) -> None:
        """Learn from entries that were written or read how large they are."""
        if count:
            self._measure((size_bytes / count - self._mean_bytes) * min(1.0, count / 1000))

    def _measure(self, change: float) -> None:
        self._mean_bytes += change
        cost = _OVERHEAD_BYTES + _BYTES_PER_STORED * self._mean_bytes
        self.half = max(_LEAST_ENTRIES, int(self._limit_bytes / cost / 2))
