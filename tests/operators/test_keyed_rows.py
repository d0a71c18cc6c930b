"""map, flat_map and filter by function classes on a keyed stream."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import FilterFunction, FlatMapFunction, MapFunction
from penstock.contracts.state import ValueStateDescriptor
from penstock.data.types import Types
from penstock.errors import TypeMismatch, UserCodeError
from penstock.operators.keyed_rows import KeyedRowSpec
from penstock.operators.row_chain import RowStep
from penstock.operators.row_loops import StepKind
from tests.operators.stage import Stage


class Sums:
    """The sum of the key so far, for all three kinds of functions."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", default_value=0))

    def add(self, value: int) -> int:
        total: int = (self.sum.value() or 0) + value
        self.sum.update(total)
        return total


class SumMap(Sums, MapFunction):
    def map(self, value: Any) -> Any:
        return self.add(value)


class SumFlatMap(Sums, FlatMapFunction):
    def flat_map(self, value: Any) -> Iterator[Any] | None:
        total = self.add(value)
        return iter((value, total)) if total > 2 else None


class SumFilter(Sums, FilterFunction):
    def filter(self, value: Any) -> bool:
        return self.add(value) > 2


def stage_of(kind: StepKind, function: Any, output_type: Any = None, batch_mode: bool = False) -> Stage:
    step = RowStep(kind, function, "Tested", output_type=output_type)
    return Stage(KeyedRowSpec(step), batch_mode=batch_mode)


def parity(value: int) -> int:
    return value % 2


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize(
    ("kind", "function", "expected"),
    [
        ("map", SumMap(), [(1, 10), (2, 20), (4, 30), (6, 40)]),
        ("flat_map", SumFlatMap(), [(3, 30), (4, 30), (4, 40), (6, 40)]),
        ("filter", SumFilter(), [(3, 30), (4, 40)]),
    ],
)
def test_the_state_of_the_key_is_used(kind: Any, function: Any, expected: list[Any], snapshot: bool) -> None:
    stage = stage_of(kind, function)
    stage.give([1, 2], [10, 20], keys=parity)
    before = stage.take()
    if snapshot:
        stage = stage.restored()
    stage.give([3, 4], [30, 40], keys=parity)
    assert before + stage.take() == expected


def test_a_map_may_return_none_and_a_filter_keeps_what_it_was_given() -> None:
    stage = stage_of("map", lambda value: None)
    stage.give([1, 2], keys=parity)
    assert stage.take() == [(None, None), (None, None)]
    stage = stage_of("filter", lambda value: True)
    stage.give([1, 2], [10, 20], keys=parity)
    assert stage.take() == [(1, 10), (2, 20)]


def test_in_batch_mode_the_state_of_a_key_ends_with_it() -> None:
    stage = stage_of("map", SumMap(), batch_mode=True)
    for _ in range(2):
        stage.give([1, 1], keys=lambda value: "k")
        stage.operator.end_key("k")
    assert stage.take_values() == [1, 2, 1, 2]


@pytest.mark.parametrize("kind", ["map", "flat_map", "filter"])
def test_an_error_names_the_record(kind: Any) -> None:
    stage = stage_of(kind, lambda value: [1 // value])
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        stage.give([1, 0, 2], keys=parity)


@pytest.mark.parametrize("kind", ["map", "flat_map", "filter"])
def test_a_key_that_cannot_be_hashed_is_no_error_of_the_function(kind: Any) -> None:
    functions: dict[str, Any] = {"map": SumMap(), "flat_map": SumFlatMap(), "filter": SumFilter()}
    with pytest.raises(TypeError, match=r"unhashable|cannot be hashed") as caught:
        stage_of(kind, functions[kind]).give([1], keys=lambda value: [value])
    assert not isinstance(caught.value, UserCodeError)


def test_a_declared_type_is_checked() -> None:
    with pytest.raises(TypeMismatch, match="Tested"):
        stage_of("map", str, Types.INT()).give([1], keys=parity)
