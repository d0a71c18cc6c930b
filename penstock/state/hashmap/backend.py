"""The keyed state backend ``hashmap``."""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.state import (
    VOID_NAMESPACE,
    AggregatingState,
    AggregatingStateDescriptor,
    KeyedStateBackend,
    KeyedStateSnapshot,
    KeyedStateStore,
    ListState,
    ListStateDescriptor,
    MapState,
    MapStateDescriptor,
    ReducingState,
    ReducingStateDescriptor,
    State,
    StateDescriptor,
    StateKind,
    StateMeta,
    ValueState,
    ValueStateDescriptor,
)
from penstock.data.keys import KeyRouter, key_group_range
from penstock.errors import ProgramError, StateError
from penstock.state.hashmap.handles import (
    AggregatingHandle,
    ListHandle,
    MapHandle,
    ReducingHandle,
    ValueHandle,
)
from penstock.state.hashmap.snapshot import read_into, write_table
from penstock.state.hashmap.table import Entries, HashMapTable, NamespaceEntries
from penstock.state.ttl import Lifetime, Sweep, unstamp, with_ttl


class _NoKey:
    """Stands for the current key before there is one: the first dictionary that is asked for it says what is wrong."""

    __slots__ = ()

    def __hash__(self) -> NoReturn:
        raise StateError(
            "keyed state was used outside of the processing of a record: "
            "use it in process_element or on_timer; in open, only ask for the handle"
        )

    def __repr__(self) -> str:
        return "<no current key>"


NO_KEY = _NoKey()


class HashMapStateBackend(KeyedStateBackend):
    """Keyed state of one operator in one subtask, as Python objects in memory.

    >>> backend = HashMapStateBackend(128)
    >>> count = backend.get_state(ValueStateDescriptor("count", default_value=0))
    >>> backend.current_key = "a"
    >>> count.update(count.value() + 1)
    >>> backend.current_key = "b"
    >>> count.value()
    0
    """

    __slots__ = (
        "_clock",
        "_handles",
        "_key_groups",
        "_lifetimes",
        "_max_parallelism",
        "_sweeps",
        "_tables",
        "current_key",
    )

    def __init__(
        self, max_parallelism: int, key_groups: range | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.current_key: Any = NO_KEY
        self._max_parallelism = max_parallelism
        self._key_groups = key_group_range(max_parallelism, 1, 0) if key_groups is None else key_groups
        self._clock = clock
        self._tables: dict[str, HashMapTable] = {}
        self._handles: dict[str, tuple[StateDescriptor, Any]] = {}
        self._lifetimes: dict[str, Lifetime] = {}
        self._sweeps: list[Sweep] = []

    def set_current_key(self, key: Any) -> None:
        self.current_key = key

    # Handles

    def get_state(self, state_descriptor: ValueStateDescriptor) -> ValueState[Any]:
        handle: ValueState[Any] = self._get(StateKind.VALUE, state_descriptor, VOID_NAMESPACE)
        return handle

    def get_list_state(self, state_descriptor: ListStateDescriptor) -> ListState[Any]:
        handle: ListState[Any] = self._get(StateKind.LIST, state_descriptor, VOID_NAMESPACE)
        return handle

    def get_map_state(self, state_descriptor: MapStateDescriptor) -> MapState[Any, Any]:
        handle: MapState[Any, Any] = self._get(StateKind.MAP, state_descriptor, VOID_NAMESPACE)
        return handle

    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor) -> ReducingState[Any]:
        handle: ReducingState[Any] = self._get(StateKind.REDUCING, state_descriptor, VOID_NAMESPACE)
        return handle

    def get_aggregating_state(
        self, state_descriptor: AggregatingStateDescriptor
    ) -> AggregatingState[Any, Any]:
        handle: AggregatingState[Any, Any] = self._get(
            StateKind.AGGREGATING, state_descriptor, VOID_NAMESPACE
        )
        return handle

    def store(self, namespace: Any) -> KeyedStateStore:
        return self if namespace is VOID_NAMESPACE else NamespaceStore(self, namespace)

    def _get(self, kind: StateKind, descriptor: Any, namespace: Any) -> Any:
        if getattr(descriptor, "kind", None) is not kind:
            raise ProgramError(
                f"{descriptor!r} does not describe {kind.value} state: use the method that belongs to its descriptor"
            )
        return self.get_partitioned_state(namespace, descriptor)

    def get_partitioned_state(self, namespace: Any, descriptor: StateDescriptor) -> Any:
        if namespace is not VOID_NAMESPACE:
            table = self._table(descriptor)
            return self._make_handle(descriptor, NamespaceEntries(table, namespace))
        known = self._handles.get(descriptor.name)
        if known is not None and known[0] is descriptor:
            return known[1]
        handle = self._make_handle(descriptor, self._table(descriptor).void)
        self._handles[descriptor.name] = (descriptor, handle)
        return handle

    def _make_handle(self, descriptor: StateDescriptor, entries: Entries) -> Any:
        lifetime = self._lifetimes.get(descriptor.name)
        handle: Any
        if isinstance(descriptor, ListStateDescriptor):
            handle = ListHandle(self, entries, descriptor.name)
        elif isinstance(descriptor, MapStateDescriptor):
            handle = MapHandle(self, entries)
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

    def table(self, descriptor: StateDescriptor) -> HashMapTable:
        table = self._table(descriptor)
        if table.meta.ttl:
            raise ProgramError(
                f"state {descriptor.name!r} has a time to live, so it can be used through handles only"
            )
        return table

    def _table(self, descriptor: StateDescriptor) -> HashMapTable:
        """The table of a state, made or checked against what is there."""
        meta = StateMeta(
            descriptor.name, descriptor.kind, descriptor.type_text, descriptor.ttl_config is not None
        )
        table = self._tables.get(descriptor.name)
        if table is None:
            table = self._tables[descriptor.name] = HashMapTable(meta)
        elif table.meta.kind is not meta.kind:
            raise StateError(
                f"state {descriptor.name!r} is {table.meta.kind.value} state and cannot become {meta.kind.value} state: "
                "give the new one another name"
            )
        if meta.ttl and descriptor.name not in self._lifetimes:
            self._start_lifetime(descriptor, table)
        if table.meta != meta:
            self._change_ttl(table, meta)
            table.meta = meta
        return table

    def _start_lifetime(self, descriptor: StateDescriptor, table: HashMapTable) -> None:
        config = descriptor.ttl_config
        if config is None:
            return
        lifetime = self._lifetimes[descriptor.name] = Lifetime(config, descriptor.kind, self._clock)
        cleanup = config.get_cleanup_strategies().get_incremental_cleanup_strategy()
        if cleanup is not None:
            sweep = Sweep(
                lifetime,
                lambda: [pane for _, pane in table.all_panes()],
                cleanup.get_cleanup_size(),
                cleanup.run_cleanup_for_every_record(),
            )
            lifetime.on_access = sweep.access
            self._sweeps.append(sweep)

    def _change_ttl(self, table: HashMapTable, meta: StateMeta) -> None:
        """Rewrite restored entries when the program has given the state a time to live, or taken it away."""
        if table.meta.ttl == meta.ttl:
            return
        convert: Callable[[Any], Any] = (
            self._lifetimes[meta.name].stamp if meta.ttl else lambda stored: unstamp(meta.kind, stored)
        )
        for _, pane in table.all_panes():
            for key, stored in pane.items():
                pane[key] = convert(stored)

    # Whole states

    def merge_namespaces(self, descriptor: StateDescriptor, target: Any, sources: Iterable[Any]) -> None:
        table = self._table(descriptor)
        combine = _combiner(descriptor)
        key = self.current_key
        found = [NamespaceEntries(table, source).pop(key, None) for source in sources if source != target]
        entries = NamespaceEntries(table, target)
        merged = entries.get(key)
        for stored in found:
            if stored is None:
                continue
            if merged is None:
                merged = stored
            elif table.meta.ttl and descriptor.kind is not StateKind.LIST:
                merged = (combine(merged[0], stored[0]), max(merged[1], stored[1]))
            else:
                merged = combine(merged, stored)
        if merged is not None:
            entries[key] = merged

    def keys(self, state_name: str, namespace: Any = VOID_NAMESPACE) -> list[Any]:
        table = self._tables.get(state_name)
        if table is None:
            return []
        pane = table.void if namespace is VOID_NAMESPACE else table.panes.get(namespace, {})
        return [key for key, stored in pane.items() if stored is not None]

    def apply_to_all_keys(
        self, namespace: Any, descriptor: StateDescriptor, function: Callable[[Any, State], None]
    ) -> None:
        handle = self.get_partitioned_state(namespace, descriptor)
        before = self.current_key
        try:
            for key in self.keys(descriptor.name, namespace):
                self.current_key = key
                function(key, handle)
        finally:
            self.current_key = before

    def clear_key(self, key: Any) -> None:
        for table in self._tables.values():
            table.clear_key(key)

    def after_records(self, count: int) -> None:
        for sweep in self._sweeps:
            if sweep.every_record:
                sweep.step(count * sweep.size)

    def snapshot(self) -> KeyedStateSnapshot:
        groups = KeyRouter(self._max_parallelism, self._max_parallelism)
        states = {}
        for name, table in self._tables.items():
            keep = self._keep_in_snapshot(name)
            states[name] = write_table(table, groups, self._key_groups, keep)
        return KeyedStateSnapshot(self._max_parallelism, states)

    def _keep_in_snapshot(self, name: str) -> Callable[[Any], Any] | None:
        lifetime = self._lifetimes.get(name)
        if lifetime is None or not lifetime.filters_snapshots:
            return None
        deadline = lifetime.deadline()
        return lambda stored: lifetime.unexpired(stored, deadline)

    def restore(self, snapshots: list[KeyedStateSnapshot], key_groups: range) -> None:
        self._key_groups = key_groups
        for snapshot in snapshots:
            if snapshot.max_parallelism != self._max_parallelism:
                raise StateError(
                    f"the state was saved with a maximum parallelism of {snapshot.max_parallelism}, and the operator now has "
                    f"{self._max_parallelism}: it cannot change; set it to {snapshot.max_parallelism}"
                )
            for name, state in snapshot.states.items():
                table = self._tables.setdefault(name, HashMapTable(state.meta))
                if table.meta.kind is not state.meta.kind or table.meta.ttl != state.meta.ttl:
                    raise StateError(
                        f"the parts of state {name!r} do not fit together: {table.meta} and {state.meta}"
                    )
                read_into(table, state, key_groups)

    def close(self) -> None:
        self._tables.clear()
        self._handles.clear()
        self._lifetimes.clear()
        self._sweeps.clear()


class NamespaceStore(KeyedStateStore):
    """The states of one namespace."""

    __slots__ = ("_backend", "_namespace")

    def __init__(self, backend: HashMapStateBackend, namespace: Any) -> None:
        self._backend = backend
        self._namespace = namespace

    def get_state(self, state_descriptor: ValueStateDescriptor) -> ValueState[Any]:
        handle: ValueState[Any] = self._backend._get(StateKind.VALUE, state_descriptor, self._namespace)
        return handle

    def get_list_state(self, state_descriptor: ListStateDescriptor) -> ListState[Any]:
        handle: ListState[Any] = self._backend._get(StateKind.LIST, state_descriptor, self._namespace)
        return handle

    def get_map_state(self, state_descriptor: MapStateDescriptor) -> MapState[Any, Any]:
        handle: MapState[Any, Any] = self._backend._get(StateKind.MAP, state_descriptor, self._namespace)
        return handle

    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor) -> ReducingState[Any]:
        handle: ReducingState[Any] = self._backend._get(StateKind.REDUCING, state_descriptor, self._namespace)
        return handle

    def get_aggregating_state(
        self, state_descriptor: AggregatingStateDescriptor
    ) -> AggregatingState[Any, Any]:
        handle: AggregatingState[Any, Any] = self._backend._get(
            StateKind.AGGREGATING, state_descriptor, self._namespace
        )
        return handle


def _combiner(descriptor: StateDescriptor) -> Callable[[Any, Any], Any]:
    if isinstance(descriptor, ReducingStateDescriptor):
        return descriptor.reduce
    if isinstance(descriptor, AggregatingStateDescriptor):
        merge: Callable[[Any, Any], Any] = descriptor.get_agg_function().merge
        return merge
    if isinstance(descriptor, ListStateDescriptor):
        return lambda one, two: one + two
    raise ProgramError(
        f"{descriptor!r} is {descriptor.kind.value} state, of which two cannot become one: "
        "use list, reducing or aggregating state with windows that merge"
    )
