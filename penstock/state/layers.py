"""The entries of one namespace while a snapshot of them is being written: a frozen base, and what changed since.

The base is the dictionary that was there at the barrier; nobody writes to it until the snapshot is released. Everything else
is in ``delta``: what was assigned since (None for what was removed), and copies of the values that were handed out and could
be changed in place. When the snapshot is released, ``delta`` moves down into the base a piece at a time, and the base is the
live dictionary again. So freezing costs nothing, and loops go on with plain dictionaries throughout (``for_keys``).
"""

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, Final

from penstock.data.own_copies import own_copies, own_copy

SETTLED_AT_ONCE: Final = 32768
"""How many entries move down with each batch: a few milliseconds."""

_ABSENT: Final = object()


_GIVES_WAY_S: Final = 0.02


class Pin:
    """What keeps the base of a snapshot frozen. Released by any thread; the thread that owns the state looks at it."""

    __slots__ = ("__weakref__", "_is_over", "is_being_read", "is_released")

    def __init__(self) -> None:
        self.is_released = False
        self.is_being_read = False
        self._is_over = threading.Event()

    def release(self) -> None:
        """The base may change again."""
        self.is_released = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While entries are taken out of the base, which is all that another thread does meanwhile."""
        self.is_being_read = True
        try:
            yield
        finally:
            self.is_being_read = False
            self._is_over.set()

    def give_way(self) -> None:
        """Wait until the entries are out, or for a moment."""
        self._is_over.wait(_GIVES_WAY_S)


class Freeze:
    """Over when the snapshot is released, or nobody has it any more; the live state must not keep it alive.

    ``before`` is the freeze of an earlier snapshot, which may outlast this one. Both share what is stored, so it has to be
    over first.
    """

    __slots__ = ("_before", "_is_over", "_pin")

    def __init__(self, pin: Pin, before: "Freeze | None" = None) -> None:
        self._pin = weakref.ref(pin)
        self._is_over = False
        self._before = None if before is None or before.is_over() else before

    def is_over(self) -> bool:
        """Whether the base may be written to; once True always True."""
        if not self._is_over:
            pin = self._pin()
            if pin is None or pin.is_released:
                self._is_over = self._before is None or self._before.is_over()
                if self._is_over:
                    self._before = None
        return self._is_over

    def give_way(self) -> None:
        """Called between two batches: let another thread take the entries out of the base, if it is about that.

        Two threads of Python don't do more than one. Each key that is used as long as the base is frozen costs a microsecond
        here and another one afterwards, so this one does better to wait; but never for long at a time.
        """
        pin = self._pin()
        if pin is not None and pin.is_being_read:
            pin.give_way()


class LayeredPane(MutableMapping[Any, Any]):
    """A mapping that leaves its base alone until the freeze is over.

    >>> pin, base = Pin(), {"a": [1], "b": 2}
    >>> pane = LayeredPane(base, Freeze(pin))
    >>> pane["a"].append(5); del pane["b"]; pane["c"] = 3
    >>> dict(pane), base
    ({'a': [1, 5], 'c': 3}, {'a': [1], 'b': 2})
    >>> pin.release()
    >>> pane.settle(10), base
    (7, {'a': [1, 5], 'c': 3})
    """

    __slots__ = ("_copy", "_freeze", "_removed", "base", "delta")

    def __init__(self, base: dict[Any, Any], freeze: Freeze, copy: Callable[[Any], Any] = own_copy) -> None:
        self._freeze = freeze
        self._copy = copy  # of a value that is handed out
        self._removed = 0  # at least as many as are removed
        self.base = base
        self.delta: dict[Any, Any] = {}

    # Whole batches ------------------------------------------------------------------------------------------------------

    def for_keys(self, keys: Iterable[Any]) -> dict[Any, Any]:
        """A dictionary that has what is stored under ``keys``, for a loop that reads and assigns."""
        if self._freeze.is_over():
            self._settle_keys(keys)
            return self.base
        delta = self.delta
        missing = _usable(keys).difference(delta)
        # None for those that the base has not either, which means the same there.
        delta.update(zip(missing, own_copies(list(map(self.base.get, missing))), strict=True))
        return delta

    def settle(self, limit: int = SETTLED_AT_ONCE) -> int:
        """Move up to ``limit`` entries down; returns what is left of the limit. To be called when the freeze is over."""
        delta = self.delta
        count = len(delta)
        if count <= limit:
            _move_down(delta, self.base)
            delta.clear()
        else:
            popitem = delta.popitem
            _move_down(dict([popitem() for _ in range(limit)]), self.base)
        return max(limit - count, 0)

    def settle_if_over(self, limit: int = SETTLED_AT_ONCE) -> bool:
        """Move a part down if the freeze is over; says whether the base is everything now."""
        return self._freeze.is_over() and self.settle(limit) >= 0 and not self.delta

    def _settle_keys(self, keys: Iterable[Any]) -> None:
        delta = self.delta
        if delta:
            found = delta.keys() & _usable(keys)
            _move_down(dict(zip(found, map(delta.pop, found), strict=True)), self.base)

    def _settle_key(self, key: Any) -> None:
        stored = self.delta.pop(key, _ABSENT)
        if stored is None:
            self.base.pop(key, None)
        elif stored is not _ABSENT:
            self.base[key] = stored

    def frozen(self) -> dict[Any, Any]:
        """Everything as it is now, in a dictionary; what it shares with the base, or with this, is not to change any more."""
        if self._freeze.is_over():
            self.settle(len(self.delta))
            return self.base
        merged = dict(self.base)
        _move_down(self.delta, merged)
        return merged

    def independent(self) -> dict[Any, Any]:
        """Everything, in a dictionary that the snapshot does not see; after that this mapping is not used any more."""
        if self._freeze.is_over():
            self.settle(len(self.delta))
            return self.base
        delta = self.for_keys(self.base)
        for key in [key for key, stored in delta.items() if stored is None]:
            del delta[key]
        return delta

    # One by one ---------------------------------------------------------------------------------------------------------

    def get(self, key: Any, default: Any = None) -> Any:
        stored = self.delta.get(key, _ABSENT)
        if stored is _ABSENT:
            stored = self.base.get(key)
            if stored is not None and not self._freeze.is_over():
                own = self._copy(stored)
                if own is not stored:
                    self.delta[key] = own
                return own
        return default if stored is None else stored

    def __getitem__(self, key: Any) -> Any:
        stored = self.get(key)
        if stored is None:
            raise KeyError(key)
        return stored

    def __setitem__(self, key: Any, stored: Any) -> None:
        self.delta[key] = stored

    def __delitem__(self, key: Any) -> None:
        if self.pop(key, _ABSENT) is _ABSENT:
            raise KeyError(key)

    def pop(self, key: Any, default: Any = None) -> Any:
        if self._freeze.is_over():
            self._settle_key(key)
            return self.base.pop(key, default)
        stored = self.get(key)
        if key in self.base:
            self.delta[key] = None
            self._removed += 1
        else:
            self.delta.pop(key, None)
        return default if stored is None else stored

    def __contains__(self, key: object) -> bool:
        stored = self.delta.get(key, _ABSENT)
        return (self.base.get(key) if stored is _ABSENT else stored) is not None

    def __iter__(self) -> Iterator[Any]:
        delta, base = self.delta, self.base
        yield from [
            key for key, stored in base.items() if stored is not None and delta.get(key, stored) is not None
        ]
        yield from [key for key, stored in delta.items() if stored is not None and base.get(key) is None]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        if self._freeze.is_over():
            self.settle(len(self.delta))
            return bool(self.base)
        return self._removed < len(self.base) or any(True for _ in self)


def _usable(keys: Iterable[Any]) -> set[Any]:
    """The keys up to the first that cannot be hashed; the loop over them finds it, after those before it."""
    usable: set[Any] = set()
    with suppress(TypeError):
        usable.update(keys)  # takes one after the other
    return usable


def _move_down(entries: dict[Any, Any], into: dict[Any, Any]) -> None:
    into.update(entries)
    # By identity, as values may compare in their own way.
    if type(None) in set(map(type, entries.values())):
        for key in [key for key, stored in entries.items() if stored is None]:
            del into[key]


def slices(mapping: dict[Any, Any], size: int) -> Iterator[tuple[list[Any], list[Any]]]:
    """The keys and values of a dictionary that nobody changes, ``size`` at a time."""
    keys, values = iter(mapping), iter(mapping.values())
    while part := list(islice(keys, size)):
        yield part, list(islice(values, size))
