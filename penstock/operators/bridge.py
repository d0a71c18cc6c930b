"""The only crossing between columns and rows."""

from dataclasses import dataclass
from typing import Any

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.row import rows_of
from penstock.errors import TypeMismatch
from penstock.operators.contract import Layout, Operator, OperatorContext, OperatorSpec
from penstock.operators.user_code import shorten

# A batch of rows takes a hundred times the memory of its columns; so many still fit the processor's cache.
ROWS_IN_BATCH = 1024


@dataclass(frozen=True, slots=True)
class ColumnsToRowsSpec(OperatorSpec):
    """Rows out of columns: a tuple of Python values for each row, or a Row with the names of the columns."""

    as_rows: bool = False

    @property
    def input_layout(self) -> Layout:
        return Layout.COLUMNS

    def build(self, context: OperatorContext) -> Operator:
        return ColumnsToRows(context, self.as_rows)


@dataclass(frozen=True, slots=True)
class RowsToColumnsSpec(OperatorSpec):
    """Columns out of rows that are tuples or Rows; names are ``f0``, ``f1`` and so on."""

    @property
    def output_layout(self) -> Layout:
        return Layout.COLUMNS

    def build(self, context: OperatorContext) -> Operator:
        return RowsToColumns(context)


class ColumnsToRows(Operator):
    """One ``zip`` over the columns' Python lists, in batches as small as rows like them."""

    def __init__(self, context: OperatorContext, as_rows: bool = False) -> None:
        super().__init__(context)
        self._as_rows = as_rows

    def on_batch(self, batch: ColumnBatch, port: int = 0) -> None:
        emit = self.output.emit
        rows = len(batch)
        for start in range(0, rows, ROWS_IN_BATCH):
            part = batch.slice(start, min(start + ROWS_IN_BATCH, rows))
            lists = [to_python(column) for column in part.columns.columns]
            timestamps = None if part.timestamps is None else to_python(part.timestamps)
            values: list[Any] = list(zip(*lists, strict=True))
            if self._as_rows:
                values = rows_of(map(list, values), batch.columns.schema.names)
            emit(RowBatch(values, timestamps))


class RowsToColumns(Operator):
    """Lets pyarrow find the type of each column, batch by batch."""

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        import pyarrow

        try:
            columns = [pyarrow.array(column) for column in zip(*batch.values, strict=True)]
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, ValueError, TypeError) as error:
            raise TypeMismatch(
                f"rows cannot become columns: {error}; the first row of the batch was {shorten(batch.values[0])}"
            ).at(self.context.place) from error
        names = [f"f{i}" for i in range(len(columns))]
        timestamps = None if batch.timestamps is None else pyarrow.array(batch.timestamps, pyarrow.int64())
        self.output.emit(ColumnBatch(pyarrow.record_batch(columns, names=names), timestamps))


def to_python(column: Any) -> list[Any]:
    """A column as a list of Python values."""
    name = str(column.type)
    code = _CODES.get(name)
    if code is not None and column.null_count == 0 and len(column):
        numbers: Any = memoryview(column.buffers()[1])
        return numbers.cast(code)[column.offset : column.offset + len(column)].tolist()  # type: ignore[no-any-return]
    if code is not None or name == "string":
        return column.to_pylist()  # type: ignore[no-any-return]
    import polars  # makes objects of dates and of nested types several times faster than pyarrow does

    return polars.from_arrow(column).to_list()  # type: ignore[union-attr]


# The buffers of these are arrays as Python's own memory views read them.
_CODES = {"int64": "q", "int32": "i", "double": "d", "float": "f"}
