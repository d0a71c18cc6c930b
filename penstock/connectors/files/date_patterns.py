"""Patterns of dates as Java's ``DateTimeFormatter`` has them, for the names of directories."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from penstock.errors import ProgramError

Write = Callable[[datetime, int], str]

_PIECES = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'\[\]{}#]+)")


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A pattern, in pieces: texts, and letters with how often each stands there.

    >>> from datetime import UTC
    >>> DatePattern.of("yyyyMMdd'T'HH").text(datetime(2024, 2, 9, 7, tzinfo=UTC))
    '20240209T07'
    """

    pieces: tuple[str | tuple[str, int], ...]

    @staticmethod
    def of(pattern: str) -> "DatePattern":
        """The pattern that a text describes.

        :raises ProgramError: for one that Java refuses, and for letters that are not known here.
        """
        pieces: list[str | tuple[str, int]] = []
        at = 0
        while at < len(pattern):
            found = _PIECES.match(pattern, at)
            if found is None:
                rest = pattern[at:]
                raise ProgramError(
                    f"the date format {pattern!r} has a quote that is not closed: {rest!r}"
                    if rest.startswith("'")
                    else f"the date format {pattern!r} has {rest[0]!r}, which stands for itself in quotes only"
                )
            pieces.append(_piece(pattern, found))
            at = found.end()
        return DatePattern(tuple(pieces))

    @property
    def is_finer_than_seconds(self) -> bool:
        """Whether there are fractions of a second in it."""
        return any(piece[0] == "S" for piece in self.pieces if isinstance(piece, tuple))

    def text(self, when: datetime) -> str:
        """The text of a date."""
        return "".join(
            [
                piece if isinstance(piece, str) else _LETTERS[piece[0]][1](when, piece[1])
                for piece in self.pieces
            ]
        )


def _piece(pattern: str, found: re.Match[str]) -> str | tuple[str, int]:
    quoted, letter, other = found.groups()
    if quoted is not None:
        return quoted.replace("''", "'") or "'"
    if letter is None:
        return str(other)
    count = len(found.group())
    if letter not in _LETTERS:
        raise ProgramError(
            f"the date format {pattern!r} has {found.group()!r}; known are {', '.join(_LETTERS)}, and text in quotes"
        )
    if count > _LETTERS[letter][0]:
        raise ProgramError(
            f"the date format {pattern!r} has too many letters {letter!r} in {found.group()!r}"
        )
    return letter, count


def _padded(number: Callable[[datetime], int]) -> Write:
    return lambda when, count: str(number(when)).zfill(count)


def _year(when: datetime, count: int) -> str:
    text = str(when.year)
    return text[-2:].zfill(2) if count == 2 else text.zfill(count)


# For each letter how often it may stand, and what it writes.
_LETTERS: dict[str, tuple[int, Write]] = {
    "y": (9, _year),
    "u": (9, _year),
    "M": (2, _padded(lambda when: when.month)),
    "d": (2, _padded(lambda when: when.day)),
    "D": (3, _padded(lambda when: when.timetuple().tm_yday)),
    "H": (2, _padded(lambda when: when.hour)),
    "h": (2, _padded(lambda when: (when.hour - 1) % 12 + 1)),
    "a": (1, lambda when, _: "AM" if when.hour < 12 else "PM"),
    "m": (2, _padded(lambda when: when.minute)),
    "s": (2, _padded(lambda when: when.second)),
    "S": (9, lambda when, count: f"{when.microsecond:06d}000"[:count]),
}
