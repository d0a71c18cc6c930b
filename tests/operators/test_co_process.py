"""Functions over two streams: CoProcess, CoMap and CoFlatMap, with keys and without."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.contracts.context import (
    KeyedOnTimerContext,
    KeyedProcessContext,
    ProcessContext,
    RuntimeContext,
)
from penstock.contracts.functions import (
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedCoProcessFunction,
)
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import ListStateDescriptor, ValueStateDescriptor
from penstock.data.types import Types
from penstock.errors import TypeMismatch, UserCodeError
from penstock.operators.co_process import CoProcessSpec, KeyedCoProcessSpec
from penstock.operators.co_rows import CoRowSpec
from tests.operators.stage import Stage

WORDS = OutputTag("words")


class Both(CoProcessFunction):
    def process_element1(self, value: Any, ctx: ProcessContext) -> Iterator[Any]:
        yield 1, value, ctx.timestamp()

    def process_element2(self, value: Any, ctx: ProcessContext) -> Iterator[Any]:
        yield WORDS, value


class Join(KeyedCoProcessFunction):
    """All pairs of both streams with one key, once event time has reached 100."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.left = runtime_context.get_list_state(ListStateDescriptor("left"))
        self.right = runtime_context.get_list_state(ListStateDescriptor("right"))

    def process_element1(self, value: Any, ctx: KeyedProcessContext) -> None:
        self.left.add(value)
        ctx.timer_service().register_event_time_timer(100)

    def process_element2(self, value: Any, ctx: KeyedProcessContext) -> None:
        self.right.add(value)
        ctx.timer_service().register_event_time_timer(100)

    def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
        for left in self.left.get():
            for right in self.right.get():
                yield ctx.get_current_key(), left, right


class CountBoth(CoMapFunction):
    """Odd records come out with the number of records of their key in both streams."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", default_value=0))

    def map1(self, value: Any) -> Any:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        return (value, count) if value % 2 else None

    def map2(self, value: Any) -> Any:
        return self.map1(value)


def first_letter(value: str) -> str:
    return value[0]


def test_each_port_has_its_own_method_and_side_outputs_work() -> None:
    stage = Stage(CoProcessSpec(Both()), sides=("words",))
    stage.give([1, 2], [10, 20], port=0)
    stage.give(["a"], [30], port=1)
    assert stage.take() == [((1, 1, 10), 10), ((1, 2, 20), 20)]
    assert stage.aside["words"] == [("a", 30)]


def test_two_plain_functions_do_as_well() -> None:
    stage = Stage(CoProcessSpec((lambda value, ctx: [value], lambda value, ctx: [-value])))
    stage.give([1], port=0)
    stage.give([1], port=1)
    assert stage.take_values() == [1, -1]


def test_both_keyed_streams_share_the_state_and_timers_of_a_key() -> None:
    stage = Stage(KeyedCoProcessSpec(Join()))
    stage.give(["a1", "b1"], keys=first_letter, port=0)
    stage = stage.restored()
    stage.give(["a2", "c2", "a3"], keys=first_letter, port=1)
    stage.watermark(99)
    assert stage.take_values() == []
    stage.watermark(100)
    assert stage.take() == [(("a", "a1", "a2"), 100), (("a", "a1", "a3"), 100), ("watermark", 100)]


def test_in_batch_mode_the_timers_of_a_key_fire_after_both_streams() -> None:
    stage = Stage(KeyedCoProcessSpec(Join()), batch_mode=True)
    stage.give(["a1"], keys=first_letter, port=0)
    stage.give(["a2"], keys=first_letter, port=1)
    stage.operator.end_key("a")
    stage.operator.end_key("b")
    assert stage.take_values() == [("a", "a1", "a2")]


@pytest.mark.parametrize("keys", [None, lambda value: 0])
def test_co_map_leaves_none_out_with_its_timestamp(keys: Any) -> None:
    spec = CoRowSpec("map", (lambda value: value or None, lambda value: -value), keyed=keys is not None)
    stage = Stage(spec)
    stage.give([1, 0, 2], [10, 20, 30], keys)
    stage.give([0, 5], None, keys, port=1)
    assert stage.take() == [(1, 10), (2, 30), (0, None), (-5, None)]


@pytest.mark.parametrize("keys", [None, lambda value: 0])
def test_co_flat_map_gives_any_number_with_the_timestamp_of_the_record(keys: Any) -> None:
    class Repeat(CoFlatMapFunction):
        def flat_map1(self, value: Any) -> Any:
            return [value] * value if value else None

        def flat_map2(self, value: Any) -> Iterator[Any]:
            yield from value

    stage = Stage(CoRowSpec("flat_map", Repeat(), keyed=keys is not None))
    stage.give([2, 0, 1], [10, 20, 30], keys)
    stage.give(["ab", ""], None, keys, port=1)
    assert stage.take() == [(2, 10), (2, 10), (1, 30), ("a", None), ("b", None)]


def test_keyed_co_map_shares_state_over_both_streams() -> None:
    stage = Stage(CoRowSpec("map", CountBoth(), keyed=True))
    stage.give([1, 2, 3], keys=lambda value: value % 2)
    stage.give([5], keys=lambda value: value % 2, port=1)
    assert stage.take_values() == [(1, 1), (3, 2), (5, 3)]
    stage.operator.end_key(1)
    assert stage.keyed_state.keys("count") == [0]


@pytest.mark.parametrize("kind", ["map", "flat_map"])
@pytest.mark.parametrize("keyed", [False, True])
def test_an_error_names_the_record_of_the_port(kind: Any, keyed: bool) -> None:
    stage = Stage(CoRowSpec(kind, (lambda value: value, lambda value: [1 // value]), keyed=keyed))
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        stage.give([3, 0, 4], keys=lambda value: value, port=1)


def test_a_declared_type_is_checked() -> None:
    with pytest.raises(TypeMismatch, match="Tested"):
        Stage(CoRowSpec("map", (str, str), Types.INT())).give([1])
