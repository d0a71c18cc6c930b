"""The loops that call a process function for each record of a batch, and what they have in common."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from penstock.contracts.state import KeyedStateBackend
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import PenstockError
from penstock.operators.checkpointed import join_checkpoints
from penstock.operators.contract import OperatorContext
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import callable_of, is_rich, user_error

ProcessElement = Callable[[Any, Any], Iterable[Any] | None]
Results = tuple[list[Any], list[int] | None]


class TimedContext(Protocol):
    """A context in which the timestamp of the record is set before each call."""

    time: int


def process_each(
    process: ProcessElement, ctx: TimedContext, batch: RowBatch, context: OperatorContext
) -> Results:
    """All results for a batch, with the timestamps of the records that they came from."""
    position = iter(batch.values)
    out: list[Any] = []
    extend = out.extend
    ends: list[int] = []
    try:
        if batch.timestamps is None:
            ctx.time = MIN_TIMESTAMP
            for value in position:
                results = process(value, ctx)
                if results is not None:
                    extend(results)
        else:
            end = ends.append
            for value, ctx.time in zip(position, batch.timestamps, strict=True):
                results = process(value, ctx)
                if results is not None:
                    extend(results)
                end(len(out))
    except Exception as error:
        raise record_error(context, error, batch.values, position) from error
    return out, stamps_until(ends, batch.timestamps)


def process_each_keyed(
    process: ProcessElement,
    ctx: TimedContext,
    batch: RowBatch,
    keyed_state: KeyedStateBackend,
    context: OperatorContext,
) -> Results:
    """The same on a keyed stream: the key of the record is the current one of the state."""
    assert batch.keys is not None
    position = iter(batch.values)
    out: list[Any] = []
    extend = out.extend
    ends: list[int] = []
    try:
        if batch.timestamps is None:
            ctx.time = MIN_TIMESTAMP
            for value, keyed_state.current_key in zip(position, batch.keys, strict=True):
                results = process(value, ctx)
                if results is not None:
                    extend(results)
        else:
            end = ends.append
            for value, keyed_state.current_key, ctx.time in zip(
                position, batch.keys, batch.timestamps, strict=True
            ):
                results = process(value, ctx)
                if results is not None:
                    extend(results)
                end(len(out))
    except Exception as error:
        if key_is_unusable(error, keyed_state.current_key):
            raise
        raise record_error(context, error, batch.values, position) from error
    return out, stamps_until(ends, batch.timestamps)


def stamps_until(ends: list[int], timestamps: list[int] | None) -> list[int] | None:
    """A timestamp for each result: those of record i end before ``ends[i]``.

    >>> stamps_until([2, 2, 3], [10, 20, 30])
    [10, 10, 30]
    """
    if timestamps is None or ends == list(range(1, len(ends) + 1)):
        return timestamps
    stamps: list[int] = []
    for stop, timestamp in zip(ends, timestamps, strict=True):
        stamps += [timestamp] * (stop - len(stamps))
    return stamps


def record_error(
    context: OperatorContext, error: Exception, values: list[Any], position: Iterator[Any]
) -> PenstockError:
    """The error for the record that an iterator over ``values`` has just given."""
    index = len(values) - position.__length_hint__() - 1  # type: ignore[attr-defined]
    return user_error(context, error, values[max(index, 0)])


def key_is_unusable(error: Exception, key: Any) -> bool:
    """Whether an exception is about a key that cannot be hashed; the task explains it then."""
    if not isinstance(error, TypeError) or "unhashable" not in str(error):
        return False
    try:
        hash(key)
    except TypeError:
        return True
    return False


def methods_of(function: Any, names: tuple[str, ...], what: str) -> tuple[Callable[..., Any], ...]:
    """The methods of a function class, one for each input; of a plain function itself, of a tuple its functions."""
    if type(function) is tuple:
        return function
    return tuple(callable_of(function, name, what) for name in names)


def functions_in(function: Any) -> tuple[Any, ...]:
    """One function, or the several of a tuple."""
    return function if type(function) is tuple else (function,)


class FunctionLife:
    """Opens a function that has a life of its own, has it take part in checkpoints, and closes it if it was opened."""

    def __init__(self, function: Any, context: OperatorContext) -> None:
        self._all = functions_in(function)
        self._functions = [each for each in self._all if is_rich(each)]
        self._context = context
        self._opened: list[Any] = []

    def open(self) -> None:
        """Call ``initialize_state`` and ``open`` of the user."""
        join_checkpoints(self._all, self._context)
        try:
            for function in self._functions:
                function.open(OperatorRuntimeContext(self._context))
                self._opened.append(function)
        except Exception as error:
            raise user_error(self._context, error) from error

    def close(self) -> None:
        """Call ``close`` of the user."""
        try:
            while self._opened:
                self._opened.pop().close()
        except Exception as error:
            raise user_error(self._context, error) from error
