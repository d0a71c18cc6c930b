"""From a state's entries to the database's, and back."""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE
from penstock.data.key_columns import key_groups_of
from penstock.data.keys import stable_hash
from penstock.data.saved_classes import Reference
from penstock.data.saved_pickles import NotingPickles, SavedPickles
from penstock.errors import StateError
from penstock.state.rocksdb.database import Cursor, Database, Entry
from penstock.state.rocksdb.key_bytes import (
    EXACT_COLUMNS,
    framed,
    from_bytes,
    is_exact,
    key_columns,
    to_bytes,
    unframed,
)
from penstock.state.rocksdb.value_bytes import value_columns, value_from_bytes, value_to_bytes

HEAD_BYTES = 4  # key group and state
_SIZE = Struct(">I")
_EMPTY = b"\0"


class EntryBytes:
    """The bytes of one state's entries.

    A key is the key group (2 bytes), the state (2), the namespace with its length before it (empty for none), and the key.
    A value is a byte 0 and the value; or, where key and namespace cannot be read from their bytes, a byte 1, the length of
    their pickle, the pickle, and the value. ``classes`` are those in the pickles that are there already.
    """

    __slots__ = ("_groups", "_max_parallelism", "_saved", "key_groups", "name", "pickles", "state")

    def __init__(
        self,
        name: str,
        number: int,
        max_parallelism: int,
        key_groups: range,
        classes: Sequence[Reference] = (),
    ) -> None:
        self.pickles = NotingPickles(classes)
        self._saved = SavedPickles(classes)
        self.name = name
        self.state = number.to_bytes(2, "big")
        self.key_groups = key_groups
        self._max_parallelism = max_parallelism
        self._groups = [group.to_bytes(2, "big") for group in range(max_parallelism)]

    def suffix(self, namespace: Any) -> bytes:
        """What stands between the key group and the key."""
        return self.state + (_EMPTY if namespace is VOID_NAMESPACE else framed(to_bytes(namespace)))

    def place(self, suffix: bytes, key: Any) -> bytes:
        """Where the entry of a key is."""
        return self._groups[stable_hash(key) % self._max_parallelism] + suffix + to_bytes(key)

    def own_place(self, suffix: bytes, key: Any) -> bytes:
        """The same, of an entry to be written; raises ``StateError`` when another subtask owns the key."""
        group = stable_hash(key) % self._max_parallelism
        if group not in self.key_groups:
            raise StateError(
                f"state {self.name!r} holds key {key!r:.80} of key group {group}, but this subtask owns {self.key_groups}: "
                "the record was sent to the wrong subtask, or the key changed after it was computed"
            )
        return self._groups[group] + suffix + to_bytes(key)

    def places(self, suffix: bytes, keys: Sequence[Any], is_own: bool = True) -> list[bytes]:
        """Where the entries of many keys are; the loops are in C for keys that are all whole numbers or all text."""
        groups = key_groups_of(keys, self._max_parallelism)
        if is_own and groups and not (min(groups) in self.key_groups and max(groups) in self.key_groups):
            for key in keys:
                self.own_place(suffix, key)  # which says what is wrong
        tag, bodies = key_columns(keys)
        heads = {group: self._groups[group] + suffix + tag for group in set(groups)}
        return [heads[group] + body for group, body in zip(groups, bodies, strict=True)]

    def all_stored(self, namespace: Any, keys: Sequence[Any], values: Sequence[Any]) -> list[bytes]:
        """The bytes of the values of many keys."""
        is_void = namespace is VOID_NAMESPACE
        if (is_void or is_exact(namespace)) and set(map(type, keys)) in EXACT_COLUMNS:
            columns = value_columns(values)
            if columns is not None:
                head = _EMPTY + columns[0]
                return [head + body for body in columns[1]]
        return [self.stored(namespace, key, value) for key, value in zip(keys, values, strict=True)]

    def stored(self, namespace: Any, key: Any, value: Any) -> bytes:
        """The bytes of a value; raises ``StateError`` naming the key when it cannot be pickled."""
        try:
            data = value_to_bytes(value, self.pickles)
            if is_exact(key) and (namespace is VOID_NAMESPACE or is_exact(namespace)):
                return _EMPTY + data
            originals = self.pickles.dump_for_this_program((namespace, key))
        except Exception as error:
            raise StateError(
                f"state {self.name!r} cannot be saved: under key {key!r:.80} it holds a {type(value).__qualname__} that "
                f"cannot be pickled ({error}); keep only values that can be pickled in state"
            ) from error
        return b"\1" + _SIZE.pack(len(originals)) + originals + data

    def value(self, data: bytes) -> Any:
        """The value of an entry."""
        start = 1 if data[0] == 0 else 5 + _SIZE.unpack_from(data, 1)[0]
        return value_from_bytes(data[start:], self._saved, f"state {self.name!r}")

    def namespace_and_key(self, place: bytes, data: bytes) -> tuple[Any, Any]:
        """What an entry belongs to."""
        if data[0]:
            originals = data[5 : 5 + _SIZE.unpack_from(data, 1)[0]]
            namespace, key = self._saved.load(originals, f"a key of state {self.name!r}")
            return namespace, key
        namespace_bytes, start = unframed(place, HEAD_BYTES)
        namespace = from_bytes(namespace_bytes) if namespace_bytes else VOID_NAMESPACE
        return namespace, from_bytes(place[start:])

    def decoded(self, scanned: Iterable[Entry]) -> Iterator[tuple[Any, Any, Any]]:
        """Namespace, key and stored value of entries."""
        for place, data in scanned:
            namespace, key = self.namespace_and_key(place, data)
            yield namespace, key, self.value(data)

    def count(self, cursor: Cursor, group: int) -> int:
        """How many entries of the state, as :meth:`decoded` gives them, are in a key group."""
        return sum(1 for _ in cursor.keys(self.group_prefix(group)))

    def group_prefix(self, group: int) -> bytes:
        """How the keys of all entries of a key group begin."""
        return self._groups[group] + self.state

    def namespaces(self, database: Database) -> Iterator[tuple[bytes, Any]]:
        """The suffix and the value of each namespace that has entries, once for each key group."""
        cursor = database.frozen()
        for group in self.key_groups:
            yield from self.namespaces_of_group(cursor, group)

    def namespaces_of_group(self, cursor: Cursor, group: int) -> Iterator[tuple[bytes, Any]]:
        """The same within a key group."""
        prefix = self.group_prefix(group)
        key = cursor.seek(prefix)
        while key is not None and key.startswith(prefix):
            _, end = unframed(key, HEAD_BYTES)
            namespace, _ = self.namespace_and_key(key, cursor.value())
            yield key[2:end], namespace
            # No byte of a key follows its namespace but its tag, which is below 0xff.
            key = cursor.seek(key[:end] + b"\xff")
