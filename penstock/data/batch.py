"""Batches: what moves between operators, in one of two layouts.

``RowBatch`` holds Python values, ``ColumnBatch`` an Arrow record batch. Both are values: an operator that changes something
makes a new batch. The lists inside may be shared between batches and must never be changed in place.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow


# Where each field is gone through by itself, a further one costs as much as the last, whereas there is one tuple to save.
MOST_FIELDS = 4


class KeyItem:
    """Keys that stand at a position of every value, so that they need neither be listed nor sent.

    ``take(values)`` lists them, for who asks; without it they are known to be there.
    """

    __slots__ = ("known", "position", "take")

    def __init__(self, position: int, take: Callable[[list[Any]], list[Any]] | None = None) -> None:
        self.position = position
        self.known: KeyItem = self if take is None else KeyItem(position)
        """The same, once they have been listed."""
        self.take = take or self._items

    def _items(self, values: list[Any]) -> list[Any]:
        return list(map(itemgetter(self.position), values))


class RowBatch:
    """Python values with optional event timestamps and optional keys, all lists of the same length.

    ``keyed_by`` is the list of keys, or where in each value they stand. Values that are tuples may come as their ``fields``,
    a list for each position: tuples are made of them when somebody asks for ``values``, and take their place.

    >>> batch = RowBatch(["a", "b"], [10, 20])
    >>> len(batch), batch.take([1]).values
    (2, ['b'])
    >>> RowBatch([("a", 1), ("b", 2)], None, KeyItem(0)).keys
    ['a', 'b']
    >>> batch = RowBatch.of_fields([["a", "b"], [1, 2]])
    >>> batch.fields, batch.values, batch.fields
    ([['a', 'b'], [1, 2]], [('a', 1), ('b', 2)], None)
    """

    __slots__ = ("_listed", "_values", "fields", "keyed_by", "timestamps")

    def __init__(
        self,
        values: list[Any],
        timestamps: list[int] | None = None,
        keys: list[Any] | KeyItem | None = None,
    ) -> None:
        self._values = values
        self.fields: Sequence[list[Any]] | None = None
        self.timestamps = timestamps
        self.keyed_by = keys
        self._listed: list[Any] | None = None

    @staticmethod
    def of_fields(
        fields: Sequence[list[Any]],
        timestamps: list[int] | None = None,
        keys: list[Any] | KeyItem | None = None,
    ) -> "RowBatch":
        """A batch of tuples, from the lists of what stands at each of their positions; at least one."""
        batch = RowBatch([], timestamps, keys)
        batch.fields = fields
        return batch

    @property
    def values(self) -> list[Any]:
        """The records."""
        fields = self.fields
        if fields is not None:
            # In this order, as a checkpoint may be written on another thread.
            self._values = list(zip(*fields, strict=True))
            self.fields = None
        return self._values

    @property
    def keys(self) -> list[Any] | None:
        """The key of each value."""
        keyed_by = self.keyed_by
        if isinstance(keyed_by, KeyItem):
            if self._listed is None:
                fields = self.fields
                self._listed = keyed_by.take(self.values) if fields is None else fields[keyed_by.position]
                self.keyed_by = keyed_by.known
            return self._listed
        return keyed_by

    def keyed(self, keys: list[Any] | KeyItem) -> "RowBatch":
        """The same records under these keys."""
        fields = self.fields
        if fields is None:
            return RowBatch(self._values, self.timestamps, keys)
        return RowBatch.of_fields(fields, self.timestamps, keys)

    def stamped(self, timestamps: list[int]) -> "RowBatch":
        """The same records at these times."""
        fields = self.fields
        if fields is None:
            return RowBatch(self._values, timestamps, self.keyed_by)
        return RowBatch.of_fields(fields, timestamps, self.keyed_by)

    def __len__(self) -> int:
        fields = self.fields
        return len(self._values) if fields is None else len(fields[0])

    def picked(self, pick: Callable[[list[Any]], list[Any]]) -> "RowBatch":
        """The records that ``pick`` picks from each of the lists."""
        timestamps = None if self.timestamps is None else pick(self.timestamps)
        keys = pick(self.keyed_by) if isinstance(self.keyed_by, list) else self.keyed_by
        fields = self.fields
        if fields is None:
            return RowBatch(pick(self._values), timestamps, keys)
        return RowBatch.of_fields([pick(field) for field in fields], timestamps, keys)

    def slice(self, start: int, stop: int) -> "RowBatch":
        """The records from ``start`` up to ``stop``."""
        return self.picked(itemgetter(slice(start, stop)))

    def take(self, indices: list[int]) -> "RowBatch":
        """The records at ``indices``, in that order."""
        return self.picked(lambda items: [items[i] for i in indices])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RowBatch):
            return NotImplemented
        return (self.values, self.timestamps, self.keys) == (other.values, other.timestamps, other.keys)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"RowBatch({self.values!r}, {self.timestamps!r}, {self.keys!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (RowBatch, (self.values, self.timestamps, self.keys))


class ColumnBatch:
    """An Arrow record batch with optional event timestamps.

    ``columns``: ``pyarrow.RecordBatch`` of n rows. ``timestamps``: ``pyarrow.Int64Array`` of length n, or None.
    """

    __slots__ = ("columns", "timestamps")

    def __init__(
        self, columns: "pyarrow.RecordBatch", timestamps: "pyarrow.Int64Array | None" = None
    ) -> None:
        self.columns = columns
        self.timestamps = timestamps

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def slice(self, start: int, stop: int) -> "ColumnBatch":
        """The rows from ``start`` up to ``stop``, without copying."""
        timestamps = None if self.timestamps is None else self.timestamps.slice(start, stop - start)
        return ColumnBatch(self.columns.slice(start, stop - start), timestamps)

    def __repr__(self) -> str:
        return f"ColumnBatch({self.columns.num_rows} x {self.columns.schema.names})"


Batch = RowBatch | ColumnBatch

_NONE = -(2**63)  # MIN_TIMESTAMP of the elements, which are made of batches


def concat_rows(batches: list[RowBatch]) -> RowBatch:
    """One batch of all records, in order; keys are kept where every batch has them.

    Where only some batches have timestamps the records of the others get ``MIN_TIMESTAMP``, which stands for none.

    >>> concat_rows([RowBatch([1]), RowBatch([2, 3])]).values
    [1, 2, 3]
    """
    if len(batches) == 1:
        return batches[0]
    with_timestamps = any(batch.timestamps is not None for batch in batches)
    times = [b.timestamps or [_NONE] * len(b) for b in batches] if with_timestamps else None
    stamps = None if times is None else list(chain.from_iterable(times))
    fields = [fields for batch in batches if (fields := batch.fields) is not None]
    if len(fields) == len(batches) and len(set(map(len, fields))) == 1:
        joined = [list(chain.from_iterable(lists)) for lists in zip(*fields, strict=True)]
        return RowBatch.of_fields(joined, stamps, _keys_of_all(batches))
    values = list(chain.from_iterable([batch.values for batch in batches]))
    return RowBatch(values, stamps, _keys_of_all(batches))


def _keys_of_all(batches: list[RowBatch]) -> list[Any] | KeyItem | None:
    first = batches[0].keyed_by
    if isinstance(first, KeyItem) and all(batch.keyed_by is first for batch in batches):
        return first
    if any(batch.keyed_by is None for batch in batches):
        return None
    return list(chain.from_iterable([batch.keys or () for batch in batches]))
