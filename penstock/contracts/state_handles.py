"""Handles: how a function reads and writes the state of the key, or of the subtask, that is being processed.

A handle of keyed state always means the current key. Values belong to the state once given; what a handle returns may be
read, and has to be put back to be changed. Source: Flink's documentation, "Working with State".
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
IN = TypeVar("IN")
OUT = TypeVar("OUT")


class State(ABC):
    """What all handles have in common."""

    __slots__ = ()

    @abstractmethod
    def clear(self) -> None:
        """Forget what is stored under the current key."""


class ValueState(State, Generic[T]):
    """One value per key."""

    __slots__ = ()

    @abstractmethod
    def value(self) -> T | None:
        """The value; the descriptor's default, or None, when there is none."""

    @abstractmethod
    def update(self, value: T | None) -> None:
        """Store a value; None forgets it."""


class AppendingState(State, Generic[IN, OUT]):
    """State that values are added to."""

    __slots__ = ()

    @abstractmethod
    def get(self) -> OUT | None:
        """What the values added so far amount to; None when there are none (an empty list for list state)."""

    @abstractmethod
    def add(self, value: IN) -> None:
        """Add one value."""


class MergingState(AppendingState[IN, OUT]):
    """Appending state of which two can become one, as when session windows merge."""

    __slots__ = ()


class ReducingState(MergingState[T, T]):
    """One value per key: all that were added, combined by the descriptor's reduce function. Adding None forgets it."""

    __slots__ = ()


class AggregatingState(MergingState[IN, OUT]):
    """One accumulator per key, by the descriptor's aggregate function; ``get`` is its result. Adding None forgets it."""

    __slots__ = ()


class ListState(MergingState[T, Iterable[T]]):
    """A list per key, or a list of a subtask that is dealt out anew when the parallelism changes."""

    __slots__ = ()

    @abstractmethod
    def get(self) -> Iterable[T]:
        """The elements in the order added, as a list of the caller's own; empty when there are none."""

    @abstractmethod
    def add(self, value: T) -> None:
        """Add one element, which must not be None."""

    @abstractmethod
    def update(self, values: Iterable[T]) -> None:
        """Replace all elements; an empty list forgets them."""

    @abstractmethod
    def add_all(self, values: Iterable[T]) -> None:
        """Add elements, none of which may be None."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.get())


class MapState(State, Generic[K, V]):
    """A map per key. Values may be None. Views are the caller's own: the map may be changed while they are walked."""

    __slots__ = ()

    @abstractmethod
    def get(self, key: K) -> V | None:
        """The value of ``key``, None when there is none."""

    @abstractmethod
    def put(self, key: K, value: V) -> None:
        """Set the value of ``key``."""

    @abstractmethod
    def put_all(self, dict_value: dict[K, V]) -> None:
        """Set the values of several keys."""

    @abstractmethod
    def remove(self, key: K) -> None:
        """Forget ``key``, if it is there."""

    @abstractmethod
    def contains(self, key: K) -> bool:
        """Whether there is a value for ``key``, be it None."""

    @abstractmethod
    def items(self) -> Iterable[tuple[K, V]]:
        """All pairs, in the order their keys were first put."""

    @abstractmethod
    def keys(self) -> Iterable[K]:
        """All keys."""

    @abstractmethod
    def values(self) -> Iterable[V]:
        """All values."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is no pair."""

    def __getitem__(self, key: K) -> V | None:
        return self.get(key)

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def __delitem__(self, key: K) -> None:
        self.remove(key)

    def __contains__(self, key: K) -> bool:
        return self.contains(key)

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())


class ReadOnlyBroadcastState(State, Generic[K, V]):
    """Broadcast state as the side that is not broadcast sees it: the same in every subtask, and only to be read."""

    __slots__ = ()

    @abstractmethod
    def get(self, key: K) -> V | None:
        """The value of ``key``, None when there is none. Must not be changed in place."""

    @abstractmethod
    def contains(self, key: K) -> bool:
        """Whether there is a value for ``key``."""

    @abstractmethod
    def items(self) -> Iterable[tuple[K, V]]:
        """All pairs."""

    @abstractmethod
    def keys(self) -> Iterable[K]:
        """All keys."""

    @abstractmethod
    def values(self) -> Iterable[V]:
        """All values."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is no pair."""

    def __getitem__(self, key: K) -> V | None:
        return self.get(key)

    def __contains__(self, key: K) -> bool:
        return self.contains(key)

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())


class BroadcastState(ReadOnlyBroadcastState[K, V]):
    """A map that every subtask has whole. What is put must depend on the broadcast records alone, so that all stay equal."""

    __slots__ = ()

    @abstractmethod
    def read_only(self) -> ReadOnlyBroadcastState[K, V]:
        """A view of the same map that cannot change it, for the side that is not broadcast."""

    @abstractmethod
    def put(self, key: K, value: V) -> None:
        """Set the value of ``key``."""

    @abstractmethod
    def put_all(self, dict_value: dict[K, V]) -> None:
        """Set the values of several keys."""

    @abstractmethod
    def remove(self, key: K) -> None:
        """Forget ``key``, if it is there."""

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def __delitem__(self, key: K) -> None:
        self.remove(key)
