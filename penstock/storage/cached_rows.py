"""Rows that one job leaves for the next: a folder with a file for each subtask that wrote."""

import os
import pickle
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from penstock.data import code_pickle
from penstock.errors import OutsideError

RowsWithTimes = tuple[list[Any], list[int] | None]

_PART = re.compile(r"part-(\d+)-of-(\d+)")


@dataclass(frozen=True, slots=True)
class CachedRows:
    """A folder of parts. It is complete once every subtask of one run has finished its part; parts of runs that failed don't
    count, as a part gets its name when it is finished.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = CachedRows(folder)
    ...     part = rows.write_part(0, 1, "first-run")
    ...     part.append(["a", "b"], None)
    ...     before = rows.parts()
    ...     part.finish()
    ...     before, [list(rows.read(path)) for path in rows.parts() or ()]
    (None, [[(['a', 'b'], None)]])
    """

    folder: str

    def parts(self) -> list[str] | None:
        """The files in the order of the subtasks that wrote them, None where they are not complete."""
        found: dict[int, dict[int, str]] = {}
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        for name in names:
            match = _PART.fullmatch(name)
            if match:
                found.setdefault(int(match[2]), {})[int(match[1])] = os.path.join(self.folder, name)
        for count, parts in found.items():
            if len(parts) == count:
                return [parts[index] for index in range(count)]
        return None

    def write_part(self, index: int, count: int, run: str) -> "PartWriter":
        """The part of subtask ``index`` of ``count``; ``run`` keeps the files of several attempts apart."""
        return PartWriter(os.path.join(self.folder, f"part-{index}-of-{count}"), run)

    def read(self, path: str, position: int = 0) -> Iterator[RowsWithTimes]:
        """The batches of one part, without the first ``position`` of them."""
        try:
            with open(path, "rb") as file:
                while file.peek(1):
                    batch = pickle.load(file)
                    if position:
                        position -= 1
                    else:
                        yield batch
        except FileNotFoundError:
            raise OutsideError(
                f"the cached rows in {path} are gone; run the job again, which computes them anew"
            ) from None
        except OSError as error:
            raise OutsideError(f"the cached rows in {path} cannot be read: {error}") from error

    def remove(self) -> None:
        """Forget what was written, complete or not."""
        import shutil

        shutil.rmtree(self.folder, ignore_errors=True)


class PartWriter:
    """Writes one part; nothing is to be seen of it before ``finish``."""

    def __init__(self, path: str, run: str) -> None:
        self._path = path
        self._hidden = f"{path}.{run}.unfinished"
        self._file: BinaryIO | None = None

    def append(self, values: list[Any], timestamps: list[int] | None) -> None:
        """Add a batch.

        :raises OutsideError: when the folder cannot be written to.
        """
        pickled = code_pickle.dumps((values, timestamps))
        try:
            self._opened().write(pickled)
        except OSError as error:
            raise self._failure(error) from error

    def finish(self) -> None:
        """Everything was written."""
        try:
            self._opened().close()
            os.replace(self._hidden, self._path)
        except OSError as error:
            raise self._failure(error) from error

    def discard(self) -> None:
        """Leave nothing of a part that was not finished."""
        if self._file is not None:
            self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self._hidden)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._file = open(self._hidden, "wb")  # noqa: SIM115 - see finish and discard
        return self._file

    def _failure(self, error: OSError) -> OutsideError:
        return OutsideError(
            f"the rows of a cached stream cannot be written to {self._hidden}: {error.strerror or error}; "
            "make room, have io.tmp.dirs name another folder, or leave out cache()"
        )
