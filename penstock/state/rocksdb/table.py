"""One state with one entry a key and namespace: all kinds but maps.

Objects are cached in dictionaries, under the same loops as those of the hashmap backend; what is missing there is fetched
for a whole batch at a time, and what changed is written out when the cache or a checkpoint asks for it. In the cache, None
means that the database is known to have nothing.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from itertools import repeat
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE, EntryChunk, StateMeta, StoredForm
from penstock.state.hashmap.table import HashMapTable
from penstock.state.rocksdb.cache import MOST_CHANGED, ObjectCache
from penstock.state.rocksdb.database import Database, Entry
from penstock.state.rocksdb.entries import EntryBytes

Pane = dict[Any, Any]
_DELETES_AT_A_TIME = 50_000
_NEW_PANE = 3  # a dictionary of its own takes about as much memory as three entries


class RocksDBTable:
    """The :class:`~penstock.contracts.state.KeyedTable` of the rocksdb backend."""

    def __init__(self, meta: StateMeta, entries: EntryBytes, database: Database, cache: ObjectCache) -> None:
        self.meta = meta
        self.bytes = entries
        self.failed_index = -1
        self.has_stored = False  # whether anything was ever written to the database
        self._database = database
        self._cache = cache
        self._young = HashMapTable(meta)
        self._old = HashMapTable(meta)
        self._changed: dict[Any, set[Any]] = {}
        cache.add(self)

    # Whole batches

    def fold(
        self, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> list[Any]:
        """Running reduce; see :class:`~penstock.contracts.state.KeyedTable`."""
        results: list[Any] = self._run(VOID_NAMESPACE, keys, lambda table: table.fold(keys, values, function))
        return results

    def fold_pane(
        self, namespace: Any, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> None:
        """Reduce within a namespace."""
        self._run(namespace, keys, lambda table: table.fold_pane(namespace, keys, values, function))

    def aggregate_pane(
        self, namespace: Any, keys: Sequence[Any], values: Sequence[Any], function: Any
    ) -> None:
        """Aggregate within a namespace."""
        self._run(namespace, keys, lambda table: table.aggregate_pane(namespace, keys, values, function))

    def append_pane(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Append within a namespace."""
        self._run(namespace, keys, lambda table: table.append_pane(namespace, keys, values))

    def _run(self, namespace: Any, keys: Sequence[Any], loop: Callable[[HashMapTable], Any]) -> Any:
        """Have a loop of the hashmap backend work on cached objects; afterwards all keys of the batch count as changed."""
        young = self._young
        pane = self._young_pane(namespace)
        before = len(pane)
        try:
            different = set(keys)
        except TypeError:
            # A key that cannot be one: the loop finds it, after those before it.
            usable = _hashable_before(keys)
            self._know(namespace, pane, set(usable))
            different = set(usable)
        else:
            self._know(namespace, pane, different)
        young.failed_index = -1
        try:
            return loop(young)
        finally:
            self.failed_index = young.failed_index
            self._change_all(namespace, different)
            self._cache.grown(len(pane) - before)

    def _know(self, namespace: Any, pane: Pane, keys: set[Any]) -> None:
        """Bring what is stored under keys to the young generation."""
        missing = keys.difference(pane)
        if not missing:
            return
        old = self._old_pane(namespace)
        if old:
            for key in missing.intersection(old):
                pane[key] = old[key]
            missing.difference_update(pane)
        if missing:
            self._fetch(namespace, pane, missing)

    def _fetch(self, namespace: Any, pane: Pane, keys: Iterable[Any]) -> None:
        if not self.has_stored:
            pane.update(dict.fromkeys(keys))
            return
        entries = self.bytes
        in_any_order = list(keys)
        places = entries.places(entries.suffix(namespace), in_any_order, is_own=False)
        # Neighbours are in one block.
        order = sorted(range(len(places)), key=places.__getitem__)
        found = self._database.get_many([places[at] for at in order])
        count = size = 0
        for at, data in zip(order, found, strict=True):
            if data is None:
                pane[in_any_order[at]] = None
            else:
                pane[in_any_order[at]] = entries.value(data)
                count += 1
                size += len(data)
        self._cache.measured(count, size)

    def _change_all(self, namespace: Any, keys: set[Any]) -> None:
        changed = self._changed.get(namespace)
        if changed is None:
            self._changed[namespace] = keys
            return
        changed |= keys
        if len(changed) >= MOST_CHANGED:
            self.write_out()

    def entries_for(self, keys: Sequence[Any]) -> Pane | None:
        """The cached entries without a namespace, for a loop of the operator's own."""
        try:
            different = set(keys)
        except TypeError:
            return None  # the loop that is used then finds the key that cannot be one
        changed = self._changed.get(VOID_NAMESPACE, ())
        if len(changed) + len(different) >= MOST_CHANGED:
            self.write_out()
        pane = self._young_pane(VOID_NAMESPACE)
        self._cache.grown(len(different.difference(pane)))
        pane = self._young_pane(VOID_NAMESPACE)
        self._know(VOID_NAMESPACE, pane, different)
        for key in different:
            if pane[key] is None:
                del pane[key]
        self._changed.setdefault(VOID_NAMESPACE, set()).update(different)
        return pane

    # Single entries

    def get(self, namespace: Any, key: Any) -> Any:
        """What is stored under a key, or None."""
        pane = self._young_pane(namespace)
        try:
            return pane[key]
        except KeyError:
            old = self._old_pane(namespace)
            if key in old:
                pane[key] = old[key]
            else:
                self._fetch(namespace, pane, (key,))
            stored = pane[key]
            self._cache.grown(1)
            return stored

    def put(self, namespace: Any, key: Any, stored: Any) -> None:
        """Store something under a key; None forgets it."""
        pane = self._young_pane(namespace)
        before = len(pane)
        pane[key] = stored
        changed = self._changed.get(namespace)
        if changed is None:
            changed = self._changed[namespace] = set()
        changed.add(key)
        if len(pane) > before:
            self._cache.grown(1 if before else _NEW_PANE)
        elif len(changed) >= MOST_CHANGED:
            self.write_out()

    def entries(self, namespace: Any) -> "CachedEntries":
        """The entries of a namespace, for handles."""
        return CachedEntries(self, namespace)

    def compact(self, form: StoredForm | None) -> bool:
        """Nothing but None: values have one form in the database."""
        return form is None

    def pane(self, namespace: Any) -> MutableMapping[Any, Any]:
        """The entries of a namespace, as a mapping."""
        return CachedPane(self, namespace)

    # Whole panes

    def items(self, namespace: Any) -> list[tuple[Any, Any]]:
        """Key and stored value of all entries of a namespace: first those that are cached."""
        young, old = self._young.pane(namespace), self._old_pane(namespace)
        found = [pair for pair in young.items() if pair[1] is not None]
        found += [pair for pair in old.items() if pair[1] is not None and pair[0] not in young]
        self._young.release(namespace)
        for place, data in self._scan(namespace):
            _, key = self.bytes.namespace_and_key(place, data)
            if key not in young and key not in old:
                found.append((key, self.bytes.value(data)))
        return found

    def _scan(self, namespace: Any) -> Iterator[Entry]:
        if not self.has_stored:
            return iter(())
        return self._database.scan_groups(self.bytes.key_groups, self.bytes.suffix(namespace))

    def pop_pane(self, namespace: Any) -> Pane:
        """Remove a namespace and return what was in it."""
        popped = dict(self.items(namespace))
        self._young.pop_pane(namespace)
        self._old.pop_pane(namespace)
        self._changed.pop(namespace, None)
        deletes: list[bytes] = []
        for place, _ in self._scan(namespace):
            deletes.append(place)
            if len(deletes) >= _DELETES_AT_A_TIME:
                self._database.write([], [], deletes)
                deletes = []
        if deletes:
            self._database.write([], [], deletes)
        return popped

    def release(self, namespace: Any) -> None:
        """Forget the cached dictionary of a namespace when nothing is in it."""
        self._young.release(namespace)

    def namespaces(self) -> list[Any]:
        """All namespaces with entries."""
        self.write_out()
        if not self.has_stored:
            return []
        return list(dict.fromkeys(namespace for _, namespace in self.bytes.namespaces(self._database)))

    def clear_key(self, key: Any) -> None:
        """Forget a key in every namespace."""
        self.write_out()
        for generation in (self._young, self._old):
            for _, pane in generation.all_panes():
                pane.pop(key, None)
        if not self.has_stored:
            return
        entries = self.bytes
        group = int.from_bytes(entries.place(b"", key)[:2], "big")
        cursor = self._database.frozen()
        places = [entries.place(suffix, key) for suffix, _ in entries.namespaces_of_group(cursor, group)]
        self._database.write([], [], places)

    # Between cache and database

    def write_out(self) -> None:
        """Write what has changed to the database."""
        entries = self.bytes
        places: list[bytes] = []
        stored: list[bytes] = []
        deletes: list[bytes] = []
        for namespace, changed in self._changed.items():
            suffix = entries.suffix(namespace)
            keys = list(changed)
            values = list(map(self._young_pane(namespace).get, keys))
            if any(value is None for value in values):
                gone = [key for key, value in zip(keys, values, strict=True) if value is None]
                deletes += entries.places(suffix, gone)
                keys = [key for key, value in zip(keys, values, strict=True) if value is not None]
                values = [value for value in values if value is not None]
            places += entries.places(suffix, keys)
            stored += entries.all_stored(namespace, keys, values)
        if self.has_stored or places:
            self._database.write(places, stored, deletes if self.has_stored else ())
            self.has_stored = True
        self._changed.clear()
        self._cache.measured(len(places), sum(map(len, stored)))

    def rotate(self) -> None:
        """Drop the old generation of cached objects; the young one becomes old."""
        self._old, self._young = self._young, HashMapTable(self.meta)

    def load(self, chunk: EntryChunk) -> None:
        """Write entries of a snapshot to the database; nothing is cached yet."""
        entries = self.bytes
        namespaces = chunk.namespaces or repeat(VOID_NAMESPACE)
        puts = [
            (
                entries.own_place(entries.suffix(namespace), key),
                entries.stored(namespace, key, stored),
            )
            for namespace, key, stored in zip(namespaces, chunk.keys, chunk.values, strict=False)
        ]
        self._database.write_entries(puts)
        self.has_stored = self.has_stored or bool(puts)

    def convert(self, change: Callable[[Any], Any]) -> None:
        """Change all stored values, as when a state gets or loses its time to live; nothing is cached yet."""
        entries = self.bytes
        for group in entries.key_groups:
            puts = []
            for place, data in self._database.scan(entries.group_prefix(group)):
                namespace, key = entries.namespace_and_key(place, data)
                puts.append((place, entries.stored(namespace, key, change(entries.value(data)))))
            self._database.write_entries(puts)

    def decoded(self, scanned: Iterable[Entry]) -> Iterator[tuple[Any, Any, Any]]:
        """Namespace, key and stored value of entries."""
        for place, data in scanned:
            namespace, key = self.bytes.namespace_and_key(place, data)
            yield namespace, key, self.bytes.value(data)

    def forget(self, place: bytes, data: bytes, kept: Any) -> Entry | None:
        """What to write for an expired entry when it is not cached; it leaves the cache where it is unchanged."""
        namespace, key = self.bytes.namespace_and_key(place, data)
        if key in self._changed.get(namespace, ()):
            return None
        for generation in (self._young, self._old):
            pane = generation.entries if namespace is VOID_NAMESPACE else generation.panes.get(namespace, {})
            pane.pop(key, None)
        return place, b"" if kept is None else self.bytes.stored(namespace, key, kept)

    def _young_pane(self, namespace: Any) -> Pane:
        pane: Pane = self._young.pane(namespace)  # type: ignore[assignment]  # never frozen, so a dictionary
        return pane

    def _old_pane(self, namespace: Any) -> Pane:
        old = self._old
        pane: Any = old.entries if namespace is VOID_NAMESPACE else old.panes.get(namespace, {})
        found: Pane = pane
        return found


def _hashable_before(keys: Sequence[Any]) -> list[Any]:
    usable = []
    for key in keys:
        try:
            hash(key)
        except TypeError:
            break
        usable.append(key)
    return usable


class CachedEntries:
    """What handles use in place of a dictionary."""

    __slots__ = ("_namespace", "_table")

    def __init__(self, table: RocksDBTable, namespace: Any) -> None:
        self._table = table
        self._namespace = namespace

    @property
    def entries(self) -> "CachedEntries":
        """Itself: handles ask this as they ask a table of the hashmap backend."""
        return self

    def get(self, key: Any) -> Any:
        return self._table.get(self._namespace, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._table.put(self._namespace, key, value)

    def pop(self, key: Any, default: Any) -> Any:
        stored = self._table.get(self._namespace, key)
        if stored is None:
            return default
        self._table.put(self._namespace, key, None)
        return stored


class CachedPane(MutableMapping[Any, Any]):
    """The entries of a namespace; walking over them goes through the database."""

    __slots__ = ("_namespace", "_table")

    def __init__(self, table: RocksDBTable, namespace: Any) -> None:
        self._table = table
        self._namespace = namespace

    def get(self, key: Any, default: Any = None) -> Any:
        stored = self._table.get(self._namespace, key)
        return default if stored is None else stored

    def __getitem__(self, key: Any) -> Any:
        stored = self._table.get(self._namespace, key)
        if stored is None:
            raise KeyError(key)
        return stored

    def __setitem__(self, key: Any, value: Any) -> None:
        self._table.put(self._namespace, key, value)

    def __delitem__(self, key: Any) -> None:
        if self._table.get(self._namespace, key) is None:
            raise KeyError(key)
        self._table.put(self._namespace, key, None)

    def __iter__(self) -> Iterator[Any]:
        return iter([key for key, _ in self._table.items(self._namespace)])

    def items(self) -> Any:
        return self._table.items(self._namespace)

    def values(self) -> Any:
        return [stored for _, stored in self._table.items(self._namespace)]

    def __len__(self) -> int:
        return len(self._table.items(self._namespace))
