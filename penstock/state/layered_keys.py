"""The keys of the timers of one moment while a snapshot of them is being written: frozen ones, and what changed since.

As in :mod:`penstock.state.layers`, but for sets of keys in the order in which they came, of which there may be a million at
one timestamp: nothing is copied when the first of them is touched.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

Keys = dict[Any, None]


class LayeredKeys:
    """Behaves as a dictionary of keys to None does, as far as timers use one, and leaves ``base`` alone.

    >>> base = {"a": None, "b": None}
    >>> keys = LayeredKeys(base)
    >>> keys["c"] = None; del keys["a"]; keys["a"] = None
    >>> list(keys), len(keys), list(base)
    (['b', 'c', 'a'], 3, ['a', 'b'])
    >>> keys.settle(10), list(base)
    (7, ['b', 'c', 'a'])
    """

    __slots__ = ("_added", "_removed", "base")

    def __init__(self, base: Keys) -> None:
        self.base = base
        self._added: Keys = {}
        self._removed: Keys = {}  # of the base; some of them may have been added again

    def __contains__(self, key: object) -> bool:
        return key in self._added or (key in self.base and key not in self._removed)

    def __setitem__(self, key: Any, _: None) -> None:
        if key not in self.base or key in self._removed:
            self._added[key] = None

    def __delitem__(self, key: Any) -> None:
        if key in self._added:
            del self._added[key]
        elif key in self:
            self._removed[key] = None
        else:
            raise KeyError(key)

    def update(self, keys: Iterable[Any]) -> None:
        """Add several."""
        for key in keys:
            self[key] = None

    def __iter__(self) -> Iterator[Any]:
        removed = self._removed
        yield from [key for key in self.base if key not in removed]
        yield from list(self._added)

    def __len__(self) -> int:
        return len(self.base) - len(self._removed) + len(self._added)

    def settle(self, limit: int) -> int:
        """Bring up to ``limit`` changes into the base, which may change now; what is left of the limit."""
        for changes, is_there in ((self._removed, False), (self._added, True)):
            part = list(islice(changes, limit))
            limit -= len(part)
            for key in part:
                del changes[key]
                if is_there:
                    self.base[key] = None
                else:
                    del self.base[key]
        return limit

    @property
    def is_settled(self) -> bool:
        """Whether the base is everything."""
        return not self._removed and not self._added

    def merged(self) -> Keys:
        """All keys in a dictionary of their own."""
        return dict.fromkeys(self)
