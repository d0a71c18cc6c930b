"""Gathers what process functions return, yield or put out aside, and emits it a batch at a time."""

from collections.abc import Callable, Iterable, Iterator
from itertools import filterfalse
from operator import itemgetter
from typing import Any

from penstock.contracts.output_tag import OutputTag
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.data.own_copies import copy_or_same
from penstock.errors import PenstockError, ProgramError
from penstock.operators.apart import keeps_apart
from penstock.operators.contract import OperatorContext

_first = itemgetter(0)


class Collector:
    """The results of one operator between two calls of ``flush``; the order per output is kept.

    ``take_piece`` for each record or timer until nothing is left; ``flush`` at the end of each call of the task into the
    operator. Records get the timestamp that is given with them; ``None`` and ``MIN_TIMESTAMP`` mean that they have none.
    """

    __slots__ = (
        "_context",
        "_convert",
        "_has_timestamps",
        "_keeps_apart",
        "_sides",
        "_timestamps",
        "_values",
    )

    def __init__(self, context: OperatorContext, output_type: Any = None) -> None:
        self._context = context
        self._convert = None if output_type is None else output_type.convert_batch
        self._keeps_apart = keeps_apart(context)
        self._values: list[Any] = []
        self._timestamps: list[int] = []
        self._has_timestamps = False
        self._sides: dict[str, tuple[OutputTag, list[Any], list[int]]] = {}

    @property
    def is_full(self) -> bool:
        """Whether as much was gathered as is emitted at once."""
        return len(self._values) >= self._context.pieces.most_rows

    def take_piece(self, results: Iterable[Any] | None, timestamp: int | None) -> Iterator[Any] | None:
        """What a function returned for one record, up to where the collector is full; pairs ``(OutputTag, value)`` go aside.

        What is returned is left of the results, and to be taken after a flush. None: all was taken.
        """
        if results is None:
            return None
        values = self._values
        append = values.append
        stamp = self._timestamps.append
        if timestamp is None:
            timestamp = MIN_TIMESTAMP
        elif timestamp != MIN_TIMESTAMP:
            self._has_timestamps = True
        most, taken = self._context.pieces.most_rows, 0
        rest = iter(results)
        for result in rest:
            if type(result) is tuple and len(result) == 2 and isinstance(result[0], OutputTag):
                self._put_aside(result[0], result[1], timestamp)
                taken += 1
                if taken < most:
                    continue
                return rest
            append(result)
            stamp(timestamp)
            if len(values) >= most:
                return rest
        return None

    def take_tagged(self, results: list[Any], timestamp: int) -> None:
        """All of the results, which are there already; pairs ``(OutputTag, value)`` go aside. They have one timestamp."""
        if has_tagged(results):
            for result in filter(is_tagged, results):
                self._put_aside(result[0], result[1], timestamp)
            results = list(filterfalse(is_tagged, results))
        self.take_all(results, timestamp)

    def take_all(self, results: list[Any], timestamp: int) -> None:
        """Results for the main output as they are, none of them for the side; they have one timestamp."""
        self._has_timestamps = self._has_timestamps or timestamp != MIN_TIMESTAMP
        self._values += results
        self._timestamps += [timestamp] * len(results)

    def aside(self, tag: OutputTag, value: Any, timestamp: int | None) -> None:
        """One value for a side output, of a function that goes on."""
        self._put_aside(tag, copy_or_same(value) if self._keeps_apart else value, timestamp)

    def _put_aside(self, tag: OutputTag, value: Any, timestamp: int | None) -> None:
        if not isinstance(tag, OutputTag):
            raise ProgramError(f"a side output is named by an OutputTag, not by {tag!r}").at(
                self._context.place
            )
        if not self._context.output.reads_side(tag.tag_id):
            return
        _, values, timestamps = self._sides.setdefault(tag.tag_id, (tag, [], []))
        values.append(value)
        timestamps.append(MIN_TIMESTAMP if timestamp is None else timestamp)

    def flush(self) -> int:
        """Emit what was gathered; how many that was for the main output."""
        count = len(self._values)
        if self._values:
            values, timestamps = self._values, self._timestamps if self._has_timestamps else None
            self._values, self._timestamps, self._has_timestamps = [], [], False
            self.emit_all(values, timestamps)
        if self._sides:
            sides, self._sides = self._sides, {}
            for tag_id, (tag, values, timestamps) in sides.items():
                if tag.type_info is not None:
                    values = self._checked(tag.type_info.convert_batch, values)
                stamped = any(time != MIN_TIMESTAMP for time in timestamps)
                self._context.output.side(tag_id)(RowBatch(values, timestamps if stamped else None))
        return count

    def emit_results(self, results: list[Any], timestamps: list[int] | None) -> None:
        """Emit the results of a whole batch, pairs ``(OutputTag, value)`` aside, and flush.

        The fast way for what :meth:`take_piece` and :meth:`flush` do; nothing may have been taken before.
        """
        if has_tagged(results):
            results, timestamps = self._without_tagged(results, timestamps)
        self.emit_all(results, timestamps)
        if self._sides:
            self.flush()

    def emit_all(self, values: list[Any], timestamps: list[int] | None) -> None:
        """Emit values as they are, past what was gathered."""
        if values:
            if self._convert is not None:
                values = self._checked(self._convert, values)
            self._context.output.emit(RowBatch(values, timestamps))

    def _without_tagged(
        self, results: list[Any], timestamps: list[int] | None
    ) -> tuple[list[Any], list[int] | None]:
        kept: list[int] = []
        for index, result in enumerate(results):
            if is_tagged(result):
                self._put_aside(result[0], result[1], timestamps[index] if timestamps else None)
            else:
                kept.append(index)
        stamps = None if timestamps is None else [timestamps[index] for index in kept]
        return [results[index] for index in kept], stamps

    def _checked(self, convert: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
        try:
            return convert(values)
        except PenstockError as error:
            raise error.at(self._context.place) from None


def is_tagged(result: Any) -> bool:
    """Whether a result is a pair ``(OutputTag, value)``, meant for a side output."""
    return type(result) is tuple and len(result) == 2 and isinstance(result[0], OutputTag)


def has_tagged(results: list[Any]) -> bool:
    """Whether one of the results is for a side output; at C speed where all are tuples, or none is.

    >>> has_tagged([1, (2, 3)]), has_tagged([(OutputTag("late"), 4)])
    (False, True)
    """
    kinds = set(map(type, results))
    if tuple not in kinds:
        return False
    if len(kinds) == 1:
        try:
            firsts = set(map(type, map(_first, results)))
        except IndexError:
            return any(map(is_tagged, results))
        return any(issubclass(kind, OutputTag) for kind in firsts)
    return any(map(is_tagged, results))
