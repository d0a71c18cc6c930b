"""A plain callable as a reduce function. It stands below ``functions``, which counts it among the ``ReduceFunction``s."""

from collections.abc import Callable
from typing import Any


class CallableReduceFunction:
    """Calls what it was given; an instance of ``ReduceFunction`` by registration.

    >>> CallableReduceFunction(max).reduce(1, 2)
    2
    """

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self._function = function

    def open(self, runtime_context: Any) -> None:
        """Nothing to open: a plain callable has no life of its own."""

    def close(self) -> None:
        """Nothing to close."""

    def reduce(self, value1: Any, value2: Any) -> Any:
        """The combination of what was reduced so far with the next value."""
        return self._function(value1, value2)
