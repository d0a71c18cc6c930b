"""Which bytes end a line in a charset, and what a mark at the start of a file says about its charset."""

import codecs
from dataclasses import dataclass

from penstock.errors import ProgramError

_MARKS = {
    "utf-8": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}
# Without a mark the bytes come in the order of the network, as Java and RFC 2781 have it.
_UNMARKED = {"utf-16": "utf-16-be", "utf-32": "utf-32-be"}
LONGEST_MARK_BYTES = 4


@dataclass(frozen=True, slots=True)
class LineCharset:
    """How the bytes of one file become lines. ``mark_bytes`` is where the text starts."""

    codec: str
    newline: bytes
    mark_bytes: int

    def find_newline(self, block: bytes, start: int) -> int:
        """The first end of line at or after ``start``, -1 when there is none; ``block`` starts at a character."""
        at = block.find(self.newline, start)
        while at >= 0 and at % len(self.newline):
            at = block.find(self.newline, at + 1)
        return at

    def find_last_newline(self, block: bytes) -> int:
        """The last end of line, -1 when there is none."""
        at = block.rfind(self.newline)
        while at >= 0 and at % len(self.newline):
            at = block.rfind(self.newline, 0, at + len(self.newline) - 1)
        return at


def check_charset(name: str) -> str:
    """Python's name of a charset that Java or Python knows.

    >>> check_charset("UTF-8"), check_charset("ISO-8859-1"), check_charset("windows-1252")
    ('utf-8', 'iso8859-1', 'cp1252')
    """
    try:
        found = codecs.lookup(name).name
        if "\n".encode(found) and found not in ("idna", "punycode"):
            return found.removesuffix("-sig")
    except (LookupError, TypeError, UnicodeError):
        pass
    raise ProgramError(f"there is no charset {name!r}; usual ones are UTF-8, ISO-8859-1, US-ASCII, UTF-16")


def charset_of_file(codec: str, head: bytes) -> LineCharset:
    """The charset of a file that starts with ``head``."""
    for mark, marked in _MARKS.get(codec, ()):
        if head.startswith(mark):
            return LineCharset(marked, "\n".encode(marked), len(mark))
    codec = _UNMARKED.get(codec, codec)
    return LineCharset(codec, "\n".encode(codec), 0)
