"""The error for a message that a schema cannot read."""

from penstock.data.type_information import shortened
from penstock.errors import OutsideError


class UnreadableMessage(OutsideError):
    """``reason`` is what is wrong with the message, for whoever shows the message, or its place, himself."""

    retryable = False
    reason = ""


def unreadable(message: bytes, error: Exception) -> UnreadableMessage:
    """The error for a message, with what was found."""
    failure = UnreadableMessage(
        f"a message cannot be read: {error}; it was {shortened(message)}; correct what sends it, or have the schema "
        "ignore parse errors"
    )
    failure.reason = str(error) or type(error).__name__
    return failure
