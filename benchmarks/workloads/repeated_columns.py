"""A source that emits the same columns over and over, so that nothing but their way costs time."""

from typing import Any

from penstock.connectors.collection.source import RangeSplit, divide
from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.source import (
    Boundedness,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)

ROWS_IN_BATCH = 65_536


class RepeatedColumns(Source):
    """``batches`` batches of the columns ``key`` and ``value``, two 64-bit numbers a row."""

    output_layout = "columns"

    def __init__(self, batches: int) -> None:
        self._batches = batches

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, divide(0, self._batches, context.current_parallelism()))

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _Reader(context)


class _Reader(SplitAfterSplit[RangeSplit]):
    def __init__(self, context: SourceReaderContext) -> None:
        import pyarrow

        super().__init__(context)
        numbers = pyarrow.array(range(ROWS_IN_BATCH), pyarrow.int64())
        self._batch = pyarrow.RecordBatch.from_arrays([numbers, numbers], ["key", "value"])

    def begin(self, split: RangeSplit) -> None:
        """Nothing to open."""

    def read(self, split: RangeSplit, output: ReaderOutput) -> RangeSplit | None:
        output.collect_columns(self._batch)
        after = split.position + 1
        return RangeSplit(split.name, after, split.stop) if after < split.stop else None
