"""Copies of a job's state files on the machine of its workers, so that a restart need not fetch them from afar.

They are a convenience: what is missing here, or altered, or cannot be written, is read from the checkpoint itself. The
workers of a job on one machine share a directory, in which each holds a lock while it lives; one that nobody holds any more
is removed by whoever comes next. Source: Flink's documentation, "Task-Local Recovery".
"""

import fcntl
import logging
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from penstock.checkpoint.place import SHARED_PREFIX, CheckpointPlace
from penstock.config.configuration import Configuration
from penstock.errors import OptionError

_log = logging.getLogger(__name__)

BACKUP: Final = "execution.checkpointing.local-backup.enabled"
DIRECTORIES: Final = "execution.checkpointing.local-backup.dirs"
FROM_LOCAL: Final = "execution.state-recovery.from-local"
NAME_START: Final = "penstock-local-state-"
_LOCK = "owners.lock"
_CHECKPOINT = "chk-"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Whether copies are made and whether they are read, and where they are."""

    writes: bool
    reads: bool
    directories: tuple[str, ...]


def local_settings(options: dict[str, str]) -> LocalSettings | None:
    """What the options of a job say of local copies; None where there are to be none.

    :raises OptionError: for a directory that is not the absolute path of a local one.

    >>> local_settings({}) is None, local_settings({"state.backend.local-recovery": "true"}).reads
    (True, True)
    """
    if not any("local" in key for key in options):
        return None
    given = Configuration.from_dict(options)
    writes, reads = bool(given.get(BACKUP)), bool(given.get(FROM_LOCAL))
    if not writes and not reads:
        return None
    names = [name.strip() for name in str(given.get(DIRECTORIES) or tempfile.gettempdir()).split(",")]
    for name in names:
        if not name.startswith("/"):
            raise OptionError(
                f"{DIRECTORIES} names {name!r}, which is not the absolute path of a local directory"
            )
    return LocalSettings(writes, reads, tuple(names))


class LocalState:
    """What one worker knows of the copies of its job in a directory; made by the task's thread, which alone calls it."""

    def __init__(self, path: str, lock: IO[bytes], settings: LocalSettings) -> None:
        self.path = path
        self._lock = lock
        self._settings = settings

    @staticmethod
    def open(options: dict[str, str], job_id: str, worker: int) -> "LocalState | None":
        """Join those that have copies of the job; None where the options want none, and with a warning where that cannot be.

        A worker that takes the place of another has its number, and so its directory.
        """
        settings = local_settings(options)
        if settings is None:
            return None
        parent = settings.directories[worker % len(settings.directories)]
        path = f"{parent}/{NAME_START}{job_id}"
        try:
            _remove_left_over(parent, path)
            Path(path).mkdir(parents=True, exist_ok=True)
            lock = open(f"{path}/{_LOCK}", "ab")  # noqa: SIM115 - held until close()
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            _log.warning("no local copies of state are kept in %s: %s", parent, error.strerror or error)
            return None
        return LocalState(path, lock, settings)

    def to_write(self, place: CheckpointPlace, savepoint: bool) -> CheckpointPlace:
        """The place of a checkpoint, with a copy beside it if one is wanted."""
        return replace(place, local=self.path) if self._settings.writes and not savepoint else place

    def to_read(self, place: CheckpointPlace) -> CheckpointPlace:
        """The place of a checkpoint, with copies to be looked at first if they are wanted."""
        return replace(place, local=self.path) if self._settings.reads else place

    def forget_before(self, checkpoint_id: int) -> None:
        """A checkpoint is complete: those before it are not gone back to."""
        for name in _names_in(self.path):
            number = name.removeprefix(_CHECKPOINT)
            if number != name and number.isdigit() and int(number) < checkpoint_id:
                shutil.rmtree(f"{self.path}/{name}", ignore_errors=True)

    def close(self) -> None:
        """The job is over: nothing is left when the last worker has called this."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def keep_copy(place: CheckpointPlace, name: str, content: bytes) -> None:
    """Keep a file of a checkpoint here too, where that is wanted."""
    path = _path_of(place, name)
    if path is None:
        return
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_bytes(content)
    except OSError as error:
        _log.warning("no local copy of %s is kept: %s", name, error.strerror or error)
        with suppress(OSError):
            os.unlink(path)


def keep_link(place: CheckpointPlace, name: str, path: str) -> None:
    """The same for a file that is on this machine and does not change any more: it is linked where that can be, and where it
    is on another file system, the copy for a checkpoint before this one is."""
    target = _path_of(place, name)
    if target is None:
        return
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with suppress(FileNotFoundError):
            os.unlink(target)
        if not _link_one([path], target) and not _link_one(_copies_before(place, name), target):
            shutil.copyfile(path, target)
    except OSError as error:
        _log.warning("no local copy of %s is kept: %s", name, error.strerror or error)
        with suppress(OSError):
            os.unlink(target)


def _link_one(paths: list[str], target: str) -> bool:
    for path in paths:
        with suppress(OSError):  # on another file system, or removed at this moment
            os.link(path, target)
            return True
    return False


def _copies_before(place: CheckpointPlace, name: str) -> list[str]:
    """Where the other checkpoints may have a copy of a file."""
    others = [each for each in _names_in(place.local or "") if each.startswith(_CHECKPOINT)]
    return [f"{place.local}/{each}/{_name_here(name)}" for each in others]


def find_copy(place: CheckpointPlace, name: str) -> bytes | None:
    """The copy of a file, None where there is none. Whoever gets it looks at its checksum."""
    path = _path_of(place, name)
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _path_of(place: CheckpointPlace, name: str) -> str | None:
    if place.local is None or place.directory is None:
        return None
    return f"{place.local}/{place.directory.rpartition('/')[2]}/{_name_here(name)}"


def _name_here(name: str) -> str:
    """What checkpoints share is here in each of them, as another link."""
    return name.removeprefix(SHARED_PREFIX)


def _remove_left_over(parent: str, own: str) -> None:
    for path in Path(parent).glob(NAME_START + "*"):
        if str(path) == own:
            continue  # of this job, whose worker on this machine has been lost
        try:
            lock = (path / _LOCK).open("rb")
        except OSError:
            continue  # being made or removed at this moment
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # somebody has it
            shutil.rmtree(path, ignore_errors=True)


def _names_in(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []
