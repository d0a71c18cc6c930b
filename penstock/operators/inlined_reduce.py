"""Reduce functions that are simple expressions, as loops that do not call them (see ``inlining``)."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from penstock.operators.aggregations import Fold
from penstock.operators.inlining import ARGUMENT, SECOND_ARGUMENT, expression_of
from penstock.operators.user_code import GENERATED, raised_at

Reduce = Callable[[Any, Any], Any]
PaneFold = Callable[[dict[Any, Any], Sequence[Any], Iterable[Any]], None]
"""Reduces values into what is stored under their keys: ``fold(stored by key, keys, values)``."""


def fold_by(function: Reduce) -> Fold | None:
    """A running reduce as one loop; None where the function has to be called.

    >>> results = []
    >>> fold_by(lambda a, b: (a[0], a[1] + b[1]))({}, "aba", [("a", 1), ("b", 2), ("a", 3)], results)
    >>> results
    [('a', 1), ('b', 2), ('a', 4)]
    """
    expression = expression_of(function, arguments=2)
    return None if expression is None else partial(_loop_of(expression, True), _AsCalled(function))


def pane_fold_by(function: Reduce) -> PaneFold | None:
    """The same without results.

    >>> entries = {}
    >>> pane_fold_by(lambda a, b: a - b)(entries, "aba", [7, 2, 3])
    >>> entries
    {'a': 4, 'b': 2}
    """
    expression = expression_of(function, arguments=2)
    return None if expression is None else partial(_loop_of(expression, False), _AsCalled(function))


@lru_cache(maxsize=256)
def _loop_of(expression: str, with_results: bool) -> Callable[..., None]:
    reduced = expression.replace(ARGUMENT, "r").replace(SECOND_ARGUMENT, "v")
    source = f"""
def fold(as_called, entries, keys, values{", results" if with_results else ""}):
    get = entries.get
    {"append = results.append" if with_results else ""}
    try:
        for key, v in zip(keys, values, strict=True):
            r = get(key)
            if r is not None:
                v = {reduced}
            entries[key] = v
            {"append(v)" if with_results else ""}
    except Exception as error:
        raise as_called(error, get, key, v)
"""
    namespace: dict[str, Any] = {}
    exec(compile(source, f"{GENERATED} reduce>", "exec"), namespace)
    return namespace["fold"]  # type: ignore[no-any-return]


class _AsCalled:
    """What the function itself raises, with the user's line in its traceback."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, error: Exception, get: Callable[[Any], Any], key: Any, value: Any) -> Exception:
        try:
            stored = get(key)
        except Exception as unusable:  # noqa: BLE001  (a key's own __hash__ or __eq__)
            return unusable
        try:
            self._function(stored, value)
        except Exception as raised:  # noqa: BLE001  (whatever the user's function raises)
            return raised
        return raised_at(self._function, error)
