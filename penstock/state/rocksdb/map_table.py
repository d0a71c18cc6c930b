"""Map state: one entry in the database for each key of a map, so that a large map need not be read as a whole.

Entries carry the number with which their key was first put, since maps are walked in that order. Of a map that is small and
was walked, all is cached. The generations of cached maps are those of :mod:`penstock.state.rocksdb.table`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from itertools import repeat
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE, EntryChunk, MapState, StateMeta, StoredForm
from penstock.data.own_copies import own_copies
from penstock.state.hashmap.handles import HasCurrentKey
from penstock.state.hashmap.table import HashMapTable
from penstock.state.layers import SETTLED_AT_ONCE
from penstock.state.migration import Conversion
from penstock.state.rocksdb.cache import ObjectCache, move_panes_down
from penstock.state.rocksdb.database import Database, Entry
from penstock.state.rocksdb.map_bytes import MapEntryBytes, Pair
from penstock.state.rocksdb.moment import ENTRIES_PER_BATCH, Batch


class CachedMap:
    """What is known of one map: entries, and None where there is known to be none."""

    __slots__ = ("changed", "entries", "is_whole")

    def __init__(self, is_whole: bool) -> None:
        self.entries: dict[
            Any, Pair | None
        ] = {}  # in the order of their numbers when whole, and then without None
        self.changed: set[Any] = set()
        self.is_whole = is_whole

    def own_copy(self) -> "CachedMap":
        """What is known of it, in objects that share nothing with these that could change."""
        copy = CachedMap(self.is_whole)
        copy.entries = dict(zip(self.entries, own_copies(list(self.entries.values())), strict=True))
        return copy


class RocksDBMapTable:
    """All maps of one map state."""

    def __init__(
        self, meta: StateMeta, entries: MapEntryBytes, database: Database, cache: ObjectCache
    ) -> None:
        self.meta = meta
        self.bytes = entries
        self.failed_index = -1
        self.has_stored = False
        self.next_number = 0
        self._database = database
        self._cache = cache
        self._young: dict[Any, dict[Any, CachedMap]] = {}
        self._frozen: dict[Any, dict[Any, CachedMap]] | None = None
        self._old: dict[Any, dict[Any, CachedMap]] = {}
        self._changed: dict[tuple[Any, Any], CachedMap] = {}
        self._written = (0, 0)  # entries and bytes, of those that were written from the frozen generation
        cache.add(self)

    # One map

    def map_of(self, namespace: Any, key: Any) -> CachedMap:
        """What is cached of the map of a key."""
        maps = self._young.get(namespace)
        if maps is None:
            maps = self._young[namespace] = {}
        found = maps.get(key)
        if found is None:
            found = maps[key] = self._carried(namespace, key) or CachedMap(not self.has_stored)
            self._cache.grown(3 + len(found.entries))
        return found

    def _carried(self, namespace: Any, key: Any) -> CachedMap | None:
        """What older generations know of a map, which they need not know any more."""
        # A map that takes much of the cache is not carried on for the sake of a few entries, once all of it is written.
        most = self._cache.half // 4
        if self._database.is_waiting:
            for generation in (self._frozen or {}, self._old):
                found = generation.get(namespace, {}).get(key)
                if found is None:
                    continue
                if len(found.entries) <= most or not self._database.has_rest:
                    return found.own_copy()
                self._database.finish()
                break
            else:
                return None
        found = (self._frozen or {}).get(namespace, {}).pop(key, None)
        if found is None:
            found = self._old.get(namespace, {}).pop(key, None)
        return found if found is None or found.changed or len(found.entries) <= most else None

    def find(self, namespace: Any, key: Any, map_key: Any) -> Pair | None:
        """Number and value of one entry."""
        cached = self.map_of(namespace, key)
        entries = cached.entries
        if map_key in entries:
            return entries[map_key]
        if cached.is_whole:
            return None
        data = self._database.get(self.bytes.map_place(namespace, key, map_key))
        pair = None if data is None else self.bytes.pair(data)
        entries[map_key] = pair
        self._cache.grown(1)
        return pair

    def put(self, namespace: Any, key: Any, map_key: Any, value: Any) -> None:
        """Set the value of an entry."""
        found = self.find(namespace, key, map_key)
        cached = self.map_of(namespace, key)
        if found is None:
            cached.entries.pop(map_key, None)
            number = self.next_number
            self.next_number += 1
        else:
            number = found[0]
        cached.entries[map_key] = (number, value)
        self._change(namespace, key, cached, map_key)
        if found is None:
            self._cache.grown(1)

    def remove(self, namespace: Any, key: Any, map_key: Any) -> None:
        """Forget an entry."""
        if self.find(namespace, key, map_key) is None:
            return
        cached = self.map_of(namespace, key)
        if cached.is_whole:
            cached.entries.pop(map_key, None)
        else:
            cached.entries[map_key] = None
        self._change(namespace, key, cached, map_key)

    def items(self, namespace: Any, key: Any) -> list[tuple[Any, Any]]:
        """All entries, in the order of their numbers."""
        cached = self.map_of(namespace, key)
        entries: dict[Any, Pair | None] = (
            cached.entries if cached.is_whole else self._whole(cached, namespace, key)
        )
        return [(map_key, pair[1]) for map_key, pair in entries.items() if pair is not None]

    def _whole(self, cached: CachedMap, namespace: Any, key: Any) -> dict[Any, Pair | None]:
        """Read a map; it is cached when it is small."""
        known = cached.entries
        found: dict[Any, Pair] = {map_key: pair for map_key, pair in known.items() if pair is not None}
        for map_key, data in self._stored(namespace, key):
            if map_key not in known:
                found[map_key] = self.bytes.pair(data)
        by_number = sorted(found, key=lambda map_key: found[map_key][0])
        in_order: dict[Any, Pair | None] = {map_key: found[map_key] for map_key in by_number}
        if len(in_order) <= self._cache.half // 4:
            grown = len(in_order) - len(known)
            cached.entries, cached.is_whole = in_order, True
            self._cache.grown(max(0, grown))
        return in_order

    def _stored(self, namespace: Any, key: Any) -> Iterator[tuple[Any, bytes]]:
        for place, data in self._database.scan(self.bytes.map_prefix(namespace, key)):
            yield self.bytes.originals(place, data)[2], data

    def is_empty(self, namespace: Any, key: Any) -> bool:
        """Whether a map has no entry."""
        cached = self.map_of(namespace, key)
        if any(pair is not None for pair in cached.entries.values()):
            return False
        return cached.is_whole or not self.items(namespace, key)

    def clear(self, namespace: Any, key: Any) -> None:
        """Forget a map."""
        hidden: set[Any] = set()
        if self.has_stored:
            hidden.update(map_key for map_key, _ in self._stored(namespace, key))
        for generation in (self._frozen or {}, self._old):
            older = generation.get(namespace, {}).get(key)
            if older is not None:
                hidden.update(older.entries)
        cleared = self._young.setdefault(namespace, {})[key] = CachedMap(True)
        self._changed.pop((namespace, key), None)
        if hidden:
            cleared.changed = hidden
            self._changed[namespace, key] = cleared
        self._cache.grown(1)

    def _change(self, namespace: Any, key: Any, cached: CachedMap, map_key: Any) -> None:
        cached.changed.add(map_key)
        self._changed[namespace, key] = cached
        self._young.setdefault(namespace, {})[key] = (
            cached  # as the cache may have been full since it was found
        )

    # All maps

    def keys(self, namespace: Any) -> list[Any]:
        """The keys that have a map with entries."""
        self.write_out()
        if not self.has_stored:
            return []
        found: dict[Any, None] = {}
        for place, data in self._database.scan_groups(self.bytes.key_groups, self.bytes.suffix(namespace)):
            found[self.bytes.originals(place, data)[1]] = None
        return list(found)

    def namespaces(self) -> list[Any]:
        """All namespaces with entries."""
        self.write_out()
        if not self.has_stored:
            return []
        return list(dict.fromkeys(namespace for _, namespace in self.bytes.namespaces(self._database)))

    def entries_for(self, keys: Iterable[Any]) -> None:
        """There is no such dictionary: maps are in parts."""

    def compact(self, form: StoredForm | None) -> bool:
        """Nothing but None: values have one form in the database."""
        return form is None

    def pane(self, namespace: Any) -> MutableMapping[Any, Any]:
        """The maps of a namespace, each as a dictionary."""
        return MapPane(self, namespace)

    def pop_pane(self, namespace: Any) -> dict[Any, Any]:
        """Remove a namespace and return its maps."""
        popped = dict(self.pane(namespace).items())
        for key in popped:
            self.clear(namespace, key)
        return popped

    def release(self, namespace: Any) -> None:
        """Nothing: what is cached leaves with its generation."""

    def clear_key(self, key: Any) -> None:
        """Forget the maps of a key in every namespace."""
        for namespace in self.namespaces():
            self.clear(namespace, key)

    # Whole batches: one by one, as no operator folds maps

    def fold(
        self, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> list[Any]:
        """Running reduce; see :class:`~penstock.contracts.state.KeyedTable`."""
        results: list[Any] = self._run(None, keys, lambda table: table.fold(keys, values, function))
        return results

    def fold_pane(
        self,
        namespace: Any,
        keys: Sequence[Any],
        values: Sequence[Any],
        function: Callable[[Any, Any], Any],
        loop: Callable[[dict[Any, Any], Sequence[Any], Iterable[Any]], None] | None = None,
    ) -> None:
        """Reduce within a namespace."""
        self._run(namespace, keys, lambda table: table.fold_pane(None, keys, values, function, loop))

    def aggregate_pane(
        self, namespace: Any, keys: Sequence[Any], values: Sequence[Any], function: Any
    ) -> None:
        """Aggregate within a namespace."""
        self._run(namespace, keys, lambda table: table.aggregate_pane(None, keys, values, function))

    def append_pane(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Append within a namespace."""
        self._run(namespace, keys, lambda table: table.append_pane(None, keys, values))

    def _run(self, namespace: Any, keys: Sequence[Any], loop: Callable[[HashMapTable], Any]) -> Any:
        table = HashMapTable(self.meta)
        pane = self.pane(namespace)
        table.entries = {key: stored for key in keys if (stored := pane.get(key)) is not None}
        try:
            return loop(table)
        finally:
            self.failed_index = table.failed_index
            pane.update(table.entries)

    # Between cache and database

    def write_out(self) -> None:
        """Write what has changed to the database."""
        self._database.finish()
        self.settle(None)
        for batch in self._batches(self._changed, self.has_stored):
            self._database.write(*batch)
        self.has_stored = self.has_stored or bool(self._changed)
        self._changed = {}
        self._measure()

    def freeze(self) -> Iterator[Batch]:
        """Everything as it is now: what has changed, to be written by whoever walks this; nothing is waited for."""
        self.settle(None)
        changed, self._changed = self._changed, {}
        if not changed:
            return iter(())
        self._frozen, self._young = self._young, {}
        had_stored, self.has_stored = self.has_stored, True
        return self._batches(changed, had_stored)

    def retire(self) -> Iterator[Batch]:
        """Drop the old generation; the young one becomes old. What had changed in it, for the database."""
        self.settle(None)
        self._measure()
        changed, self._changed = self._changed, {}
        self._old, self._young = self._young, {}
        had_stored, self.has_stored = self.has_stored, self.has_stored or bool(changed)
        return self._batches(changed, had_stored)

    def _batches(self, changed: dict[tuple[Any, Any], CachedMap], has_stored: bool) -> Iterator[Batch]:
        entries = self.bytes
        places: list[bytes] = []
        stored: list[bytes] = []
        deletes: list[bytes] = []
        for (namespace, key), cached in changed.items():
            for map_key in cached.changed:
                pair = cached.entries.get(map_key)
                place = entries.own_map_place(namespace, key, map_key)
                if pair is not None:
                    places.append(place)
                    stored.append(entries.stored_pair(namespace, key, map_key, pair))
                elif has_stored:
                    deletes.append(place)
            cached.changed = set()
            if len(places) + len(deletes) >= ENTRIES_PER_BATCH:
                self._count(stored)
                yield places, stored, deletes
                places, stored, deletes = [], [], []
        self._count(stored)
        yield places, stored, deletes

    def _count(self, stored: list[bytes]) -> None:
        self._written = (self._written[0] + len(stored), self._written[1] + sum(map(len, stored)))

    def settle(self, limit: int | None = SETTLED_AT_ONCE) -> None:
        """Bring the young generation together with the frozen one, once that is written; ``None``: all of it."""
        frozen = self._frozen
        if frozen is None or self._database.is_waiting:
            return
        move_panes_down(self._young, frozen, sys.maxsize if limit is None else limit)
        if not self._young:
            self._young, self._frozen = frozen, None
            self._measure()

    @property
    def is_layered(self) -> bool:
        """Whether there is a frozen generation."""
        return self._frozen is not None

    def _measure(self) -> None:
        self._cache.measured(*self._written)
        self._written = (0, 0)

    def forget(self, place: bytes, data: bytes) -> Entry | None:
        """What to write for an expired entry when it has not changed since; its map leaves the cache."""
        namespace, key, _ = self.bytes.originals(place, data)
        if (namespace, key) in self._changed:
            return None
        for generation in (self._young, self._frozen or {}, self._old):
            generation.get(namespace, {}).pop(key, None)
        return place, b""

    def load(self, chunk: EntryChunk) -> None:
        """Write maps of a snapshot to the database; nothing is cached yet."""
        puts: list[Entry] = []
        namespaces = chunk.namespaces or repeat(VOID_NAMESPACE)
        for namespace, key, pairs in zip(namespaces, chunk.keys, chunk.values, strict=False):
            for map_key, value in pairs.items():
                place = self.bytes.own_map_place(namespace, key, map_key)
                pair = (self.next_number, value)
                puts.append((place, self.bytes.stored_pair(namespace, key, map_key, pair)))
                self.next_number += 1
        self._database.write_entries(puts)
        self.has_stored = self.has_stored or bool(puts)

    def convert(self, change: Conversion) -> None:
        """Change all stored maps to ``change(stored, key)``, as when a restored state gets another type or a time to live.

        Nothing is cached yet.
        """
        entries = self.bytes
        for group in entries.key_groups:
            puts: list[Entry] = []
            deletes: list[bytes] = []
            for place, data in self._database.scan(entries.group_prefix(group)):
                namespace, key, map_key = entries.originals(place, data)
                number, value = entries.pair(data)
                ((new_map_key, new_value),) = change({map_key: value}, key).items()
                new_place = entries.map_place(namespace, key, new_map_key)
                if new_place != place:
                    deletes.append(place)
                pair = (number, new_value)
                puts.append((new_place, entries.stored_pair(namespace, key, new_map_key, pair)))
            self._database.write([], [], deletes)
            self._database.write_entries(puts)


class MapPane(MutableMapping[Any, Any]):
    """The maps of a namespace, each as a dictionary of its own."""

    __slots__ = ("_namespace", "_table")

    def __init__(self, table: RocksDBMapTable, namespace: Any) -> None:
        self._table = table
        self._namespace = namespace

    def __getitem__(self, key: Any) -> dict[Any, Any]:
        pairs = self._table.items(self._namespace, key)
        if not pairs:
            raise KeyError(key)
        return dict(pairs)

    def __setitem__(self, key: Any, value: dict[Any, Any] | None) -> None:
        table, namespace = self._table, self._namespace
        new = value or {}
        old = table.items(namespace, key)
        for map_key, _ in old:
            if map_key not in new:
                table.remove(namespace, key, map_key)
        for map_key, stored in new.items():
            table.put(namespace, key, map_key, stored)

    def __delitem__(self, key: Any) -> None:
        if self._table.is_empty(self._namespace, key):
            raise KeyError(key)
        self._table.clear(self._namespace, key)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._table.keys(self._namespace))

    def __len__(self) -> int:
        return len(self._table.keys(self._namespace))


class RocksDBMapHandle(MapState[Any, Any]):
    """A map per key."""

    __slots__ = ("_backend", "_namespace", "_table")

    def __init__(self, backend: HasCurrentKey, table: RocksDBMapTable, namespace: Any) -> None:
        self._backend = backend
        self._table = table
        self._namespace = namespace

    def get(self, key: Any) -> Any:
        found = self._table.find(self._namespace, self._backend.current_key, key)
        return None if found is None else found[1]

    def put(self, key: Any, value: Any) -> None:
        self._table.put(self._namespace, self._backend.current_key, key, value)

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        for key, value in dict_value.items():
            self._table.put(self._namespace, self._backend.current_key, key, value)

    def remove(self, key: Any) -> None:
        self._table.remove(self._namespace, self._backend.current_key, key)

    def contains(self, key: Any) -> bool:
        return self._table.find(self._namespace, self._backend.current_key, key) is not None

    def items(self) -> list[tuple[Any, Any]]:
        return self._table.items(self._namespace, self._backend.current_key)

    def keys(self) -> list[Any]:
        return [key for key, _ in self.items()]

    def values(self) -> list[Any]:
        return [value for _, value in self.items()]

    def is_empty(self) -> bool:
        return self._table.is_empty(self._namespace, self._backend.current_key)

    def clear(self) -> None:
        self._table.clear(self._namespace, self._backend.current_key)
