"""The bytes of a map state's entries: as those of other states, with the key of the map behind the key."""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE
from penstock.data.keys import stable_hash
from penstock.errors import StateError
from penstock.state.rocksdb.database import Cursor, Entry
from penstock.state.rocksdb.entries import HEAD_BYTES, EntryBytes
from penstock.state.rocksdb.key_bytes import framed, from_bytes, is_exact, to_bytes, unframed
from penstock.state.rocksdb.value_bytes import value_from_bytes, value_to_bytes

Pair = tuple[int, Any]
"""The number of an entry, and its value."""

_NUMBER = Struct(">Q")
_SIZE = Struct(">I")


class MapEntryBytes(EntryBytes):
    """A value is a byte 0, the entry's number (8 bytes) and the value; or a byte 1, the number, the pickle of what cannot be
    read from the key behind its length, and the value.
    """

    __slots__ = ()

    def map_prefix(self, namespace: Any, key: Any) -> bytes:
        """How the keys of all entries of a map begin."""
        group = self._groups[stable_hash(key) % self._max_parallelism]
        return group + self.suffix(namespace) + framed(to_bytes(key))

    def map_place(self, namespace: Any, key: Any, map_key: Any) -> bytes:
        """Where an entry is."""
        return self.map_prefix(namespace, key) + to_bytes(map_key)

    def own_map_place(self, namespace: Any, key: Any, map_key: Any) -> bytes:
        """The same, of an entry to be written; raises ``StateError`` when another subtask owns the key."""
        self.own_place(b"", key)
        return self.map_place(namespace, key, map_key)

    def stored_pair(self, namespace: Any, key: Any, map_key: Any, pair: tuple[int, Any]) -> bytes:
        """The bytes of a numbered value."""
        number, value = pair
        try:
            data = value_to_bytes(value, self.pickles)
            if is_exact(key) and is_exact(map_key) and (namespace is VOID_NAMESPACE or is_exact(namespace)):
                return b"\0" + _NUMBER.pack(number) + data
            originals = self.pickles.dump_for_this_program((namespace, key, map_key))
        except Exception as error:
            raise StateError(
                f"state {self.name!r} cannot be saved: under key {key!r:.80}, at {map_key!r:.80}, it holds a "
                f"{type(value).__qualname__} that cannot be pickled ({error}); keep only values that can be pickled in state"
            ) from error
        return b"\1" + _NUMBER.pack(number) + _SIZE.pack(len(originals)) + originals + data

    def pair(self, data: bytes) -> tuple[int, Any]:
        """Number and value of an entry."""
        start = 9 if data[0] == 0 else 13 + _SIZE.unpack_from(data, 9)[0]
        number: int = _NUMBER.unpack_from(data, 1)[0]
        return number, value_from_bytes(data[start:], self._saved, f"state {self.name!r}")

    def originals(self, place: bytes, data: bytes) -> tuple[Any, Any, Any]:
        """Namespace, key and key of the map."""
        if data[0]:
            originals = data[13 : 13 + _SIZE.unpack_from(data, 9)[0]]
            namespace, key, map_key = self._saved.load(originals, f"a key of state {self.name!r}")
            return namespace, key, map_key
        namespace_bytes, start = unframed(place, HEAD_BYTES)
        key_bytes, start = unframed(place, start)
        namespace = from_bytes(namespace_bytes) if namespace_bytes else VOID_NAMESPACE
        return namespace, from_bytes(key_bytes), from_bytes(place[start:])

    def map_start(self, place: bytes) -> bytes:
        """The part of an entry's key that all entries of its map share."""
        _, start = unframed(place, HEAD_BYTES)
        _, end = unframed(place, start)
        return place[:end]

    def count(self, cursor: Cursor, group: int) -> int:
        """Each map once, however many entries it has."""
        count, before = 0, None
        for place in cursor.keys(self.group_prefix(group)):
            if before is None or not place.startswith(before):
                count, before = count + 1, self.map_start(place)
        return count

    def namespace_and_key(self, place: bytes, data: bytes) -> tuple[Any, Any]:
        return self.originals(place, data)[:2]

    def decoded(self, scanned: Iterable[Entry]) -> Iterator[tuple[Any, Any, Any]]:
        """Namespace, key and map of entries; those of one map come one after the other."""
        pairs: dict[Any, Pair] = {}
        current: tuple[Any, Any] | None = None
        before = b""
        for place, data in scanned:
            if current is None or not place.startswith(before):
                if current is not None:
                    yield *current, _in_order(pairs)
                pairs = {}
                before = self.map_start(place)
            namespace, key, map_key = self.originals(place, data)
            current = (namespace, key)
            pairs[map_key] = self.pair(data)
        if current is not None:
            yield *current, _in_order(pairs)


def _in_order(pairs: dict[Any, Pair]) -> dict[Any, Any]:
    return {key: pair[1] for key, pair in sorted(pairs.items(), key=lambda item: item[1][0])}
