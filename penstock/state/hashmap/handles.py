"""The handles of the hashmap backend: each access is one dictionary lookup under the current key."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Protocol

from penstock.contracts.state import AggregatingState, ListState, MapState, ReducingState, ValueState
from penstock.errors import TypeMismatch
from penstock.state.hashmap.table import Entries


class HasCurrentKey(Protocol):
    """The backend, as handles see it."""

    current_key: Any


class ValueHandle(ValueState[Any]):
    """One value per key."""

    __slots__ = ("_backend", "_default", "_holder")

    def __init__(self, backend: HasCurrentKey, holder: Entries, default: Any = None) -> None:
        self._backend = backend
        self._holder = holder
        self._default = default

    def value(self) -> Any:
        value = self._holder.entries.get(self._backend.current_key)
        return value if value is not None else deepcopy(self._default)

    def update(self, value: Any) -> None:
        if value is None:
            self._holder.entries.pop(self._backend.current_key, None)
        else:
            self._holder.entries[self._backend.current_key] = value

    def clear(self) -> None:
        self._holder.entries.pop(self._backend.current_key, None)


class ListHandle(ListState[Any]):
    """A list per key."""

    __slots__ = ("_backend", "_holder", "_name")

    def __init__(self, backend: HasCurrentKey, holder: Entries, name: str) -> None:
        self._backend = backend
        self._holder = holder
        self._name = name

    def get(self) -> list[Any]:
        stored = self._holder.entries.get(self._backend.current_key)
        return [] if stored is None else stored.copy()

    def add(self, value: Any) -> None:
        if value is None:
            raise no_none(self._name)
        stored = self._holder.entries.get(self._backend.current_key)
        if stored is None:
            self._holder.entries[self._backend.current_key] = [value]
        else:
            stored.append(value)

    def update(self, values: Iterable[Any]) -> None:
        new = checked_list(values, self._name)
        if new:
            self._holder.entries[self._backend.current_key] = new
        else:
            self._holder.entries.pop(self._backend.current_key, None)

    def add_all(self, values: Iterable[Any]) -> None:
        new = checked_list(values, self._name)
        if not new:
            return
        stored = self._holder.entries.get(self._backend.current_key)
        if stored is None:
            self._holder.entries[self._backend.current_key] = new
        else:
            stored += new

    def clear(self) -> None:
        self._holder.entries.pop(self._backend.current_key, None)


class MapHandle(MapState[Any, Any]):
    """A map per key."""

    __slots__ = ("_backend", "_holder")

    def __init__(self, backend: HasCurrentKey, holder: Entries) -> None:
        self._backend = backend
        self._holder = holder

    def get(self, key: Any) -> Any:
        stored = self._holder.entries.get(self._backend.current_key)
        return None if stored is None else stored.get(key)

    def put(self, key: Any, value: Any) -> None:
        stored = self._holder.entries.get(self._backend.current_key)
        if stored is None:
            self._holder.entries[self._backend.current_key] = {key: value}
        else:
            stored[key] = value

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        stored = self._holder.entries.get(self._backend.current_key)
        if stored is not None:
            stored.update(dict_value)
        elif dict_value:
            self._holder.entries[self._backend.current_key] = dict(dict_value)

    def remove(self, key: Any) -> None:
        stored = self._holder.entries.get(self._backend.current_key)
        if stored is not None:
            stored.pop(key, None)
            if not stored:
                self._holder.entries.pop(self._backend.current_key, None)

    def contains(self, key: Any) -> bool:
        stored = self._holder.entries.get(self._backend.current_key)
        return stored is not None and key in stored

    def items(self) -> list[tuple[Any, Any]]:
        stored = self._holder.entries.get(self._backend.current_key)
        return [] if stored is None else list(stored.items())

    def keys(self) -> list[Any]:
        stored = self._holder.entries.get(self._backend.current_key)
        return [] if stored is None else list(stored)

    def values(self) -> list[Any]:
        stored = self._holder.entries.get(self._backend.current_key)
        return [] if stored is None else list(stored.values())

    def is_empty(self) -> bool:
        return self._holder.entries.get(self._backend.current_key) is None

    def clear(self) -> None:
        self._holder.entries.pop(self._backend.current_key, None)


class ReducingHandle(ReducingState[Any]):
    """One reduced value per key."""

    __slots__ = ("_backend", "_holder", "_reduce")

    def __init__(self, backend: HasCurrentKey, holder: Entries, reduce: Callable[[Any, Any], Any]) -> None:
        self._backend = backend
        self._holder = holder
        self._reduce = reduce

    def get(self) -> Any:
        return self._holder.entries.get(self._backend.current_key)

    def add(self, value: Any) -> None:
        key = self._backend.current_key
        if value is None:
            self._holder.entries.pop(key, None)
            return
        stored = self._holder.entries.get(key)
        self._holder.entries[key] = value if stored is None else self._reduce(stored, value)

    def clear(self) -> None:
        self._holder.entries.pop(self._backend.current_key, None)


class AggregatingHandle(AggregatingState[Any, Any]):
    """One accumulator per key."""

    __slots__ = ("_backend", "_function", "_holder")

    def __init__(self, backend: HasCurrentKey, holder: Entries, function: Any) -> None:
        self._backend = backend
        self._holder = holder
        self._function = function

    def get(self) -> Any:
        stored = self._holder.entries.get(self._backend.current_key)
        return None if stored is None else self._function.get_result(stored)

    def add(self, value: Any) -> None:
        key = self._backend.current_key
        if value is None:
            self._holder.entries.pop(key, None)
            return
        stored = self._holder.entries.get(key)
        function = self._function
        self._holder.entries[key] = function.add(
            value, function.create_accumulator() if stored is None else stored
        )

    def clear(self) -> None:
        self._holder.entries.pop(self._backend.current_key, None)


def no_none(name: str) -> TypeMismatch:
    """The error for None in a list state."""
    return TypeMismatch(f"None was added to list state {name!r}, which takes no None; leave it out")


def checked_list(values: Iterable[Any], name: str) -> list[Any]:
    """A list of one's own, without None in it."""
    if values is None:
        raise TypeMismatch(
            f"list state {name!r} got None for its elements; give an empty list to forget them"
        )
    new = list(values)
    # By identity: elements may compare in their own way.
    if any(value is None for value in new):
        raise no_none(name)
    return new
