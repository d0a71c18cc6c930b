"""Rows written into files of columns: Parquet and ORC."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.contracts.bulk_writing import BulkWriter, BulkWriterFactory
from penstock.data.logical_conversion import a_row_type
from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.type_information import shortened
from penstock.data.type_parts import types_inside
from penstock.data.types import Types
from penstock.errors import ProgramError, TypeMismatch
from penstock.formats.arrow_instants import microseconds_of
from penstock.formats.arrow_types import DeclaredRow, arrow_schema, checked_row
from penstock.formats.columns import BATCH_ROWS

if TYPE_CHECKING:
    import pyarrow

# Kinds of columns that are taken as another, as the values in them would be.
TAKEN_AS = {
    "integer": ("integer", "null"),
    "float": ("float", "integer", "null"),
    "decimal": ("decimal", "integer", "null"),
    "text": ("text", "null"),
    "bytes": ("bytes", "null"),
    "timestamp": ("timestamp", "null"),
    "date": ("date", "null"),
    "time": ("time", "null"),
    "boolean": ("null",),
    "nested": ("nested", "null"),
}
_KINDS = (
    ("null", ("is_null",)),
    ("boolean", ("is_boolean",)),
    ("integer", ("is_integer",)),
    ("float", ("is_floating",)),
    ("decimal", ("is_decimal",)),
    ("text", ("is_string", "is_large_string")),
    ("bytes", ("is_binary", "is_large_binary", "is_fixed_size_binary")),
    ("timestamp", ("is_timestamp",)),
    ("date", ("is_date",)),
    ("time", ("is_time",)),
    ("nested", ("is_nested",)),
)

# A row group is written when so many rows have come.
ROW_GROUP_ROWS = 16 * BATCH_ROWS


class ColumnsWriterFactory(BulkWriterFactory):
    """Makes writers for rows of a type, or for columns of it."""

    takes_columns = True

    def __init__(self, row_type: DeclaredRow) -> None:
        self.row_type = checked_row(row_type)


class ColumnsWriter(BulkWriter):
    """Collects rows and writes them as columns."""

    def __init__(self, row_type: DeclaredRow) -> None:
        self.schema = arrow_schema(row_type)
        self._types = a_row_type("row_type", row_type).get_field_types()
        self._batches: list[pyarrow.RecordBatch] = []
        self._rows = 0

    @abstractmethod
    def write_table(self, table: "pyarrow.Table") -> None:
        """Write rows, as one row group or stripe."""

    def add_elements(self, elements: list[Any]) -> None:
        if not elements:
            return
        self._add(self._columns_of(elements))

    def add_columns(self, columns: "pyarrow.RecordBatch") -> None:
        import pyarrow

        if not columns.schema.equals(self.schema):
            if columns.num_columns != len(self.schema):
                raise TypeMismatch(
                    f"columns of the {len(self.schema)} fields {', '.join(self.schema.names)} are expected, got "
                    f"{', '.join(columns.schema.names)}"
                )
            arrays = [self._cast(index, column) for index, column in enumerate(columns.columns)]
            columns = pyarrow.RecordBatch.from_arrays(arrays, schema=self.schema)
        self._add(columns)

    def _add(self, batch: "pyarrow.RecordBatch") -> None:
        self._batches.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            self.flush()

    def _cast(self, index: int, column: "pyarrow.Array") -> "pyarrow.Array":
        """A column in the declared type; what rows would not be taken as is refused here, too."""
        import pyarrow

        wanted = self.schema.field(index)
        if column.type.equals(wanted.type):
            return column
        reason: Any = f"Arrow's {column.type} is not taken as {wanted.type}"
        if kind_of(column.type) in TAKEN_AS.get(kind_of(wanted.type), ()):
            try:
                return column.cast(wanted.type)
            except pyarrow.ArrowException as error:
                reason = error
        raise TypeMismatch(
            f"the field {wanted.name} is declared as {self._types[index]}, got a column of type {column.type}: {reason}"
        )

    def flush(self) -> None:
        import pyarrow

        if self._batches:
            table = pyarrow.Table.from_batches(self._batches, self.schema)
            self._batches, self._rows = [], 0
            self.write_table(table)

    def _columns_of(self, rows: list[Any]) -> "pyarrow.RecordBatch":
        import pyarrow

        width = len(self.schema)
        try:
            columns = list(zip(*rows, strict=True))
        except (TypeError, ValueError):
            columns = []
        if len(columns) != width:
            wrong = next((row for row in rows if not _has_fields(row, width)), rows[0])
            raise TypeMismatch(
                f"a row of the {width} fields {', '.join(self.schema.names)} is expected, got {shortened(wrong)}"
            )
        arrays = [self._array(index, column) for index, column in enumerate(columns)]
        return pyarrow.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _array(self, index: int, column: tuple[Any, ...]) -> "pyarrow.Array":
        import pyarrow

        field = self.schema.field(index)
        is_nested, is_moment = (
            pyarrow.types.is_nested(field.type),
            getattr(field.type, "tz", None) is not None,
        )
        prepare = _plain if is_nested else _moment
        try:
            values = list(map(prepare, column)) if is_nested or is_moment else column
            return pyarrow.array(values, field.type)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
            for value in column:
                try:
                    pyarrow.array([prepare(value)], field.type)
                except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
                    raise TypeMismatch(
                        f"the field {field.name} is declared as {self._types[index]}, got {shortened(value)} of type "
                        f"{type(value).__name__}: {error}"
                    ) from error
            raise


def kind_of(arrow_type: "pyarrow.DataType") -> str:
    """Which kind of values a type of Arrow holds; columns of few distinct values are of the kind of these."""
    import pyarrow

    if pyarrow.types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    return next(
        (name for name, tests in _KINDS if any(getattr(pyarrow.types, test)(arrow_type) for test in tests)),
        str(arrow_type),
    )


class ParquetBulkWriters:
    """Parquet files, for ``FileSink.for_bulk_format``."""

    @staticmethod
    def for_row_type(
        row_type: DeclaredRow,
        hadoop_config: Any = None,
        utc_timestamp: bool = False,
        compression: str = "snappy",
    ) -> BulkWriterFactory:
        """Rows of a type. ``compression``: snappy, gzip, zstd, lz4, brotli or none.

        >>> factory = ParquetBulkWriters.for_row_type(Types.ROW_NAMED(["a"], [Types.INT()]))
        """
        return _ParquetFactory(row_type, check_compression(compression))


def check_compression(compression: str) -> str:
    """The compression of a Parquet file as the user gave it."""
    known = ("snappy", "gzip", "zstd", "lz4", "brotli", "none")
    if compression not in known:
        raise ProgramError(f"the compression of Parquet is one of {', '.join(known)}, not {compression!r}")
    return compression


class _ParquetFactory(ColumnsWriterFactory):
    def __init__(self, row_type: DeclaredRow, compression: str) -> None:
        super().__init__(row_type)
        self._compression = compression

    def create(self, out: BinaryIO) -> BulkWriter:
        return _ParquetWriter(out, self.row_type, self._compression)


class _ParquetWriter(ColumnsWriter):
    def __init__(self, out: BinaryIO, row_type: DeclaredRow, compression: str) -> None:
        from pyarrow import parquet

        super().__init__(row_type)
        self._writer = parquet.ParquetWriter(out, self.schema, compression=compression)

    def write_table(self, table: "pyarrow.Table") -> None:
        self._writer.write_table(table, ROW_GROUP_ROWS)

    def finish(self) -> None:
        self.flush()
        self._writer.close()

    def give_up(self) -> None:
        self._writer.close()


class OrcBulkWriters:
    """ORC files, for ``FileSink.for_bulk_format``."""

    @staticmethod
    def for_row_type(
        row_type: DeclaredRow, writer_properties: Any = None, hadoop_config: Any = None
    ) -> BulkWriterFactory:
        """Rows of a type.

        >>> factory = OrcBulkWriters.for_row_type(Types.ROW_NAMED(["a"], [Types.INT()]))

        :raises ProgramError: for ``writer_properties``, which are those of a library of Java, and for times of day.
        """
        if writer_properties is not None:
            raise ProgramError(
                "writer_properties are those of ORC's library for Java and have no effect here; leave them out"
            )
        _check_times_of_day(row_type)
        return _OrcFactory(row_type)


def _check_times_of_day(row_type: DeclaredRow) -> None:
    known = a_row_type("row_type", row_type)
    for name, kind in zip(known.get_field_names(), known.get_field_types(), strict=True):
        if not {Types.SQL_TIME(), Types.LOCAL_TIME()}.isdisjoint(types_inside(kind)):
            raise ProgramError(
                f"the field {name} is of type {kind}, and ORC has no type for times of day; write a text or a number"
            )


class _OrcFactory(ColumnsWriterFactory):
    def create(self, out: BinaryIO) -> BulkWriter:
        return _OrcWriter(out, self.row_type)


class _OrcWriter(ColumnsWriter):
    def __init__(self, out: BinaryIO, row_type: DeclaredRow) -> None:
        import pyarrow
        from pyarrow import orc

        super().__init__(row_type)
        self._file = pyarrow.PythonFile(out, mode="w")
        self._writer = orc.ORCWriter(self._file)
        self._has_rows = False

    def write_table(self, table: "pyarrow.Table") -> None:
        self._has_rows = True
        self._writer.write(table)

    def finish(self) -> None:
        self.flush()
        if not self._has_rows:
            self._writer.write(self.schema.empty_table())
        self._writer.close()

    def give_up(self) -> None:
        if not self._has_rows:
            self._writer.write(self.schema.empty_table())
        self._writer.close()


def _has_fields(row: Any, width: int) -> bool:
    try:
        return len(row) == width and not isinstance(row, (str, bytes, dict))
    except TypeError:
        return False


def _plain(value: Any) -> Any:
    """Nested rows as dicts, which Arrow knows."""
    if isinstance(value, Row):
        names = value._names or [f"f{index}" for index in range(len(value))]
        return {name: _plain(field) for name, field in zip(names, value, strict=True)}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return [(_moment(key), _plain(each)) for key, each in value.items()]
    return _moment(value)


def _moment(value: Any) -> Any:
    """A point in time as the number that Arrow takes for one."""
    return microseconds_of(value) if isinstance(value, Instant) else value
