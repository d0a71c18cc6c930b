"""The keyed state backend ``hashmap``."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.state import (
    VOID_NAMESPACE,
    AggregatingStateDescriptor,
    KeyedStateSnapshot,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    StateEntries,
    StateMeta,
)
from penstock.data.keys import key_group_range
from penstock.errors import ProgramError, StateError
from penstock.state.hashmap.handles import (
    AggregatingHandle,
    ListHandle,
    MapHandle,
    ReducingHandle,
    ValueHandle,
)
from penstock.state.hashmap.snapshot import FrozenTable, read_into
from penstock.state.hashmap.table import Entries, HashMapTable, NamespaceEntries
from penstock.state.keyed_access import KeyedStateAccess, merge_entries, of_declared_type
from penstock.state.layers import Pin
from penstock.state.migration import conversion_to
from penstock.state.ttl import Lifetime, Sweep, unstamp, with_ttl

if TYPE_CHECKING:
    from penstock.contracts.timers import Timers


class HashMapStateBackend(KeyedStateAccess):
    """Keyed state of one operator in one subtask, as Python objects in memory.

    >>> from penstock.contracts.state import ValueStateDescriptor
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
        "_is_settling",
        "_key_groups",
        "_lifetimes",
        "_max_parallelism",
        "_sweeps",
        "_tables",
    )

    def __init__(
        self, max_parallelism: int, key_groups: range | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        super().__init__()
        self._max_parallelism = max_parallelism
        self._key_groups = key_group_range(max_parallelism, 1, 0) if key_groups is None else key_groups
        self._clock = clock
        self._tables: dict[str, HashMapTable] = {}
        self._handles: dict[str, tuple[StateDescriptor, Any]] = {}
        self._lifetimes: dict[str, Lifetime] = {}
        self._sweeps: list[Sweep] = []
        self._is_settling = False

    def timers(self, name: str) -> "Timers":
        from penstock.state.timers import KeyedTimers

        return KeyedTimers(name, self._max_parallelism, self._key_groups)

    # Handles

    def get_partitioned_state(self, namespace: Any, descriptor: StateDescriptor) -> Any:
        if namespace is not VOID_NAMESPACE:
            table = self._table(descriptor)
            entries = NamespaceEntries(table, namespace)
            return of_declared_type(descriptor, lambda one: self._make_handle(one, entries), self)
        known = self._handles.get(descriptor.name)
        if known is not None and known[0] is descriptor:
            return known[1]
        table = self._table(descriptor)
        table.may_shrink()
        handle = of_declared_type(descriptor, lambda one: self._make_handle(one, table), self)
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
            self._migrate(table, descriptor)
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

    def _migrate(self, table: HashMapTable, descriptor: StateDescriptor) -> None:
        """Bring restored entries to the type that the program declares now."""
        convert = conversion_to(descriptor, table.meta)
        if convert is None:
            return
        for _, pane in table.all_panes():
            for key, stored in list(pane.items()):
                if stored is not None:
                    pane[key] = convert(stored, key)

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
        found = [NamespaceEntries(table, source) for source in sources if source != target]
        merge_entries(descriptor, self.current_key, NamespaceEntries(table, target), found)

    def keys(self, state_name: str, namespace: Any = VOID_NAMESPACE) -> list[Any]:
        table = self._tables.get(state_name)
        if table is None:
            return []
        pane = table.entries if namespace is VOID_NAMESPACE else table.find(namespace)
        return [] if pane is None else [key for key, stored in pane.items() if stored is not None]

    def clear_key(self, key: Any) -> None:
        for table in self._tables.values():
            table.clear_key(key)

    def after_records(self, count: int) -> None:
        for sweep in self._sweeps:
            if sweep.every_record:
                sweep.step(count * sweep.size)
        if self._is_settling:
            for table in self._tables.values():
                table.give_way()
                table.settle()
            self._is_settling = any(table.is_layered for table in self._tables.values())

    def snapshot(self, checkpoint_id: int = 0) -> KeyedStateSnapshot:
        states: dict[str, StateEntries] = {}
        pins = []
        for name, table in self._tables.items():
            form, pin = table.form, Pin()
            entries, panes = table.freeze(pin)
            pins.append(pin)
            states[name] = FrozenTable(
                table.meta,
                self._max_parallelism,
                self._key_groups,
                pin,
                entries,
                panes,
                form,
                self._keep_in_snapshot(name),
                table.key_columns(self._max_parallelism),
            )
        for sweep in self._sweeps:
            sweep.start_over()
        self._is_settling = True

        def release() -> None:
            for pin in pins:
                pin.release()

        return KeyedStateSnapshot(self._max_parallelism, states, on_release=release)

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
                self._is_settling = True

    def close(self) -> None:
        self._tables.clear()
        self._handles.clear()
        self._lifetimes.clear()
        self._sweeps.clear()
