"""The only crossing between columns and rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.chance import seeded
from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.row import rows_of
from penstock.errors import TypeMismatch
from penstock.operators.contract import Layout, Operator, OperatorContext, OperatorSpec
from penstock.operators.user_code import shorten

if TYPE_CHECKING:
    import pyarrow

# A batch of rows takes a hundred times the memory of its columns; so many still fit the processor's cache.
ROWS_IN_BATCH = 1024
_SAMPLE = 256


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
    """Emits the rows of columns, in batches as small as rows like them."""

    def __init__(self, context: OperatorContext, as_rows: bool = False) -> None:
        super().__init__(context)
        self._row_maker = RowMaker(as_rows)

    def on_batch(self, batch: ColumnBatch, port: int = 0) -> None:
        emit = self.output.emit
        for start, rows in self._row_maker.rows(batch.columns):
            if batch.timestamps is not None:
                rows.timestamps = to_python(batch.timestamps.slice(start, len(rows)))
            emit(rows)


class RowMaker:
    """Tuples stay the columns' Python lists until somebody asks for them; remembers texts over batches."""

    def __init__(self, as_rows: bool) -> None:
        self._as_rows = as_rows
        self._words: dict[int, RepeatedText] = {}

    def rows(self, columns: "pyarrow.RecordBatch") -> Iterator[tuple[int, RowBatch]]:
        """Some rows after the others, each time with the number of the first."""
        encoded = [self._encoded(index, column) for index, column in enumerate(columns.columns)]
        for start in range(0, columns.num_rows, ROWS_IN_BATCH):
            count = min(ROWS_IN_BATCH, columns.num_rows - start)
            lists = [column.to_python(start, count) for column in encoded]
            if self._as_rows:
                yield start, RowBatch(rows_of(map(list, zip(*lists, strict=True)), columns.schema.names))
            elif lists:
                yield start, RowBatch.of_fields(lists)

    def _encoded(self, index: int, column: Any) -> "_Plain | _Words":
        if str(column.type) != "string" or column.null_count:
            return _Plain(column)
        return self._words.setdefault(index, RepeatedText()).encode(column)


class _Plain:
    """A column that is turned into Python values as it is."""

    __slots__ = ("_column",)

    def __init__(self, column: Any) -> None:
        self._column = column

    def to_python(self, start: int, count: int) -> list[Any]:
        return to_python(self._column.slice(start, count))


class _Words:
    """A column of text as positions in a list of its distinct words."""

    __slots__ = ("_indices", "_words")

    def __init__(self, words: list[str], indices: Any) -> None:
        self._words = words
        self._indices = indices

    def to_python(self, start: int, count: int) -> list[Any]:
        return list(map(self._words.__getitem__, to_python(self._indices.slice(start, count))))


class RepeatedText:
    """Yields the *same* str object for a word that comes again, in this batch or a later one, where that pays.

    Making a str, hashing it and comparing it with an equal one in a dictionary costs more than the rest of a keyed sum; for
    the same object all three are free. Columns of mostly distinct texts are left as they are, and tried again now and then.
    """

    def __init__(self, most_words: int = 1 << 16, rest: int = 64) -> None:
        self._most_words = most_words
        self._rest = rest
        self._known: dict[str, str] = {}
        self._passes = 0

    def encode(self, column: Any) -> _Plain | _Words:
        """The column, by its distinct words if there are few of them."""
        if self._passes:
            self._passes -= 1
            return _Plain(column)
        if _looks_distinct(column):
            self._passes = self._rest
            return _Plain(column)
        encoded = column.dictionary_encode()
        if len(encoded.dictionary) * 4 > len(column):
            self._passes = self._rest
            return _Plain(column)
        if len(self._known) > self._most_words:
            self._known.clear()
        same = self._known.setdefault
        return _Words([same(word, word) for word in encoded.dictionary.to_pylist()], encoded.indices)


def _looks_distinct(column: Any) -> bool:
    """Whether a random sample of a long column of n texts has fewer equal ones than if there were n / 4 distinct texts.

    Encoding the column says it exactly, but takes as long as reading it, and loads a part of pyarrow that is slow to load.
    """
    rows = len(column)
    if rows < 16 * _SAMPLE:
        return False
    texts = {column[row].as_py() for row in seeded(rows).sample(range(rows), _SAMPLE)}
    # In a sample of s out of d distinct texts s ** 2 / (2 * d) are expected to have come before.
    return (_SAMPLE - len(texts)) * rows < 2 * _SAMPLE**2


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
