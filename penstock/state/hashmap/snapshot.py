"""A frozen table as chunks of entries, and the way back into a table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from penstock.contracts.state import (
    ENTRIES_PER_CHUNK,
    EntryChunk,
    StateEntries,
    StateMeta,
    StoredForm,
)
from penstock.data.key_columns import key_groups_of
from penstock.errors import StateError
from penstock.state.hashmap.table import HashMapTable, Pane, Panes
from penstock.state.layers import Pin, slices
from penstock.state.own_copies import own_copies

_NOTHING = type(None)
Keep = Callable[[Any], Any]
Part = tuple[list[Any], Sequence[Any], list[Any] | None]


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
            if all(own_copies(values) is values for _, values, _ in self._parts):
                self.pin.release()
                self.entries, self.panes = {}, {}
        for keys, values, namespaces in self._parts:
            keys, values, namespaces = self._kept(keys, values, namespaces)
            groups = key_groups_of(keys, self.max_parallelism)
            if groups and not (min(groups) in self.own and max(groups) in self.own):
                raise self._misplaced(keys, groups)
            chunk = EntryChunk(groups, keys, values, namespaces)
            if key_groups is not None:
                chunk = chunk.within(key_groups)
            if len(chunk):
                yield chunk

    def _take_out(self) -> Iterator[Part]:
        for keys, values in slices(self.entries, ENTRIES_PER_CHUNK):
            yield keys, values, None
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

    def _kept(self, keys: list[Any], values: Sequence[Any], namespaces: list[Any] | None) -> Part:
        """Without what is nothing, or not to be written any more."""
        keep = self.keep
        if keep is not None:
            values = [None if stored is None else keep(stored) for stored in values]
        if _NOTHING in set(map(type, values)):
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


def read_into(table: HashMapTable, entries: StateEntries, key_groups: range) -> None:
    """Add the entries of ``key_groups`` to a table."""
    for chunk in entries.chunks(key_groups):
        if chunk.namespaces is None:
            table.take_in(chunk.keys, chunk.values)
            continue
        for namespace, key, stored in zip(chunk.namespaces, chunk.keys, chunk.values, strict=True):
            table.pane(namespace)[key] = stored
