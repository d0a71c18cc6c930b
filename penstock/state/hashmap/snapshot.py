"""A frozen table as chunks of entries, and the way back into a table."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
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
from penstock.errors import StateError
from penstock.state.hashmap.table import HashMapTable, Pane, Panes
from penstock.state.layers import Pin, slices
from penstock.state.own_copies import own_copies

_NOTHING = type(None)
Keep = Callable[[Any], Any]
Column: TypeAlias = "list[Any] | array[Any]"
Part = tuple[Column, Column, list[Any] | None]
# Numbers become arrays while they are in the processor's cache: reading their memory is all that it costs.
_IN_CACHE: Final = 4096


@dataclass(slots=True)
class FrozenTable:
    """The :class:`~penstock.contracts.state.StateEntries` of a table at one moment.

    ``keep`` says what is written of a stored value, None for nothing. As long as this exists and its pin is not released, the
    table leaves the dictionaries alone. Whoever walks the entries takes them out of the dictionaries first, which is soon
    done; if none of the values can change, the table is let go then, long before everything is written.
    """

    meta: StateMeta
    max_parallelism: int
    own: range
    pin: Pin
    entries: Pane
    panes: Panes
    form: StoredForm | None = None
    keep: Keep | None = None
    _parts: list[Part] | None = field(default=None, init=False)

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        if self._parts is None:
            self._parts = list(self._take_out())
            if all(_are_fixed(values) for _, values, _ in self._parts):
                self.pin.release()
                self.entries, self.panes = {}, {}
        for keys, values, namespaces in self._parts:
            keys, values, namespaces = self._kept(keys, values, namespaces)
            groups = key_groups_of(keys, self.max_parallelism)
            if groups and not all(group in self.own for group in extremes(groups)):
                raise self._misplaced(keys, groups)
            chunk = EntryChunk(groups, keys, values, namespaces)
            if key_groups is not None:
                chunk = chunk.within(key_groups)
            if len(chunk):
                yield chunk

    def _take_out(self) -> Iterator[Part]:
        part: tuple[Column, Column] | None = None
        for keys, values in slices(self.entries, _IN_CACHE):
            columns = numbers_of(keys) or keys, numbers_of(values) or values
            part = columns if part is None else (_joined(part[0], columns[0]), _joined(part[1], columns[1]))
            if len(part[0]) >= ENTRIES_PER_CHUNK:
                yield *part, None
                part = None
        if part is not None:
            yield *part, None
        gathered: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
        for namespace, pane in self.panes.items():
            for keys, values in slices(pane, ENTRIES_PER_CHUNK):
                gathered[0].extend(keys)
                gathered[1].extend(values)
                gathered[2].extend(repeat(namespace, len(keys)))
                if len(gathered[0]) >= ENTRIES_PER_CHUNK:
                    yield gathered
                    gathered = ([], [], [])
        yield gathered

    def _kept(self, keys: Column, values: Column, namespaces: list[Any] | None) -> tuple[Any, ...]:
        """Without what is nothing, or not to be written any more."""
        keep = self.keep
        if keep is not None:
            values = [None if stored is None else keep(stored) for stored in values]
        if not isinstance(values, array) and _NOTHING in set(map(type, values)):
            present = [row for row, stored in enumerate(values) if stored is not None]
            keys, values = [keys[row] for row in present], [values[row] for row in present]
            namespaces = None if namespaces is None else [namespaces[row] for row in present]
        return keys, values if self.form is None else self.form.expand(keys, values), namespaces

    def _misplaced(self, keys: Sequence[Any], groups: Sequence[int]) -> StateError:
        key, group = next(pair for pair in zip(keys, groups, strict=True) if pair[1] not in self.own)
        return StateError(
            f"state {self.meta.name!r} holds key {key!r:.80} of key group {group}, but this subtask owns {self.own}: "
            "the record was sent to the wrong subtask, or the key changed after it was computed"
        )


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
