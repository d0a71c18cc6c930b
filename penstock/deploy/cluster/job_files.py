"""The files that travel with a job: packed where the program runs, unpacked on each machine where the job does."""

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import OutsideError, ProgramError

MOST_FILES_BYTES = 64 << 20
FILES = "python.files"
ARCHIVES = "python.archives"
REQUIREMENTS = "python.requirements"
ARCHIVE_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True, slots=True)
class JobFiles:
    """``content`` is a zip archive; ``import_path`` are the places in it that workers import from, ``archives`` the
    archives in it, with the names under which they are unpacked in the workers' working directory. ``requirements``: the
    file in it that pip installs from, and ``cached`` the directory of packages that it has for that."""

    content: bytes
    import_path: tuple[str, ...] = ()
    archives: tuple[tuple[str, str], ...] = ()
    requirements: str | None = None
    cached: str | None = None


def pack_files(settings: dict[str, str]) -> JobFiles | None:
    """What the options of a job say is to travel with it; None where that is nothing.

    ``python.files``: modules, directories and zip archives, with commas in between; ``python.archives``: archives, each with
    ``#NAME`` behind it where it is to be unpacked under another name than its own; ``python.requirements``: a file for pip,
    with ``#DIRECTORY`` behind it where the packages are in a directory.

    :raises ProgramError: naming what is not there, cannot be read, or is too large to travel.
    """
    names = _listed(settings.get(FILES, ""))
    archives = _named_archives(settings.get(ARCHIVES, ""))
    requirements, _, cached = settings.get(REQUIREMENTS, "").strip().partition("#")
    if not names and not archives and not requirements:
        return None
    packing = _Packing()
    places = [packing.add_importable(f"files/{number}", name) for number, name in enumerate(names)]
    packed = [
        (packing.add_archive(f"archives/{number}", path), target)
        for number, (target, path) in enumerate(archives.items())
    ]
    wanted = packing.add_existing("requirements.txt", requirements, REQUIREMENTS) if requirements else None
    found = packing.add_existing("cached", cached, REQUIREMENTS) if requirements and cached else None
    return JobFiles(packing.content(), tuple(places), tuple(packed), wanted, found)


def _named_archives(text: str) -> dict[str, Path]:
    """Archives by the names under which they are unpacked."""
    found: dict[str, Path] = {}
    for entry in _listed(text):
        name, _, target = entry.partition("#")
        path = existing(name, ARCHIVES)
        target = target or path.name
        if not path.is_file() or not path.name.endswith(ARCHIVE_ENDINGS):
            raise ProgramError(f"{ARCHIVES}: {name!r} is no archive: {', '.join(ARCHIVE_ENDINGS)}")
        if target.startswith("/") or ".." in Path(target).parts or target == ".":
            raise ProgramError(
                f"{ARCHIVES}: {entry!r} would be unpacked outside the workers' working directory"
            )
        if target in found:
            raise ProgramError(
                f"{ARCHIVES}: two archives are to be unpacked as {target!r}; name one of them with #NAME"
            )
        found[target] = path
    return found


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


class _Packing:
    """A zip archive that is being filled."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._zip = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False)
        self._size = 0

    def content(self) -> bytes:
        """The archive, which is complete with that."""
        self._zip.close()
        return self._buffer.getvalue()

    def add_importable(self, place: str, name: str) -> str:
        """Put in a module, a directory or an archive; where in the archive it is imported from."""
        path = existing(name, FILES)
        self.add(f"{place}/{path.name}", path, FILES)
        return place if path.suffix == ".py" else f"{place}/{path.name}"

    def add_archive(self, place: str, path: Path) -> str:
        """Put in an archive as it is; where."""
        self.add(f"{place}/{path.name}", path, ARCHIVES)
        return f"{place}/{path.name}"

    def add_existing(self, place: str, name: str, option: str) -> str:
        """Put in what an option names, under another name; where."""
        self.add(place, existing(name, option), option)
        return place

    def add(self, place: str, path: Path, option: str) -> None:
        """Put in a file, or all that is below a directory."""
        if path.is_file():
            self._add_file(place, path, option)
            return
        self._zip.mkdir(place)
        for folder, folders, files in os.walk(path, onerror=_refuse_unreadable, followlinks=True):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            inside = Path(folder)
            for name in folders:
                _refuse_loop(inside / name)
            for name in sorted(files):
                self._add_file(
                    f"{place}/{(inside / name).relative_to(path).as_posix()}", inside / name, option
                )

    def _add_file(self, place: str, path: Path, option: str) -> None:
        if not path.is_file():
            raise ProgramError(f"{option}: {str(path)!r} is no file that can travel with the job")
        try:
            self._size += path.stat().st_size
            if self._size > MOST_FILES_BYTES:
                raise ProgramError(
                    f"{option}: with {str(path)!r} the files that travel with the job are larger than "
                    f"{MOST_FILES_BYTES >> 20} MiB; leave out what its functions do not need, or put it on the "
                    "machines of the cluster"
                )
            self._zip.write(path, place)
        except OSError as error:
            raise OutsideError(
                f"{option}: {str(path)!r} cannot be read: {error.strerror or error}"
            ) from error


def existing(name: str, option: str) -> Path:
    """A path that an option names.

    :raises ProgramError: where nothing is there.
    """
    path = Path(name.removeprefix("file://")).resolve()
    if not path.exists():
        raise ProgramError(f"{option}: there is no file or directory {name!r}")
    return path


def _refuse_unreadable(error: OSError) -> None:
    raise OutsideError(f"{error.filename!r} cannot be read: {error.strerror or error}") from error


def _refuse_loop(path: Path) -> None:
    if path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve()):
        raise ProgramError(
            f"the link {str(path)!r} leads to a directory that it lies in, so it cannot travel with the job"
        )
