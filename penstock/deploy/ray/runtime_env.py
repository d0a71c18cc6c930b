"""Makes Ray's runtime environment of Flink's options for Python programs: files, requirements and archives."""

import shutil
from pathlib import Path
from typing import Any

from penstock.errors import ProgramError


def runtime_env(
    files: str | None, requirements: str | None, archives: str | None, scratch: Path
) -> dict[str, Any]:
    """``files`` as in ``-pyfs``, ``requirements`` as in ``-pyreq``, ``archives`` as in ``-pyarch``; archives are unpacked
    into ``scratch``, which becomes the working directory of the actors.

    :raises ProgramError: naming a file that is not there, or that is no archive.
    """
    made: dict[str, Any] = {}
    if files:
        made["py_modules"] = [str(_existing(name, "-pyfs")) for name in _split(files)]
    if requirements:
        name, _, cache = requirements.partition("#")
        if cache:
            raise ProgramError(
                "-pyreq with a cache directory is not supported on Ray: give requirements alone, and name an index in it"
            )
        made["pip"] = str(_existing(name, "-pyreq"))
    if archives:
        for archive in _split(archives):
            path, _, target = archive.partition("#")
            _unpack(_existing(path, "-pyarch"), scratch / (target or Path(path).name))
        made["working_dir"] = str(scratch)
    return made


def _unpack(archive: Path, target: Path) -> None:
    try:
        shutil.unpack_archive(archive, target, filter="data" if ".tar" in archive.name else None)
    except (shutil.ReadError, ValueError, OSError) as error:
        raise ProgramError(f"-pyarch {archive} cannot be unpacked: {error}") from error


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _existing(name: str, flag: str) -> Path:
    path = Path(name).absolute()
    if not path.exists():
        raise ProgramError(f"{flag}: there is no file {name!r}")
    return path
