"""The source that takes the place of a cached stream once its rows are there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
from penstock.storage.cached_rows import CachedRows, RowsWithTimes


@dataclass(frozen=True, slots=True)
class CachedPart:
    """A file and how many of its batches have been emitted."""

    path: str
    position: int = 0

    def split_id(self) -> str:
        return self.path


class CachedRowsSource(Source):
    """Emits kept rows with the timestamps that they had."""

    effect = Effect.NONE

    def __init__(self, rows: CachedRows, parts: list[str]) -> None:
        self._rows = rows
        self._parts = parts

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, [CachedPart(path) for path in self._parts])

    def restore_enumerator(self, context: SplitEnumeratorContext, state: list[CachedPart]) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _CachedReader(context, self._rows)

    def display_name(self) -> str:
        return "Cached Rows"


class _CachedReader(SplitAfterSplit[CachedPart]):
    def __init__(self, context: SourceReaderContext, rows: CachedRows) -> None:
        super().__init__(context)
        self._rows = rows
        self._batches: Iterator[RowsWithTimes] = iter(())

    def begin(self, split: CachedPart) -> None:
        self._batches = self._rows.read(split.path, split.position)

    def read(self, split: CachedPart, output: ReaderOutput) -> CachedPart | None:
        batch = next(self._batches, None)
        if batch is None:
            return None
        output.collect_batch(*batch)
        return replace(split, position=split.position + 1)
