"""Sizes, slides, offsets, gaps and intervals as users give them."""

from datetime import timedelta

from penstock.data.time import Duration, Time
from penstock.errors import ProgramError

# A number counts milliseconds; text is as in the configuration, "10 s".
Length = Duration | Time | timedelta | int | str


def length_ms(length: Length, what: str) -> int:
    """The whole milliseconds in ``length``; ``what`` names it in the ``ProgramError`` that anything else raises.

    >>> length_ms(timedelta(seconds=1.5), "size"), length_ms(Time.seconds(2), "size"), length_ms(-20, "offset")
    (1500, 2000, -20)
    """
    if type(length) is int:
        return length
    try:
        return Duration.of(length).to_millis()
    except (TypeError, ValueError) as cause:
        raise ProgramError(f"the {what} is not a length of time: {cause}") from cause
