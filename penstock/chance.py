"""Randomness; the only file that may use ``random`` and ``secrets``."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


def seeded(seed: int | str) -> "random.Random":
    """A generator that yields the same numbers for the same seed on every machine."""
    from random import Random

    return Random(seed)


def secret_token(size_bytes: int = 32) -> bytes:
    """Bytes that nobody can guess."""
    return os.urandom(size_bytes)
