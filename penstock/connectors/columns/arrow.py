"""A source of Arrow data that the program holds already."""

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from penstock.connectors.collection.source import RangeSplit, divide
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
from penstock.errors import ProgramError

if TYPE_CHECKING:
    import pyarrow

BATCH_ROWS = 65_536


class ArrowSource(Source):
    """Emits the rows of a table, of a record batch, or of a list of record batches of one schema, as columns.

    >>> import pyarrow
    >>> ArrowSource(pyarrow.table({"n": [1, 2]})).output_layout
    'columns'
    """

    output_layout = "columns"

    effect = Effect.NONE

    def __init__(self, table_or_batches: Any) -> None:
        table = _as_table(table_or_batches)
        self._batches = [batch for batch in table.to_batches(max_chunksize=BATCH_ROWS) if batch.num_rows]
        self._rows = int(table.num_rows)

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, divide(0, self._rows, context.current_parallelism()))

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _ArrowReader(context, self._batches, self._rows)

    def display_name(self) -> str:
        return "Arrow Source"


class _ArrowReader(SplitAfterSplit[RangeSplit]):
    def __init__(self, context: SourceReaderContext, batches: "list[pyarrow.RecordBatch]", rows: int) -> None:
        super().__init__(context)
        self._batches = batches
        self._rows = rows
        self._starts = [0, *accumulate(batch.num_rows for batch in batches)]

    def begin(self, split: RangeSplit) -> None:
        if split.stop > self._rows:
            raise ProgramError(
                f"the job is to go on reading a table up to row {split.stop}, but it has {self._rows} rows now; "
                "restore the job with the table that it was started with"
            )

    def read(self, split: RangeSplit, output: ReaderOutput) -> RangeSplit | None:
        index = bisect_right(self._starts, split.position) - 1
        start, batch = self._starts[index], self._batches[index]
        end = min(split.stop, start + batch.num_rows)
        output.collect_columns(batch.slice(split.position - start, end - split.position))
        return RangeSplit(split.name, end, split.stop) if end < split.stop else None


def _as_table(given: Any) -> "pyarrow.Table":
    import pyarrow

    if isinstance(given, pyarrow.Table):
        return given
    batches = [given] if isinstance(given, pyarrow.RecordBatch) else given
    try:
        return pyarrow.Table.from_batches(list(batches))
    except (TypeError, ValueError) as error:
        raise ProgramError(
            f"an Arrow source takes a table, a record batch or a list of record batches of one schema: {error}"
        ) from error
