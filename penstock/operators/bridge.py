"""The only crossing between columns and rows."""

from dataclasses import dataclass
from typing import Any

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.errors import TypeMismatch
from penstock.operators.contract import Layout, Operator, OperatorContext, OperatorSpec
from penstock.operators.user_code import shorten


@dataclass(frozen=True, slots=True)
class ColumnsToRowsSpec(OperatorSpec):
    """Rows out of columns: a tuple of Python values for each row."""

    @property
    def input_layout(self) -> Layout:
        return Layout.COLUMNS

    def build(self, context: OperatorContext) -> Operator:
        return ColumnsToRows(context)


@dataclass(frozen=True, slots=True)
class RowsToColumnsSpec(OperatorSpec):
    """Columns out of rows that are tuples or Rows; names are ``f0``, ``f1`` and so on."""

    @property
    def output_layout(self) -> Layout:
        return Layout.COLUMNS

    def build(self, context: OperatorContext) -> Operator:
        return RowsToColumns(context)


class ColumnsToRows(Operator):
    """One ``zip`` over the columns' Python lists."""

    def on_batch(self, batch: ColumnBatch, port: int = 0) -> None:
        lists = [to_python(column) for column in batch.columns.columns]
        timestamps = None if batch.timestamps is None else batch.timestamps.to_pylist()
        self.output.emit(RowBatch(list(zip(*lists, strict=True)), timestamps))


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
    """A column as a list of Python values, through polars, which makes them several times faster than pyarrow does."""
    import polars

    return polars.from_arrow(column).to_list()  # type: ignore[union-attr]
