"""Which channel gets which record of a batch.

A partitioner belongs to one subtask and one exchange and may remember where it stopped. ``partition`` yields one entry per
channel, None where the channel gets nothing. Batches that go whole to several channels are the same object: batches are
values.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol, overload

from penstock.chance import seeded
from penstock.data.batch import MOST_FIELDS, Batch, ColumnBatch, RowBatch
from penstock.errors import ProgramError

if TYPE_CHECKING:
    import pyarrow


class Partitioner(Protocol):
    """Splits the batches of one sender over its channels."""

    def partition(self, batch: Batch) -> Sequence[Batch | None]:
        """The part of each channel; records keep their order within a channel."""


@overload
def split(batch: RowBatch, channels: Sequence[int], n: int) -> Sequence[RowBatch | None]: ...
@overload
def split(batch: Batch, channels: Sequence[int], n: int) -> Sequence[Batch | None]: ...
def split(batch: Batch, channels: Sequence[int], n: int) -> Sequence[Batch | None]:
    """Split a batch: record ``i`` goes to channel ``channels[i]``, which is below ``n``.

    Costs 20-45 ns per record and list of the batch (values or fields, timestamps, keys), whatever ``n``.

    >>> split(RowBatch(["a", "b", "c"], [1, 2, 3]), [0, 2, 0], 3)
    [RowBatch(['a', 'c'], [1, 3], None), None, RowBatch(['b'], [2], None)]
    """
    size = len(channels)
    if size == 0:
        return [None] * n
    first = channels[0]
    if n == 1 or size == 1 or channels.count(first) == size:
        parts: list[Batch | None] = [None] * n
        parts[first] = batch
        return parts
    if isinstance(batch, ColumnBatch):
        return _split_columns(batch, channels, n)
    if batch.fields is not None and len(batch.fields) > MOST_FIELDS:
        batch = RowBatch(batch.values, batch.timestamps, batch.keyed_by)
    if n <= len(_MASKS):
        return _split_by_mask(batch, channels, n)
    if batch.timestamps is None and batch.keyed_by is None and batch.fields is None:
        return [RowBatch(values) if values else None for values in _collect(batch.values, channels, n)]
    return _split_by_index(batch, channels, n)


# For few channels: `bytes.translate` makes the 0/1 mask of a channel, `compress` picks by it; both are single C loops.
_MASKS = tuple(bytes(number == channel for number in range(256)) for channel in range(3))


def _split_by_mask(batch: RowBatch, channels: Sequence[int], n: int) -> list[RowBatch | None]:
    packed = bytes(channels)
    masks = [packed.translate(table) for table in _MASKS[:n]]
    return [batch.picked(partial(_compressed, mask)) if 1 in mask else None for mask in masks]


def _compressed(mask: bytes, items: list[Any]) -> list[Any]:
    return list(compress(items, mask))


def _collect(items: Sequence[Any], channels: Sequence[int], n: int) -> list[list[Any]]:
    lists: list[list[Any]] = [[] for _ in range(n)]
    append = [part.append for part in lists]
    for item, channel in zip(items, channels, strict=True):
        append[channel](item)
    return lists


def _split_by_index(batch: RowBatch, channels: Sequence[int], n: int) -> list[RowBatch | None]:
    """With several lists per batch: find the indices once, then let `itemgetter` fetch them in C from each list."""
    return [_take(batch, indices) for indices in _collect(range(len(channels)), channels, n)]


def _take(batch: RowBatch, indices: list[int]) -> RowBatch | None:
    if not indices:
        return None
    if len(indices) == 1:  # itemgetter of one index yields the item itself, not a tuple
        return batch.take(indices)
    pick = itemgetter(*indices)
    return batch.picked(lambda items: list(pick(items)))


def _split_columns(batch: ColumnBatch, channels: Sequence[int], n: int) -> list[ColumnBatch | None]:
    return [
        _take_columns(batch, indices) if indices else None
        for indices in _collect(range(len(channels)), channels, n)
    ]


def _take_columns(batch: ColumnBatch, indices: Sequence[int]) -> ColumnBatch:
    picked = _every_index(indices) if isinstance(indices, range) else _column_of(indices)
    timestamps = None if batch.timestamps is None else batch.timestamps.take(picked)
    return ColumnBatch(batch.columns.take(picked), timestamps)


def _column_of(indices: Sequence[int]) -> "pyarrow.Int64Array":
    import pyarrow

    return pyarrow.array(indices, pyarrow.int64())


# To make them takes fifty times as long as to pick the rows of two columns by them, and most batches are equally long.
_every_index = lru_cache(maxsize=64)(_column_of)


class ForwardPartitioner:
    """Everything to the one channel that there is.

    >>> ForwardPartitioner().partition(RowBatch([1, 2]))
    [RowBatch([1, 2], None, None)]
    """

    __slots__ = ()

    def partition(self, batch: Batch) -> list[Batch | None]:
        return [batch]


class GlobalPartitioner:
    """Everything to the first channel."""

    __slots__ = ("_rest",)

    def __init__(self, n: int) -> None:
        self._rest: list[Batch | None] = [None] * (n - 1)

    def partition(self, batch: Batch) -> list[Batch | None]:
        return [batch, *self._rest]


class BroadcastPartitioner:
    """Everything to every channel; ``copy`` makes what all but the last get, where receivers may change it."""

    __slots__ = ("_copy", "_n")

    def __init__(self, n: int, copy: Callable[[Batch], Batch] | None = None) -> None:
        self._n = n
        self._copy = copy

    def partition(self, batch: Batch) -> list[Batch | None]:
        if self._copy is None:
            return [batch] * self._n
        return [*[self._copy(batch) for _ in range(self._n - 1)], batch]


class HashPartitioner:
    """Each record to the channel of its key.

    ``route`` yields the channel of each record of a batch, for rows typically from ``batch.keys`` through a key router.

    >>> odd = HashPartitioner(lambda batch: [key % 2 for key in batch.keys], 2)
    >>> odd.partition(RowBatch([1, 2, 3], None, [1, 2, 3]))
    [RowBatch([2], None, [2]), RowBatch([1, 3], None, [1, 3])]
    """

    __slots__ = ("_n", "_route")

    def __init__(self, route: Callable[[Any], Sequence[int]], n: int) -> None:
        self._route = route
        self._n = n

    def partition(self, batch: Batch) -> Sequence[Batch | None]:
        if self._n == 1:
            return [batch]
        return split(batch, self._route(batch), self._n)


class RebalancePartitioner:
    """One record to each channel in turn, going on in the next batch where the last one stopped.

    Rescale is the same over the sender's subset of channels. ``first`` is the channel of the first record; senders that
    start at different channels spread short streams better.

    >>> in_turn = RebalancePartitioner(2)
    >>> in_turn.partition(RowBatch([1, 2, 3]))
    [RowBatch([1, 3], None, None), RowBatch([2], None, None)]
    >>> in_turn.partition(RowBatch([4]))
    [None, RowBatch([4], None, None)]
    """

    __slots__ = ("_n", "_next")

    def __init__(self, n: int, first: int = 0) -> None:
        self._n = n
        self._next = first % n

    def partition(self, batch: Batch) -> list[Batch | None]:
        n, first, size = self._n, self._next, len(batch)
        if n == 1:
            return [batch]
        self._next = (first + size) % n
        parts: list[Batch | None] = [None] * n
        for start in range(min(n, size)):
            parts[(first + start) % n] = _every(batch, start, n)
        return parts


def _every(batch: Batch, start: int, step: int) -> Batch:
    if isinstance(batch, ColumnBatch):
        return _take_columns(batch, range(start, len(batch), step))
    return batch.picked(itemgetter(slice(start, None, step)))


class ShufflePartitioner:
    """Each record to a channel drawn at random; the same seed draws the same channels."""

    __slots__ = ("_choices", "_n", "_range")

    def __init__(self, n: int, seed: int | str) -> None:
        self._n = n
        self._range = range(n)
        self._choices = seeded(seed).choices

    def partition(self, batch: Batch) -> Sequence[Batch | None]:
        return split(batch, self._choices(self._range, k=len(batch)), self._n)


class CustomPartitioner:
    """Each record to the channel that the user's function names: ``choose(key, n)`` yields an index below ``n``.

    ``key_of`` takes the key from a value; without it the batch's keys are used, or the values where there are none.

    >>> CustomPartitioner(lambda key, n: key % n, 2).partition(RowBatch([7, 8]))
    [RowBatch([8], None, None), RowBatch([7], None, None)]
    """

    __slots__ = ("_choose", "_key_of", "_n")

    def __init__(
        self, choose: Callable[[Any, int], int], n: int, key_of: Callable[[Any], Any] | None = None
    ) -> None:
        self._choose = choose
        self._key_of = key_of
        self._n = n

    def partition(self, batch: Batch) -> Sequence[Batch | None]:
        n, choose = self._n, self._choose
        keys = self._keys(batch)
        channels = [choose(key, n) for key in keys]
        try:
            fits = min(channels, default=0) >= 0 and max(channels, default=0) < n
        except TypeError:
            fits = False
        if not fits or set(map(type, channels)) - {int}:
            channels = [_checked(channel, key, n) for channel, key in zip(channels, keys, strict=True)]
        return split(batch, channels, n)

    def _keys(self, batch: Batch) -> Sequence[Any]:
        if isinstance(batch, ColumnBatch):
            rows: Sequence[Any] = batch.columns.to_pylist()
        elif self._key_of is None and batch.keys is not None:
            return batch.keys
        else:
            rows = batch.values
        return rows if self._key_of is None else [self._key_of(row) for row in rows]


def _checked(channel: object, key: object, n: int) -> int:
    try:
        index = channel.__index__()  # type: ignore[attr-defined]
    except AttributeError:
        index = -1
    if not 0 <= index < n:
        raise ProgramError(
            f"the custom partitioner returned {channel!r:.100} for key {key!r:.200}; "
            f"it has to return an int from 0 to {n - 1}, the index of one of the {n} channels"
        )
    return int(index)
