"""Deals rows out to several channels by a field of theirs, in one loop.

Computing the keys of a batch, then the channel of each key, then the part of each channel goes over the records seven times.
A key that is one item of its record is read twice for less than that: here, and again for the part of a channel as a whole.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import length_hint
from typing import Any

from penstock.data.key_cache import KeyCache
from penstock.data.keys import KeyRouter
from penstock.operators.inlining import ARGUMENT
from penstock.operators.user_code import GENERATED

_ONE_ITEM = re.compile(rf"\({ARGUMENT}\[(-?\d+|'\w+')\]\)")
_Append = Callable[[Any], None]


class Scatter:
    """One list of records a channel."""

    def __init__(self, expression: str, router: KeyRouter, channels: int) -> None:
        self.parts: list[list[Any]] = [[] for _ in range(channels)]
        self._append = _AppendByKey(router, [part.append for part in self.parts])
        self._deal = _loop_of(expression)

    @staticmethod
    def by_item(expression: str | None, router: KeyRouter, channels: int) -> "Scatter | None":
        """One for keys by an expression with ``ARGUMENT`` in it; None unless it is one item of the record.

        >>> Scatter.by_item(f"({ARGUMENT} + 1)", KeyRouter(128, 2), 2) is None
        True
        """
        if expression is None or not _ONE_ITEM.fullmatch(expression):
            return None
        return Scatter(expression, router, channels)

    def add(self, values: list[Any]) -> int:
        """Deal out values; how many. They are not all of them where the key of the next one cannot be had or used.

        >>> by_first = Scatter.by_item(f"({ARGUMENT}[0])", KeyRouter(128, 2), 2)
        >>> by_first.add([("a", 1), ("c", 2), ()]), by_first.parts
        (2, [[('a', 1)], [('c', 2)]])
        """
        position = iter(values)
        try:
            self._deal(position, self._append)
        except Exception:
            return len(values) - length_hint(position) - 1
        self._append.saw(len(values))
        return len(values)

    def take(self, channel: int) -> list[Any]:
        """What was dealt out to a channel since the last time."""
        part = self.parts[channel]
        taken = part.copy()
        part.clear()
        return taken


class _AppendByKey(KeyCache):
    """From a key to the function that puts a record into the part of its channel, for the keys seen so far."""

    __slots__ = ("_appends", "_router")

    def __init__(self, router: KeyRouter, appends: list[_Append]) -> None:
        super().__init__()
        self._router = router
        self._appends = appends

    def __missing__(self, key: Any) -> _Append:
        if key != key:
            raise KeyError(key)  # not equal to itself, as NaN; the slower way says so
        self.make_room()
        append = self[key] = self._appends[self._router.subtask_of(key)]
        return append


@lru_cache(maxsize=256)
def _loop_of(expression: str) -> Callable[[Iterator[Any], _AppendByKey], None]:
    source = f"""
def deal(values, append_of):
    for v in values:
        append_of[{expression.replace(ARGUMENT, "v")}](v)
"""
    namespace: dict[str, Any] = {}
    exec(compile(source, f"{GENERATED} scatter>", "exec"), namespace)
    return namespace["deal"]  # type: ignore[no-any-return]
