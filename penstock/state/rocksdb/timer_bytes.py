"""From timers to the database's entries, and back: in the order of their times, behind the key groups of all states."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import add
from struct import Struct
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE
from penstock.data.key_columns import key_groups_of
from penstock.data.saved_classes import Reference
from penstock.data.saved_pickles import NotingPickles, SavedPickles
from penstock.errors import StateError
from penstock.state.rocksdb.database import Cursor
from penstock.state.rocksdb.key_bytes import (
    EXACT_COLUMNS,
    framed,
    from_bytes,
    is_exact,
    key_columns,
    to_bytes,
    unframed,
)
from penstock.state.timers import EVENT, PROCESSING, Timer

DOMAINS = {EVENT: b"e", PROCESSING: b"p"}

_REGION = b"\xff\xff"  # where a key group would be; there are at most 2**15 of those
_TIME = Struct(">Q")
_SHIFT = 1 << 63
_TIME_AT = 5
_GROUP_AT = 13
_NAMESPACE_AT = 15
_EMPTY = b"\0"


class TimerBytes:
    """The bytes of one set of timers.

    A key is two bytes that are no key group, the number of the set (2 bytes), the domain (1), the time (8), the key group
    (2), the namespace with its length before it (empty for none), and the key. A value is a byte 0; or, where namespace and
    key cannot be read from their bytes, a byte 1 and their pickle.
    """

    __slots__ = ("_groups", "_max_parallelism", "_saved", "key_groups", "name", "pickles", "prefix")

    def __init__(
        self,
        name: str,
        number: int,
        max_parallelism: int,
        key_groups: range,
        classes: Sequence[Reference] = (),
    ) -> None:
        self.name = name
        self.pickles = NotingPickles(classes)
        self.prefix = prefix_of(number)
        self.key_groups = key_groups
        self._saved = SavedPickles(classes)
        self._max_parallelism = max_parallelism
        self._groups = [group.to_bytes(2, "big") for group in range(max_parallelism)]

    def places(self, domain: str, timers: Sequence[Timer]) -> list[bytes]:
        """Where timers are; raises ``StateError`` when another subtask owns one of their keys."""
        if not timers:
            return []
        times, keys, namespaces = zip(*timers, strict=True)
        of_keys = key_groups_of(keys, self._max_parallelism)
        own = self.key_groups
        if not (min(of_keys) in own and max(of_keys) in own):
            self._refuse(keys, of_keys)
        head, groups = self.prefix + DOMAINS[domain], self._groups
        times_bytes = map(_TIME.pack, map(add, times, repeat(_SHIFT)))
        tag, bodies = key_columns(keys)
        parts = zip(times_bytes, of_keys, _framed(namespaces), bodies, strict=True)
        return [
            head + time + groups[group] + namespace + tag + body for time, group, namespace, body in parts
        ]

    def stored(self, timers: Sequence[Timer]) -> list[bytes]:
        """The values of timers; raises ``StateError`` naming a key that cannot be pickled."""
        if all(namespace is VOID_NAMESPACE for _, _, namespace in timers):
            kinds = {key.__class__ for _, key, _ in timers}
            if kinds in EXACT_COLUMNS:
                return [_EMPTY] * len(timers)
        return [self._stored(key, namespace) for _, key, namespace in timers]

    def _stored(self, key: Any, namespace: Any) -> bytes:
        if is_exact(key) and (namespace is VOID_NAMESPACE or is_exact(namespace)):
            return _EMPTY
        try:
            return b"\1" + self.pickles.dump_for_this_program((namespace, key))
        except Exception as error:
            raise StateError(
                f"timers {self.name!r} cannot be saved: the key {key!r:.80} or its namespace {namespace!r:.80} cannot be "
                f"pickled ({error})"
            ) from error

    def head(self, domain: str) -> bytes:
        """How the keys of all timers of a domain begin."""
        return self.prefix + DOMAINS[domain]

    def at(self, domain: str, time: int) -> bytes:
        """How the keys of all timers at a time begin."""
        return self.head(domain) + _TIME.pack(time + _SHIFT)

    def timer(self, place: bytes, data: bytes) -> Timer:
        """The timer of an entry."""
        time = time_of(place)
        if data[0]:
            namespace, key = self._saved.load(data[1:], f"a key of timers {self.name!r}")
            return time, key, namespace
        namespace_bytes, start = unframed(place, _NAMESPACE_AT)
        namespace = from_bytes(namespace_bytes) if namespace_bytes else VOID_NAMESPACE
        return time, from_bytes(place[start:]), namespace

    def scan(self, cursor: Cursor, key_groups: range) -> Iterator[tuple[int, str, Timer]]:
        """All timers of some key groups: key group, domain and timer."""
        for domain in DOMAINS:
            for place, data in cursor.entries(self.head(domain)):
                group = group_of(place)
                if group in key_groups:
                    yield group, domain, self.timer(place, data)

    def _refuse(self, keys: Sequence[Any], of_keys: Sequence[int]) -> None:
        key, group = next(
            (key, group) for key, group in zip(keys, of_keys, strict=True) if group not in self.key_groups
        )
        raise StateError(
            f"timers {self.name!r} hold key {key!r:.80} of key group {group}, but this subtask owns {self.key_groups}"
        )


def prefix_of(number: int) -> bytes:
    """How the keys of all timers of the set with this number among the states begin."""
    return _REGION + number.to_bytes(2, "big")


def time_of(place: bytes) -> int:
    """The time of the timer at a place."""
    time: int = _TIME.unpack_from(place, _TIME_AT)[0]
    return time - _SHIFT


def group_of(place: bytes) -> int:
    """The key group of the timer at a place."""
    return int.from_bytes(place[_GROUP_AT:_NAMESPACE_AT], "big")


def _framed(namespaces: Sequence[Any]) -> Iterator[bytes]:
    """The bytes of namespaces, of which many are often the same."""
    known: dict[Any, bytes] = {VOID_NAMESPACE: _EMPTY}
    for namespace in namespaces:
        found = known.get(namespace)
        if found is None:
            found = known[namespace] = framed(to_bytes(namespace))
        yield found
