"""A source of the records of files: those that are there, or also those that come."""

from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from penstock.connectors.files.source_parts import (
    FileEnumeratorProvider,
    FileSearch,
    FileSplitAssignerProvider,
    MonitoredFiles,
    StaticFiles,
)
from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.effects import Effect, effect_of_parts
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.data.type_information import TypeInformation
from penstock.errors import OutsideError, ProgramError
from penstock.formats.contract import BulkFormat, FileAccess, FileFormat, FilePart
from penstock.formats.text import StreamFormat
from penstock.storage.compression import decompressed
from penstock.storage.reading import absolute_path, open_buffered, outside_errors


class FileSourceBuilder:
    """Collects the settings of a source of files."""

    def __init__(self, source: "FileSource") -> None:
        self._source = source

    def monitor_continuously(self, discovery_interval: Any) -> "FileSourceBuilder":
        """Go on for ever, and look for new files at an interval: a ``Duration``, or milliseconds.

        A file is read once, as it is when it is found: what is appended later is not read. Let files appear as a whole, by
        moving them into the directory.
        """
        from penstock.data.time import Duration

        interval_ms = Duration.of(discovery_interval).to_millis()
        if interval_ms <= 0:
            raise ProgramError(
                f"the interval at which files are looked for is a Duration of 1 ms at least, not {discovery_interval!r}"
            )
        self._source = replace(self._source, interval_ms=interval_ms)
        return self

    def read_changed_files_again(self) -> "FileSourceBuilder":
        """While files are monitored: read a file anew from its start whenever it has changed, as ``read_file`` does."""
        self._source = replace(self._source, search=replace(self._source.search, reads_changed_files=True))
        return self

    def process_static_file_set(self) -> "FileSourceBuilder":
        """Read what is there when the job starts, and end. So it is when nothing is set."""
        self._source = replace(self._source, interval_ms=None)
        return self

    def set_file_enumerator(self, file_enumerator: FileEnumeratorProvider) -> "FileSourceBuilder":
        """Say whether readers may share large files, and which files are read."""
        if not isinstance(file_enumerator, FileEnumeratorProvider):
            raise ProgramError(
                f"set_file_enumerator takes a FileEnumeratorProvider, not {file_enumerator!r}; "
                "FileEnumeratorProvider.default_splittable_file_enumerator() makes one"
            )
        search = replace(
            self._source.search,
            splits_files=file_enumerator.splits_files,
            path_filter=file_enumerator.path_filter,
            is_recursive=file_enumerator.is_recursive,
        )
        self._source = replace(self._source, search=search)
        return self

    def set_split_assigner(self, split_assigner: FileSplitAssignerProvider) -> "FileSourceBuilder":
        """Say who gets which part of the files."""
        if not isinstance(split_assigner, FileSplitAssignerProvider):
            raise ProgramError(
                f"set_split_assigner takes a FileSplitAssignerProvider, not {split_assigner!r}; "
                "FileSplitAssignerProvider.locality_aware_split_assigner() makes one"
            )
        return self

    def build(self) -> "FileSource":
        """The source."""
        return self._source


@dataclass(frozen=True, slots=True)
class FileSource(Source):
    """Reads files of one format, from paths, directories, patterns as ``logs/*.gz``, and URLs that fsspec knows.

    >>> source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "lines.txt").build()
    >>> source.display_name(), source.get_boundedness().name
    ('File Source (lines.txt)', 'BOUNDED')
    """

    search: FileSearch
    interval_ms: int | None = None

    @staticmethod
    def for_record_stream_format(stream_format: StreamFormat, *paths: Any) -> FileSourceBuilder:
        """Begin a source of files that are read as a stream: lines, CSV, JSON."""
        if not isinstance(stream_format, StreamFormat):
            raise ProgramError(
                f"a StreamFormat is expected, not {stream_format!r}; StreamFormat.text_line_format() reads lines"
            )
        return FileSourceBuilder(_source_of(stream_format, paths))

    @staticmethod
    def for_bulk_file_format(bulk_format: BulkFormat, *paths: Any) -> FileSourceBuilder:
        """Begin a source of files that are read in batches: Parquet, ORC, Avro."""
        if not isinstance(bulk_format, BulkFormat):
            raise ProgramError(
                f"a BulkFormat is expected, not {bulk_format!r}; ParquetColumnarRowInputFormat() reads Parquet"
            )
        return FileSourceBuilder(_source_of(bulk_format, paths))

    @property
    def output_layout(self) -> str:  # type: ignore[override]
        """Whether records come as rows or in columns."""
        return self.search.file_format.output_layout

    @property
    def checks_types(self) -> bool:  # type: ignore[override]
        """Whether records are certain to be of the type that the format produces."""
        return self.search.file_format.checks_types

    @property
    def rows_have_names(self) -> bool:  # type: ignore[override]
        """Whether the format was given a type of rows."""
        return self.get_produced_type() is not None

    @property
    def effect(self) -> Effect:  # type: ignore[override]
        """Nothing, unless the user wrote a part of it."""
        return effect_of_parts(self.search.file_format)

    def get_produced_type(self) -> TypeInformation | None:
        """The declared type of the records; None where it is open."""
        return self.search.file_format.get_produced_type()

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED if self.interval_ms is None else Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        if self.interval_ms is None:
            return StaticFiles(context, self.search)
        return MonitoredFiles(context, self.search, self.interval_ms)

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        if self.interval_ms is None:
            return SplitQueue(context, state)
        return MonitoredFiles(context, self.search, self.interval_ms, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _FileReader(context, self.search.file_format)

    def display_name(self) -> str:
        names = ", ".join(path.rstrip("/").rpartition("/")[2] for path in self.search.paths)
        return f"File Source ({names})"


def _source_of(file_format: FileFormat, paths: tuple[Any, ...]) -> FileSource:
    if not paths:
        raise ProgramError("a source of files needs a path at least: a file, a directory, a pattern or a URL")
    return FileSource(FileSearch(tuple(map(absolute_path, paths)), file_format, file_format.splittable))


def source_by_format(file_format: FileFormat, path: str, is_recursive: bool) -> FileSourceBuilder:
    """Begin a source of the files at a path, of a format of either kind."""
    is_stream = isinstance(file_format, StreamFormat)
    begin: Any = FileSource.for_record_stream_format if is_stream else FileSource.for_bulk_file_format
    builder: FileSourceBuilder = begin(file_format, path)
    return builder.set_file_enumerator(
        FileEnumeratorProvider.default_splittable_file_enumerator(is_recursive=is_recursive)
    )


class _FileReader(SplitAfterSplit[FilePart]):
    """Reads one part after the other with the reader of the format."""

    def __init__(self, context: SourceReaderContext, file_format: FileFormat) -> None:
        super().__init__(context)
        bad_records = context.metric_group().counter("numRecordsInErrors")
        opened = _open_decompressed if file_format.decompresses else open_buffered
        self._format_reader = file_format.create_reader(FileAccess(opened, bad_records.inc, self._put_aside))
        self._output: ReaderOutput | None = None
        self._position: int | None = None

    def _put_aside(self, tag_id: str, record: Any) -> None:
        assert self._output is not None
        self._output.collect_aside(tag_id, record)

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        splits = super().snapshot_state(checkpoint_id)
        if self._current is not None:
            splits[0] = replace(self._current, position=self._position)
        return splits

    def begin(self, split: FilePart) -> None:
        self._position = split.position
        with outside_errors(split.path):
            self._format_reader.begin(split)

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        self._output = output
        return super().poll_next(output)

    def read(self, split: FilePart, output: ReaderOutput) -> FilePart | None:
        try:
            piece = self._format_reader.read()
        except OutsideError:
            raise
        except OSError:
            with outside_errors(split.path):
                raise
        if piece is None:
            self._format_reader.close()
            return None
        # Kept here, as making a new part for each batch costs as much as a tenth of its lines.
        records, self._position = piece
        if not isinstance(records, list):
            output.collect_columns(records)
        elif records:
            output.collect_batch(records)
        return split

    def close(self) -> None:
        self._format_reader.close()


def _open_decompressed(path: str) -> BinaryIO:
    return decompressed(open_buffered(path), path)
