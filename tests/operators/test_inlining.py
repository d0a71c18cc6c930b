"""Lambdas that are inlined do what they did as functions, and fail as they did."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.common import WatermarkStrategy
from penstock.contracts.watermarks import TimestampAssigner
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import JobFailed
from penstock.operators.inlining import ARGUMENT, SECOND_ARGUMENT, expression_of

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


class Methods:
    def difference(self, value: Any, other: Any) -> Any:
        return value - other

    def doubled(self, value: Any, other: Any) -> Any:
        return 2 * value

    def own(self, value: Any, other: Any) -> Any:
        return self.__class__, value


OF_TWO: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: (b, a, 1),
    lambda a, _: a * a,
    Methods().difference,
    Methods().doubled,
]


@pytest.mark.parametrize("function", OF_TWO)
@given(first=st.integers(-1000, 1000), second=st.integers(-1000, 1000))
def test_an_expression_of_two_arguments_gives_what_the_function_gives(
    function: Callable[[Any, Any], Any], first: int, second: int
) -> None:
    expression = expression_of(function, arguments=2)
    assert expression is not None
    text = expression.replace(ARGUMENT, "v").replace(SECOND_ARGUMENT, "w")
    assert repr(eval(text, {"v": first, "w": second})) == repr(function(first, second))


@pytest.mark.parametrize("function", [Methods().own, Methods.own, lambda a: a, lambda a, b, c: a, max])
def test_what_is_no_expression_of_two_arguments_stays_a_call(function: Callable[..., Any]) -> None:
    assert expression_of(function, arguments=2) is None


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


@pytest.mark.parametrize("windowed", [False, True])
def test_an_error_of_an_inlined_reduce_names_its_own_line_and_record(windowed: bool) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    keyed: Any = env.from_collection([4, 2, 0, 1]).key_by(lambda x: 0)
    line = sys._getframe().f_lineno + 1
    (keyed.count_window(4) if windowed else keyed).reduce(lambda a, b: a // b).print()
    with pytest.raises(JobFailed, match=rf"ZeroDivisionError.*test_inlining\.py:{line}; the record was 0"):
        env.execute()


class Column(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return value[1]  # type: ignore[no-any-return]


@pytest.mark.parametrize("is_method", [False, True])
def test_an_error_of_an_inlined_timestamp_assigner_names_its_own_line_and_record(is_method: bool) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    strategy: Any = WatermarkStrategy.for_monotonous_timestamps()
    line = sys._getframe().f_lineno + 1
    strategy = strategy.with_timestamp_assigner(Column() if is_method else lambda value, _: value[1])
    env.from_collection([("a", 1), ("b",), ("c", 3)]).assign_timestamps_and_watermarks(strategy).print()
    line = line if not is_method else Column.extract_timestamp.__code__.co_firstlineno + 1
    with pytest.raises(JobFailed, match=rf"IndexError.*test_inlining\.py:{line}; the record was \('b',\)"):
        env.execute()
