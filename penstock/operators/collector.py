"""Gathers what process functions return, yield or put out aside, and emits it a batch at a time."""

from collections.abc import Iterable
from typing import Any

from penstock.contracts.output_tag import OutputTag
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import PenstockError, ProgramError
from penstock.operators.contract import OperatorContext


class Collector:
    """The results of one operator between two calls of ``flush``; the order per output is kept.

    ``take`` once per record or timer, ``flush`` at the end of each call of the task into the operator. Records get the
    timestamp given to ``take``; ``None`` and ``MIN_TIMESTAMP`` mean that they have none.
    """

    __slots__ = ("_context", "_convert", "_has_timestamps", "_sides", "_timestamps", "_values")

    def __init__(self, context: OperatorContext, output_type: Any = None) -> None:
        self._context = context
        self._convert = None if output_type is None else output_type.convert_batch
        self._values: list[Any] = []
        self._timestamps: list[int] = []
        self._has_timestamps = False
        self._sides: dict[str, tuple[OutputTag, list[Any], list[int]]] = {}

    def take(self, results: Iterable[Any] | None, timestamp: int | None) -> None:
        """Everything that a function returned for one record; pairs ``(OutputTag, value)`` go aside."""
        if results is None:
            return
        append = self._values.append
        stamp = self._timestamps.append
        if timestamp is None:
            timestamp = MIN_TIMESTAMP
        elif timestamp != MIN_TIMESTAMP:
            self._has_timestamps = True
        for result in results:
            if type(result) is tuple and len(result) == 2 and isinstance(result[0], OutputTag):
                self.aside(result[0], result[1], timestamp)
                continue
            append(result)
            stamp(timestamp)

    def take_one(self, result: Any, timestamp: int | None) -> None:
        """One result for the main output."""
        if timestamp is None:
            timestamp = MIN_TIMESTAMP
        elif timestamp != MIN_TIMESTAMP:
            self._has_timestamps = True
        self._values.append(result)
        self._timestamps.append(timestamp)

    def aside(self, tag: OutputTag, value: Any, timestamp: int | None) -> None:
        """One result for a side output."""
        if not isinstance(tag, OutputTag):
            raise ProgramError(f"a side output is named by an OutputTag, not by {tag!r}").at(
                self._context.place
            )
        if not self._context.output.reads_side(tag.tag_id):
            return
        _, values, timestamps = self._sides.setdefault(tag.tag_id, (tag, [], []))
        values.append(value)
        timestamps.append(MIN_TIMESTAMP if timestamp is None else timestamp)

    def flush(self) -> None:
        """Emit what was gathered."""
        if self._values:
            values, timestamps = self._values, self._timestamps if self._has_timestamps else None
            self._values, self._timestamps, self._has_timestamps = [], [], False
            if self._convert is not None:
                values = self._checked(values)
            self._context.output.emit(RowBatch(values, timestamps))
        if self._sides:
            sides, self._sides = self._sides, {}
            for tag_id, (tag, values, timestamps) in sides.items():
                if tag.type_info is not None:
                    values = tag.type_info.convert_batch(values)
                stamped = any(time != MIN_TIMESTAMP for time in timestamps)
                self._context.output.side(tag_id)(RowBatch(values, timestamps if stamped else None))

    def _checked(self, values: list[Any]) -> list[Any]:
        assert self._convert is not None
        try:
            return self._convert(values)  # type: ignore[no-any-return]
        except PenstockError as error:
            raise error.at(self._context.place) from None
