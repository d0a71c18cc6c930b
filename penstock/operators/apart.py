"""Results of functions that may go on changing what they gave: copied before the function is called again.

As a batch is gathered while the function is called for many records, it would otherwise show each result as the last call
left it. Functions that change nothing are left as they are; see :mod:`penstock.operators.effects`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from penstock.contracts.effects import Effect
from penstock.data.own_copies import ATOMS, copies_or_same, copy_or_same
from penstock.operators.contract import OperatorContext

Call = Callable[..., Any]


def keeps_apart(context: OperatorContext) -> bool:
    """Whether results of the operator's functions have to be copied at once."""
    return context.effect is Effect.CHANGES


def one_apart(context: OperatorContext, function: Call) -> Call:
    """A function that returns one result."""
    if not keeps_apart(context):
        return function

    def call(*arguments: Any) -> Any:
        result = function(*arguments)
        kind = type(result)
        if kind in ATOMS or (kind is tuple and ATOMS.issuperset(map(type, result))):
            return result
        return copy_or_same(result)

    return call


def each_apart(context: OperatorContext, function: Call) -> Call:
    """A function that returns or yields several results, or None for none; they are copied as they are taken."""
    if not keeps_apart(context):
        return function

    def call(*arguments: Any) -> Iterable[Any] | None:
        results = function(*arguments)
        return None if results is None else all_apart(results)

    return call


def all_apart(results: Iterable[Any]) -> Iterator[Any]:
    """Results, each copied as it is taken."""
    for result in results:
        kind = type(result)
        if kind in ATOMS or (kind is tuple and ATOMS.issuperset(map(type, result))):
            yield result
        else:
            yield copy_or_same(result)


def values_apart(context: OperatorContext, values: list[Any]) -> list[Any]:
    """Values between whose making no function was called that may have changed them."""
    return copies_or_same(values) if keeps_apart(context) else values
