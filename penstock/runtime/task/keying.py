"""Keys of records that go over a keyed edge."""

from collections.abc import Callable
from operator import length_hint
from typing import Any

from penstock.data.batch import Batch, ColumnBatch, RowBatch
from penstock.data.keys import KeyRouter, stable_hash
from penstock.errors import KeyNotUsable, ProgramError
from penstock.operators.contract import OperatorContext
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import callable_of, is_rich, shorten, user_error


class KeyExtractor:
    """Computes the keys of a batch once, on the sender's side; they travel with it."""

    def __init__(self, context: OperatorContext, selector: Any) -> None:
        self._context = context
        self._selector = selector
        self._key: Callable[[Any], Any] = callable_of(selector, "get_key", "key_by")
        self._has_looked = False
        if is_rich(selector):
            selector.open(OperatorRuntimeContext(context))

    def keyed(self, batch: Batch) -> RowBatch:
        """The batch with its keys."""
        if isinstance(batch, ColumnBatch):
            raise ProgramError("key_by takes rows").at(self._context.place)
        values = batch.values
        position = iter(values)
        try:
            keys = list(map(self._key, position))
            if len(keys) != len(values):
                raise StopIteration  # raised by the selector, and taken by map for the end
        except Exception as error:
            index = len(values) - length_hint(position) - 1
            raise user_error(self._context, error, values[max(index, 0)]).at(
                "when the key of key_by was computed"
            ) from error
        keyed = RowBatch(values, batch.timestamps, keys)
        if keys and (not self._has_looked or type(keys[0]) is float):
            self._check(keyed)
        return keyed

    def _check(self, batch: RowBatch) -> None:
        """Refuse keys that would fail with more subtasks only, and NaN, which would be another key for each record.

        Kinds of keys seldom change from record to record, so that of the first is looked at.
        """
        self._has_looked = True
        assert batch.keys is not None
        try:
            stable_hash(batch.keys[0])
        except KeyNotUsable as error:
            raise explain_key(error, batch, self._context) from None
        for key, value in zip(batch.keys, batch.values, strict=True):
            if key != key:
                raise KeyNotUsable(
                    f"the key {shorten(key)} cannot be used: it is not equal to itself, so that each record would have a "
                    f"key of its own; return None or a text for such records; the record was {shorten(value)}"
                ).at(self._context.place)

    def close(self) -> None:
        """Close a selector that was opened."""
        if is_rich(self._selector):
            self._selector.close()


def route_of(
    context: OperatorContext, max_parallelism: int, parallelism: int
) -> Callable[[RowBatch], list[int]]:
    """The channel of each record of a keyed batch."""
    route = KeyRouter(max_parallelism, parallelism).route

    def channels(batch: RowBatch) -> list[int]:
        assert batch.keys is not None
        try:
            return route(batch.keys)
        except KeyNotUsable as error:
            raise explain_key(error, batch, context) from None

    return channels


def explain_key(error: KeyNotUsable, batch: RowBatch, context: OperatorContext) -> KeyNotUsable:
    """The error with the record whose key it is about."""
    assert batch.keys is not None
    for key, value in zip(batch.keys, batch.values, strict=True):
        try:
            stable_hash(key)
        except TypeError:
            error.at(f"the record was {shorten(value)}")
            break
    return error.at(context.place)
