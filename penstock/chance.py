"""Randomness; the only file that may use ``random`` and ``secrets``."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import random

T = TypeVar("T")


class Chance(Protocol):
    """What is asked of a generator that is handed on; :func:`seeded` makes one."""

    def random(self) -> float:
        """From 0 up to 1."""

    def uniform(self, a: float, b: float) -> float:
        """From ``a`` to ``b``."""

    def randint(self, a: int, b: int) -> int:
        """From ``a`` to ``b``, both included."""

    def getrandbits(self, k: int) -> int:
        """``k`` random bits."""

    def choice(self, seq: Sequence[T]) -> T:
        """One of them."""

    def choices(self, population: Sequence[T], weights: Sequence[float] | None = None) -> list[T]:
        """One of them, by weight, in a list."""

    def shuffle(self, x: list[Any]) -> None:
        """Bring a list in another order."""


def seeded(seed: int | str) -> "random.Random":
    """A generator that yields the same numbers for the same seed on every machine."""
    from random import Random

    return Random(seed)


def secret_token(size_bytes: int = 32) -> bytes:
    """Bytes that nobody can guess."""
    return os.urandom(size_bytes)
