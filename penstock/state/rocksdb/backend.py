"""The keyed state backend ``rocksdb``."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.state import (
    VOID_NAMESPACE,
    AggregatingStateDescriptor,
    KeyedStateSnapshot,
    ListStateDescriptor,
    NativeState,
    ReducingStateDescriptor,
    StateDescriptor,
    StateEntries,
    StateKind,
    StateMeta,
)
from penstock.contracts.timers import Timers
from penstock.data.keys import key_group_range
from penstock.data.saved_classes import Reference
from penstock.errors import ProgramError, StateError
from penstock.ids import new_name
from penstock.state.hashmap.handles import (
    AggregatingHandle,
    ListHandle,
    ReducingHandle,
    ValueHandle,
    checked_list,
    no_none,
)
from penstock.state.keyed_access import KeyedStateAccess, merge_entries, of_declared_type
from penstock.state.migration import Conversion, conversion_to
from penstock.state.rocksdb.adoption import adopt, by_share, copy_entries, may_adopt, states_of
from penstock.state.rocksdb.cache import ObjectCache
from penstock.state.rocksdb.cleanup import DatabaseSweep
from penstock.state.rocksdb.database import Cursor, Database, SharedMemory, Shown
from penstock.state.rocksdb.entries import EntryBytes
from penstock.state.rocksdb.map_bytes import MapEntryBytes
from penstock.state.rocksdb.map_table import RocksDBMapHandle, RocksDBMapTable
from penstock.state.rocksdb.moment import MomentView
from penstock.state.rocksdb.native import StoredState, native_state
from penstock.state.rocksdb.settings import RocksDBSettings
from penstock.state.rocksdb.snapshot import FrozenEntries, Table, load_entries
from penstock.state.rocksdb.table import RocksDBTable
from penstock.state.rocksdb.timer_bytes import TimerBytes
from penstock.state.rocksdb.timers import StoredTimers
from penstock.state.rocksdb.working_directory import WorkingDirectory
from penstock.state.timers import KeyedTimers
from penstock.state.ttl import Lifetime, unstamp, with_ttl


class RocksDBKeyedStateBackend(KeyedStateAccess):
    """Keyed state of one operator in one subtask, in a database of its own.

    >>> from penstock.contracts.state import ValueStateDescriptor
    >>> backend = RocksDBKeyedStateBackend(128)
    >>> count = backend.get_state(ValueStateDescriptor("count", default_value=0))
    >>> backend.current_key = "a"
    >>> count.update(count.value() + 1)
    >>> count.value()
    1
    >>> backend.close()
    """

    def __init__(
        self,
        max_parallelism: int,
        key_groups: range | None = None,
        clock: Clock = SYSTEM_CLOCK,
        settings: RocksDBSettings | None = None,
        memory: SharedMemory | None = None,
        number: int = 0,
    ) -> None:
        """``number`` chooses among the directories of the settings."""
        super().__init__()
        self._settings = settings = settings or RocksDBSettings()
        self._max_parallelism = max_parallelism
        self._key_groups = key_group_range(max_parallelism, 1, 0) if key_groups is None else key_groups
        self._clock = clock
        memory = memory or SharedMemory(settings)
        self._directory = settings.directories[number % len(settings.directories)]
        directory = WorkingDirectory(self._directory)
        try:
            self._database = Database(directory, settings, memory)
        except BaseException:
            directory.close()
            raise
        self._cache = ObjectCache(settings.object_cache_bytes, self._database)
        self._tables: dict[str, Table] = {}
        self._timers: dict[str, StoredTimers] = {}
        self._numbered: list[Table | StoredTimers] = []  # all of them, by their numbers in the database
        self._handles: dict[str, tuple[StateDescriptor, Any]] = {}
        self._lifetimes: dict[str, Lifetime] = {}
        self._sweeps: list[DatabaseSweep] = []
        self._is_settling = False
        self._name = new_name()
        self._remembered: dict[str, Any] = {}
        self._is_open = True

    # Handles

    def get_partitioned_state(self, namespace: Any, descriptor: StateDescriptor) -> Any:
        if namespace is not VOID_NAMESPACE:
            return self._checked_handle(descriptor, namespace)
        known = self._handles.get(descriptor.name)
        if known is not None and known[0] is descriptor:
            return known[1]
        handle = self._checked_handle(descriptor, namespace)
        self._handles[descriptor.name] = (descriptor, handle)
        return handle

    def _checked_handle(self, descriptor: StateDescriptor, namespace: Any) -> Any:
        table = self._table(descriptor)
        return of_declared_type(descriptor, lambda one: self._make_handle(one, table, namespace), self)

    def _make_handle(self, descriptor: StateDescriptor, table: Table, namespace: Any) -> Any:
        lifetime = self._lifetimes.get(descriptor.name)
        handle: Any
        if isinstance(table, RocksDBMapTable):
            handle = RocksDBMapHandle(self, table, namespace)
            return handle if lifetime is None else with_ttl(descriptor, handle, lifetime)
        entries: Any = table.entries(namespace)
        if isinstance(descriptor, ListStateDescriptor):
            handle = RocksDBListHandle(self, entries, descriptor.name)
        elif lifetime is not None:
            handle = ValueHandle(self, entries)
        elif isinstance(descriptor, ReducingStateDescriptor):
            handle = ReducingHandle(self, entries, descriptor.reduce)
        elif isinstance(descriptor, AggregatingStateDescriptor):
            handle = AggregatingHandle(self, entries, descriptor.get_agg_function())
        else:
            handle = ValueHandle(self, entries, getattr(descriptor, "default_value", None))
        return handle if lifetime is None else with_ttl(descriptor, handle, lifetime)

    # Tables

    def table(self, descriptor: StateDescriptor) -> Table:
        table = self._table(descriptor)
        if table.meta.ttl:
            raise ProgramError(
                f"state {descriptor.name!r} has a time to live, so it can be used through handles only"
            )
        return table

    def _table(self, descriptor: StateDescriptor) -> Table:
        """The table of a state, made or checked against what is there."""
        meta = StateMeta(
            descriptor.name, descriptor.kind, descriptor.type_text, descriptor.ttl_config is not None
        )
        table = self._tables.get(descriptor.name)
        if table is None:
            table = self._new_table(meta)
        elif table.meta.kind is not meta.kind:
            raise StateError(
                f"state {descriptor.name!r} is {table.meta.kind.value} state and cannot become {meta.kind.value} state: "
                "give the new one another name"
            )
        if meta.ttl and descriptor.name not in self._lifetimes:
            self._start_lifetime(descriptor, table)
        if table.meta != meta:
            convert = conversion_to(descriptor, table.meta)
            if convert is not None:
                table.convert(convert)
            if table.meta.ttl != meta.ttl:
                table.convert(self._ttl_change(meta))
            table.meta = meta
        return table

    def _new_table(self, meta: StateMeta, classes: Sequence[Reference] = ()) -> Table:
        number = len(self._numbered)
        table: Table
        if meta.kind is StateKind.MAP:
            map_entries = MapEntryBytes(meta.name, number, self._max_parallelism, self._key_groups, classes)
            table = RocksDBMapTable(meta, map_entries, self._database, self._cache)
        else:
            entries = EntryBytes(meta.name, number, self._max_parallelism, self._key_groups, classes)
            table = RocksDBTable(meta, entries, self._database, self._cache)
        self._tables[meta.name] = table
        self._numbered.append(table)
        return table

    def timers(self, name: str) -> Timers:
        if self._settings.has_timers_on_heap:
            return KeyedTimers(name, self._max_parallelism, self._key_groups)
        return self._timers.get(name) or self._new_timers(StateMeta(name, StateKind.TIMERS))

    def _new_timers(
        self, meta: StateMeta, classes: Sequence[Reference] = (), is_adopted: bool = False
    ) -> StoredTimers:
        number = len(self._numbered)
        entries = TimerBytes(meta.name, number, self._max_parallelism, self._key_groups, classes)
        most_near = self._settings.timers_per_key_group * len(self._key_groups)
        made = StoredTimers(meta, entries, self._database, most_near, is_adopted)
        self._timers[meta.name] = made
        self._numbered.append(made)
        return made

    def _start_lifetime(self, descriptor: StateDescriptor, table: Table) -> None:
        config = descriptor.ttl_config
        if config is None:
            return
        lifetime = self._lifetimes[descriptor.name] = Lifetime(config, descriptor.kind, self._clock)
        cleanup = config.get_cleanup_strategies().get_incremental_cleanup_strategy()
        if cleanup is not None:
            sweep = DatabaseSweep(
                lifetime,
                table,
                self._database,
                cleanup.get_cleanup_size(),
                cleanup.run_cleanup_for_every_record(),
            )
            lifetime.on_access = sweep.access
            self._sweeps.append(sweep)

    def _ttl_change(self, meta: StateMeta) -> Conversion:
        """How restored values change when the program has given the state a time to live, or taken it away."""
        if not meta.ttl:
            return lambda stored, _: unstamp(meta.kind, stored)
        stamp = self._lifetimes[meta.name].stamp
        return lambda stored, _: stamp(stored)

    # Whole states

    def merge_namespaces(self, descriptor: StateDescriptor, target: Any, sources: Iterable[Any]) -> None:
        table = self._table(descriptor)
        others = [source for source in sources if source != target]
        if isinstance(table, RocksDBTable):
            found = [table.entries(source) for source in others]
            merge_entries(descriptor, self.current_key, table.entries(target), found)
        else:
            merge_entries(descriptor, self.current_key, {}, [])  # which says that maps cannot be merged

    def keys(self, state_name: str, namespace: Any = VOID_NAMESPACE) -> list[Any]:
        table = self._tables.get(state_name)
        if table is None:
            return []
        if isinstance(table, RocksDBMapTable):
            return table.keys(namespace)
        return [key for key, _ in table.items(namespace)]

    def clear_key(self, key: Any) -> None:
        for table in self._tables.values():
            table.clear_key(key)

    def after_records(self, count: int) -> None:
        for sweep in self._sweeps:
            if sweep.every_record:
                sweep.step(count * sweep.size)
        if self._is_settling:
            self._settle()

    def _settle(self) -> None:
        """Go on with what a snapshot has left to do."""
        if self._database.is_waiting:
            self._database.go_on()
            return
        for table in self._tables.values():
            table.settle()
        self._is_settling = any(table.is_layered for table in self._tables.values())

    # Snapshots

    def snapshot(self, checkpoint_id: int = 0) -> KeyedStateSnapshot:
        if any(table.is_layered for table in self._tables.values()) or any(
            timers.is_layered for timers in self._timers.values()
        ):
            self._database.finish()
        numbered = self._numbered
        batches = chain.from_iterable([each.freeze() for each in numbered])
        view = self._database.hold(batches, len(numbered), self._settings.is_incremental)
        states: dict[str, StateEntries] = {}
        for number, each in enumerate(numbered):
            name = each.meta.name
            if isinstance(each, StoredTimers):
                each.show(partial(_cursor, view, number, f"timers {name!r}"))
            else:
                cursor = partial(_cursor, view, number, f"state {name!r}")
                states[name] = FrozenEntries(each.meta, each.bytes, cursor, self._keep_in_snapshot(name))
        native = self._native(view) if self._settings.is_incremental and numbered else None
        self._is_settling = True
        return KeyedStateSnapshot(self._max_parallelism, states, native, view.release)

    def _native(self, view: MomentView) -> Callable[[], NativeState]:
        stored = [
            StoredState(
                each.meta,
                each.next_number if isinstance(each, RocksDBMapTable) else 0,
                each.bytes.pickles.classes,
            )
            for each in self._numbered
        ]
        return partial(native_state, partial(_directory, view), stored, self._name, self._remembered)

    def _keep_in_snapshot(self, name: str) -> Callable[[Any], Any] | None:
        lifetime = self._lifetimes.get(name)
        if lifetime is None or not lifetime.filters_snapshots:
            return None
        deadline = lifetime.deadline()
        return lambda stored: lifetime.unexpired(stored, deadline)

    def restore(self, snapshots: list[KeyedStateSnapshot], key_groups: range) -> None:
        self._key_groups = key_groups
        if len(snapshots) == 1 and not self._numbered and self._adopt(snapshots[0]):
            return
        for snapshot in snapshots:
            if snapshot.max_parallelism != self._max_parallelism:
                raise StateError(
                    f"the state was saved with a maximum parallelism of {snapshot.max_parallelism}, and the operator now has "
                    f"{self._max_parallelism}: it cannot change; set it to {snapshot.max_parallelism}"
                )
            for name, state in snapshot.states.items():
                table = self._tables.get(name) or self._new_table(state.meta)
                if table.meta.kind is not state.meta.kind or table.meta.ttl != state.meta.ttl:
                    raise StateError(
                        f"the parts of state {name!r} do not fit together: {table.meta} and {state.meta}"
                    )
                load_entries(table, state, key_groups)

    def _adopt(self, snapshot: KeyedStateSnapshot) -> bool:
        """Begin with the files of an incremental checkpoint, if that is what is restored and all of it is known."""
        sources = by_share(snapshot.sources, self._key_groups)
        if not sources or snapshot.max_parallelism != self._max_parallelism:
            return False
        states = states_of(sources)
        if not may_adopt(states, self._settings.has_timers_on_heap):
            return False
        for state in states:
            if state.meta.kind is StateKind.TIMERS:
                self._new_timers(state.meta, state.classes, is_adopted=True)
                continue
            table = self._new_table(state.meta, state.classes)
            table.has_stored = True
            if isinstance(table, RocksDBMapTable) and state.next_number is not None:
                table.next_number = state.next_number
        adopt(self._database, sources[0], self._key_groups, states)
        self._remembered.update(sources[0].remembered)
        for source in sources[1:]:
            copy_entries(self._database, source, self._key_groups, states, self._directory)
        return True

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._tables.clear()
        self._timers.clear()
        self._numbered.clear()
        self._handles.clear()
        self._lifetimes.clear()
        self._sweeps.clear()
        self._database.close()


def _cursor(view: MomentView, number: int, whose: str) -> Cursor:
    shown: Shown = view.seen(whose)
    return shown.cursors[number]


def _directory(view: MomentView) -> str:
    shown: Shown = view.seen("keyed state")
    return shown.directory or ""


class RocksDBListHandle(ListHandle):
    """A list per key, assigned again after each change."""

    __slots__ = ()

    def add(self, value: Any) -> None:
        if value is None:
            raise no_none(self._name)
        self._extend([value])

    def add_all(self, values: Iterable[Any]) -> None:
        new = checked_list(values, self._name)
        if new:
            self._extend(new)

    def _extend(self, new: list[Any]) -> None:
        key = self._backend.current_key
        entries = self._holder.entries
        stored = entries.get(key)
        if stored is not None:
            stored += new
        entries[key] = new if stored is None else stored
