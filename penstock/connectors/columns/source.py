"""A source of CSV files, read as columns."""

import io
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from penstock.connectors.columns.arrow import BATCH_ROWS
from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.effects import Effect
from penstock.contracts.source import (
    Boundedness,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.errors import OutsideError, ProgramError
from penstock.storage.reading import FoundFile, absolute_path, find_files, open_file, outside_errors

if TYPE_CHECKING:
    import pyarrow

# Parsed at once. Larger blocks are not parsed faster, and their rows leave the processor's cache before they are used.
BLOCK_BYTES = 256 * 1024
# Large files are read by several readers, each a range of so many bytes at a time.
SPLIT_BYTES = 4 * 1024 * 1024
COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a CSV file is written: names of the columns unless the first row has them, delimiter, rows to leave out; and which
    columns are wanted, None for all."""

    column_names: tuple[str, ...] | None
    delimiter: str
    skip_rows: int
    wanted: tuple[str, ...] | None = None


class CsvColumnsSource(Source):
    """Emits the rows of a CSV file, or of all files below a directory, as Arrow columns, 65536 rows at most in a batch.

    ``column_types`` maps names to Arrow types or their names (``int64``); the others are inferred from the start of the first
    file. Without ``column_names`` the first row has the names. ``include_columns`` names those to parse, in that order. Files
    that are not compressed are read in parallel ranges; a value must not contain a line break.

    >>> CsvColumnsSource("trips.csv", {"distance": "float64"}).display_name()
    'CSV Source (trips.csv)'
    """

    output_layout = "columns"

    effect = Effect.NONE

    def __init__(
        self,
        path: str | os.PathLike[str],
        column_types: dict[str, Any] | None = None,
        column_names: list[str] | None = None,
        delimiter: str = ",",
        skip_rows: int = 0,
        include_columns: list[str] | None = None,
    ) -> None:
        self._path = absolute_path(path)
        self._types = dict(column_types or {})
        if not isinstance(delimiter, str) or len(delimiter.encode()) != 1:
            raise ProgramError(f"the delimiter of a CSV file is one ASCII character, not {delimiter!r}")
        names = None if column_names is None else tuple(column_names)
        if names is not None and len(set(names)) < len(names):
            raise ProgramError(f"column_names has a name twice: {list(names)!r}")
        wanted = None if include_columns is None else tuple(include_columns)
        if names is not None and wanted is not None and not set(wanted) <= set(names):
            raise ProgramError(
                f"include_columns names {sorted(set(wanted) - set(names))}, which are not in column_names {list(names)!r}"
            )
        self._layout = CsvLayout(names, delimiter, skip_rows, wanted)

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return _CsvEnumerator(context, self._path, self._layout, self._types)

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _CsvReader(context, self._layout)

    def display_name(self) -> str:
        return f"CSV Source ({self._path.rstrip('/').rpartition('/')[2]})"


@dataclass(frozen=True, slots=True)
class CsvSplit:
    """A range of a file, the schema that all files are read with, and how many rows of the range were emitted.

    ``names`` are those of all columns of the file. The range has the lines that begin in it; ``end`` is None for all.
    """

    path: str
    names: tuple[str, ...]
    schema: "pyarrow.Schema"
    position: int = 0
    start: int = 0
    end: int | None = None

    def split_id(self) -> str:
        return f"{self.path}:{self.start}"


class _CsvEnumerator(SplitQueue):
    """Finds the files when the job starts, and the schema of all in the first of them."""

    def __init__(
        self, context: SplitEnumeratorContext, path: str, layout: CsvLayout, types: dict[str, Any]
    ) -> None:
        super().__init__(context, [])
        self._path = path
        self._layout = layout
        self._types = types

    def start(self) -> None:
        files = [file for file in find_files(self._path) if file.size_bytes]
        if files:
            names, schema = _infer_schema(files[0].path, self._layout, _arrow_types(self._types))
            for file in files:
                self._waiting.extend(_ranges_of(file, names, schema))


def _ranges_of(file: FoundFile, names: tuple[str, ...], schema: "pyarrow.Schema") -> list[CsvSplit]:
    """One split for a small, compressed or remote file, else one for each range."""
    if file.size_bytes < 2 * SPLIT_BYTES or file.path.endswith(COMPRESSED) or "://" in file.path:
        return [CsvSplit(file.path, names, schema)]
    starts = range(0, file.size_bytes - SPLIT_BYTES + 1, SPLIT_BYTES)
    ends = [*starts[1:], None]
    return [
        CsvSplit(file.path, names, schema, 0, start, end) for start, end in zip(starts, ends, strict=True)
    ]


class _CsvReader(SplitAfterSplit[CsvSplit]):
    def __init__(self, context: SourceReaderContext, layout: CsvLayout) -> None:
        super().__init__(context)
        self._layout = layout
        self._stream: Any = None
        self._batch: Any = None
        self._to_skip = 0

    def begin(self, split: CsvSplit) -> None:
        self._batch = None
        self._to_skip = split.position
        lines = (
            None if split.end is None and not split.start else LineRange(split.path, split.start, split.end)
        )
        if lines is not None and lines.is_empty:
            self._stream = None
            return
        layout = self._layout
        if split.start:
            layout = replace(layout, column_names=split.names, skip_rows=0)
        self._stream = _open(split.path, layout, split.schema, lines)
        if self._stream.schema != split.schema:
            raise OutsideError(
                f"{split.path} has the columns {self._stream.schema.names}, other files have {split.schema.names}; "
                "read files of different columns by different sources"
            )

    def read(self, split: CsvSplit, output: ReaderOutput) -> CsvSplit | None:
        if self._stream is None:
            return None
        if self._batch is None:
            self._batch = _next_batch(self._stream, split, self._layout)
            if self._batch is None:
                self.close()
                return None
        batch, self._batch = self._batch, None
        if self._to_skip:
            # Rows are found by reading, so going on behind some of them reads them again.
            skipped = min(self._to_skip, batch.num_rows)
            self._to_skip -= skipped
            self._batch = batch.slice(skipped) if skipped < batch.num_rows else None
            return split
        most = min(BATCH_ROWS, output.records_wanted)
        if batch.num_rows > most:
            batch, self._batch = batch.slice(0, most), batch.slice(most)
        if batch.num_rows:
            output.collect_columns(batch)
        return replace(split, position=split.position + batch.num_rows)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _arrow_types(types: dict[str, Any]) -> "dict[str, pyarrow.DataType]":
    import pyarrow

    found = {}
    for name, given in types.items():
        try:
            found[name] = pyarrow.lib.ensure_type(given)
        except (TypeError, ValueError) as error:
            raise ProgramError(
                f"column_types[{name!r}] is {given!r}, which is no Arrow type: {error}"
            ) from error
    return found


class LineRange(io.RawIOBase):
    """The lines of a local file that begin in a range of bytes, as a file of their own."""

    def __init__(self, path: str, start: int, end: int | None) -> None:
        super().__init__()
        with outside_errors(path):
            self._file = open(path, "rb")  # noqa: SIM115 (closed with this object)
            self._position = self._line_after(start)
            self._end = os.fstat(self._file.fileno()).st_size if end is None else self._line_after(end)
            self._file.seek(self._position)

    def _line_after(self, offset: int) -> int:
        """Where the first line begins that begins at ``offset`` or behind."""
        if offset == 0:
            return 0
        self._file.seek(offset - 1)
        self._file.readline()
        return self._file.tell()

    @property
    def is_empty(self) -> bool:
        """Whether no line begins in the range."""
        return self._position >= self._end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: max(0, self._end - self._position)]
        count = self._file.readinto(view)
        self._position += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _infer_schema(
    path: str, layout: CsvLayout, types: "dict[str, pyarrow.DataType]"
) -> "tuple[tuple[str, ...], pyarrow.Schema]":
    """The names of all columns of the file, and the schema of those that are wanted."""
    import pyarrow

    stream = _open(path, replace(layout, wanted=None), pyarrow.schema(types.items()))
    schema = stream.schema
    stream.close()
    unknown = types.keys() - set(schema.names)
    if unknown:
        raise ProgramError(
            f"column_types names {sorted(unknown)}, but {path} has the columns {schema.names}; correct the names"
        )
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise OutsideError(f"{path} has several columns named {twice}; give other names in column_names")
    # A column without any value at the start may have some later; text holds all of them.
    fields = [
        field.with_type(pyarrow.string()) if pyarrow.types.is_null(field.type) else field for field in schema
    ]
    missing = sorted(set(layout.wanted or ()) - set(schema.names))
    if missing:
        raise ProgramError(
            f"include_columns names {missing}, but {path} has the columns {schema.names}; correct the names"
        )
    by_name = {field.name: field for field in fields}
    wanted = schema.names if layout.wanted is None else layout.wanted
    return tuple(schema.names), pyarrow.schema([by_name[name] for name in wanted])


def _open(path: str, layout: CsvLayout, schema: "pyarrow.Schema", lines: LineRange | None = None) -> Any:
    import pyarrow
    from pyarrow import csv

    # One thread per reader, which is also what makes Arrow name the row of an error; more readers use more cores.
    read = csv.ReadOptions(
        use_threads=False,
        block_size=BLOCK_BYTES,
        skip_rows=layout.skip_rows,
        column_names=layout.column_names,
    )
    with outside_errors(path):
        try:
            return csv.open_csv(
                lines or (open_file(path) if "://" in path else path),
                read_options=read,
                parse_options=csv.ParseOptions(delimiter=layout.delimiter),
                convert_options=csv.ConvertOptions(column_types=schema, include_columns=layout.wanted),
            )
        except pyarrow.ArrowInvalid as error:
            raise _malformed(path, layout, error) from error


def _next_batch(stream: Any, split: CsvSplit, layout: CsvLayout) -> Any:
    import pyarrow

    with outside_errors(split.path):
        try:
            return stream.read_next_batch()
        except StopIteration:
            return None
        except pyarrow.ArrowInvalid as error:
            raise _malformed(split.path, layout, error, split.start) from error


def _malformed(path: str, layout: CsvLayout, error: Exception, start: int = 0) -> OutsideError:
    text = str(error)
    row = re.search(r"Row #(\d+)", text)
    line = None if row is None else _line_of_row(path, layout, int(row.group(1)), start)
    where = path if line is None else f"{path}, line {line}"
    failure = OutsideError(
        f"{where}: {text}; correct the file, or declare the types of its columns in column_types"
    )
    failure.retryable = False
    return failure


def _line_of_row(path: str, layout: CsvLayout, row: int, start: int) -> int | None:
    """The line on which a row of the range from ``start`` stands; they differ where lines are empty. Reads the file, as only
    an error asks for it."""
    import csv

    if path.endswith(COMPRESSED):
        return None
    if start:
        with LineRange(path, 0, start) as before, LineRange(path, start, None) as lines:
            rows_before = sum(1 for _ in io.BufferedReader(before))
            text_lines = io.TextIOWrapper(io.BufferedReader(lines), "utf-8", "replace", newline="")
            reader = csv.reader(text_lines, delimiter=layout.delimiter)
            numbers = (reader.line_num for fields in reader if fields)
            return next((rows_before + line for count, line in enumerate(numbers, 1) if count == row), None)
    with io.TextIOWrapper(io.BufferedReader(open_file(path)), "utf-8", "replace", newline="") as text:  # type: ignore[type-var]
        rows = csv.reader(text, delimiter=layout.delimiter)
        numbers = (rows.line_num for fields in rows if fields)
        return next((line for count, line in enumerate(numbers, 1) if count == row), None)
