"""Deals rows out to several channels by a field of theirs, in one loop.

Computing the keys of a batch, then the channel of each key, then the part of each channel goes over the records seven times.
A key that is one item of its record is read twice for less than that: here, and again for the part of a channel as a whole.

Short tuples are taken apart on the way: lists of their fields are quicker to send, and no tuple is made of them that nobody
asks for.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import length_hint
from typing import Any

from penstock.data.batch import MOST_FIELDS, RowBatch
from penstock.data.key_cache import KeyCache
from penstock.data.keys import KeyRouter
from penstock.operators.inlining import ARGUMENT
from penstock.operators.user_code import GENERATED

_ONE_ITEM = re.compile(rf"\({ARGUMENT}\[(-?\d+|'\w+')\]\)")
_Part = list[list[Any]]
_WHOLE = 0


class Scatter:
    """What was dealt out to each channel: the lists of the records' fields, or one list of whole records."""

    def __init__(self, expression: str, router: KeyRouter, channels: int) -> None:
        self._item = expression.replace(ARGUMENT, "v")
        self._channel_of = _ChannelByKey(router)
        self._channels = channels
        self._width: int | None = None
        self._parts: list[_Part] = []

    @staticmethod
    def by_item(expression: str | None, router: KeyRouter, channels: int) -> "Scatter | None":
        """One for keys by an expression with ``ARGUMENT`` in it; None unless it is one item of the record.

        >>> Scatter.by_item(f"({ARGUMENT} + 1)", KeyRouter(128, 2), 2) is None
        True
        """
        if expression is None or not _ONE_ITEM.fullmatch(expression):
            return None
        return Scatter(expression, router, channels)

    def add(self, batch: RowBatch) -> int:
        """Deal out the records of a batch without timestamps; how many. They are not all of them where the key of the next
        one cannot be had or used, or where it is not of the kind that the first one was; see :meth:`takes`.

        >>> by_first = Scatter.by_item(f"({ARGUMENT}[0])", KeyRouter(128, 2), 2)
        >>> by_first.add(RowBatch([("a", 1), ("c", 2), ()])), by_first.take(0).values, by_first.take(1).fields
        (2, [('a', 1)], [['c'], [2]])
        """
        size = len(batch)
        if not size:
            return 0
        if self._width is None:
            self._deal_in_fields(batch)
        fields = batch.fields
        comes_apart = fields is not None and len(fields) == self._width
        position = iter(fields[0] if comes_apart and fields is not None else batch.values)
        rows = zip(position, *fields[1:], strict=True) if comes_apart and fields is not None else position
        deal = _loop_of(self._item, self._width or _WHOLE, self._channels == 2, comes_apart)
        try:
            deal(rows, self._channel_of, self._parts)
        except Exception:
            return size - length_hint(position) - 1
        self._channel_of.saw(size)
        return size

    def _deal_in_fields(self, batch: RowBatch) -> None:
        """If the records are short tuples and have their keys at a position."""
        width = len(batch.fields) if batch.fields is not None else _width_of(batch.values[0])
        position = self._item[3:-2]
        fits = position.isdigit() and int(position) < width <= MOST_FIELDS
        self._start(width if fits else _WHOLE)

    def _start(self, width: int) -> None:
        self._width = width
        self._parts = [self._no_records() for _ in range(self._channels)]

    def _no_records(self) -> _Part:
        return [[] for _ in range(self._width or 1)]

    def takes(self, value: Any) -> bool:
        """Whether records of this kind are dealt out. If not, :meth:`deal_whole` once all is taken."""
        return not self._width or _width_of(value) == self._width

    def deal_whole(self) -> None:
        """Deal out records of all kinds from now on."""
        self._start(_WHOLE)

    def waiting(self, channel: int) -> int:
        """How many records were dealt out to a channel since the last time."""
        return len(self._parts[channel][0]) if self._parts else 0

    def take(self, channel: int) -> RowBatch:
        """What was dealt out to a channel since the last time."""
        part = self._parts[channel]
        self._parts[channel] = self._no_records()
        return RowBatch.of_fields(part) if self._width else RowBatch(part[0])


def _width_of(value: Any) -> int:
    return len(value) if type(value) is tuple else _WHOLE


class _ChannelByKey(KeyCache):
    """From a key to its channel, for the keys seen so far."""

    __slots__ = ("_router",)

    def __init__(self, router: KeyRouter) -> None:
        super().__init__()
        self._router = router

    def __missing__(self, key: Any) -> int:
        if key != key:
            raise KeyError(key)  # not equal to itself, as NaN; the slower way says so
        self.make_room()
        self[key] = channel = self._router.subtask_of(key)
        return channel


@lru_cache(maxsize=256)
def _loop_of(
    item: str, width: int, into_two: bool, comes_apart: bool
) -> Callable[[Iterable[Any], _ChannelByKey, list[_Part]], None]:
    """``deal(rows, channel_of, parts)``. A branch between two channels is a third faster than picking one of several."""
    names = [f"a{i}" for i in range(width)] or ["v"]
    key = f"a{item[3:-2]}" if width else item
    row = ", ".join(names) + "," if width else "v"
    lines = [f"    for {row if comes_apart else 'v'} in rows:"]
    if width and not comes_apart:
        lines += ["        if type(v) is not tuple:", "            raise TypeError", f"        {row} = v"]
    if into_two:
        parts = [[f"p{channel}_{i}" for i in range(len(names))] for channel in (0, 1)]
        lines.insert(0, "    " + ", ".join(f"({', '.join(part)},)" for part in parts) + " = parts")
        lines.append(f"        if channel_of[{key}]:")
        lines += [f"            {part}.append({name})" for part, name in zip(parts[1], names, strict=True)]
        lines.append("        else:")
        lines += [f"            {part}.append({name})" for part, name in zip(parts[0], names, strict=True)]
    else:
        lines.append(f"        part = parts[channel_of[{key}]]")
        lines += [f"        part[{i}].append({name})" for i, name in enumerate(names)]
    namespace: dict[str, Any] = {}
    source = "\n".join(["def deal(rows, channel_of, parts):", *lines])
    exec(compile(source, f"{GENERATED} scatter>", "exec"), namespace)
    return namespace["deal"]  # type: ignore[no-any-return]
