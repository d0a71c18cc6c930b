"""What functions of the user can do to records, as far as it is known."""

from enum import IntEnum
from typing import Any


class Effect(IntEnum):
    """From the least to the most; what nothing is known of has the most.

    ``NONE``: nothing is changed, and what is given is new or a part of what was got. ``SHARES``: nothing is changed, but what
    is given may also be held by something that lives on: a state, a field of a function. ``CHANGES``: records may be changed,
    those that are got as well as those that were given before.
    """

    NONE = 0
    SHARES = 1
    CHANGES = 2


def effect_of_parts(*parts: Any) -> Effect:
    """That of a source or sink with parts that users may write: nothing is known of theirs, and the engine's are harmless."""
    own = all(part is None or type(part).__module__.startswith("penstock.") for part in parts)
    return Effect.NONE if own else Effect.CHANGES
