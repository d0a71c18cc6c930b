"""Files that a program registered by name, for its functions."""

import re
from collections.abc import Mapping

from penstock.errors import OutsideError, ProgramError

CACHED_FILES = "pipeline.cached-files"
_ENTRY = re.compile(r"name:(?P<name>.*?),path:(?P<path>.*?)(,executable:(true|false))?")


class DistributedCache:
    """The files registered with ``env.register_cached_file``. Workers share this machine's files, so none is copied.

    >>> DistributedCache({CACHED_FILES: "name:words,path:/data/words.txt"}).names()
    ['words']
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._paths: dict[str, str] = {}
        for entry in filter(None, settings.get(CACHED_FILES, "").split(";")):
            found = _ENTRY.fullmatch(entry)
            if found is None:
                raise ProgramError(
                    f"{CACHED_FILES} has the entry {entry!r}; an entry is name:<name>,path:<path>,executable:<true or false>"
                )
            self._paths[found["name"]] = found["path"].removeprefix("file://")

    def names(self) -> list[str]:
        """The names under which files were registered."""
        return list(self._paths)

    def get_file(self, name: str) -> str:
        """The path of the file or folder registered as ``name``.

        :raises ProgramError: when nothing was registered under the name.
        :raises OutsideError: when there is no such file.
        """
        from pathlib import Path

        try:
            path = Path(self._paths[name])
        except KeyError:
            known = ", ".join(sorted(self._paths)) or "none"
            raise ProgramError(
                f"no file was registered as {name!r}; registered are: {known}. "
                f"Call env.register_cached_file(path, {name!r}) before execute"
            ) from None
        if not path.exists():
            raise OutsideError(
                f"the cached file {name!r} is not at {str(path)!r}; has it been moved or removed?"
            )
        return str(path.absolute())
