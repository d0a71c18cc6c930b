"""Which arguments a function never looks at; where that is not certain, it looks."""

import inspect
import sys
from typing import Any

import pytest

from penstock.operators.unread_argument import leaves_unread


class Function:
    def process(self, left: Any, right: Any, ctx: Any) -> Any:
        return left, right

    def with_time(self, left: Any, right: Any, ctx: Any) -> Any:
        return left, ctx.time

    def __call__(self, left: Any, right: Any, ctx: Any) -> Any:
        return left


def generating(left: Any, right: Any, ctx: Any) -> Any:
    yield left


def inner(left: Any, right: Any, ctx: Any) -> Any:
    return [ctx for _ in (left, right)]


def deleting(left: Any, right: Any, ctx: Any) -> Any:
    del ctx
    return left


@pytest.mark.parametrize(
    "function", [Function().process, Function.process.__get__(1), generating, lambda a, b, c: a]
)
def test_an_argument_that_is_never_mentioned_is_unread(function: Any) -> None:
    assert leaves_unread(function, 2)


@pytest.mark.parametrize(
    "function",
    [
        Function().with_time,
        Function(),
        inner,
        deleting,
        print,
        lambda a, b, c: c,
        lambda a, b, c: locals(),
        lambda a, b, c: eval("c"),
        lambda a, b, c: sys._getframe().f_locals,
        lambda a, b, c: inspect.currentframe(),
        lambda a, b: a,
        lambda a, *rest: a,
        lambda a, b, c: lambda: c,
    ],
)
def test_whatever_may_be_read_is_taken_for_read(function: Any) -> None:
    assert not leaves_unread(function, 2)
