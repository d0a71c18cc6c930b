"""What a snapshot of state is made of, whichever backend took it and whoever writes or reads it.

At the barrier a backend *freezes* its state, which costs the same for a thousand entries and for a million: the snapshot is a
view. A checkpoint writer's thread then walks the frozen entries in chunks of columns, and releases the view when they are
written. What is read back from a checkpoint looks the same, so that any backend restores what any other wrote.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

from penstock.contracts.state_descriptors import StateKind
from penstock.data.pickles import dump, load
from penstock.data.saved_classes import Reference
from penstock.errors import StateError

ENTRIES_PER_CHUNK: Final = 1 << 16
"""How many entries a chunk has at most, so that whoever makes one holds up other threads for milliseconds only."""


@dataclass(frozen=True, slots=True)
class StateMeta:
    """What is known of a stored state without its descriptor."""

    name: str
    kind: StateKind
    type_text: str = ""
    ttl: bool = False


class TupleColumn(Sequence[Any]):
    """Tuples whose fields are columns already, so that they need not be made to be written as columns again.

    >>> list(TupleColumn(["a", "b"], [1, 2]))
    [('a', 1), ('b', 2)]
    """

    __slots__ = ("fields",)

    def __init__(self, *fields: Sequence[Any]) -> None:
        self.fields = fields

    def __len__(self) -> int:
        return len(self.fields[0])

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return TupleColumn(*(field[row] for field in self.fields))
        return tuple(field[row] for field in self.fields)

    def __iter__(self) -> Iterator[Any]:
        return zip(*self.fields, strict=True)


@dataclass(frozen=True, slots=True)
class EntryChunk:
    """Some entries of one state, as columns of equal length: what is stored is ``values[i]``, under ``keys[i]``.

    What is stored is the value, list, dict or accumulator; with a time to live, each value is a pair
    ``(value, written at, in milliseconds)``, for lists and maps each element. For timers the values are pairs
    ``(domain, timestamp)``, the domain being "event" or "processing". None is never stored.
    """

    key_groups: Sequence[int]
    keys: Sequence[Any]
    values: Sequence[Any]
    namespaces: Sequence[Any] | None = None
    """None when all entries are in the void namespace."""

    def __len__(self) -> int:
        return len(self.keys)

    def within(self, key_groups: range) -> "EntryChunk":
        """The entries of some key groups alone."""
        if not self.key_groups or (min(self.key_groups) in key_groups and max(self.key_groups) in key_groups):
            return self
        rows = [row for row, group in enumerate(self.key_groups) if group in key_groups]
        return EntryChunk(
            [self.key_groups[row] for row in rows],
            [self.keys[row] for row in rows],
            [self.values[row] for row in rows],
            None if self.namespaces is None else [self.namespaces[row] for row in rows],
        )


class StateEntries(Protocol):
    """All entries of one state at one moment. May be walked by any one thread, more than once."""

    @property
    def meta(self) -> StateMeta:
        """Which state it is."""

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """The entries, those of ``key_groups`` alone if given; the chunks are not empty, and in no particular order.

        Raises ``StateError`` when the state holds a key that is not this subtask's.
        """


class StoredEntries:
    """Entries that are in memory.

    >>> chunk = EntryChunk([3, 7], ["a", "b"], [1, 2])
    >>> entries = StoredEntries(StateMeta("count", StateKind.VALUE), (chunk,))
    >>> [kept.keys for kept in entries.chunks(range(5))]
    [['a']]
    """

    __slots__ = ("_chunks", "meta")

    def __init__(self, meta: StateMeta, chunks: Sequence[EntryChunk] = ()) -> None:
        self.meta = meta
        self._chunks = tuple(chunks)

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`StateEntries`."""
        for chunk in self._chunks:
            kept = chunk if key_groups is None else chunk.within(key_groups)
            if len(kept):
                yield kept

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, (self.meta, [_packed(self.meta, chunk) for chunk in self._chunks])

    def __repr__(self) -> str:
        return f"StoredEntries({self.meta}, {sum(map(len, self._chunks))} entries)"


def _packed(meta: StateMeta, chunk: EntryChunk) -> bytes:
    content = (list(chunk.key_groups), list(chunk.keys), list(chunk.values), chunk.namespaces)
    try:
        return dump(content)
    except Exception as error:
        raise unsavable(meta, chunk, error) from error


def _unpack(meta: StateMeta, packed: list[bytes]) -> StoredEntries:
    return StoredEntries(meta, [EntryChunk(*load(chunk, f"state {meta.name!r}")) for chunk in packed])


def unsavable(meta: StateMeta, chunk: EntryChunk, error: Exception) -> StateError:
    """What is to be raised when ``error`` came while a chunk was pickled: it names the first entry that cannot be."""
    what = "timers" if meta.kind is StateKind.TIMERS else "state"
    namespaces = [None] * len(chunk) if chunk.namespaces is None else chunk.namespaces
    for key, namespace, stored in zip(chunk.keys, namespaces, chunk.values, strict=True):
        try:
            dump((key, namespace))
        except Exception as reason:  # noqa: BLE001  (whatever a class raises while it is pickled)
            return StateError(
                f"{what} {meta.name!r} cannot be saved: the key {key!r:.80} or its namespace {namespace!r:.80} cannot be "
                f"pickled ({reason})"
            )
        try:
            dump(stored)
        except Exception as reason:  # noqa: BLE001  (whatever a class raises while it is pickled)
            return StateError(
                f"{what} {meta.name!r} cannot be saved: under key {key!r:.80} it holds a {type(stored).__qualname__} that "
                f"cannot be pickled ({reason}); keep only values that can be pickled in state"
            )
    return StateError(f"{what} {meta.name!r} cannot be saved: {error}")


@dataclass(frozen=True, slots=True)
class NativeFile:
    """A file of a backend's own making, by the name that the backend wants it back with.

    ``shared_as``: a name that no other file in the world has, so that it can be stored once for all checkpoints that have
    it; None for a file that is new each time.
    """

    name: str
    path: str
    shared_as: str | None


@dataclass(frozen=True, slots=True)
class NativeState:
    """A snapshot as files that only the backend that made them reads.

    ``remembered``: whoever stores the files keeps there, by their names, what it wants to know of them when the next
    snapshot is stored. ``classes``: by state, those in pickled values. ``timers``: the sets of timers that the files hold
    too, with the classes in their pickled keys.
    """

    files: tuple[NativeFile, ...]
    remembered: dict[str, Any]
    classes: Mapping[str, Sequence[Reference]]
    timers: Mapping[str, Sequence[Reference]]


@dataclass(frozen=True, slots=True)
class NativeSource:
    """The files of a native snapshot of one old subtask, for the backend that made them.

    ``reads`` gives the content of each by its name. ``remembered``: what whoever stored them has to know of them, as in
    :class:`NativeState`.
    """

    key_groups: range
    reads: Mapping[str, Callable[[], bytes]]
    remembered: Mapping[str, Any]


class NativeEntries(StateEntries, Protocol):
    """Entries in files of a backend's own making."""

    def count(self) -> int:
        """How many there are, of all key groups; no value is made for it."""


OpenNative = Callable[[int, dict[str, Callable[[], bytes]]], Sequence[NativeEntries]]
"""Given the maximum parallelism and what reads each file of a native snapshot, by its name: the entries of all states."""


class KeyedStateSnapshot:
    """All keyed states of one operator in one subtask at one moment. Later changes of the live state do not reach it.

    ``native``, if there is one, gives files that hold everything that ``states`` hold: a checkpoint may store them instead; a
    savepoint stores the entries. Whoever has written the snapshot, or has given up on it, calls ``release``, from any
    thread; until then the backend keeps what the snapshot shows, and the files. A pickle of a snapshot holds all entries.
    ``sources``: where a snapshot that was read has all of its states from, if from files that a backend made.
    """

    __slots__ = ("__weakref__", "_on_release", "max_parallelism", "native", "sources", "states")

    def __init__(
        self,
        max_parallelism: int,
        states: dict[str, StateEntries],
        native: Callable[[], NativeState] | None = None,
        on_release: Callable[[], None] | None = None,
        sources: tuple[NativeSource, ...] = (),
    ) -> None:
        self.sources = sources
        self.max_parallelism = max_parallelism
        self.states = states
        self.native = native
        self._on_release = on_release

    def release(self) -> None:
        """The snapshot is not needed any more; may be called more than once."""
        on_release, self._on_release = self._on_release, None
        if on_release is not None:
            on_release()

    def __reduce__(self) -> tuple[Any, ...]:
        stored = {
            name: StoredEntries(state.meta, tuple(state.chunks())) for name, state in self.states.items()
        }
        return KeyedStateSnapshot, (self.max_parallelism, stored)

    def __repr__(self) -> str:
        return f"KeyedStateSnapshot(max_parallelism={self.max_parallelism}, states={sorted(self.states)})"


class OperatorStateMode(Enum):
    """How operator state is dealt out to the subtasks when a job is restored."""

    SPLIT_DISTRIBUTE = "split"
    UNION = "union"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class OperatorStateSnapshot:
    """The operator states of one subtask: pickled elements; for broadcast state, pickled pairs.

    ``types`` has the texts of the types that were declared for them.
    """

    states: dict[str, tuple[OperatorStateMode, tuple[bytes, ...]]]
    types: dict[str, str] = field(default_factory=dict)
