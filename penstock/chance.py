"""Randomness; the only file that may use ``random`` and ``secrets``."""

import os
import random


def seeded(seed: int | str) -> random.Random:
    """A generator that yields the same numbers for the same seed on every machine."""
    return random.Random(seed)


def secret_token(size_bytes: int = 32) -> bytes:
    """Bytes that nobody can guess."""
    return os.urandom(size_bytes)
