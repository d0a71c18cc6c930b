"""One state with one entry a key and namespace: all kinds but maps.

Objects are cached in dictionaries, under the same loops as those of the hashmap backend; what is missing there is fetched
for a whole batch at a time, and what changed is written out when the cache or a checkpoint asks for it. In the cache, None
means that there is known to be nothing.

There are up to three generations: the young one, where everything comes that is used; the frozen one, which was young at the
last barrier; and the old one. While the changes of the frozen one are being written, nobody touches it, and what is used of
it is copied. After that the young one moves down into it, a part with each batch, and it is the young one again.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from itertools import islice, repeat
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE, EntryChunk, StateMeta, StoredForm
from penstock.data.own_copies import own_copies
from penstock.state.hashmap.table import HashMapTable
from penstock.state.layers import SETTLED_AT_ONCE
from penstock.state.migration import Conversion
from penstock.state.rocksdb.cache import ObjectCache, move_down, move_panes_down
from penstock.state.rocksdb.database import Database, Entry
from penstock.state.rocksdb.entries import EntryBytes
from penstock.state.rocksdb.moment import ENTRIES_PER_BATCH, Batch

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
        self._frozen: HashMapTable | None = None
        self._old = HashMapTable(meta)
        self._written = (0, 0)  # entries and bytes, of those that were written from the frozen generation
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
        self,
        namespace: Any,
        keys: Sequence[Any],
        values: Sequence[Any],
        function: Callable[[Any, Any], Any],
        loop: Callable[[dict[Any, Any], Sequence[Any], Iterable[Any]], None] | None = None,
    ) -> None:
        """Reduce within a namespace."""
        self._run(namespace, keys, lambda table: table.fold_pane(namespace, keys, values, function, loop))

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
        self.settle()
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
        self._carry(namespace, pane, missing)
        missing = missing.difference(pane)  # unlike difference_update, this walks over the smaller one
        if missing:
            self._fetch(namespace, pane, missing)

    def _carry(self, namespace: Any, pane: Pane, missing: set[Any]) -> None:
        """Bring what older generations know to the young one."""
        is_waiting = self._database.is_waiting
        for generation in (self._frozen, self._old):
            known = _pane_of(generation, namespace)
            if known:
                found = known.keys() & missing  # which walks over the smaller one
                stored: Sequence[Any] = list(map(known.__getitem__, found))
                pane.update(zip(found, own_copies(stored) if is_waiting else stored, strict=True))
                if len(found) == len(missing):
                    return
                missing = missing - found

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
        else:
            changed |= keys

    def entries_for(self, keys: Iterable[Any]) -> Pane | None:
        """The cached entries without a namespace, for a loop of the operator's own."""
        try:
            different = set(keys)
        except TypeError:
            return None  # the loop that is used then finds the key that cannot be one
        self.settle()
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
            self._carry(namespace, pane, {key})
            if key not in pane:
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
        known: Pane = dict(self._young_pane(namespace))
        self._young.release(namespace)
        for generation in (self._frozen, self._old):
            pane = _pane_of(generation, namespace)
            self._carry(namespace, known, set(pane).difference(known))
        found = [pair for pair in known.items() if pair[1] is not None]
        for place, data in self._scan(namespace):
            _, key = self.bytes.namespace_and_key(place, data)
            if key not in known:
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
        self._changed.pop(namespace, None)
        if self._database.is_waiting:
            self._hide(namespace)
            return popped
        self._old.pop_pane(namespace)
        if self._frozen is not None:
            self._frozen.pop_pane(namespace)
        deletes: list[bytes] = []
        for place, _ in self._scan(namespace):
            deletes.append(place)
            if len(deletes) >= _DELETES_AT_A_TIME:
                self._database.write([], [], deletes)
                deletes = []
        if deletes:
            self._database.write([], [], deletes)
        return popped

    def _hide(self, namespace: Any) -> None:
        """Have nothing in a namespace, while something of it is still to be written."""
        hidden = {self.bytes.namespace_and_key(place, data)[1] for place, data in self._scan(namespace)}
        hidden.update(_pane_of(self._frozen, namespace), _pane_of(self._old, namespace))
        if hidden:
            self._young_pane(namespace).update(dict.fromkeys(hidden))
            self._changed[namespace] = hidden
            self._cache.grown(len(hidden))

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
        known = {
            namespace
            for generation in (self._young, self._frozen, self._old)
            if generation is not None
            for namespace, pane in generation.all_panes()
            if pane.get(key) is not None
        }
        if self.has_stored:
            group = int.from_bytes(self.bytes.place(b"", key)[:2], "big")
            known.update(found for _, found in self.bytes.namespaces_of_group(self._database.frozen(), group))
        for namespace in known:
            if self.get(namespace, key) is not None:
                self.put(namespace, key, None)

    # Between cache and database

    def write_out(self) -> None:
        """Write what has changed to the database."""
        self._database.finish()
        self.settle(None)
        for batch in self._batches(self._young, self._changed, self.has_stored):
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
        self._frozen, self._young = self._young, HashMapTable(self.meta)
        had_stored, self.has_stored = self.has_stored, True
        return self._batches(self._frozen, changed, had_stored)

    def retire(self) -> Iterator[Batch]:
        """Drop the old generation; the young one becomes old. What had changed in it, for the database."""
        self.settle(None)
        self._measure()
        changed, self._changed = self._changed, {}
        self._old, self._young = self._young, HashMapTable(self.meta)
        had_stored, self.has_stored = self.has_stored, self.has_stored or bool(changed)
        return self._batches(self._old, changed, had_stored)

    def _batches(
        self, generation: HashMapTable, changed: dict[Any, set[Any]], has_stored: bool
    ) -> Iterator[Batch]:
        entries = self.bytes
        for namespace, keys in changed.items():
            suffix, pane = entries.suffix(namespace), _pane_of(generation, namespace)
            pending = iter(keys)
            while part := list(islice(pending, ENTRIES_PER_BATCH)):
                values = list(map(pane.get, part))
                deletes: list[bytes] = []
                if type(None) in set(map(type, values)):
                    gone = [key for key, value in zip(part, values, strict=True) if value is None]
                    deletes = entries.places(suffix, gone) if has_stored else []
                    part = [key for key, value in zip(part, values, strict=True) if value is not None]
                    values = [value for value in values if value is not None]
                stored = entries.all_stored(namespace, part, values)
                self._written = (self._written[0] + len(stored), self._written[1] + sum(map(len, stored)))
                yield entries.places(suffix, part), stored, deletes

    def settle(self, limit: int | None = SETTLED_AT_ONCE) -> None:
        """Bring the young generation together with the frozen one, once that is written; ``None``: all of it."""
        frozen, young = self._frozen, self._young
        if frozen is None or self._database.is_waiting:
            return
        if limit is None:
            limit = sys.maxsize
        into: Any = frozen.entries
        pane: Any = young.entries
        count = len(pane)
        doubles = move_down(pane, into, limit)
        if limit > count:
            doubles += move_panes_down(young.panes, frozen.panes, limit - count)
        self._cache.shrunk(doubles)
        if not pane and not young.panes:
            self._young, self._frozen = frozen, None
            self._measure()

    @property
    def is_layered(self) -> bool:
        """Whether there is a frozen generation."""
        return self._frozen is not None

    def _measure(self) -> None:
        self._cache.measured(*self._written)
        self._written = (0, 0)

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

    def convert(self, change: Conversion) -> None:
        """Change all stored values to ``change(stored, key)``, as when a restored state gets another type or a time to live.

        Nothing is cached yet.
        """
        entries = self.bytes
        for group in entries.key_groups:
            puts = []
            for place, data in self._database.scan(entries.group_prefix(group)):
                namespace, key = entries.namespace_and_key(place, data)
                puts.append((place, entries.stored(namespace, key, change(entries.value(data), key))))
            self._database.write_entries(puts)

    def forget(self, place: bytes, data: bytes, kept: Any) -> Entry | None:
        """What to write for an expired entry when it is not cached; it leaves the cache where it is unchanged."""
        namespace, key = self.bytes.namespace_and_key(place, data)
        if key in self._changed.get(namespace, ()):
            return None
        for generation in (self._young, self._frozen, self._old):
            _pane_of(generation, namespace).pop(key, None)
        return place, b"" if kept is None else self.bytes.stored(namespace, key, kept)

    def _young_pane(self, namespace: Any) -> Pane:
        pane: Pane = self._young.pane(namespace)  # type: ignore[assignment]  # never frozen, so a dictionary
        return pane


def _pane_of(generation: HashMapTable | None, namespace: Any) -> Pane:
    """What a generation has of a namespace, which may be nothing; never layered."""
    if generation is None:
        return {}
    pane: Any = generation.entries if namespace is VOID_NAMESPACE else generation.panes.get(namespace, {})
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
