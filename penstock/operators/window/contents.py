"""What windows hold, in keyed state: the namespace is the window, or the state window where windows merge."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from penstock.contracts.state import (
    AggregatingStateDescriptor,
    KeyedStateBackend,
    ListStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
)
from penstock.operators.apart import one_apart, values_apart
from penstock.operators.contract import OperatorContext
from penstock.operators.inlined_reduce import pane_fold_by
from penstock.operators.user_code import callable_of
from penstock.operators.window.description import Aggregated, Collected, Contents, Reduced

STATE_NAME = "window-contents"


class Store(ABC):
    """The contents of all windows. ``backend.current_key`` is not used, but by :meth:`merge`."""

    def __init__(
        self, context: OperatorContext, backend: KeyedStateBackend, descriptor: StateDescriptor
    ) -> None:
        self._context = context
        self._backend = backend
        self._descriptor = descriptor
        self.table = backend.table(descriptor)

    @abstractmethod
    def add_all(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Add a batch; where a function of the user raises, ``table.failed_index`` tells at which record."""

    @abstractmethod
    def elements(self, stored: Any) -> list[Any] | None:
        """What the window function gets of what is stored under a key; None when that is nothing."""

    def add(self, namespace: Any, key: Any, value: Any, timestamp: int) -> None:
        """Add one record."""
        self.add_all(namespace, (key,), (value,))

    def to_fire(self, namespace: Any, key: Any, window: Any) -> list[Any] | None:
        """What the window function gets; None when the window holds nothing, and is not evaluated."""
        stored = self.peek(namespace, key)
        return None if stored is None else self.elements(stored)

    def after_fire(self, namespace: Any, key: Any, window: Any) -> None:  # noqa: B027
        """Called when the window function has been called with what :meth:`to_fire` gave."""

    def results(self, stored: Iterable[Any]) -> list[Any]:
        """The only element of each of the stored values, where there is one."""
        return [elements[0] for elements in map(self.elements, stored) if elements]

    def peek(self, namespace: Any, key: Any) -> Any:
        """What is stored, or None."""
        stored = self.table.pane(namespace).get(key)
        if stored is None:
            self.table.release(namespace)
        return stored

    def clear(self, namespace: Any, key: Any) -> None:
        """Forget what a key has in a window."""
        self.table.pane(namespace).pop(key, None)
        self.table.release(namespace)

    def merge(self, target: Any, sources: Iterable[Any]) -> None:
        """Move what the current key has in other windows into ``target``."""
        self._backend.merge_namespaces(self._descriptor, target, sources)


class ReducedStore(Store):
    """One value per key and window."""

    def __init__(self, context: OperatorContext, backend: KeyedStateBackend, contents: Reduced) -> None:
        self._reduce = callable_of(contents.function, "reduce", "reduce")
        # Aggregations of a field are made for the records that come.
        self._reducer_for = getattr(contents.function, "reducer_for", None)
        self._loop = pane_fold_by(self._reduce)
        descriptor = ReducingStateDescriptor(STATE_NAME, self._reduce, contents.value_type)
        super().__init__(context, backend, descriptor)

    def add_all(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        if self._reducer_for is not None:
            self._reduce, self._reducer_for = self._reducer_for(values[0]), None
        self.table.fold_pane(namespace, keys, values, self._reduce, self._loop)

    def elements(self, stored: Any) -> list[Any] | None:
        return None if stored is None else [stored]

    def results(self, stored: Iterable[Any]) -> list[Any]:
        return values_apart(self._context, [value for value in stored if value is not None])


class AggregatedStore(Store):
    """One accumulator per key and window."""

    def __init__(self, context: OperatorContext, backend: KeyedStateBackend, contents: Aggregated) -> None:
        self._function = contents.function
        # A result may be the accumulator itself.
        self._get_result = one_apart(context, self._function.get_result)
        descriptor = AggregatingStateDescriptor(STATE_NAME, self._function, contents.accumulator_type)
        super().__init__(context, backend, descriptor)

    def add_all(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.table.aggregate_pane(namespace, keys, values, self._function)

    def elements(self, stored: Any) -> list[Any] | None:
        result = None if stored is None else self._get_result(stored)
        return None if result is None else [result]

    def results(self, stored: Iterable[Any]) -> list[Any]:
        get_result = self._get_result
        results = [get_result(accumulator) for accumulator in stored if accumulator is not None]
        return [result for result in results if result is not None]


class CollectedStore(Store):
    """A list per key and window."""

    def __init__(self, context: OperatorContext, backend: KeyedStateBackend, contents: Collected) -> None:
        super().__init__(context, backend, ListStateDescriptor(STATE_NAME, contents.element_type))

    def add_all(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.table.append_pane(namespace, keys, values)

    def elements(self, stored: Any) -> list[Any] | None:
        # A list of the user's own: the window may go on and fire again.
        return list(stored) if stored else None


def make_store(context: OperatorContext, backend: KeyedStateBackend, contents: Contents) -> Store:
    """The store for what the program wants windows to hold."""
    match contents:
        case Reduced():
            return ReducedStore(context, backend, contents)
        case Aggregated():
            return AggregatedStore(context, backend, contents)
        case Collected():
            return CollectedStore(context, backend, contents)
