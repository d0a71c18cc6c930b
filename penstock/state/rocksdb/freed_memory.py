"""Giving back to the system what RocksDB and Python have freed.

Blocks, write buffers and dictionaries come and go in sizes that leave gaps, and the C library of Linux keeps those: a quarter
of what is in use, and more with time. So it is asked for them now and then, which takes it some milliseconds.
"""

import ctypes
from collections.abc import Callable


class FreedMemory:
    """Counts what is written to databases, as each byte of it makes some other one free; no harm in two threads at once."""

    __slots__ = ("_every_bytes", "_trim", "_written")

    def __init__(self, every_bytes: int) -> None:
        self._every_bytes = every_bytes
        self._trim = _find_trim()
        self._written = 0

    def wrote(self, size_bytes: int) -> None:
        """Called behind each write."""
        self._written += size_bytes
        if self._written >= self._every_bytes:
            self._written = 0
            self._trim(0)


def _find_trim() -> Callable[[int], object]:
    """The function of the C library, where it has one: others than that of GNU keep little to themselves."""
    trim: Callable[[int], object] = getattr(ctypes.CDLL(None), "malloc_trim", _nothing)
    return trim


def _nothing(padding: int) -> None:
    del padding
