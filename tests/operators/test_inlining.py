"""Lambdas that are inlined do what they did as functions, and fail as they did."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import JobFailed
from penstock.operators.inlining import ARGUMENT, expression_of

OUTSIDE = 3

INLINED: list[Callable[[Any], Any]] = [
    lambda x: x,
    lambda x: (x, 1),
    lambda x: (x, True, 1.0, "a'b", None),
    lambda x: 3 * x + 1,
    lambda x: x % 2 == 0,
    lambda x: -(x - 7) // 2,
    lambda x: ((x, x * x), x),
    lambda x: x**2 - x / 3,
    lambda x: x < 2,
    lambda x: x.real,
]
CALLED: list[Callable[..., Any]] = [
    lambda x: abs(x) + 1,
    lambda x: x + OUTSIDE,
    lambda x: x > 1 and x < 5,
    lambda x: 1 if x else 2,
    lambda x, y=1: x,
    lambda *x: x,
    lambda x: x.bit_length(),
    lambda x: [x],
    len,
]


@pytest.mark.parametrize("function", INLINED)
@given(value=st.integers(-1000, 1000))
def test_an_expression_gives_what_the_function_gives(function: Callable[[Any], Any], value: int) -> None:
    expression = expression_of(function)
    assert expression is not None
    assert repr(eval(expression.replace(ARGUMENT, "v"), {"v": value})) == repr(function(value))


@pytest.mark.parametrize("function", CALLED)
def test_what_is_no_plain_expression_of_its_argument_stays_a_call(function: Callable[..., Any]) -> None:
    assert expression_of(function) is None


def test_a_function_that_sees_its_surroundings_stays_a_call() -> None:
    outside = 3
    assert expression_of(lambda x: x + outside) is None


def test_nothing_is_inlined_while_a_debugger_watches() -> None:
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        assert expression_of(lambda x: x + 1) is None
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("timed", [False, True])
def test_an_error_of_an_inlined_lambda_names_its_own_line_and_record(timed: bool) -> None:
    from penstock.common import WatermarkStrategy

    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_collection([1, 2, 3, 4])
    if timed:
        strategy = WatermarkStrategy.for_monotonous_timestamps()
        stream = stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(lambda x, _: x))
    line = sys._getframe().f_lineno + 1
    stream.map(lambda x: x + 1).filter(lambda x: 6 // (x - 4) > 0).map(lambda x: (x, 1)).print()
    with pytest.raises(
        JobFailed, match=rf"ZeroDivisionError.*test_inlining\.py:{line}; the record was 3"
    ) as failure:
        env.execute()
    assert "'Filter'" in str(failure.value)


def test_an_error_of_an_inlined_lambda_behind_a_call_names_its_line_and_calls_nothing_again() -> None:
    calls = []

    def counted(x: int) -> int:
        calls.append(x)
        return x

    env = StreamExecutionEnvironment.get_execution_environment()
    line = sys._getframe().f_lineno + 1
    env.from_collection([1, 2, 3]).map(counted).map(lambda x: 6 // (x - 2)).print()
    with pytest.raises(JobFailed, match=rf"ZeroDivisionError.*test_inlining\.py:{line}; the record was 2"):
        env.execute()
    assert calls == [1, 2]


def test_a_lookup_error_of_an_inlined_lambda_is_the_one_that_the_user_sees() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    line = sys._getframe().f_lineno + 1
    env.from_collection([{"a": 1}, {}]).map(lambda x: x["a"]).print()
    with pytest.raises(JobFailed, match=rf"KeyError: 'a' at .*test_inlining\.py:{line}; the record was {{}}"):
        env.execute()


def test_an_error_of_an_inlined_key_names_its_own_line_and_record() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    line = sys._getframe().f_lineno + 1
    env.from_collection([(1, 2), (), (3,)]).key_by(lambda pair: pair[0]).sum(1).print()
    with pytest.raises(JobFailed, match=rf"IndexError.*test_inlining\.py:{line}; the record was \(\)"):
        env.execute()
