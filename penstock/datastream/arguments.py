"""Checks of what users pass, at the line where they pass it."""

import copy
import inspect
import os
from collections.abc import Callable
from operator import itemgetter
from types import TracebackType
from typing import Any

from penstock.contracts.functions import Function
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.types import TypeInformation
from penstock.errors import PenstockError, ProgramError
from penstock.operators.user_code import callable_of, origin_of_caller, shorten

_ONE_RESULT = ("map", "map1", "map2", "filter", "reduce", "get_key", "partition", "add_sink")


def function_argument(function: Any, method: str, kind: type[Function], arguments: int) -> Any:
    """A function class of ``kind``, or a plain function of ``arguments`` values; returned as a copy of the operator's own.

    :raises ProgramError: for anything else, at the user's line.
    """
    if (
        isinstance(function, Function)
        and not isinstance(function, kind)
        and not callable(getattr(function, method, None))
    ):
        raise ProgramError(
            f"{method} takes a {kind.__name__} or a function, not a {type(function).__name__} ({origin_of_caller()})"
        )
    try:
        bound = callable_of(function, method, method)
    except ProgramError as error:
        raise ProgramError(f"{error.message} ({origin_of_caller()})") from None
    _check_returns_results(bound, method)
    check_arity(bound, method, arguments)
    return _own_copy(function) if isinstance(function, Function) else function


def _check_returns_results(function: Callable[..., Any], method: str) -> None:
    """Refuse what returns something else than its results when it is called: a coroutine, or a generator in place of one
    result. Filters and sinks would not even notice."""
    if method == "async_invoke":
        return
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ProgramError(
            f"{method} calls its function and does not await it, and {shorten(function)} is async; such functions are for "
            f"AsyncDataStream.unordered_wait and ordered_wait ({origin_of_caller()})"
        )
    if method in _ONE_RESULT and inspect.isgeneratorfunction(function):
        raise ProgramError(
            f"{method} takes a function that returns one result, and {shorten(function)} yields; return it, or use flat_map "
            f"where a record gives several ({origin_of_caller()})"
        )


def _own_copy(function: Function) -> Function:
    """A copy for this one operator, as of now: what happens to the object afterwards does not reach the job, nor what the job
    does to the copy the program. An object that cannot be copied is used itself, which works at parallelism 1 only.
    """
    try:
        return copy.deepcopy(function)
    except Exception:  # noqa: BLE001  (whatever a class of the user raises)
        return function


def check_arity(function: Callable[..., Any], what: str, arguments: int) -> None:
    """Refuse a function or method that cannot be called with so many arguments, at the user's line."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return
    try:
        signature.bind(*[None] * arguments)
    except TypeError:
        raise ProgramError(
            f"{what} calls its function with {arguments} argument{'s' if arguments != 1 else ''}, "
            f"and {_shown(function)} takes {signature} ({origin_of_caller()})"
        ) from None


def _shown(function: Any) -> str:
    """A method by its name and the line where it is defined, anything else as it is."""
    code = getattr(getattr(function, "__func__", None), "__code__", None)
    if code is None:
        return shorten(function)
    return f"{function.__qualname__} of {code.co_filename}:{code.co_firstlineno}"


class AtUsersLine:
    """``with AtUsersLine():`` around what checks arguments further down, where the user's line is not known."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, PenstockError):
            where = origin_of_caller()
            if where is not None and str(where) not in str(error):
                error.at(f"called at {where}")


def text_argument(value: Any, what: str) -> str:
    """A text.

    :raises ProgramError: for anything else, at the user's line.
    """
    if not isinstance(value, str):
        raise ProgramError(f"{what} is a str, not {shorten(value)} ({origin_of_caller()})")
    return value


def path_argument(value: Any, what: str) -> str:
    """A path, as text or as a ``pathlib.Path``.

    :raises ProgramError: for anything else, at the user's line.
    """
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str) or not str(value):
        raise ProgramError(
            f"{what} is a path, as a str or a Path, not {shorten(value)} ({origin_of_caller()})"
        )
    return os.fspath(value)


def sink_function_argument(function: Any) -> Any:
    """A SinkFunction, an object with a method ``invoke``, or a plain function of one value; returned as it is.

    :raises ProgramError: for anything else, at the user's line.
    """
    with AtUsersLine():
        bound = callable_of(function, "invoke", "add_sink")
    _check_returns_results(bound, "add_sink")
    if bound is function:
        check_arity(bound, "add_sink", 1)
    return function


def watermark_strategy_argument(strategy: Any, what: str) -> WatermarkStrategy:
    """A watermark strategy, whose timestamp assigner can be called.

    :raises ProgramError: for anything else, at the user's line.
    """
    if not isinstance(strategy, WatermarkStrategy):
        raise ProgramError(
            f"{what} takes a WatermarkStrategy, not {shorten(strategy)}; WatermarkStrategy.no_watermarks() makes none "
            f"({origin_of_caller()})"
        )
    if strategy.assigner is not None:
        check_arity(strategy.assigner, "extract_timestamp", 2)
    return strategy


def type_argument(type_info: Any, what: str) -> Any:
    """A declared type, or None.

    :raises ProgramError: when it is something else, such as ``int`` in place of ``Types.INT()``.
    """
    if type_info is None or isinstance(type_info, TypeInformation):
        return type_info
    raise ProgramError(
        f"{what} must be a type information such as Types.STRING(), not {shorten(type_info)} ({origin_of_caller()})"
    )


def key_argument(key: Any) -> Any:
    """A key selector: a KeySelector, a function, a position or a field name (several as a tuple or list)."""
    if isinstance(key, bool):
        raise ProgramError(
            f"key_by takes a function, a position or a field name, not {key!r} ({origin_of_caller()})"
        )
    if isinstance(key, (int, str)):
        return FieldKey((key,))
    if isinstance(key, (tuple, list)) and key and all(isinstance(part, (int, str)) for part in key):
        return FieldKey(tuple(key))
    from penstock.contracts.functions import KeySelector

    return function_argument(key, "get_key", KeySelector, 1)


class FieldKey:
    """The value of one field, or the tuple of several, by position or name."""

    def __init__(self, fields: tuple[int | str, ...]) -> None:
        self.fields = fields
        self._get = _getter(fields)

    def __call__(self, value: Any) -> Any:
        return self._get(value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (FieldKey, (self.fields,))

    def __repr__(self) -> str:
        return f"FieldKey{self.fields!r}"


def _getter(fields: tuple[int | str, ...]) -> Callable[[Any], Any]:
    if all(isinstance(field, int) for field in fields):
        return itemgetter(*fields)
    getters = [_field_getter(field) for field in fields]
    if len(getters) == 1:
        return getters[0]
    return lambda value: tuple(get(value) for get in getters)


def _field_getter(field: int | str) -> Callable[[Any], Any]:
    by_index = itemgetter(field)

    def get(value: Any) -> Any:
        if isinstance(field, str) and not hasattr(type(value), "__getitem__"):
            return getattr(value, field)
        try:
            return by_index(value)
        except (TypeError, KeyError, IndexError):
            if isinstance(field, str) and hasattr(value, field):
                return getattr(value, field)
            raise

    return get
