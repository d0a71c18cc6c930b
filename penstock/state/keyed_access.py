"""What keyed state backends have in common: the current key, and the ways in which handles are asked for."""

from collections.abc import Callable
from typing import Any, NoReturn

from penstock.contracts.state import (
    VOID_NAMESPACE,
    AggregatingState,
    AggregatingStateDescriptor,
    KeyedStateBackend,
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
    ValueState,
    ValueStateDescriptor,
)
from penstock.errors import ProgramError, StateError


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


class KeyedStateAccess(KeyedStateBackend):
    """A backend that has to make its handles only, in ``get_partitioned_state``."""

    __slots__ = ("current_key",)

    def __init__(self) -> None:
        self.current_key: Any = NO_KEY

    def set_current_key(self, key: Any) -> None:
        self.current_key = key

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


class NamespaceStore(KeyedStateStore):
    """The states of one namespace."""

    __slots__ = ("_backend", "_namespace")

    def __init__(self, backend: KeyedStateAccess, namespace: Any) -> None:
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


def of_declared_type(
    descriptor: StateDescriptor, make: Callable[[StateDescriptor], Any], backend: Any
) -> Any:
    """The handle that ``make`` makes of the descriptor, held to the type that it declares, if it declares one. ``backend`` is
    None for operator state."""
    if descriptor.type_info is None or not descriptor.is_checked:
        return make(descriptor)
    from penstock.state.checked_handles import with_type  # not needed by programs that declare no types

    return with_type(descriptor, make, backend)


def combiner(descriptor: StateDescriptor) -> Callable[[Any, Any], Any]:
    """How two stored values of a state become one; raises ``ProgramError`` where they cannot."""
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


def merge_entries(descriptor: StateDescriptor, key: Any, target: Any, sources: list[Any]) -> None:
    """Move what a key has in the entries of some namespaces into those of another.

    Entries have ``get(key)``, ``pop(key, default)`` and item assignment, as dictionaries do. With a time to live the later
    of the times counts.
    """
    combine = combiner(descriptor)
    has_times = descriptor.ttl_config is not None and descriptor.kind is not StateKind.LIST
    found = [entries.pop(key, None) for entries in sources]
    merged = target.get(key)
    for stored in found:
        if stored is None:
            continue
        if merged is None:
            merged = stored
        elif has_times:
            merged = (combine(merged[0], stored[0]), max(merged[1], stored[1]))
        else:
            merged = combine(merged, stored)
    if merged is not None:
        target[key] = merged
