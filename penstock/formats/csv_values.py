"""Fields of CSV as values of the types of their columns, and values as fields."""

from collections.abc import Callable
from typing import Any

from penstock.data.row import rows_of
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import Misfit, TypeInformation
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.formats.csv_schema import CsvColumn, CsvSchema
from penstock.formats.type_texts import FLOATS, INTEGERS, column_reader_of, reader_of, writer_of

NUMBERS = INTEGERS | FLOATS | {Types.BIG_DEC(), Types.BOOLEAN()}
"""Types whose fields are never quoted."""

_STRING = Types.STRING()


class BadField(ValueError):
    """A field that is no value of its column; ``colno`` counts columns from 1."""

    def __init__(self, message: str, colno: int | None) -> None:
        super().__init__(message)
        self.colno = colno


class FieldReader:
    """Makes rows, or tuples, of lists of texts, a column at a time."""

    def __init__(self, schema: CsvSchema, as_tuples: bool = False) -> None:
        self._as_tuples = as_tuples
        if not schema.columns:
            raise ProgramError("a CSV schema without columns reads nothing; add columns to its builder")
        self._columns = [(column, _column_reader(column, schema.null_value)) for column in schema.columns]
        self._names = schema.names()

    def rows(self, records: list[list[str]]) -> list[Any]:
        """Rows of the schema's type.

        :raises BadField: for the first field that is no value of its column.
        """
        if not records:
            return []
        width = len(self._columns)
        if set(map(len, records)) != {width}:
            wrong = next(record for record in records if len(record) != width)
            raise BadField(
                f"{width} fields are expected, {', '.join(self._names)}, but there are {len(wrong)}", None
            )
        columns = []
        for number, ((column, read), texts) in enumerate(
            zip(self._columns, zip(*records, strict=True), strict=True), 1
        ):
            try:
                columns.append(column.kind.fit(read(texts), True))
            except Misfit as misfit:
                raise BadField(f"{column.name} is expected to be {misfit.expected}", number) from misfit
            except (ValueError, OverflowError) as error:
                raise BadField(f"{column.name} is expected to be {column.kind}: {error}", number) from error
        if self._as_tuples:
            return list(zip(*columns, strict=True))
        return rows_of(map(list, zip(*columns, strict=True)), self._names)

    def rows_where_readable(self, record: list[str]) -> Any:
        """The row of a record in which fields that cannot be read, and those that are missing, are None.

        :raises BadField: when there are more fields than columns.
        """
        if len(record) > len(self._columns):
            raise BadField(f"there are {len(record)} fields for {len(self._columns)} columns", None)
        values: list[Any] = [None] * len(self._columns)
        for number, (text, (column, read)) in enumerate(zip(record, self._columns, strict=False)):
            try:
                values[number] = column.kind.fit(read([text]), True)[0]
            except (Misfit, ValueError, OverflowError):
                continue
        return rows_of([values], self._names)[0]


def _column_reader(column: CsvColumn, null: str | None) -> Callable[[Any], list[Any]]:
    if isinstance(column.kind, RowTypeInfo):
        return _row_reader(column, column.kind, null)
    if column.separator is not None:
        read = column_reader_of(column.kind.element_type)  # type: ignore[attr-defined]
        return _array_reader(column.separator, read, null)
    read = reader_of(column.kind)
    if read is None:
        if column.kind not in (_STRING, Types.CHAR()):
            raise _without_form(column)
        if null is None:
            return list
        return lambda texts: [None if text == null else text for text in texts]
    read_all, missing = column_reader_of(column.kind), {"", null}
    assert read_all is not None

    def values(texts: Any) -> list[Any]:
        if missing.isdisjoint(texts):
            return read_all(texts)
        return [None if text in missing else read(text) for text in texts]

    return values


def _array_reader(separator: str, read: Any, null: str | None) -> Callable[[Any], list[Any]]:
    def value(text: str) -> Any:
        if text == null:
            return None
        if not text:
            return []
        parts: list[Any] = text.split(separator) if separator else [text]
        return parts if read is None else read(parts)

    return lambda texts: list(map(value, texts))


def _row_reader(column: CsvColumn, kind: RowTypeInfo, null: str | None) -> Callable[[Any], list[Any]]:
    fields = zip(kind.get_field_names(), kind.get_field_types(), strict=True)
    reader = FieldReader(CsvSchema(tuple(CsvColumn(name, part) for name, part in fields), null_value=null))

    def value(text: str) -> Any:
        return None if text == null or not text else reader.rows([text.split(column.separator)])[0]

    return lambda texts: list(map(value, texts))


def _without_form(column: CsvColumn) -> ProgramError:
    return ProgramError(f"the column {column.name!r} is of type {column.kind}, which CSV has no form for")


class FieldWriter:
    """Makes lists of texts of rows."""

    def __init__(self, schema: CsvSchema) -> None:
        null = schema.null_value or ""
        self._type = schema.row_type()
        self._writers = [_field_writer(column, null) for column in schema.columns]

    def texts(self, rows: list[Any]) -> list[list[str]]:
        """The fields of rows, which may be anything that is a row of the schema's type."""
        return [
            [write(value) for write, value in zip(self._writers, row, strict=True)]
            for row in self._type.convert_batch(rows)
        ]


def _field_writer(column: CsvColumn, null: str) -> Callable[[Any], str]:
    separator = column.separator
    if separator is None:
        write = _text_writer(column, column.kind)
        return lambda value: null if value is None else write(value)
    if isinstance(column.kind, RowTypeInfo):
        parts = [_part_writer(column, part, null) for part in column.kind.get_field_types()]
        return lambda row: (
            null if row is None else separator.join([part(v) for part, v in zip(parts, row, strict=True)])
        )
    element = _part_writer(column, column.kind.element_type, null)  # type: ignore[attr-defined]
    return lambda values: null if values is None else separator.join(map(element, values))


def _part_writer(column: CsvColumn, kind: TypeInformation, null: str) -> Callable[[Any], str]:
    write = _text_writer(column, kind)
    return lambda value: null if value is None else write(value)


def _text_writer(column: CsvColumn, kind: TypeInformation) -> Callable[[Any], str]:
    if reader_of(kind) is None and kind not in (_STRING, Types.CHAR()):
        raise _without_form(column)
    return writer_of(kind) or str
