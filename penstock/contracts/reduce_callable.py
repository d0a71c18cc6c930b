"""A plain callable as a reduce function."""

from collections.abc import Callable
from typing import Any

from penstock.contracts.functions import ReduceFunction


class CallableReduceFunction(ReduceFunction):
    """Calls what it was given.

    >>> CallableReduceFunction(max).reduce(1, 2)
    2
    """

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self._function = function

    def reduce(self, value1: Any, value2: Any) -> Any:
        return self._function(value1, value2)
