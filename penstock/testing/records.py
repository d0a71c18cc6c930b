"""What goes into a harness and comes out of it: records, and the steps of a script."""

from dataclasses import dataclass
from typing import Any

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import MIN_TIMESTAMP, StreamStatus, Watermark


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A value with its event time, None when it has none; ``port`` says which input it goes to, from 0.

    >>> StreamRecord("a", 10)
    StreamRecord(value='a', timestamp=10, port=0)
    """

    value: Any
    timestamp: int | None = None
    port: int = 0


@dataclass(frozen=True, slots=True)
class AdvanceTime:
    """Let ``ms`` milliseconds of processing time pass, and fire what becomes due."""

    ms: int


@dataclass(frozen=True, slots=True)
class EndInput:
    """One input is at its end; with the last one the operator is told to finish."""

    port: int = 0


Step = StreamRecord | Watermark | StreamStatus | AdvanceTime | EndInput
"""One step of a script: a record, a signal, or time that passes."""

Event = StreamRecord | Watermark | StreamStatus
"""What comes out of an operator's main output, in order."""


def batch_of(records: list[StreamRecord]) -> RowBatch:
    """One batch of records; timestamps only where one of them has one.

    >>> batch_of([StreamRecord("a"), StreamRecord("b")])
    RowBatch(['a', 'b'], None, None)
    """
    values = [record.value for record in records]
    if all(record.timestamp is None for record in records):
        return RowBatch(values)
    return RowBatch(values, [MIN_TIMESTAMP if r.timestamp is None else r.timestamp for r in records])


def records_of(batch: RowBatch | ColumnBatch) -> list[StreamRecord]:
    """The records of a batch, those of columns as tuples.

    >>> records_of(RowBatch(["a"], [10]))
    [StreamRecord(value='a', timestamp=10, port=0)]
    """
    if isinstance(batch, ColumnBatch):
        columns = [column.to_pylist() for column in batch.columns.columns]
        values: list[Any] = list(zip(*columns, strict=True))
        timestamps = None if batch.timestamps is None else batch.timestamps.to_pylist()
    else:
        values, timestamps = batch.values, batch.timestamps
    if timestamps is None:
        return [StreamRecord(value) for value in values]
    return [
        StreamRecord(value, None if time == MIN_TIMESTAMP else time)
        for value, time in zip(values, timestamps, strict=True)
    ]
