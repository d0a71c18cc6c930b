"""The event times that a timestamp assigner gives to the records of a batch."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import length_hint
from typing import Any

from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.operators.contract import OperatorContext
from penstock.operators.inlining import ARGUMENT, SECOND_ARGUMENT, expression_of, item_of
from penstock.operators.user_code import GENERATED, user_error

Assigner = Callable[[Any, int], int]


class AssignedTimes:
    """Calls the assigner for each record; one that is a simple expression of the record is not called (see ``inlining``)."""

    def __init__(self, assigner: Assigner, context: OperatorContext) -> None:
        self._assigner = assigner
        self._context = context
        expression = expression_of(assigner, arguments=2)
        if expression is not None and SECOND_ARGUMENT in expression:
            expression = None
        self._item = item_of(expression)
        self._loop = None if expression is None else _loop_of(expression)

    def of(self, batch: RowBatch) -> list[int]:
        """A time for each record, whatever the assigner gave."""
        fields = batch.fields
        if fields is not None and self._item is not None and self._item < len(fields):
            return fields[self._item]
        values = batch.values
        position = iter(values)
        try:
            return self._call(position, batch.timestamps)
        except Exception as error:
            index = max(len(values) - length_hint(position) - 1, 0)
            error = self._as_called(error, index, batch)
            raise user_error(self._context, error, values[index]) from error

    def _call(self, values: Iterator[Any], before: list[int] | None) -> list[int]:
        if self._loop is not None:
            return self._loop(values)
        assigner = self._assigner
        if before is None:
            return [assigner(value, MIN_TIMESTAMP) for value in values]
        return [assigner(value, time) for value, time in zip(values, before, strict=True)]

    def _as_called(self, error: Exception, index: int, batch: RowBatch) -> Exception:
        """The error as the assigner itself raises it, with the user's line in its traceback."""
        if self._loop is None:
            return error
        try:
            self._assigner(batch.values[index], MIN_TIMESTAMP)
        except Exception as raised:  # noqa: BLE001  (whatever the user's function raises)
            return raised
        return error


@lru_cache(maxsize=256)
def _loop_of(expression: str) -> Callable[[Iterator[Any]], list[int]]:
    source = f"lambda values: [{expression.replace(ARGUMENT, 'v')} for v in values]"
    return eval(compile(source, f"{GENERATED} timestamps>", "eval"), {})  # type: ignore[no-any-return]
