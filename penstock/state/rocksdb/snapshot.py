"""Snapshots of databases: frozen at the barrier, and read afterwards by the thread that writes them."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from penstock.contracts.state import ENTRIES_PER_CHUNK, VOID_NAMESPACE, EntryChunk, StateEntries, StateMeta
from penstock.state.rocksdb.database import Cursor
from penstock.state.rocksdb.entries import EntryBytes
from penstock.state.rocksdb.map_table import RocksDBMapTable
from penstock.state.rocksdb.table import RocksDBTable

Table = RocksDBTable | RocksDBMapTable


class FrozenEntries:
    """One state as it is in a database at a moment; see :class:`~penstock.contracts.state.StateEntries`.

    ``cursor`` gives a cursor that shows this moment; ``keep`` is what to write of a stored value, None for nothing.
    """

    def __init__(
        self,
        meta: StateMeta,
        entries: EntryBytes,
        cursor: Callable[[], Cursor],
        keep: Callable[[Any], Any] | None = None,
    ) -> None:
        self.meta = meta
        self._entries = entries
        self._cursor = cursor
        self._keep = keep
        self._key_groups = entries.key_groups

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """Entries in the order of their key groups."""
        rows = self._rows(key_groups)
        while chunk := list(islice(rows, ENTRIES_PER_CHUNK)):
            groups, namespaces, keys, values = zip(*chunk, strict=True)
            is_void = all(namespace is VOID_NAMESPACE for namespace in namespaces)
            yield EntryChunk(groups, keys, values, None if is_void else namespaces)

    def count(self) -> int:
        """How many are stored; no value is looked at."""
        entries, frozen = self._entries, self._cursor()
        return sum(entries.count(frozen, group) for group in self._key_groups)

    def _rows(self, key_groups: range | None) -> Iterator[tuple[int, Any, Any, Any]]:
        entries, keep, frozen = self._entries, self._keep, self._cursor()
        for group in self._key_groups:
            if key_groups is not None and group not in key_groups:
                continue
            for namespace, key, stored in entries.decoded(frozen.entries(entries.group_prefix(group))):
                kept = stored if keep is None else keep(stored)
                if kept is not None:
                    yield group, namespace, key, kept


def load_entries(table: Table, entries: StateEntries, key_groups: range) -> None:
    """Write the entries of ``key_groups`` to the database of a table."""
    for chunk in entries.chunks(key_groups):
        table.load(chunk)
