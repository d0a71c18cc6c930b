"""Files that a program brings along for its functions."""

from pathlib import Path

from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller


def import_directory(file_path: str) -> str:
    """What to put on the import path so that a file can be imported: itself for directories and archives, for a module
    the directory that it lies in.

    :raises ProgramError: when there is no such file.
    """
    path = Path(file_path.removeprefix("file://")).resolve()
    if not path.exists():
        raise ProgramError(
            f"there is no file or directory {file_path!r} to import from ({origin_of_caller()})"
        )
    return str(path.parent) if path.suffix == ".py" else str(path)


def missing_requirements(file_path: str) -> list[str]:
    """The packages of a requirements file that are not installed in this interpreter, or in another version than the one
    named with ``==``. Lines that are no package names (options, URLs) are passed over.

    :raises ProgramError: when the file cannot be read.
    """
    import re
    from importlib.metadata import PackageNotFoundError, version

    try:
        lines = Path(file_path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ProgramError(
            f"the requirements {file_path!r} cannot be read: {error.strerror} ({origin_of_caller()})"
        ) from error
    missing = []
    for line in lines:
        wanted = line.partition("#")[0].partition(";")[0].strip()
        match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?\s*(==\s*([^,\s*]+)$)?", wanted)
        if match is None or "://" in wanted:
            continue
        try:
            installed = version(match[1])
        except PackageNotFoundError:
            missing.append(wanted)
            continue
        if match[4] is not None and match[4] != installed:
            missing.append(f"{wanted} ({installed} is installed)")
    return missing
