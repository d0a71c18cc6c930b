"""Working directories of databases: one for each operator of each subtask, removed at its end.

A process that was killed leaves its directories behind. Each has a file that its owner holds locked while it lives, so that
who comes next in the same place can tell which are left over, and removes them.
"""

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO

from penstock.errors import OutsideError

NAME_START = "penstock-rocksdb-"
_LOCK = "owner.lock"
_UNLOCKED = "penstock-making-rocksdb-"


class WorkingDirectory:
    """A new directory that nobody else uses; ``close()`` removes it, as does the end of the process.

    Raises ``OutsideError`` naming the directory when it cannot be made.
    """

    def __init__(self, parent: str) -> None:
        try:
            Path(parent).mkdir(parents=True, exist_ok=True)
            remove_left_over(parent)
            unlocked = tempfile.mkdtemp(prefix=_UNLOCKED, dir=parent)
            self._lock: IO[bytes] = open(f"{unlocked}/{_LOCK}", "wb")  # noqa: SIM115 - held until close()
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Under its name nobody sees it before it is locked, and takes it for one that is left over.
            self.path = f"{parent}/{NAME_START}{Path(unlocked).name.removeprefix(_UNLOCKED)}"
            os.rename(unlocked, self.path)
            self.close = weakref.finalize(self, _remove, self.path, self._lock)
        except OSError as error:
            raise OutsideError(
                f"RocksDB cannot have a working directory in {parent}: {error.strerror or error}; set "
                "state.backend.rocksdb.localdir to a local directory that can be written"
            ) from error


def _remove(path: str, lock: IO[bytes]) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.close()


def remove_left_over(parent: str) -> list[str]:
    """Remove the directories of processes that are no more; the paths that were removed."""
    removed = []
    for path in Path(parent).glob(NAME_START + "*"):
        try:
            lock = (path / _LOCK).open("rb")
        except OSError:
            continue  # one that is being made or removed at this moment, or somebody else's
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its owner lives
            shutil.rmtree(path, ignore_errors=True)
            if not os.path.exists(path):
                removed.append(str(path))
    return removed
