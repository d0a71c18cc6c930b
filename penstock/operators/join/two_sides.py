"""Functions of two sides as window functions: what stands in a window is ``(side, value)``, side 0 or 1."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, ClassVar

from penstock.contracts.context import RuntimeContext
from penstock.contracts.effects import Effect
from penstock.contracts.functions import Function, WindowFunction
from penstock.contracts.join_functions import FlatJoinFunction
from penstock.operators.apart import each_apart, one_apart
from penstock.operators.contract import OperatorContext
from penstock.operators.effects import effect_of
from penstock.operators.user_code import callable_of

Results = Iterable[Any] | None


class OnTwoSides(WindowFunction[Any, Any, Any, Any]):
    """A window function made of a function of two sides, which it opens and closes."""

    method: ClassVar[str]

    def __init__(self, function: Any) -> None:
        self.function = function
        self.call: Callable[[Any, Any], Any] = callable_of(function, self.method, "apply")

    @property
    def effect(self) -> Effect:
        """That of the function."""
        return effect_of(self.function)

    def open(self, runtime_context: RuntimeContext) -> None:
        if isinstance(self.function, Function):
            self.function.open(runtime_context)

    def close(self) -> None:
        if isinstance(self.function, Function):
            self.function.close()

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", None) or type(self.function).__name__


class CoGroup(OnTwoSides):
    """Gives both sides of a window to a ``CoGroupFunction``."""

    method = "co_group"

    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Results:
        firsts, seconds = both_sides(inputs)
        results: Results = self.call(firsts, seconds)
        return results


class Join(OnTwoSides):
    """Gives each pair of a window to a ``JoinFunction`` or ``FlatJoinFunction``, the firsts in the outer loop."""

    method = "join"

    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Results:
        firsts, seconds = both_sides(inputs)
        return self.pairs(firsts, seconds)

    def kept_apart(self, context: OperatorContext) -> "Join":
        """The same, with the result of each pair copied at once where that is necessary."""
        apart = each_apart if isinstance(self.function, FlatJoinFunction) else one_apart
        join = Join(self.function)
        join.call = apart(context, self.call)
        return join

    def pairs(self, firsts: list[Any], seconds: list[Any], at_once: int = 0) -> Iterable[Any]:
        """The results for all pairs; unless there are no more than ``at_once`` the function is called as they are read."""
        join = self.call
        if not isinstance(self.function, FlatJoinFunction):
            if len(firsts) * len(seconds) <= at_once:
                return [join(first, second) for first in firsts for second in seconds]
            return (join(first, second) for first in firsts for second in seconds)
        each = (join(first, second) for first in firsts for second in seconds)
        return chain.from_iterable(given for given in each if given is not None)


def both_sides(inputs: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The records of each side, in the order of their arrival.

    >>> both_sides([(0, "a"), (1, 7), (0, "b")])
    (['a', 'b'], [7])
    """
    return [value for side, value in inputs if not side], [value for side, value in inputs if side]
