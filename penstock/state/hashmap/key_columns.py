"""The keys of a table as columns that one snapshot leaves for the next, as long as the table only grows.

Taking the keys out of a dictionary and computing their groups is half of what a snapshot costs, and a running aggregation has
the same keys each time: a dictionary keeps its order, so what has come since is at its end.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from penstock.contracts.state import ENTRIES_PER_CHUNK
from penstock.data.key_columns import key_groups_of
from penstock.data.number_columns import numbers_of
from penstock.data.text_columns import texts_of


@dataclass(frozen=True, slots=True)
class KeyPart:
    """As many keys as a chunk has, and their groups."""

    keys: Sequence[Any]
    groups: Sequence[int]


class KeyColumns:
    """Begins empty; belongs to a table from which no key has been removed since.

    >>> columns = KeyColumns(128, size=2)
    >>> entries = {1: "a", 2: "b", 3: "c"}
    >>> [list(part.keys) for part in columns.parts_of(entries)]
    [[1, 2]]
    """

    __slots__ = ("_is_possible", "_lock", "_max_parallelism", "_parts", "size")

    def __init__(self, max_parallelism: int, size: int = ENTRIES_PER_CHUNK) -> None:
        self._max_parallelism = max_parallelism
        self._parts: list[KeyPart] = []
        self._is_possible = True  # with keys that are no numbers or texts it is not
        self._lock = threading.Lock()
        self.size = size

    def parts_of(self, entries: dict[Any, Any]) -> list[KeyPart]:
        """The keys in the order of a frozen dictionary, but for a rest that makes no whole part."""
        with self._lock:
            known = len(self._parts) * self.size
            if self._is_possible and len(entries) - known >= self.size:
                self._extend(last_keys(entries, len(entries) - known))
            return self._parts[: len(entries) // self.size]

    def _extend(self, came: list[Any]) -> None:
        for start in range(0, len(came) - self.size + 1, self.size):
            keys = came[start : start + self.size]
            column = numbers_of(keys) or texts_of(keys)
            if column is None:
                self._is_possible = False
                return
            self._parts.append(KeyPart(column, key_groups_of(keys, self._max_parallelism)))


def last_keys(entries: dict[Any, Any], count: int) -> list[Any]:
    """The last keys of a dictionary, found from its end."""
    keys = list(islice(reversed(entries), count))
    keys.reverse()
    return keys
