"""What tells whether a file of a checkpoint is still what was written."""

import hashlib


class Checksum:
    """The checksum of a file that is seen piece by piece.

    >>> seen = Checksum()
    >>> for piece in (b"ab", b"c"):
    ...     seen.add(piece)
    >>> seen.size_bytes, seen.text == checksum_of(b"abc")
    (3, True)
    """

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self.size_bytes = 0

    def add(self, piece: bytes) -> None:
        """The next piece of the file."""
        self._hash.update(piece)
        self.size_bytes += len(piece)

    @property
    def text(self) -> str:
        """The checksum of all that was added."""
        return "blake2b:" + self._hash.hexdigest()


def checksum_of(content: bytes) -> str:
    """The checksum of a file.

    >>> checksum_of(b"")[:16]
    'blake2b:cae66941'
    """
    seen = Checksum()
    seen.add(content)
    return seen.text
