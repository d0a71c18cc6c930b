"""Where the files of jobs lie on a machine of the cluster: one directory for each job, for its owner alone."""

import fcntl
import io
import logging
import os
import shutil
import stat
import tempfile
import threading
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

from penstock.deploy.cluster.job_files import JobFiles
from penstock.errors import OutsideError, ProgramError

WORK = "work"
_LOCK = ".lock"
_PREFIX = "process-"

_log = logging.getLogger(__name__)


class JobDirectories:
    """The directories of one process of the cluster, in one of its own below ``parent``.

    It is made when the first job brings files, and held locked, so that what a process that was killed has left is told apart
    from what others use, and removed.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._making = threading.Lock()
        self._own: Path | None = None
        self._lock: int | None = None

    def unpack(self, job_id: str, files: JobFiles) -> Path:
        """Unpack the files of a job; the new directory that they are in. May be called from any thread.

        :raises PenstockError: where they cannot be written, or would come to lie elsewhere.
        """
        directory = self._new_directory()
        try:
            unpack_zip(files.content, directory)
        except OSError as error:
            self.remove(directory)
            raise OutsideError(
                f"the files of job {job_id} cannot be unpacked in {directory}: {error.strerror or error}"
            ) from error
        except ProgramError:
            self.remove(directory)
            raise
        return directory

    def remove(self, directory: Path) -> None:
        """Remove the directory of a job."""
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:
            pass
        except OSError as error:
            _log.warning("%s cannot be removed: %s", directory, error)

    def close(self) -> None:
        """Remove all that is left."""
        with self._making:
            if self._own is not None and self._lock is not None:
                self.remove(self._own)
                os.close(self._lock)
                self._own = self._lock = None

    def _new_directory(self) -> Path:
        with self._making:
            try:
                if self._own is None:
                    self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._remove_left()
                    self._own, self._lock = _locked_directory(self._parent)
                return Path(tempfile.mkdtemp(prefix="job-", dir=self._own))
            except OSError as error:
                raise OutsideError(
                    f"files of jobs cannot be kept in {self._parent}: {error.strerror or error}"
                ) from error

    def _remove_left(self) -> None:
        for directory in self._parent.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                lock = os.open(directory / _LOCK, os.O_RDWR)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.remove(directory)
                finally:
                    os.close(lock)


def _locked_directory(parent: Path) -> tuple[Path, int]:
    """A new directory. It gets its name when it is locked, so that nobody takes it for one that was left."""
    made = Path(tempfile.mkdtemp(prefix="new-", dir=parent))
    lock = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return made.rename(parent / made.name.replace("new-", _PREFIX, 1)), lock


def unpack_archives(directory: Path, files: JobFiles) -> None:
    """Unpack the archives that came with a job below ``WORK``, the working directory of its workers.

    :raises PenstockError: naming the one that cannot be unpacked.
    """
    work = directory / WORK
    for place, target in files.archives:
        try:
            if not (work / target).resolve().is_relative_to(work.resolve()):
                raise ProgramError("it would come to lie outside the workers' working directory")
            (work / target).mkdir(parents=True, exist_ok=True)
            unpack = unpack_zip if place.endswith(".zip") else _unpack_tar
            unpack(directory / place, work / target)
        except ProgramError as error:
            raise ProgramError(
                f"the archive {Path(place).name!r} cannot be unpacked as {target!r}: {error.message}"
            ) from error
        except OSError as error:
            raise OutsideError(
                f"the archive {Path(place).name!r} cannot be unpacked as {target!r}: {error.strerror or error}"
            ) from error


def _unpack_tar(path: Path, directory: Path) -> None:
    import tarfile

    try:
        with tarfile.open(path) as archive:
            archive.extractall(directory, filter="data")  # which refuses what would lie outside
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ProgramError(str(error)) from error


def unpack_zip(content: bytes | Path, directory: Path) -> None:
    """Unpack an archive, with the permissions that its files had.

    :raises ProgramError: where it is none, or a file in it would come to lie outside the directory.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            for member in archive.infolist():
                _refuse_outside(member, directory)
            for member in archive.infolist():
                path = archive.extract(member, directory)
                mode = member.external_attr >> 16 & 0o777
                if mode and not member.is_dir():
                    os.chmod(path, mode | 0o600)
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:
        raise ProgramError(f"the archive cannot be unpacked: {error}") from error


def _refuse_outside(member: zipfile.ZipInfo, directory: Path) -> None:
    name = member.filename
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ProgramError(f"the archive holds the link {name!r}, and links of zip archives are not followed")
    root = directory.resolve()
    if (
        name.startswith(("/", "\\"))
        or not (root / name).resolve().is_relative_to(root)
        or ".." in Path(name).parts
    ):
        raise ProgramError(
            f"the archive holds {name!r}, which would come to lie outside the directory of the job"
        )
