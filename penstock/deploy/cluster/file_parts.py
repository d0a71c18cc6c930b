"""Parts of files that grow while they are read."""

import os

MOST_BYTES = 32 << 20


def read_from(path: str | os.PathLike[str], start: int = 0) -> tuple[bytes | None, int]:
    """What is in a file from a byte on, its last 32 MB at most, and at which byte that begins; None where there is no file.

    A file that has become shorter was begun anew, and is given from its beginning.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            begin = max(start if start <= size else 0, size - MOST_BYTES)
            file.seek(begin)
            return file.read(), begin
    except (OSError, ValueError):
        return None, 0
