"""Putting small files together before they become visible: when, and how."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import ProgramError
from penstock.formats.contract import FileAccess, FileFormat, FilePart
from penstock.storage.compression import decompressed
from penstock.storage.reading import open_buffered

if TYPE_CHECKING:
    import pyarrow

WriteRecords = Callable[[BinaryIO, "Iterable[list[Any] | pyarrow.RecordBatch]"], None]
"""Writes batches of records, or of columns, into an open file, as the sink writes its files; takes one after the other."""


@dataclass(frozen=True, slots=True)
class FileCompactStrategy:
    """When the files of a bucket are put together: at a size in bytes, or after a number of checkpoints.

    >>> FileCompactStrategy.builder().set_size_threshold(1 << 20).build()
    FileCompactStrategy(size_threshold=1048576, checkpoints=None)
    """

    size_threshold: int | None
    checkpoints: int | None

    @staticmethod
    def builder() -> "FileCompactStrategy.Builder":
        """Begin with neither."""
        return FileCompactStrategy.Builder()

    def is_due(self, size_bytes: int, checkpoints: int) -> bool:
        """Whether files of this size together, waiting for so many checkpoints, are put together now."""
        return (self.size_threshold is not None and size_bytes >= self.size_threshold) or (
            self.checkpoints is not None and checkpoints >= self.checkpoints
        )

    class Builder:
        """Collects the conditions, of which one is needed."""

        def __init__(self) -> None:
            self._size: int | None = None
            self._checkpoints: int | None = None

        def enable_compaction_on_checkpoint(
            self, num_checkpoints_before_compaction: int
        ) -> "FileCompactStrategy.Builder":
            """Put together what was finished in so many checkpoints."""
            if num_checkpoints_before_compaction <= 0:
                raise ProgramError(
                    f"Number of checkpoints before compaction should be more than 0, not {num_checkpoints_before_compaction}"
                )
            self._checkpoints = num_checkpoints_before_compaction
            return self

        def set_size_threshold(self, size_threshold: int) -> "FileCompactStrategy.Builder":
            """Put together what has so many bytes."""
            self._size = size_threshold
            return self

        def set_num_compact_threads(self, num_compact_threads: int) -> "FileCompactStrategy.Builder":
            """Kept for programs that set it: each writer puts its own files together, at its checkpoint."""
            if num_compact_threads <= 0:
                raise ProgramError(f"Compact threads should be more than 0, not {num_compact_threads}")
            return self

        def build(self) -> "FileCompactStrategy":
            """The strategy."""
            if self._size is None and self._checkpoints is None:
                raise ProgramError(
                    "At least one of size threshold and number of checkpoints should be configured: "
                    "set_size_threshold(...) or enable_compaction_on_checkpoint(...)"
                )
            return FileCompactStrategy(self._size, self._checkpoints)


class FileCompactor(ABC):
    """Puts files together into one."""

    @abstractmethod
    def compact(self, input_files: list[str], stream: BinaryIO, write: WriteRecords) -> None:
        """Write the content of the files, in their order, into an open file."""

    @staticmethod
    def concat_file_compactor(file_delimiter: bytes | None = None) -> "FileCompactor":
        """One behind the other, each with these bytes behind it; for formats that are read as a stream."""
        return _Concatenated(file_delimiter or b"")

    @staticmethod
    def identical_file_compactor() -> "FileCompactor":
        """A single file as it is; several are an error."""
        return _Identical()

    @staticmethod
    def record_wise_file_compactor(file_format: FileFormat) -> "FileCompactor":
        """Read by a format and written anew; for formats that have a beginning or an end, as Parquet has."""
        if not isinstance(file_format, FileFormat):
            raise ProgramError(
                f"record_wise_file_compactor takes a format that reads files, not {file_format!r}"
            )
        return _RecordWise(file_format)


@dataclass(frozen=True, slots=True)
class _Concatenated(FileCompactor):
    delimiter: bytes

    def compact(self, input_files: list[str], stream: BinaryIO, write: WriteRecords) -> None:
        for path in input_files:
            with open_buffered(path) as file:
                copyfileobj(file, stream, 1 << 20)
            stream.write(self.delimiter)


class _Identical(FileCompactor):
    def compact(self, input_files: list[str], stream: BinaryIO, write: WriteRecords) -> None:
        if len(input_files) != 1:
            raise ProgramError(
                f"IdenticalFileCompactor can only copy one file, and there are {len(input_files)}; "
                "use FileCompactor.concat_file_compactor()"
            )
        with open_buffered(input_files[0]) as file:
            copyfileobj(file, stream, 1 << 20)


@dataclass(frozen=True, slots=True)
class _RecordWise(FileCompactor):
    file_format: FileFormat

    def compact(self, input_files: list[str], stream: BinaryIO, write: WriteRecords) -> None:
        with closing(self._batches(input_files)) as batches:
            write(stream, batches)

    def _batches(self, paths: list[str]) -> "Generator[list[Any] | pyarrow.RecordBatch, None, None]":
        """A batch at a time, so that large files need no more memory than small ones."""
        access = FileAccess(self._opened, lambda count: None, _no_side_output)
        reader = self.file_format.create_reader(access)
        try:
            for path in paths:
                with open_buffered(path) as file:
                    size_bytes = file.seek(0, 2)
                reader.begin(FilePart(path, 0, size_bytes, size_bytes))
                while (piece := reader.read()) is not None:
                    yield piece[0]
        finally:
            reader.close()

    def _opened(self, path: str) -> BinaryIO:
        file = open_buffered(path)
        return decompressed(file, path) if self.file_format.decompresses else file


def _no_side_output(tag_id: str, record: Any) -> None:
    raise ProgramError(
        f"{record.place()}: {record.reason}; the side output {tag_id!r} belongs to sources, and a compactor has none: give "
        "its format another on_error"
    )


def rows_in(batch: "list[Any] | pyarrow.RecordBatch") -> list[Any]:
    """The rows of a batch of either kind."""
    if isinstance(batch, list):
        return batch
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
