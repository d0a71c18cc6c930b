"""The state backend as operators see it.

An operator that works record by record sets ``current_key`` and uses handles, as user functions do. A hot operator asks
once for the :class:`KeyedTable` of its state and gives it whole batches, or walks the *pane* of a namespace (a window): all
its keys with what is stored under each. Rules that let every backend keep caches and take cheap snapshots:

- A pane, and every value in it, may be used until the operator returns from the call in which it got it, and not after.
- A value that was changed in place has to be assigned again (``pane[key] = value``); a backend on disk sees only assignments.
- Snapshots are taken between two calls of the operator, never within one.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from penstock.contracts.state_descriptors import StateDescriptor
from penstock.contracts.state_handles import State
from penstock.contracts.state_snapshots import KeyedStateSnapshot, OperatorStateSnapshot
from penstock.contracts.state_stores import KeyedStateStore, OperatorStateStore

if TYPE_CHECKING:
    from penstock.contracts.timers import Timers

VOID_NAMESPACE: Final = None
"""The namespace of state that belongs to no window."""


class StoredForm(Protocol):
    """Another form in which a backend in memory may keep what is stored, as long as nobody else looks at it."""

    def shrink(self, keys: Sequence[Any], stored: Sequence[Any]) -> Sequence[Any] | None:
        """From what is stored under the keys to the form; None when something does not fit it."""

    def expand(self, keys: Sequence[Any], shrunk: Sequence[Any]) -> Sequence[Any]:
        """Back again. Called by other threads too, while snapshots are written."""


class KeyedTable(Protocol):
    """One state of one operator, for whole batches.

    Where a function of the user raises, the exception passes unchanged and ``failed_index`` is the index of its record in the
    batch: the records before it are stored, its own key keeps what it had (unless the function changed that in place), and
    the records after it have not been touched. None stored under a key is the same as nothing.
    """

    failed_index: int

    def fold(
        self, keys: Sequence[Any], values: Sequence[Any], function: Callable[[Any, Any], Any]
    ) -> list[Any]:
        """Reduce each value into what is stored under its key, and return what was stored each time.

        The first value of a key is stored as it is; ``function(stored, value)`` makes the others. No namespace.
        """

    def fold_pane(
        self,
        namespace: Any,
        keys: Sequence[Any],
        values: Sequence[Any],
        function: Callable[[Any, Any], Any],
        loop: Callable[[dict[Any, Any], Sequence[Any], Iterable[Any]], None] | None = None,
    ) -> None:
        """The same within a namespace, without results. ``loop(stored by key, keys, values)``: the function as a loop of its
        own, if it has one."""

    def aggregate_pane(
        self,
        namespace: Any,
        keys: Sequence[Any],
        values: Sequence[Any],
        function: Any,
    ) -> None:
        """Add each value to the accumulator under its key; ``function`` is an ``AggregateFunction``."""

    def append_pane(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Append each value to the list under its key."""

    def entries_for(self, keys: Iterable[Any]) -> dict[Any, Any] | None:
        """A dictionary for a loop of the operator's own: what is stored under ``keys`` without a namespace is in it.

        What the loop assigns is stored. Good until the operator returns; None where the backend has no such dictionary.
        """

    def compact(self, form: StoredForm | None) -> bool:
        """Keep what is stored without a namespace in another form, or (None) as it is again.

        From then on :meth:`entries_for` gives the other form, and nothing but that may be used. False, and nothing has
        changed, when something that is stored does not fit, or the backend has no dictionaries.
        """

    def pane(self, namespace: Any) -> MutableMapping[Any, Any]:
        """Key to stored value of one namespace; empty when there is none, and kept once something is assigned."""

    def pop_pane(self, namespace: Any) -> dict[Any, Any]:
        """Remove a namespace and return what was in it."""

    def release(self, namespace: Any) -> None:
        """Called when a pane may have become empty: a backend that keeps it in memory forgets it then."""

    def namespaces(self) -> list[Any]:
        """All namespaces with entries, in no particular order."""


class KeyedStateBackend(KeyedStateStore):
    """Keyed state of one operator in one subtask. Not for several threads.

    ``current_key`` is a plain attribute: whoever processes a record sets it before user code runs. Handles used before any
    key was set raise ``StateError``.
    """

    __slots__ = ()

    current_key: Any

    @abstractmethod
    def set_current_key(self, key: Any) -> None:
        """Set ``current_key``, as a method."""

    @abstractmethod
    def get_partitioned_state(self, namespace: Any, descriptor: StateDescriptor) -> Any:
        """A handle of the descriptor's kind for a namespace, and for whatever key is current when it is used."""

    @abstractmethod
    def store(self, namespace: Any) -> KeyedStateStore:
        """The handles of one namespace as a store, for ``window_state()``."""

    @abstractmethod
    def merge_namespaces(self, descriptor: StateDescriptor, target: Any, sources: Iterable[Any]) -> None:
        """Move what the current key has in ``sources`` into ``target``; lists, reducing and aggregating state only."""

    @abstractmethod
    def table(self, descriptor: StateDescriptor) -> KeyedTable:
        """The state for whole batches; raises ``ProgramError`` when it has a time to live."""

    @abstractmethod
    def keys(self, state_name: str, namespace: Any = VOID_NAMESPACE) -> list[Any]:
        """The keys that have something stored in a state."""

    @abstractmethod
    def apply_to_all_keys(
        self, namespace: Any, descriptor: StateDescriptor, function: Callable[[Any, State], None]
    ) -> None:
        """Call ``function(key, handle)`` for each key that has something stored; the current key stays what it was."""

    @abstractmethod
    def clear_key(self, key: Any) -> None:
        """Forget everything of one key, in all states and namespaces."""

    @abstractmethod
    def after_records(self, count: int) -> None:
        """Called after each batch: removes some expired state where that was asked for with every record."""

    @abstractmethod
    def timers(self, name: str) -> "Timers":
        """A set of timers of the same keys. Whoever saves it saves the keyed state right before."""

    @abstractmethod
    def snapshot(self, checkpoint_id: int = 0) -> KeyedStateSnapshot:
        """Everything, frozen, at a cost that does not grow with the number of entries; the snapshot is written later."""

    @abstractmethod
    def restore(self, snapshots: list[KeyedStateSnapshot], key_groups: range) -> None:
        """Take the entries of ``key_groups`` out of snapshots of any parallelism and any backend.

        Called before any handle is used. ``StateMeta`` tells how each state was declared when it was saved; when the program
        asks for it, its descriptor may be another one (see ``state.migration``).
        """

    @abstractmethod
    def close(self) -> None:
        """Release everything."""


class OperatorStateBackend(OperatorStateStore):
    """Operator state of one operator in one subtask."""

    __slots__ = ()

    @abstractmethod
    def snapshot(self) -> OperatorStateSnapshot:
        """Everything, frozen."""

    @abstractmethod
    def restore(self, snapshot: OperatorStateSnapshot) -> None:
        """Take this subtask's part; ``redistribute`` in ``penstock.state.operator_lists`` deals the parts out."""
