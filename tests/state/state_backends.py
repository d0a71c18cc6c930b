"""Keyed state backends for tests: of the kind whose turn it is, closed at the end of the test."""

from collections.abc import Callable
from typing import Any, TypeVar

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.state import KeyedStateBackend
from penstock.state.hashmap.backend import HashMapStateBackend

KINDS = ("hashmap", "rocksdb", "tiny")

T = TypeVar("T")

_turn = ["hashmap"]
_opened: list[KeyedStateBackend] = []


def take_turn(kind: str) -> None:
    """Have ``new_backend`` make backends of a kind."""
    _turn[0] = kind


def turn() -> str:
    """The kind whose turn it is."""
    return _turn[0]


def new_backend(max_parallelism: int, key_groups: range | None = None, clock: Clock = SYSTEM_CLOCK) -> Any:
    """A backend of the kind whose turn it is; ``tiny`` is rocksdb with hardly a cache."""
    backend: KeyedStateBackend
    if _turn[0] == "hashmap":
        backend = HashMapStateBackend(max_parallelism, key_groups, clock)
    else:
        from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
        from penstock.state.rocksdb.settings import RocksDBSettings

        # With one byte for objects, everything is written out and forgotten every few steps.
        cache_bytes = 1 if _turn[0] == "tiny" else 1 << 20
        settings = RocksDBSettings(memory_bytes=4 << 20, object_cache_bytes=cache_bytes)
        backend = RocksDBKeyedStateBackend(max_parallelism, key_groups, clock, settings)
    _opened.append(backend)
    return backend


def only(*kinds: str) -> Callable[[T], T]:
    """Marks a test of some kinds of backends alone."""

    def mark(test: T) -> T:
        vars(test)["kinds"] = kinds
        return test

    return mark


def close_all() -> None:
    """Close what was made since the last time."""
    while _opened:
        _opened.pop().close()
