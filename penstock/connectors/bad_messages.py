"""Messages of a broker that a schema cannot read: what users may choose for them, and what is said of them, whichever broker
it is."""

import traceback
from typing import Any

from penstock.errors import ProgramError
from penstock.formats.unreadable import UnreadableMessage


def check_policy(policy: Any, given: type, dead_letters: str) -> Any:
    """What is to become of bad messages, as the user gave it.

    ``given``: what a function is given for each of them. ``dead_letters``: what there is that keeps them, for the error.

    >>> check_policy("skip", bytes, "a Cupboard keeps them")
    'skip'

    :raises ProgramError: for anything that is no policy.
    """
    if (isinstance(policy, str) and policy in ("fail", "skip")) or callable(policy):
        return policy
    raise ProgramError(
        f"bad messages are treated with 'fail', 'skip', or a function that is given each {given.__name__}, not {policy!r}; "
        f"{dead_letters}"
    )


def reason_of(error: Exception) -> str:
    """What a schema has raised; of one of the user's own, where, too.

    >>> try:
    ...     int("x")
    ... except ValueError as error:
    ...     reason_of(error).partition(" at ")[0]
    "ValueError: invalid literal for int() with base 10: 'x'"
    """
    if isinstance(error, UnreadableMessage):
        return error.reason
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} at {place.filename}:{place.lineno}"
