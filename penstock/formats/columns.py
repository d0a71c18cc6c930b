"""Reading Arrow record batches out of files: what Parquet and ORC have in common."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.data.logical_conversion import a_row_type
from penstock.data.type_composites import RowTypeInfo
from penstock.errors import OutsideError
from penstock.formats.arrow_instants import holds_instants, rows_with_instants
from penstock.formats.arrow_types import DeclaredRow, arrow_schema
from penstock.formats.bad_records import BadRecord, OnError
from penstock.formats.contract import FileAccess, FilePart, FormatReader, Piece

if TYPE_CHECKING:
    import pyarrow

# From here on a batch's own cost is lost in that of its rows, and it still fits the processor's cache.
BATCH_ROWS = 65_536


# As many as where columns become rows behind the source.
_ROWS_AT_ONCE = 1024


def layout_of_columns(row_type: DeclaredRow | None) -> str:
    """In which layout files of columns are read: rows where columns have no form for the values of a type.

    >>> layout_of_columns(None)
    'columns'
    """
    return "columns" if _type_of_rows(row_type) is None else "rows"


def _type_of_rows(row_type: DeclaredRow | None) -> RowTypeInfo | None:
    known = None if row_type is None else a_row_type("row_type", row_type)
    return known if known is not None and holds_instants(known) else None


class ColumnsReader(FormatReader):
    """Reads batches; its position is the number of rows of the part that were read."""

    def __init__(
        self,
        access: FileAccess,
        row_type: DeclaredRow | None,
        on_error: OnError,
        is_case_sensitive: bool = True,
    ) -> None:
        self._access = access
        self._on_error = on_error
        self._schema = None if row_type is None else arrow_schema(row_type)
        self._rows_of = _type_of_rows(row_type)
        self._left: pyarrow.RecordBatch | None = None  # of the columns that become rows
        self._names = None if self._schema is None else self._schema.names
        self._is_case_sensitive = is_case_sensitive
        self._file: _RememberingFile | None = None
        self._batches: Iterator[Any] = iter(())
        self._part = FilePart("", 0, 0, 0)
        self._position = 0

    @abstractmethod
    def batches(self, file: BinaryIO, part: FilePart, skip: int) -> Iterator["pyarrow.RecordBatch"]:
        """The batches of a part without its first ``skip`` rows."""

    def begin(self, part: FilePart) -> None:
        self.close()
        self._part = part
        self._position = part.position or 0
        self._file = _RememberingFile(self._access.open(part.path))
        self._batches = self.batches(self._file, part, self._position)  # type: ignore[arg-type]

    def read(self) -> Piece | None:
        if self._rows_of is None:
            columns = self._next_columns()
            if columns is None:
                return None
            self._position += columns.num_rows
            return columns, self._position
        columns = self._next_columns() if self._left is None else self._left
        if columns is None:
            return None
        rows = rows_with_instants(columns.slice(0, _ROWS_AT_ONCE), self._rows_of)
        self._left = columns.slice(_ROWS_AT_ONCE) if columns.num_rows > _ROWS_AT_ONCE else None
        self._position += len(rows)
        return rows, self._position

    def _next_columns(self) -> "pyarrow.RecordBatch | None":
        import pyarrow

        try:
            batch = next(self._batches, None)
        except (pyarrow.ArrowException, OSError) as error:
            if isinstance(error, OutsideError) or getattr(error, "errno", None) is not None:
                raise  # the file could not be read, whatever is in it
            if self._file is not None and self._file.failure is not None:
                raise self._file.failure from error
            if self._on_error == "fail":
                raise self.malformed(error) from error
            self._access.treat(
                BadRecord(self._part.path, self._position + 1, None, "", f"damaged from here on: {error}"),
                self._on_error,
            )
            return None
        return None if batch is None else self._fitted(batch)

    def columns_of(self, schema: "pyarrow.Schema") -> list[str] | None:
        """Which columns of a file are read; None for all."""
        if self._names is None:
            return None
        there = {self._known_as(name): name for name in schema.names}
        missing = [name for name in self._names if self._known_as(name) not in there]
        if missing:
            failure = OutsideError(
                f"{self._part.path} has no column {', '.join(missing)}; it has {', '.join(schema.names)}"
            )
            failure.retryable = False
            raise failure
        return [there[self._known_as(name)] for name in self._names]

    def _known_as(self, name: str) -> str:
        return name if self._is_case_sensitive else name.lower()

    def _fitted(self, batch: "pyarrow.RecordBatch") -> "pyarrow.RecordBatch":
        import pyarrow

        if self._schema is None or batch.schema.equals(self._schema):
            return batch
        columns = self.columns_of(batch.schema) or []
        arrays = []
        for column, wanted in zip(columns, self._schema, strict=True):
            arrays.append(self.cast(batch.column(column), column, wanted.type))
        return pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema)

    def cast(self, values: "pyarrow.Array", column: str, wanted: "pyarrow.DataType") -> "pyarrow.Array":
        """A column of a file in the type that is wanted."""
        import pyarrow

        if values.type.equals(wanted):
            return values
        try:
            return values.cast(wanted)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
            failure = OutsideError(
                f"{self._part.path}: the column {column} is of type {values.type} and cannot be read as {wanted}: {error}"
            )
            failure.retryable = False
            raise failure from error

    def malformed(self, error: Exception) -> OutsideError:
        """The error for a file that is not of the format, or damaged."""
        failure = OutsideError(
            f"{self._part.path} cannot be read: {error}; the file is damaged or of another format"
        )
        failure.retryable = False
        return failure

    def close(self) -> None:
        self._batches, self._left = iter(()), None
        if self._file is not None:
            self._file.close()
            self._file = None


class _RememberingFile:
    """A file that knows why it could not be read, which Arrow's readers do not all pass on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self.failure = error
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def without_first(batches: Iterator["pyarrow.RecordBatch"], skip: int) -> Iterator["pyarrow.RecordBatch"]:
    """The batches without their first ``skip`` rows, and without empty ones."""
    for batch in batches:
        if skip >= batch.num_rows:
            skip -= batch.num_rows
            continue
        yield batch.slice(skip) if skip else batch
        skip = 0
