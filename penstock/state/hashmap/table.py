"""One state in dictionaries: key to stored value, and for windows namespace to key to stored value.

Key groups are computed from the keys only when a snapshot is written, so that an access costs no more than the dictionary's.
While one is being written, what was there at the barrier is a base that nobody changes; see :mod:`penstock.state.layers`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE, StateMeta, StoredForm, TupleColumn
from penstock.state.hashmap.key_columns import KeyColumns
from penstock.state.layers import SETTLED_AT_ONCE, Freeze, LayeredPane, Pin

Pane = dict[Any, Any]
Panes = dict[Any, Any]  # of panes: plain ones where a snapshot shows them


class HashMapTable:
    """The :class:`~penstock.contracts.state.KeyedTable` of the hashmap backend.

    ``entries`` are those of the void namespace: a dictionary, or a :class:`~penstock.state.layers.LayeredPane` over the
    dictionary while a snapshot is being written. Restored tuples stay columns until they are first asked for.
    """

    __slots__ = (
        "_base",
        "_freeze",
        "_key_columns",
        "_only_grows",
        "_restored",
        "entries",
        "failed_index",
        "form",
        "meta",
        "panes",
    )

    def __init__(self, meta: StateMeta) -> None:
        self.meta = meta
        self._restored: list[tuple[Sequence[Any], Sequence[Any]]] | None = []
        self.entries: Pane | LayeredPane
        self.panes: dict[Any, Pane | LayeredPane] = {}
        self.form: StoredForm | None = None
        self.failed_index = -1
        self._only_grows = True  # as long as nobody has the dictionary who may remove something from it
        self._key_columns: KeyColumns | None = None
        self._freeze: Freeze | None = None
        self._base: Panes = {}  # the panes that a snapshot shows, where they are not those above

    def take_in(self, keys: Sequence[Any], stored: Sequence[Any]) -> None:
        """Add restored entries without a namespace, before anything is asked for."""
        if self._restored is not None and isinstance(stored, TupleColumn):
            self._restored.append((keys, stored))
        else:
            self.entries.update(zip(keys, stored, strict=True))

    def __getattr__(self, name: str) -> Any:
        # Comes here only while ``entries`` has no value yet, so that later accesses cost nothing.
        if name != "entries":
            raise AttributeError(name)
        return self._entries_of_columns()

    def _entries_of_columns(self) -> Pane:
        entries: Pane = {}
        for keys, stored in self._restored or ():
            entries.update(zip(keys, stored, strict=True))
        self.entries, self._restored = entries, None
        return entries

    def fold(
        self, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> list[Any]:
        """Running reduce; see :class:`~penstock.contracts.state.KeyedTable`."""
        entries = self.entries_for(keys)
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
        self,
        namespace: Any,
        keys: Sequence[Any],
        values: Sequence[Any],
        function: Callable[[Any, Any], Any],
        loop: Callable[[dict[Any, Any], Sequence[Any], Iterable[Any]], None] | None = None,
    ) -> None:
        """Reduce within a namespace."""
        entries = self._pane_for(namespace, keys)
        pending = iter(values)
        try:
            if loop is not None:
                loop(entries, keys, pending)
                return
            get = entries.get
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
        entries = self._pane_for(namespace, keys)
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
        entries = self._pane_for(namespace, keys)
        get = entries.get
        for key, value in zip(keys, values, strict=True):
            stored = get(key)
            if stored is None:
                entries[key] = [value]
            else:
                stored.append(value)

    def entries_for(self, keys: Iterable[Any]) -> Pane:
        """What is stored without a namespace, itself; while a snapshot is written, what was touched since."""
        entries = self.entries
        if isinstance(entries, dict):
            return entries
        self.give_way()
        self.settle()
        return self._for_keys(self.entries, keys)

    def _pane_for(self, namespace: Any, keys: Sequence[Any]) -> Pane:
        if namespace is VOID_NAMESPACE:
            return self.entries_for(keys)
        return self._for_keys(self.pane(namespace), keys)

    def _for_keys(self, pane: Pane | LayeredPane, keys: Iterable[Any]) -> Pane:
        return pane.for_keys(keys) if isinstance(pane, LayeredPane) else pane

    def compact(self, form: StoredForm | None) -> bool:
        """See :class:`~penstock.contracts.state.KeyedTable`."""
        if form is not None and self._take_in_shrunk(form):
            return True
        self._key_columns = None
        entries = self._independent_entries()
        if self.form is not None:
            expanded = self.form.expand(list(entries), list(entries.values()))
            entries = dict(zip(entries, expanded, strict=True))
            self.form = None
        if form is not None:
            shrunk = form.shrink(list(entries), list(entries.values()))
            if shrunk is None:
                self.entries = entries
                return False
            entries = dict(zip(entries, shrunk, strict=True))
        self.entries, self.form = entries, form
        return True

    def _take_in_shrunk(self, form: StoredForm) -> bool:
        """Bring restored columns to the form before they are tuples at all; says whether that could be done."""
        if not self._restored:
            return False
        parts = [(keys, form.shrink(keys, stored)) for keys, stored in self._restored]
        entries: Pane = {}
        for keys, shrunk in parts:
            if shrunk is None:
                return False
            entries.update(zip(keys, shrunk, strict=True))
        self.entries, self.form, self._restored = entries, form, None
        return True

    def _independent_entries(self) -> Pane:
        entries = self.entries
        return entries.independent() if isinstance(entries, LayeredPane) else entries

    def pane(self, namespace: Any) -> Pane | LayeredPane:
        """The dictionary of a namespace itself."""
        if namespace is VOID_NAMESPACE:
            self.may_shrink()
            return self.entries
        pane = self.find(namespace)
        if pane is None:
            pane = self.panes[namespace] = {}
        return pane

    def find(self, namespace: Any) -> Pane | LayeredPane | None:
        """The dictionary of a namespace that is no void one, or None."""
        pane = self.panes.get(namespace)
        if pane is None and self._base:
            base = self._base.get(namespace)
            if base is not None and self._freeze is not None:
                pane = self.panes[namespace] = LayeredPane(base, self._freeze)
        return pane

    def pop_pane(self, namespace: Any) -> Pane:
        """Remove a namespace and return what was in it."""
        if namespace is VOID_NAMESPACE:
            self._key_columns = None
            entries, self.entries = self._independent_entries(), {}
            return entries
        pane = self.find(namespace)
        self._remove(namespace)
        if pane is None:
            return {}
        return pane.independent() if isinstance(pane, LayeredPane) else pane

    def _remove(self, namespace: Any) -> None:
        if namespace in self._base:
            self.panes[namespace] = {}  # hides what the snapshot still shows
        else:
            self.panes.pop(namespace, None)

    def release(self, namespace: Any) -> None:
        """Forget the dictionary of a namespace when nothing is in it."""
        if not self.panes.get(namespace, True):
            self._remove(namespace)

    def namespaces(self) -> list[Any]:
        """All namespaces with entries; those that have become empty are dropped on the way."""
        found = [namespace for namespace, pane in self.all_panes() if pane]
        if not self._base:
            for namespace in [namespace for namespace, pane in self.panes.items() if not pane]:
                del self.panes[namespace]
        return found

    def all_panes(self) -> Iterator[tuple[Any, Pane | LayeredPane]]:
        """Namespace and dictionary of everything."""
        yield VOID_NAMESPACE, self.entries
        for namespace in [*self.panes, *(one for one in self._base if one not in self.panes)]:
            pane = self.find(namespace)
            if pane is not None:
                yield namespace, pane

    def clear_key(self, key: Any) -> None:
        """Forget a key in every namespace."""
        self._key_columns = None
        for namespace, pane in list(self.all_panes()):
            pane.pop(key, None)
            if namespace is not VOID_NAMESPACE:
                self.release(namespace)

    @property
    def is_layered(self) -> bool:
        """Whether a snapshot is being written, or what changed meanwhile has not come together yet."""
        return self._freeze is not None

    def may_shrink(self) -> None:
        """Called when somebody gets the entries of the void namespace who may remove some."""
        self._only_grows, self._key_columns = False, None

    # Snapshots ----------------------------------------------------------------------------------------------------------

    def freeze(self, pin: Pin) -> tuple[Pane, Panes]:
        """What is stored now, in dictionaries that nobody changes until ``pin`` is released.

        Costs nothing, unless an earlier snapshot is still being written or has only just been: then everything is copied once
        (80 ms for a million entries), or what had changed is brought together.
        """
        before = self._freeze
        if before is not None:
            self._come_together()
        freeze = self._freeze = Freeze(pin, before)
        entries: Any = self.entries
        self._base = self.panes  # plain dictionaries, after coming together
        self.panes = {}
        self.entries = LayeredPane(entries, freeze)
        return entries, self._base

    def key_columns(self, max_parallelism: int) -> KeyColumns | None:
        """What earlier snapshots have left for this one; None where keys come and go."""
        if self._only_grows and self._key_columns is None:
            self._key_columns = KeyColumns(max_parallelism)
        return self._key_columns

    def give_way(self) -> None:
        """Between two batches: see :meth:`penstock.state.layers.Freeze.give_way`."""
        if self._freeze is not None:
            self._freeze.give_way()

    def settle(self, limit: int = SETTLED_AT_ONCE) -> None:
        """Bring together a part of what has changed since the snapshot, once that is written."""
        if self._restored is not None:
            self._entries_of_columns()
        freeze = self._freeze
        if freeze is None or not freeze.is_over():
            return
        if isinstance(self.entries, LayeredPane):
            limit = self.entries.settle(limit)
            if limit <= 0:
                return
            self.entries = self.entries.base
        while self.panes and limit > 0:
            namespace, pane = self.panes.popitem()
            limit -= 1
            if isinstance(pane, LayeredPane):
                limit = pane.settle(limit)
                if pane.delta:
                    self.panes[namespace] = pane
                    return
                pane = pane.base
            if pane:
                self._base[namespace] = pane
            else:
                self._base.pop(namespace, None)
        if not self.panes:
            self.panes, self._base, self._freeze = self._base, {}, None

    def _come_together(self) -> None:
        """Have plain dictionaries again, at whatever cost."""
        self.entries = _frozen(self.entries)
        panes = list(self.all_panes())[1:]  # without the void namespace
        self.panes = {namespace: _frozen(pane) for namespace, pane in panes if pane}
        self._base, self._freeze = {}, None


def _frozen(pane: Pane | LayeredPane) -> Pane:
    return pane.frozen() if isinstance(pane, LayeredPane) else pane


class NamespaceEntries:
    """What handles of a namespace use in place of its dictionary, which may come and go while they are held."""

    __slots__ = ("_namespace", "_table")

    def __init__(self, table: HashMapTable, namespace: Any) -> None:
        self._table = table
        self._namespace = namespace

    @property
    def entries(self) -> "NamespaceEntries":
        """Itself: handles ask this as they ask the table for the entries of the void namespace."""
        return self

    def get(self, key: Any) -> Any:
        pane = self._table.find(self._namespace)
        hash(key)  # as a dictionary would, for the message about a key that is not set
        return None if pane is None else pane.get(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        hash(key)
        self._table.pane(self._namespace)[key] = value

    def pop(self, key: Any, default: Any) -> Any:
        pane = self._table.find(self._namespace)
        hash(key)
        if pane is None:
            return default
        value = pane.pop(key, default)
        self._table.release(self._namespace)
        return value


Entries = HashMapTable | NamespaceEntries
"""Where handles find what is stored: in ``entries``."""
