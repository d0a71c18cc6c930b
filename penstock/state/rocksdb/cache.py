"""How much of the state is kept as objects: a bound over all states of a backend, held by two generations.

What is used goes to the young generation. When that has grown to half of the bound, the old generation is dropped and the
young one becomes old; what had changed in it is written to the database bit by bit, as the next one grows. So what was used
lately stays, at no cost per access. How many objects fit is estimated from the bytes of those that were written and read.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Protocol

from penstock.state.rocksdb.database import Database
from penstock.state.rocksdb.moment import ENTRIES_PER_BATCH, Batch

_OVERHEAD_BYTES = 160  # a place in a dictionary, and the heads of two small objects
_BYTES_PER_STORED = 4  # Python's objects are larger than their pickles
_LEAST_ENTRIES = 2


_GROWTH_PER_BATCH = ENTRIES_PER_BATCH // 4
"""By how much the young generation grows while one batch of the old one is written: four times as fast, to be done early."""


class Cached(Protocol):
    """A state, as the cache sees it."""

    def retire(self) -> Iterator[Batch]:
        """Drop the old generation; the young one becomes old. What had changed in it, for the database."""


class ObjectCache:
    """Counts the entries of the young generation and starts the next."""

    __slots__ = ("_cached", "_database", "_limit_bytes", "_mean_bytes", "_unpaid", "_young", "half")

    def __init__(self, limit_bytes: int, database: Database) -> None:
        self._database = database
        self._unpaid = 0  # growth for which nothing of the old generation has been written yet
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
            self._database.finish()
            batches = [cached.retire() for cached in self._cached]
            self._database.hold(chain.from_iterable(batches), 0).release()
            self._young = self._unpaid = 0
            if self.half <= ENTRIES_PER_BATCH:
                self._database.finish()  # it is one batch
        elif self._database.has_rest:
            self._unpaid += count
            while self._unpaid >= _GROWTH_PER_BATCH:
                self._unpaid -= _GROWTH_PER_BATCH
                self._database.go_on()

    def shrunk(self, count: int) -> None:
        """Called when so many entries of the young generation were there twice."""
        self._young -= count

    def measured(self, count: int, size_bytes: int) -> None:
        """Learn from entries that were written or read how large they are."""
        if count:
            self._measure((size_bytes / count - self._mean_bytes) * min(1.0, count / 1000))

    def _measure(self, change: float) -> None:
        self._mean_bytes += change
        cost = _OVERHEAD_BYTES + _BYTES_PER_STORED * self._mean_bytes
        self.half = max(_LEAST_ENTRIES, int(self._limit_bytes / cost / 2))


def move_down(pane: dict[Any, Any], into: dict[Any, Any], limit: int) -> int:
    """Move up to ``limit`` entries from a dictionary to another; returns how many were in both."""
    before, count = len(into), min(limit, len(pane))
    if count == len(pane):
        into.update(pane)
        pane.clear()
    else:
        popitem = pane.popitem
        into.update([popitem() for _ in range(count)])
    return count - (len(into) - before)


def move_panes_down(panes: dict[Any, Any], into: dict[Any, Any], limit: int) -> int:
    """The same for dictionaries by namespace; one that is new goes as a whole."""
    doubles = 0
    while panes and limit > 0:
        namespace, pane = panes.popitem()
        known = into.get(namespace)
        if not known:
            into[namespace] = pane
            limit -= 1
            continue
        count = len(pane)
        doubles += move_down(pane, known, limit)
        limit -= count + 1
        if pane:
            panes[namespace] = pane
    return doubles
