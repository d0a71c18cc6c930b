"""Which files a source reads, in which parts, and who reads them when."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from penstock.connectors.splits import SplitQueue
from penstock.contracts.source import SplitEnumeratorContext
from penstock.errors import ProgramError
from penstock.formats.contract import END_OF_FILE, FileFormat, FilePart
from penstock.storage.compression import compression_of
from penstock.storage.reading import FoundFile, find_files

# Parallel readers get several parts each, so that a slow one does not hold up the end, but none too small to be worth it.
PARTS_PER_READER = 4
SMALLEST_PART_BYTES = 64 * 1024

_log = logging.getLogger(__name__)

PathFilter = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class FileEnumeratorProvider:
    """How files are found and divided: all below a directory, but hidden ones, whose names begin with ``.`` or ``_``."""

    splits_files: bool
    path_filter: PathFilter | None = None
    is_recursive: bool = True

    @staticmethod
    def default_splittable_file_enumerator(
        path_filter: PathFilter | None = None, is_recursive: bool = True
    ) -> "FileEnumeratorProvider":
        """Large files are read by several readers where the format can, and no compression is in the way.

        ``path_filter``: is given the path of each file found, and says whether it is read. ``is_recursive``: whether files in
        directories inside of the directories that are read are found, too.
        """
        return FileEnumeratorProvider(True, _checked(path_filter), is_recursive)

    @staticmethod
    def default_non_splittable_file_enumerator(
        path_filter: PathFilter | None = None, is_recursive: bool = True
    ) -> "FileEnumeratorProvider":
        """Each file is read by one reader, from its start to its end."""
        return FileEnumeratorProvider(False, _checked(path_filter), is_recursive)


def _checked(path_filter: PathFilter | None) -> PathFilter | None:
    if path_filter is not None and not callable(path_filter):
        raise ProgramError(f"path_filter is a function of a path, not {path_filter!r}")
    return path_filter


@dataclass(frozen=True, slots=True)
class FileSplitAssignerProvider:
    """Which reader gets which part next: whoever asks gets the first that is waiting, in the order of paths."""

    @staticmethod
    def locality_aware_split_assigner() -> "FileSplitAssignerProvider":
        """Every file is equally near to every reader here, so the order of paths decides alone."""
        return FileSplitAssignerProvider()


@dataclass(frozen=True, slots=True)
class FileSearch:
    """Where files are looked for, and how they are divided."""

    paths: tuple[str, ...]
    file_format: FileFormat
    splits_files: bool
    path_filter: PathFilter | None = None
    is_recursive: bool = True
    reads_changed_files: bool = False

    def find(self) -> list[FoundFile]:
        """All files that are there now, each once, in the order of the paths."""
        found = {file.path: file for path in self.paths for file in find_files(path, self.is_recursive)}
        wanted = self.path_filter
        return [file for file in found.values() if wanted is None or wanted(file.path)]

    def divide(self, files: list[FoundFile], readers: int) -> list[FilePart]:
        """Whole files for one reader, ranges of bytes for several."""
        can_split = self.splits_files and self.file_format.splittable and readers > 1
        most_bytes = END_OF_FILE
        if can_split:
            total_bytes = sum(file.size_bytes for file in files)
            most_bytes = max(SMALLEST_PART_BYTES, -(-total_bytes // (readers * PARTS_PER_READER)))
        parts: list[FilePart] = []
        for file in files:
            if not file.size_bytes:
                continue
            if self.reads_changed_files:
                # To its end, wherever that is then; under a name of its own each time.
                parts.append(VersionOfFile(file.path, 0, END_OF_FILE, file.size_bytes, None, file.version))
                continue
            if self.file_format.decompresses and compression_of(file.path):
                parts.append(FilePart(file.path, 0, END_OF_FILE, file.size_bytes))
                continue
            count = -(-file.size_bytes // most_bytes)
            # Borders stand between characters of any width.
            borders = [file.size_bytes * part // count // 4 * 4 for part in range(count)] + [file.size_bytes]
            parts += [
                FilePart(file.path, start, stop, file.size_bytes)
                for start, stop in pairwise(borders)
                if start < stop
            ]
        return parts


@dataclass(frozen=True, slots=True)
class VersionOfFile(FilePart):
    """A file as it was found at one time; another time it may be read again."""

    version: str = ""

    def split_id(self) -> str:
        return f"{FilePart.split_id(self)}@{self.version}"


class StaticFiles(SplitQueue):
    """Looks for the files when the job starts, so that a wrong path fails at once."""

    def __init__(self, context: SplitEnumeratorContext, search: FileSearch) -> None:
        super().__init__(context, [])
        self._search = search

    def start(self) -> None:
        self._waiting.extend(self._search.divide(self._search.find(), self._context.current_parallelism()))


class MonitoredFiles(SplitQueue):
    """Looks for files again and again. A file is known by its path; what becomes of it later is not looked at, unless the
    search is one for changed files: then it is read anew as a whole.

    The first search of a job has to succeed, so that a wrong path fails at once. A later one that fails is logged, and made
    again at the next interval.
    """

    def __init__(
        self, context: SplitEnumeratorContext, search: FileSearch, interval_ms: int, restored: Any = None
    ) -> None:
        known, waiting = restored or ((), ())
        super().__init__(context, list(waiting))
        self._search = search
        self._interval_ms = interval_ms
        self._known = dict(known) if search.reads_changed_files else dict.fromkeys(known, "")
        self._asking: list[int] = []
        self._has_searched = restored is not None
        self._failures = 0  # since the last search that succeeded

    def start(self) -> None:
        self._context.call_at_interval(self._search.find, self._found, self._interval_ms)

    def _found(self, files: list[FoundFile] | None, error: BaseException | None) -> None:
        if error is not None or files is None:
            self._failed(error or RuntimeError("the search for files gave nothing"))
            return
        self._has_searched, self._failures = True, 0
        # A file without content may be about to get it.
        fresh = [
            file for file in files if file.size_bytes and self._known.get(file.path) != self._seen_as(file)
        ]
        self._known.update((file.path, self._seen_as(file)) for file in fresh)
        self._waiting.extend(self._search.divide(fresh, self._context.current_parallelism()))
        self._serve()

    def _failed(self, error: BaseException) -> None:
        if not self._has_searched:
            raise error
        self._failures += 1
        _log.warning(
            "looking for files in %s failed, for the %d. time in a row; it is tried again in %d ms: %s",
            ", ".join(self._search.paths),
            self._failures,
            self._interval_ms,
            error,
        )

    def _seen_as(self, file: FoundFile) -> str:
        return f"{file.version} {file.size_bytes}" if self._search.reads_changed_files else ""

    def handle_split_request(self, subtask: int) -> None:
        self._asking.append(subtask)
        self._serve()

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        super().add_splits_back(splits, subtask)
        self._asking = [asking for asking in self._asking if asking != subtask]
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._asking:
            self._context.assign_split(self._waiting.popleft(), self._asking.pop(0))

    def snapshot_state(self, checkpoint_id: int) -> Any:
        known = sorted(self._known.items()) if self._search.reads_changed_files else sorted(self._known)
        return known, list(self._waiting)
