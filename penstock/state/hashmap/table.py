"""One state in dictionaries: key to stored value, and for windows namespace to key to stored value.

Key groups are computed from the keys only when a snapshot is written, so that an access costs no more than the dictionary's.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import length_hint
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE, StateMeta

Pane = dict[Any, Any]


class HashMapTable:
    """The :class:`~penstock.contracts.state.KeyedTable` of the hashmap backend."""

    __slots__ = ("failed_index", "meta", "panes", "void")

    def __init__(self, meta: StateMeta) -> None:
        self.meta = meta
        self.void: Pane = {}  # handles keep it, so it is never replaced
        self.panes: dict[Any, Pane] = {}
        self.failed_index = -1

    def fold(
        self, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> list[Any]:
        """Running reduce; see :class:`~penstock.contracts.state.KeyedTable`."""
        entries = self.void
        get = entries.get
        results: list[Any] = []
        append = results.append
        try:
            for key, value in zip(keys, values, strict=True):
                stored = get(key)
                if stored is not None:
                    value = function(stored, value)
                entries[key] = value
                append(value)
        except BaseException:
            self.failed_index = len(results)
            raise
        return results

    def fold_pane(
        self, namespace: Any, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> None:
        """Reduce within a namespace."""
        entries = self.pane(namespace)
        get = entries.get
        pending = iter(values)
        try:
            for key, value in zip(keys, pending, strict=True):
                stored = get(key)
                entries[key] = value if stored is None else function(stored, value)
        except BaseException:
            self.failed_index = len(values) - length_hint(pending) - 1
            raise

    def aggregate_pane(
        self, namespace: Any, keys: Sequence[Any], values: Sequence[Any], function: Any
    ) -> None:
        """Aggregate within a namespace."""
        entries = self.pane(namespace)
        get, add, create = entries.get, function.add, function.create_accumulator
        pending = iter(values)
        try:
            for key, value in zip(keys, pending, strict=True):
                stored = get(key)
                entries[key] = add(value, create() if stored is None else stored)
        except BaseException:
            self.failed_index = len(values) - length_hint(pending) - 1
            raise

    def append_pane(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Append within a namespace."""
        entries = self.pane(namespace)
        get = entries.get
        for key, value in zip(keys, values, strict=True):
            stored = get(key)
            if stored is None:
                entries[key] = [value]
            else:
                stored.append(value)

    def entries_for(self, keys: Sequence[Any]) -> Pane | None:
        """What is stored without a namespace, itself."""
        return self.void

    def pane(self, namespace: Any) -> Pane:
        """The dictionary of a namespace itself."""
        if namespace is VOID_NAMESPACE:
            return self.void
        pane = self.panes.get(namespace)
        if pane is None:
            pane = self.panes[namespace] = {}
        return pane

    def pop_pane(self, namespace: Any) -> Pane:
        """Remove a namespace and return what was in it."""
        if namespace is VOID_NAMESPACE:
            pane = dict(self.void)
            self.void.clear()
            return pane
        return self.panes.pop(namespace, {})

    def release(self, namespace: Any) -> None:
        """Forget the dictionary of a namespace when nothing is in it."""
        if not self.panes.get(namespace, True):
            del self.panes[namespace]

    def namespaces(self) -> list[Any]:
        """All namespaces with entries; those that have become empty are dropped on the way."""
        empty = [namespace for namespace, pane in self.panes.items() if not pane]
        for namespace in empty:
            del self.panes[namespace]
        return [VOID_NAMESPACE, *self.panes] if self.void else list(self.panes)

    def all_panes(self) -> Iterator[tuple[Any, Pane]]:
        """Namespace and dictionary of everything."""
        yield VOID_NAMESPACE, self.void
        yield from self.panes.items()

    def clear_key(self, key: Any) -> None:
        """Forget a key in every namespace."""
        self.void.pop(key, None)
        for namespace, pane in list(self.panes.items()):
            pane.pop(key, None)
            if not pane:
                del self.panes[namespace]


class NamespaceEntries:
    """What handles of a namespace use in place of its dictionary, which may come and go while they are held."""

    __slots__ = ("_namespace", "_table")

    def __init__(self, table: HashMapTable, namespace: Any) -> None:
        self._table = table
        self._namespace = namespace

    def get(self, key: Any) -> Any:
        pane = self._table.panes.get(self._namespace)
        hash(key)  # as a dictionary would, for the message about a key that is not set
        return None if pane is None else pane.get(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        hash(key)
        self._table.pane(self._namespace)[key] = value

    def pop(self, key: Any, default: Any) -> Any:
        pane = self._table.panes.get(self._namespace)
        hash(key)
        if pane is None:
            return default
        value = pane.pop(key, default)
        if not pane:
            del self._table.panes[self._namespace]
        return value


Entries = Pane | NamespaceEntries
