"""States that are given what their type does not allow: the error names operator, state, key, value and line."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from penstock.common import Types
from penstock.datastream import KeyedProcessFunction
from penstock.datastream.functions import BroadcastProcessFunction, RuntimeContext
from penstock.datastream.state import MapStateDescriptor, ReducingStateDescriptor, ValueStateDescriptor
from penstock.errors import TypeMismatch
from tests.bad_input.programs import MADE_HERE, check_says, environment, failure_of, keyed_by_one

Use = Callable[[RuntimeContext], Callable[[Any], None]]


class Keeps(KeyedProcessFunction):
    def __init__(self, use: Use) -> None:
        self._use = use

    def open(self, runtime_context: RuntimeContext) -> None:
        self._keep = self._use(runtime_context)

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        self._keep(value)
        yield value


def in_a_value(context: RuntimeContext) -> Callable[[Any], None]:
    state = context.get_state(ValueStateDescriptor("last", Types.STRING()))
    return state.update


def in_a_map(context: RuntimeContext) -> Callable[[Any], None]:
    state = context.get_map_state(MapStateDescriptor("last", Types.STRING(), Types.BYTE()))
    return lambda value: state.put("x", value * 1000)


def in_a_sum(context: RuntimeContext) -> Callable[[Any], None]:
    state = context.get_reducing_state(
        ReducingStateDescriptor("last", lambda one, two: 50_000, Types.SHORT())
    )
    return lambda value: [state.add(value) for _ in range(3)]  # type: ignore[func-returns-value, return-value]


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("use", "said"),
    [
        (in_a_value, "expected a str, got "),
        (in_a_map, "expected an integer from -128 to 127 in field [value], got "),
        (in_a_sum, "expected an integer from -32768 to 32767, got 50000 of type int"),
    ],
)
def test_a_value_that_does_not_fit_its_state_is_told_with_operator_state_key_and_line(
    use: Use, said: str, parallelism: int
) -> None:
    failure = failure_of(
        lambda env: keyed_by_one(env).process(Keeps(use)).name("keeps"), parallelism=parallelism
    )
    assert isinstance(failure.__cause__, TypeMismatch)
    check_says(
        failure.__cause__,
        f"what is put into state 'last' under key 'one' at {__file__}:",
        said,
        "in operator 'keeps', subtask ",
        MADE_HERE,
    )


def test_what_is_converted_comes_back_converted() -> None:
    class Prices(KeyedProcessFunction):
        def open(self, runtime_context: RuntimeContext) -> None:
            self._price = runtime_context.get_state(ValueStateDescriptor("price", Types.DOUBLE()))

        def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
            self._price.update(value * 10)
            yield self._price.value()

    with keyed_by_one(environment()).process(Prices()).execute_and_collect() as results:
        assert [repr(price) for price in results] == ["10.0", "20.0", "30.0"]


def test_a_rule_that_does_not_fit_broadcast_state_is_told() -> None:
    rules = MapStateDescriptor("rules", Types.STRING(), Types.LONG())

    class Rules(BroadcastProcessFunction):
        def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
            yield value

        def process_broadcast_element(self, value: Any, ctx: Any) -> None:
            ctx.get_broadcast_state(rules).put("limit", str(value))

    def program(env: Any) -> Any:
        limits = env.from_collection([5]).broadcast(rules)
        return env.from_collection([1]).connect(limits).process(Rules()).name("ruled")

    check_says(
        failure_of(program),
        f"what is put into state 'rules' at {__file__}:",
        "expected an integer from -9223372036854775808 to 9223372036854775807 in field [value], got '5' of type str",
        "in operator 'ruled'",
    )
