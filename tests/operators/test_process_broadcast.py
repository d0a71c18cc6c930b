"""Broadcast state: written by the broadcast side, read by the other, with keys and without."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.contracts.broadcast_functions import (
    BroadcastOnTimerContext,
    BroadcastProcessFunction,
    BroadcastSideContext,
    KeyedBroadcastProcessFunction,
    KeyedBroadcastSideContext,
    KeyedReadOnlySideContext,
    ReadOnlySideContext,
)
from penstock.contracts.context import RuntimeContext, TimeDomain
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import ListStateDescriptor, MapStateDescriptor
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import StateError, UserCodeError
from penstock.operators.broadcast_process import BroadcastProcessSpec, KeyedBroadcastProcessSpec
from tests.operators.stage import Stage

RULES = MapStateDescriptor("rules")
CHANGED = OutputTag("changed")


class Apply(BroadcastProcessFunction[Any, Any, Any]):
    def process_element(self, value: Any, ctx: ReadOnlySideContext) -> Iterator[Any]:
        yield value, ctx.get_broadcast_state(RULES).get(value), ctx.timestamp(), ctx.current_watermark()

    def process_broadcast_element(self, value: Any, ctx: BroadcastSideContext) -> Iterator[Any]:
        ctx.get_broadcast_state(RULES).put(*value)
        ctx.output(CHANGED, (value[0], ctx.current_processing_time()))
        yield from ()


class ApplyByKey(KeyedBroadcastProcessFunction[Any, Any, Any, Any]):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.seen = ListStateDescriptor("seen")
        self.values = runtime_context.get_list_state(self.seen)

    def process_element(self, value: Any, ctx: KeyedReadOnlySideContext) -> None:
        self.values.add(value)
        ctx.timer_service().register_event_time_timer(100)

    def process_broadcast_element(self, value: Any, ctx: KeyedBroadcastSideContext) -> Iterator[Any]:
        ctx.get_broadcast_state(RULES).put(*value)
        found: list[Any] = []
        ctx.apply_to_keyed_state(self.seen, lambda key, state: found.append((key, list(state.get()))))
        yield "keys", found

    def on_timer(self, timestamp: int, ctx: BroadcastOnTimerContext) -> Iterator[Any]:
        assert ctx.time_domain() is TimeDomain.EVENT_TIME
        rules = ctx.get_broadcast_state(RULES)
        yield ctx.get_current_key(), [rules.get(value) for value in self.values.get()]


def test_the_other_side_reads_what_the_broadcast_side_wrote() -> None:
    stage = Stage(BroadcastProcessSpec(Apply(), (RULES,)), sides=("changed",))
    stage.give(["a"], [5])
    stage.give([("a", 1)], port=1)
    stage.watermark(7)
    stage = stage.restored()
    stage.give(["a", "b"])
    assert stage.take_values() == [
        ("a", 1, MIN_TIMESTAMP, MIN_TIMESTAMP),
        ("b", None, MIN_TIMESTAMP, MIN_TIMESTAMP),
    ]


def test_contexts_know_time_and_watermark_and_side_outputs() -> None:
    stage = Stage(BroadcastProcessSpec(Apply(), (RULES,)), sides=("changed",))
    stage.give([("a", 1)], [3], port=1)
    stage.watermark(7)
    stage.give(["a"], [9])
    assert stage.take() == [("watermark", 7), (("a", 1, 9, 7), 9)]
    assert stage.aside["changed"] == [(("a", 1_000), 3)]


def test_the_view_of_the_other_side_cannot_write() -> None:
    class Write(Apply):
        def process_element(self, value: Any, ctx: ReadOnlySideContext) -> Iterator[Any]:
            ctx.get_broadcast_state(RULES).put(value, 1)  # type: ignore[attr-defined]
            yield value

    with pytest.raises(UserCodeError, match="AttributeError"):
        Stage(BroadcastProcessSpec(Write(), (RULES,))).give(["a"])


def test_named_states_are_in_a_snapshot_before_they_are_used() -> None:
    saved = Stage(BroadcastProcessSpec(Apply(), (RULES,))).save()
    assert list(saved.operator.states) == ["rules"]


def test_the_keyed_side_has_state_and_timers_and_the_broadcast_side_sees_all_keys() -> None:
    stage = Stage(KeyedBroadcastProcessSpec(ApplyByKey(), (RULES,)))
    stage.give(["a", "bb", "c"], keys=len)
    stage.give([("a", 1), ("bb", 2)], port=1)
    stage = stage.restored()
    stage.give(["dd"], keys=len)
    stage.watermark(100)
    assert sorted(stage.take_values()) == [(1, [1, None]), (2, [2, None])]


def test_the_broadcast_side_walks_over_the_state_of_all_keys() -> None:
    stage = Stage(KeyedBroadcastProcessSpec(ApplyByKey(), (RULES,)))
    stage.give(["a", "bb", "c"], keys=len)
    stage.give([("a", 1)], port=1)
    assert stage.take_values() == [("keys", [(1, ["a", "c"]), (2, ["bb"])])]


def test_the_broadcast_side_has_no_current_key() -> None:
    class Careless(ApplyByKey):
        def process_broadcast_element(self, value: Any, ctx: KeyedBroadcastSideContext) -> Iterator[Any]:
            self.values.add(value)
            yield value

    stage = Stage(KeyedBroadcastProcessSpec(Careless(), (RULES,)))
    stage.give(["a"], keys=len)
    with pytest.raises(StateError, match="outside of the processing of a record"):
        stage.give([1], port=1)


def test_in_batch_mode_the_rules_outlive_the_keys() -> None:
    stage = Stage(KeyedBroadcastProcessSpec(ApplyByKey(), (RULES,)), batch_mode=True)
    stage.give([("a", 1)], port=1)
    stage.take()
    for _ in range(2):
        stage.give(["a"], keys=len)
        stage.operator.end_key(1)
    assert stage.take_values() == [(1, [1]), (1, [1])]
