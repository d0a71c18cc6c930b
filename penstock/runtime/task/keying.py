"""Keys of records that go over a keyed edge."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from operator import itemgetter, length_hint
from typing import Any

from penstock.data.batch import Batch, ColumnBatch, KeyItem, RowBatch
from penstock.data.keys import KeyRouter, stable_hash
from penstock.data.type_information import Misfit, TypeInformation
from penstock.errors import KeyNotUsable, ProgramError, TypeMismatch
from penstock.operators.contract import OperatorContext
from penstock.operators.inlining import ARGUMENT, expression_of, item_of
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import GENERATED, callable_of, is_rich, shorten, user_error


class KeyExtractor:
    """Computes the keys of a batch once, on the sender's side; they travel with it.

    Keys that are one item of a tuple are only pointed at, until somebody needs the list of them. They are held to the
    ``key_type`` that was declared for them, if any.
    """

    def __init__(
        self, context: OperatorContext, selector: Any, key_type: TypeInformation | None = None
    ) -> None:
        self._context = context
        self._selector = selector
        self._key_type = key_type
        self._key: Callable[[Any], Any] = callable_of(selector, "get_key", "key_by")
        self._has_looked = False
        self.expression = expression = expression_of(self._key)
        self._keys: Callable[[Iterator[Any]], list[Any]] = (
            partial(map_to_list, self._key) if expression is None else _loop_of(expression)
        )
        position = item_of(expression)
        self._item = None if position is None else KeyItem(position, self._keys_of)
        if is_rich(selector):
            selector.open(OperatorRuntimeContext(context))

    def keyed(self, batch: Batch) -> RowBatch:
        """The batch with its keys."""
        if isinstance(batch, ColumnBatch):
            raise ProgramError("key_by takes rows").at(self._context.place)
        if self._item is not None and self._has_looked and _is_there(self._item.position, batch):
            if self._key_type is not None:
                self._hold_to_type(batch, self._item.position)
            return batch.keyed(self._item)
        keyed = batch.keyed(self._keys_of(batch.values))
        if keyed.keys and (
            not self._has_looked or self._key_type is not None or type(keyed.keys[0]) is float
        ):
            self._check(keyed)
        return keyed

    def router(self, max_parallelism: int, parallelism: int) -> KeyRouter:
        """Finds the subtasks of keys, but of none that is not of the declared type."""
        if self._key_type is None:
            return KeyRouter(max_parallelism, parallelism)
        return _TypedRouter(max_parallelism, parallelism, self._key_type)

    def keyed_again(self, batch: RowBatch) -> RowBatch:
        """A batch whose keys have been computed before."""
        return batch.keyed(self._keys_of(batch.values) if self._item is None else self._item.known)

    def _keys_of(self, values: list[Any]) -> list[Any]:
        position = iter(values)
        try:
            keys = self._keys(position)
            if len(keys) != len(values):
                raise StopIteration  # raised by the selector, and taken by map for the end
        except Exception as error:
            index = len(values) - length_hint(position) - 1
            error = self._as_called(error, values[max(index, 0)])
            raise user_error(self._context, error, values[max(index, 0)]).at(
                "when the key of key_by was computed"
            ) from error
        return keys

    def _as_called(self, error: Exception, value: Any) -> Exception:
        """The error as the selector itself raises it, with the user's line in its traceback."""
        if isinstance(self._keys, partial):
            return error
        try:
            self._key(value)
        except Exception as raised:
            return raised
        return error

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
        self._hold_to_type(batch)
        for key, value in zip(batch.keys, batch.values, strict=True):
            if key != key:
                raise KeyNotUsable(
                    f"the key {shorten(key)} cannot be used: it is not equal to itself, so that each record would have a "
                    f"key of its own; return None or a text for such records; the record was {shorten(value)}"
                ).at(self._context.place)

    def _hold_to_type(self, batch: RowBatch, position: int | None = None) -> None:
        """Look at the keys of a batch, which stand at a position of its values or are listed."""
        if self._key_type is None:
            return
        if position is None:
            keys = batch.keys or []
        elif batch.fields is not None:
            keys = batch.fields[position]
        else:
            keys = list(map(itemgetter(position), batch.values))
        try:
            _fit(self._key_type, keys)
        except TypeMismatch:
            for key, value in zip(keys, batch.values, strict=True):
                try:
                    _fit(self._key_type, [key])
                except TypeMismatch as error:
                    said = f"{error.message}; it is the key of the record {shorten(value)}"
                    raise TypeMismatch(said).at(self._context.place) from None

    def close(self) -> None:
        """Close a selector that was opened."""
        if is_rich(self._selector):
            self._selector.close()


class _TypedRouter(KeyRouter):
    """Says of keys of another type that they cannot be used here; the slower way says why."""

    __slots__ = ("_key_type",)

    def __init__(self, max_parallelism: int, parallelism: int, key_type: TypeInformation) -> None:
        super().__init__(max_parallelism, parallelism)
        self._key_type = key_type

    def subtask_of(self, key: Any) -> int:
        _fit(self._key_type, [key])
        return super().subtask_of(key)


def _fit(key_type: TypeInformation, keys: list[Any]) -> None:
    """Raises ``TypeMismatch``. None is a key like any other."""
    try:
        key_type.fit(keys, nullable=True)
    except Misfit as misfit:
        raise misfit.as_error(key_type) from None


def _is_there(position: int, batch: RowBatch) -> bool:
    """Whether values can go on without a list of their keys, judged by the first one: tuples don't change until somebody
    asks for it. Floats are looked at each time, as one of them may be NaN."""
    if batch.fields is not None:
        return position < len(batch.fields) and type(next(iter(batch.fields[position]), 0.0)) is not float
    first = batch.values[0] if batch.values else None
    return type(first) is tuple and position < len(first) and type(first[position]) is not float


def map_to_list(function: Callable[[Any], Any], values: Iterator[Any]) -> list[Any]:
    """``list(map(..))``, which is the fastest way to call a function for each value."""
    return list(map(function, values))


@lru_cache(maxsize=256)
def _loop_of(expression: str) -> Callable[[Iterator[Any]], list[Any]]:
    """The keys of values by an expression, without a call for each."""
    source = f"lambda values: [{expression.replace(ARGUMENT, 'v')} for v in values]"
    return eval(compile(source, f"{GENERATED} key_by>", "eval"), {})  # type: ignore[no-any-return]


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
