"""Operator state in memory: lists that are dealt out to the subtasks, union lists, and broadcast state.

A snapshot holds each element as a pickle of its own, so that it can be dealt out anew without being read.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Any

from penstock.contracts.state import (
    BroadcastState,
    ListState,
    ListStateDescriptor,
    MapStateDescriptor,
    OperatorStateBackend,
    OperatorStateMode,
    OperatorStateSnapshot,
    ReadOnlyBroadcastState,
    StateDescriptor,
    StateKind,
    StateMeta,
)
from penstock.data.pickles import dump, load
from penstock.errors import ProgramError, StateError, TypeMismatch
from penstock.state.keyed_access import of_declared_type
from penstock.state.migration import conversion_to

States = dict[str, tuple[OperatorStateMode, tuple[bytes, ...]]]


def redistribute(snapshots: Sequence[OperatorStateSnapshot], parallelism: int) -> list[OperatorStateSnapshot]:
    """Deal the operator state of all old subtasks, in their order, out to ``parallelism`` new ones.

    Split lists stay where they are when the parallelism does; otherwise their elements, in order, are cut into parts whose
    sizes differ by one at most. Of union lists everybody gets everything. Of broadcast state each gets one copy.
    """
    modes: dict[str, OperatorStateMode] = {}
    for snapshot in snapshots:
        for name, (mode, _) in snapshot.states.items():
            if modes.setdefault(name, mode) is not mode:
                raise StateError(
                    f"operator state {name!r} was saved as {modes[name].value} and as {mode.value}"
                )
    types = {name: text for snapshot in snapshots for name, text in snapshot.types.items()}
    parts: list[States] = [{} for _ in range(parallelism)]
    for name, mode in modes.items():
        old = [snapshot.states[name][1] if name in snapshot.states else () for snapshot in snapshots]
        for part, elements in zip(parts, _deal(mode, old, parallelism), strict=True):
            part[name] = (mode, elements)
    return [OperatorStateSnapshot(part, types) for part in parts]


def _deal(mode: OperatorStateMode, old: list[tuple[bytes, ...]], parallelism: int) -> list[tuple[bytes, ...]]:
    if mode is OperatorStateMode.UNION:
        return [tuple(chain.from_iterable(old))] * parallelism
    if len(old) == parallelism:
        return old
    if mode is OperatorStateMode.BROADCAST:
        return [old[index % len(old)] for index in range(parallelism)]
    elements = tuple(chain.from_iterable(old))
    size, larger = divmod(len(elements), parallelism)
    bounds = [index * size + min(index, larger) for index in range(parallelism + 1)]
    return [elements[start:stop] for start, stop in pairwise(bounds)]


class InMemoryOperatorState(OperatorStateBackend):
    """The operator state of one operator in one subtask.

    >>> state = InMemoryOperatorState()
    >>> offsets = state.get_list_state(ListStateDescriptor("offsets"))
    >>> offsets.add(5)
    >>> restored = InMemoryOperatorState()
    >>> restored.restore(redistribute([state.snapshot()], 1)[0])
    >>> restored.get_list_state(ListStateDescriptor("offsets")).get()
    [5]
    """

    __slots__ = ("_restored", "_states", "_types")

    def __init__(self) -> None:
        self._states: dict[str, tuple[OperatorStateMode, OperatorList | BroadcastMap]] = {}
        self._restored: States = {}  # until the function asks for it
        self._types: dict[str, str] = {}

    def get_list_state(self, state_descriptor: ListStateDescriptor) -> ListState[Any]:
        handle: ListState[Any] = self._get(OperatorStateMode.SPLIT_DISTRIBUTE, state_descriptor)
        return handle

    def get_union_list_state(self, state_descriptor: ListStateDescriptor) -> ListState[Any]:
        handle: ListState[Any] = self._get(OperatorStateMode.UNION, state_descriptor)
        return handle

    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
        handle: BroadcastState[Any, Any] = self._get(OperatorStateMode.BROADCAST, state_descriptor)
        return handle

    def _get(self, mode: OperatorStateMode, descriptor: StateDescriptor) -> Any:
        kind = StateKind.MAP if mode is OperatorStateMode.BROADCAST else StateKind.LIST
        if getattr(descriptor, "kind", None) is not kind:
            raise ProgramError(
                f"{descriptor!r} does not describe {mode.value} operator state: give a {kind.value} state descriptor"
            )
        name = descriptor.name
        if descriptor.ttl_config is not None:
            raise ProgramError(f"operator state {name!r} has a time to live, which only keyed state can have")
        if name not in self._states:
            found, elements = self._restored.get(name, (mode, ()))
            if found is mode:
                content = [load(element, f"operator state {name!r}") for element in elements]
                content = self._as_declared(descriptor, content)
                handle = BroadcastMap(dict(content)) if kind is StateKind.MAP else OperatorList(name, content)
                self._states[name] = (mode, handle)
                self._types[name] = descriptor.type_text
                self._restored.pop(name, None)
        else:
            found = self._states[name][0]
        if found is not mode:
            raise StateError(
                f"operator state {name!r} is {found.value} state and cannot become {mode.value} state: "
                "give the new one another name"
            )
        handle = self._states[name][1]
        return of_declared_type(descriptor, lambda _: handle, None)

    def _as_declared(self, descriptor: StateDescriptor, content: list[Any]) -> list[Any]:
        """What was saved, as the program declares it now; pairs of broadcast state.

        :raises StateError: when it does not become that.
        """
        saved = StateMeta(descriptor.name, descriptor.kind, self._types.get(descriptor.name, ""))
        convert = conversion_to(descriptor, saved) if content else None
        if convert is None:
            return content
        if descriptor.kind is StateKind.MAP:
            return list(convert(dict(content)).items())
        return list(convert(content))

    def snapshot(self) -> OperatorStateSnapshot:
        states = dict(self._restored)
        for name, (mode, handle) in self._states.items():
            states[name] = (mode, tuple(_pickled(name, element) for element in handle.content()))
        return OperatorStateSnapshot(states, {name: text for name, text in self._types.items() if text})

    def restore(self, snapshot: OperatorStateSnapshot) -> None:
        if self._states:
            raise StateError("operator state was used before it was restored")
        self._restored = dict(snapshot.states)
        self._types = dict(snapshot.types)


def _pickled(name: str, element: Any) -> bytes:
    try:
        return dump(element)
    except Exception as error:
        raise StateError(
            f"operator state {name!r} cannot be saved: {element!r:.80} cannot be pickled ({error}); "
            "keep only values that can be pickled in state"
        ) from error


class OperatorList(ListState[Any]):
    """A list of one subtask."""

    __slots__ = ("_elements", "_name")

    def __init__(self, name: str, elements: list[Any]) -> None:
        self._name = name
        self._elements = elements

    def get(self) -> list[Any]:
        return self._elements.copy()

    def add(self, value: Any) -> None:
        self.add_all([value])

    def update(self, values: Iterable[Any]) -> None:
        self._elements = self._checked(values)

    def add_all(self, values: Iterable[Any]) -> None:
        self._elements += self._checked(values)

    def clear(self) -> None:
        self._elements = []

    def content(self) -> Iterable[Any]:
        """What a snapshot holds."""
        return self._elements

    def _checked(self, values: Iterable[Any]) -> list[Any]:
        if values is None:
            raise TypeMismatch(f"operator state {self._name!r} got None for its elements; give an empty list")
        new = list(values)
        if any(value is None for value in new):
            raise TypeMismatch(
                f"None was added to operator state {self._name!r}, which takes no None; leave it out"
            )
        return new


class ReadOnlyBroadcastMap(ReadOnlyBroadcastState[Any, Any]):
    """A map that can only be read; what it is a view of goes on changing."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: dict[Any, Any]) -> None:
        self._pairs = pairs

    def get(self, key: Any) -> Any:
        return self._pairs.get(key)

    def contains(self, key: Any) -> bool:
        return key in self._pairs

    def items(self) -> list[tuple[Any, Any]]:
        return list(self._pairs.items())

    def keys(self) -> list[Any]:
        return list(self._pairs)

    def values(self) -> list[Any]:
        return list(self._pairs.values())

    def is_empty(self) -> bool:
        return not self._pairs

    def clear(self) -> None:
        raise ProgramError(
            "broadcast state can only be changed by process_broadcast_element: "
            "the other side sees other records in each subtask, and the copies would differ"
        )


class BroadcastMap(BroadcastState[Any, Any]):
    """A map that every subtask has whole."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: dict[Any, Any]) -> None:
        self._pairs = pairs

    def read_only(self) -> ReadOnlyBroadcastMap:
        """The view for the side that is not broadcast."""
        return ReadOnlyBroadcastMap(self._pairs)

    def get(self, key: Any) -> Any:
        return self._pairs.get(key)

    def contains(self, key: Any) -> bool:
        return key in self._pairs

    def items(self) -> list[tuple[Any, Any]]:
        return list(self._pairs.items())

    def keys(self) -> list[Any]:
        return list(self._pairs)

    def values(self) -> list[Any]:
        return list(self._pairs.values())

    def is_empty(self) -> bool:
        return not self._pairs

    def put(self, key: Any, value: Any) -> None:
        self._pairs[key] = value

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        self._pairs.update(dict_value)

    def remove(self, key: Any) -> None:
        self._pairs.pop(key, None)

    def clear(self) -> None:
        self._pairs.clear()

    def content(self) -> Iterable[Any]:
        """What a snapshot holds."""
        return self._pairs.items()
