"""Sources of values that the program holds already, and of sequences of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.effects import Effect
from penstock.contracts.pace import BATCH_RECORDS
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


class CollectionSource(Source):
    """Emits the values of a list, in order, with timestamps where they are given; the list is copied.

    >>> source = CollectionSource(["a", "b"], timestamps=[10, 20])
    >>> source.display_name(), source.get_boundedness().name
    ('Collection Source', 'BOUNDED')
    """

    effect = Effect.SHARES

    def __init__(self, values: list[Any], timestamps: list[int] | None = None) -> None:
        self._values = _as_list(values, "values")
        self._timestamps = None if timestamps is None else _as_list(timestamps, "timestamps")
        if self._timestamps is not None and len(self._timestamps) != len(self._values):
            raise ProgramError(
                f"{len(self._values)} values came with {len(self._timestamps)} timestamps; give one for each value"
            )

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, divide(0, len(self._values), context.current_parallelism()))

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _CollectionReader(context, self._values, self._timestamps)

    def display_name(self) -> str:
        return "Collection Source"


class NumberSequenceSource(Source):
    """Emits the integers from ``start`` to ``end``, both included; parallel readers take a part each.

    >>> NumberSequenceSource(1, 3).get_boundedness().name
    'BOUNDED'
    """

    effect = Effect.NONE

    def __init__(self, start: int, end: int) -> None:
        for name, value in (("start", start), ("end", end)):
            if type(value) is not int:
                raise ProgramError(f"{name} must be an integer, not {value!r}")
        if start > end:
            raise ProgramError(
                f"a sequence runs upwards, but {start} is greater than {end}; exchange the two"
            )
        self._first = start
        self._last = end

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, divide(self._first, self._last + 1, context.current_parallelism()))

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _NumberReader(context)

    def display_name(self) -> str:
        return f"Sequence Source ({self._first} to {self._last})"


@dataclass(frozen=True, slots=True)
class RangeSplit:
    """The positions from ``position`` up to ``stop``; ``name`` stays while the position moves."""

    name: str
    position: int
    stop: int

    def split_id(self) -> str:
        return self.name


def divide(start: int, stop: int, parts: int) -> list[RangeSplit]:
    """At most ``parts`` ranges of nearly equal length, none of them empty.

    >>> [(split.position, split.stop) for split in divide(0, 10, 3)]
    [(0, 3), (3, 6), (6, 10)]
    """
    count = stop - start
    borders = [start + count * part // parts for part in range(parts + 1)]
    return [RangeSplit(f"{first}-{last}", first, last) for first, last in pairwise(borders) if first < last]


class _CollectionReader(SplitAfterSplit[RangeSplit]):
    def __init__(self, context: SourceReaderContext, values: list[Any], timestamps: list[int] | None) -> None:
        super().__init__(context)
        self._values = values
        self._timestamps = timestamps

    def begin(self, split: RangeSplit) -> None:
        if split.stop > len(self._values):
            raise ProgramError(
                f"the job is to go on reading a collection up to value {split.stop}, but it has {len(self._values)} "
                "values now; restore the job with the collection that it was started with"
            )

    def read(self, split: RangeSplit, output: ReaderOutput) -> RangeSplit | None:
        end = min(split.position + min(output.records_wanted, BATCH_RECORDS), split.stop)
        times = None if self._timestamps is None else self._timestamps[split.position : end]
        output.collect_batch(self._values[split.position : end], times)
        return replace(split, position=end) if end < split.stop else None


class _NumberReader(SplitAfterSplit[RangeSplit]):
    def begin(self, split: RangeSplit) -> None:
        pass

    def read(self, split: RangeSplit, output: ReaderOutput) -> RangeSplit | None:
        end = min(split.position + min(output.records_wanted, BATCH_RECORDS), split.stop)
        output.collect_batch(list(range(split.position, end)))
        return replace(split, position=end) if end < split.stop else None


def _as_list(values: Any, what: str) -> list[Any]:
    if isinstance(values, (str, bytes, dict)) or not isinstance(values, Sequence):
        raise ProgramError(f"{what} must be a list, not {type(values).__name__}; write list(...) around it")
    return list(values)
