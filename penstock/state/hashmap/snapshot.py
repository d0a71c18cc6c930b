"""A frozen table as chunks of entries, and the way back into a table."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, repeat
from typing import Any, Final, TypeAlias

from penstock.contracts.state import (
    ENTRIES_PER_CHUNK,
    EntryChunk,
    StateEntries,
    StateMeta,
    StoredForm,
)
from penstock.data.key_columns import key_groups_of
from penstock.data.number_columns import extremes, numbers_of
from penstock.data.own_copies import own_copies
from penstock.errors import StateError
from penstock.state.hashmap.key_columns import KeyColumns, last_keys
from penstock.state.hashmap.table import HashMapTable, Pane, Panes
from penstock.state.layers import Pin, slices

_NOTHING = type(None)
Keep = Callable[[Any], Any]
Column: TypeAlias = "list[Any] | array[Any]"


@dataclass(slots=True)
class Part:
    """Entries that make a chunk; ``groups`` where they are known."""

    keys: Sequence[Any]
    values: Column
    namespaces: list[Any] | None = None
    groups: Sequence[int] | None = None


# Numbers become arrays while they are in the processor's cache: reading their memory is all that it costs.
_IN_CACHE: Final = 4096


@dataclass(slots=True)
class FrozenTable:
    """The :class:`~penstock.contracts.state.StateEntries` of a table at one moment.

    ``keep`` says what is written of a stored value, None for nothing; ``key_columns``, if given, are of these entries. As
    long as this exists and its pin is not released, the table leaves the dictionaries alone. Whoever walks the entries takes
    them out of the dictionaries first, which is soon done; if none of the values can change, the table is let go then, long
    before everything is written.
    """

    meta: StateMeta
    max_parallelism: int
    own: range
    pin: Pin
    entries: Pane
    panes: Panes
    form: StoredForm | None = None
    keep: Keep | None = None
    key_columns: KeyColumns | None = None
    _parts: list[Part] | None = field(default=None, init=False)

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        if self._parts is None:
            with self.pin.reading():
                self._parts = list(self._take_out())
                if all(_are_fixed(part.values) for part in self._parts):
                    self.pin.release()
                    self.entries, self.panes = {}, {}
        for part in map(self._kept, self._parts):
            keys = part.keys
            groups = key_groups_of(keys, self.max_parallelism) if part.groups is None else part.groups
            if groups and not all(group in self.own for group in extremes(groups)):
                raise self._misplaced(keys, groups)
            values = part.values if self.form is None else self.form.expand(keys, part.values)
            chunk = EntryChunk(groups, keys, values, part.namespaces)
            if key_groups is not None:
                chunk = chunk.within(key_groups)
            if len(chunk):
                yield chunk

    def _take_out(self) -> Iterator[Part]:
        entries = self.entries
        known = [] if self.key_columns is None else self.key_columns.parts_of(entries)
        values = iter(entries.values())
        for part in known:
            yield Part(part.keys, _column_of(islice(values, len(part.keys))), None, part.groups)
        rest = len(entries) - sum(len(part.keys) for part in known)
        keys = iter(last_keys(entries, rest) if known else entries)
        while rest > 0:
            yield Part(
                _column_of(islice(keys, ENTRIES_PER_CHUNK)), _column_of(islice(values, ENTRIES_PER_CHUNK))
            )
            rest -= ENTRIES_PER_CHUNK
        yield from self._take_out_panes()

    def _take_out_panes(self) -> Iterator[Part]:
        """Small ones of several namespaces together."""
        keys: list[Any] = []
        values: list[Any] = []
        namespaces: list[Any] = []
        for namespace, pane in self.panes.items():
            for more_keys, more_values in slices(pane, ENTRIES_PER_CHUNK):
                keys.extend(more_keys)
                values.extend(more_values)
                namespaces.extend(repeat(namespace, len(more_keys)))
                if len(keys) >= ENTRIES_PER_CHUNK:
                    yield Part(keys, values, namespaces)
                    keys, values, namespaces = [], [], []
        if keys:
            yield Part(keys, values, namespaces)

    def _kept(self, part: Part) -> Part:
        """Without what is nothing, or not to be written any more."""
        keep, values = self.keep, part.values
        if keep is not None:
            values = [None if stored is None else keep(stored) for stored in values]
        if not isinstance(values, array) and _NOTHING in set(map(type, values)):
            present = [row for row, stored in enumerate(values) if stored is not None]
            keys, namespaces = list(part.keys), part.namespaces
            return Part(
                [keys[row] for row in present],
                [values[row] for row in present],
                None if namespaces is None else [namespaces[row] for row in present],
            )
        return part if values is part.values else replace(part, values=values)

    def _misplaced(self, keys: Sequence[Any], groups: Sequence[int]) -> StateError:
        key, group = next(pair for pair in zip(keys, groups, strict=True) if pair[1] not in self.own)
        return StateError(
            f"state {self.meta.name!r} holds key {key!r:.80} of key group {group}, but this subtask owns {self.own}: "
            "the record was sent to the wrong subtask, or the key changed after it was computed"
        )


def _column_of(values: Iterator[Any]) -> Column:
    column: Column | None = None
    while piece := list(islice(values, _IN_CACHE)):
        more = numbers_of(piece) or piece
        column = more if column is None else _joined(column, more)
    return [] if column is None else column


def _joined(column: Column, more: Column) -> Column:
    """One after the other, as an array if both are of the same numbers."""
    if isinstance(column, array) and not (isinstance(more, array) and more.typecode == column.typecode):
        column = list(column)
    column.extend(more)
    return column


def _are_fixed(values: Column) -> bool:
    return isinstance(values, array) or own_copies(values) is values


def read_into(table: HashMapTable, entries: StateEntries, key_groups: range) -> None:
    """Add the entries of ``key_groups`` to a table."""
    for chunk in entries.chunks(key_groups):
        if chunk.namespaces is None:
            table.take_in(chunk.keys, chunk.values)
            continue
        for namespace, key, stored in zip(chunk.namespaces, chunk.keys, chunk.values, strict=True):
            table.pane(namespace)[key] = stored
