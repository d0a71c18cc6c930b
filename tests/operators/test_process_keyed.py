"""KeyedProcessFunction: keys, state, timers of both kinds, BATCH mode, and snapshots between any two steps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.context import KeyedOnTimerContext, KeyedProcessContext, RuntimeContext, TimeDomain
from penstock.contracts.functions import KeyedProcessFunction
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import ListStateDescriptor, StateTtlConfig, ValueStateDescriptor
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.data.keys import key_group
from penstock.data.time import Duration
from penstock.errors import KeyNotUsable, TypeMismatch, UserCodeError
from penstock.operators.keyed_process import KeyedProcessSpec
from tests.operators.stage import MAX_PARALLELISM, Stage

FIRED = OutputTag("fired")
BATCH_TIMERS = Path(__file__).parents[1] / "results" / "java" / "batch-timers-rows.txt"


def parity(value: int) -> int:
    return value % 2


class Count(KeyedProcessFunction):
    """How many records of the key there were."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", default_value=0))

    def process_element(self, value: Any, ctx: KeyedProcessContext) -> Iterator[Any]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield ctx.get_current_key(), count


class Alarm(KeyedProcessFunction):
    """Registers an event-time timer at each value and shows those that fire."""

    def process_element(self, value: Any, ctx: KeyedProcessContext) -> None:
        ctx.timer_service().register_event_time_timer(value)

    def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
        yield ctx.get_current_key(), timestamp


def test_state_belongs_to_the_key_of_the_record() -> None:
    stage = Stage(KeyedProcessSpec(Count()))
    stage.give([1, 2, 3, 4, 5], keys=parity)
    assert stage.take_values() == [(1, 1), (0, 1), (1, 2), (0, 2), (1, 3)]


def test_a_plain_function_knows_the_key_and_the_timestamp() -> None:
    stage = Stage(KeyedProcessSpec(lambda value, ctx: [(ctx.get_current_key(), value, ctx.timestamp())]))
    stage.give([1, 2], [10, 20], keys=parity)
    assert stage.take() == [((1, 1, 10), 10), ((0, 2, 20), 20)]


def test_timers_fire_in_time_order_across_keys_before_the_watermark_goes_on() -> None:
    stage = Stage(KeyedProcessSpec(Alarm()))
    stage.give([9, 4, 7, 2], keys=parity)
    stage.watermark(7)
    assert stage.take() == [((0, 2), 2), ((0, 4), 4), ((1, 7), 7), ("watermark", 7)]
    stage.watermark(8)
    assert stage.take() == [("watermark", 8)]
    stage.watermark(MAX_WATERMARK)
    assert stage.take() == [((1, 9), 9), ("watermark", MAX_WATERMARK)]


def test_a_timer_for_a_time_that_has_passed_fires_with_the_next_watermark() -> None:
    stage = Stage(KeyedProcessSpec(Alarm()))
    stage.watermark(10)
    stage.give([3], keys=parity)
    assert stage.take() == [("watermark", 10)]
    stage.watermark(11)
    assert stage.take() == [((1, 3), 3), ("watermark", 11)]


def test_timers_set_while_firing_fire_in_the_same_advance_when_they_are_due() -> None:
    class Chain(Alarm):
        def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
            ctx.timer_service().register_event_time_timer(timestamp + 10)
            yield timestamp, ctx.timer_service().current_watermark()

    stage = Stage(KeyedProcessSpec(Chain()))
    stage.give([10, 15], keys=lambda value: 0)
    stage.watermark(36)
    assert stage.take_values() == [(at, 36) for at in (10, 15, 20, 25, 30, 35)]


def test_deleted_timers_do_not_fire_and_equal_ones_fire_once() -> None:
    def process(value: int, ctx: KeyedProcessContext) -> None:
        timers = ctx.timer_service()
        if value > 0:
            timers.register_event_time_timer(value)
            timers.register_processing_time_timer(2_000 + value)
        else:
            timers.delete_event_time_timer(-value)
            timers.delete_processing_time_timer(2_000 - value)

    class Both(Alarm):
        process_element = staticmethod(process)

    stage = Stage(KeyedProcessSpec(Both()))
    stage.give([10, 20, 20, -10, -99], keys=lambda value: 0)
    stage.watermark(50)
    stage.advance(5_000)
    assert stage.take() == [((0, 20), 20), ("watermark", 50), ((0, 2_020), None)]


def test_on_timer_knows_key_time_and_domain_and_sees_the_state_of_its_key() -> None:
    class Seen(Count):
        def process_element(self, value: Any, ctx: KeyedProcessContext) -> Iterator[Any]:
            ctx.timer_service().register_event_time_timer(100 + value)
            ctx.timer_service().register_processing_time_timer(1_100 + value)
            yield from super().process_element(value, ctx)

        def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
            yield ctx.get_current_key(), self.count.value(), timestamp, ctx.timestamp(), ctx.time_domain()
            ctx.output(FIRED, timestamp)

    stage = Stage(KeyedProcessSpec(Seen()), sides=("fired",))
    stage.give([1, 3, 2], [5, 6, 7], keys=parity)
    stage.take()
    stage.watermark(101)
    assert stage.take() == [((1, 2, 101, 101, TimeDomain.EVENT_TIME), 101), ("watermark", 101)]
    stage.advance(102)
    assert stage.take() == [
        ((1, 2, 1_101, 1_101, TimeDomain.PROCESSING_TIME), None),
        ((0, 1, 1_102, 1_102, TimeDomain.PROCESSING_TIME), None),
    ]
    assert stage.aside["fired"] == [(101, 101), (1_101, None), (1_102, None)]


def test_one_call_is_scheduled_for_the_earliest_processing_time_timer() -> None:
    stage = Stage(
        KeyedProcessSpec(lambda value, ctx: ctx.timer_service().register_processing_time_timer(value))
    )
    stage.give([5_000, 3_000, 4_000], keys=parity)
    assert stage.time.next_ms() == 3_000
    stage.advance(2_000)
    assert stage.time.next_ms() == 4_000
    stage.advance(2_000)
    assert stage.time.next_ms() is None


def test_a_processing_time_timer_may_set_the_next_one() -> None:
    class Tick(KeyedProcessFunction):
        def process_element(self, value: Any, ctx: KeyedProcessContext) -> None:
            ctx.timer_service().register_processing_time_timer(value)

        def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
            ctx.timer_service().register_processing_time_timer(timestamp + 100)
            yield timestamp

    stage = Stage(KeyedProcessSpec(Tick()))
    stage.give([1_100], keys=parity)
    for _ in range(3):
        stage.advance(100)
    assert stage.take_values() == [1_100, 1_200, 1_300]


def test_nothing_is_called_any_more_after_the_end() -> None:
    stage = Stage(
        KeyedProcessSpec(lambda value, ctx: ctx.timer_service().register_processing_time_timer(value))
    )
    stage.give([5_000], keys=parity)
    stage.operator.finish()
    assert stage.time.next_ms() is None


def test_in_batch_mode_all_timers_of_a_key_fire_at_its_end_and_its_state_is_gone() -> None:
    class Ending(Count):
        def process_element(self, value: Any, ctx: KeyedProcessContext) -> Iterator[Any]:
            ctx.timer_service().register_processing_time_timer(10**15)
            ctx.timer_service().register_processing_time_timer(10**15 + 1)
            ctx.timer_service().register_event_time_timer(value)
            yield "record", ctx.timer_service().current_watermark()
            yield from super().process_element(value, ctx)

        def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
            yield timestamp, self.count.value(), ctx.timer_service().current_watermark()

    stage = Stage(KeyedProcessSpec(Ending()), batch_mode=True)
    for _ in range(2):
        stage.give([7, 5], keys=lambda value: "a")
        stage.operator.end_key("a")
        assert stage.take_values() == [
            ("record", MIN_TIMESTAMP),
            ("a", 1),
            ("record", MIN_TIMESTAMP),
            ("a", 2),
            *[(at, 2, MAX_WATERMARK) for at in (5, 7, 10**15, 10**15 + 1)],
        ]
    assert stage.time.next_ms() is None
    assert stage.keyed_state.keys("count") == []


def test_in_batch_mode_timers_set_by_timers_give_the_rows_of_flink() -> None:
    """Recorded: see tests/results/java/README.md."""

    class Repeating(KeyedProcessFunction):
        def process_element(self, value: Any, ctx: KeyedProcessContext) -> Iterator[Any]:
            for time in (value, value + 50):
                ctx.timer_service().register_event_time_timer(time)
                ctx.timer_service().register_processing_time_timer(time)
            yield f"{ctx.get_current_key()} record {value} {ctx.timer_service().current_watermark()}"

        def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
            ctx.timer_service().register_event_time_timer(timestamp + 1000)
            ctx.timer_service().register_processing_time_timer(timestamp + 1000)
            ctx.timer_service().delete_processing_time_timer(60)
            domain = "event" if ctx.time_domain() is TimeDomain.EVENT_TIME else "processing"
            yield f"{ctx.get_current_key()} {domain} {timestamp} {ctx.timer_service().current_watermark()}"

    stage = Stage(KeyedProcessSpec(Repeating()), batch_mode=True)
    for key, values in {"a": [10, 30], "b": [20]}.items():
        stage.give(values, keys=lambda value, key=key: key)
        stage.operator.end_key(key)
    stage.watermark(MAX_WATERMARK)
    assert stage.take_values() == BATCH_TIMERS.read_text().splitlines()


def test_an_error_of_a_timer_names_time_key_and_domain() -> None:
    class Broken(Alarm):
        def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
            raise ValueError("too late")

    stage = Stage(KeyedProcessSpec(Broken()))
    stage.give([5], keys=lambda value: "k")
    with pytest.raises(UserCodeError, match=r"too late[\s\S]*event-time timer at 5 of key 'k'"):
        stage.watermark(5)


def test_an_error_names_the_record() -> None:
    stage = Stage(KeyedProcessSpec(lambda value, ctx: [1 // value]))
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        stage.give([1, 0, 2], keys=parity)


def test_a_key_that_cannot_be_hashed_is_named_with_its_record() -> None:
    stage = Stage(KeyedProcessSpec(Count()))
    with pytest.raises(KeyNotUsable, match=r"the key \[1\] of type list cannot be hashed.*the record was 1"):
        stage.give([1], keys=lambda value: [value])


def test_an_unhashable_value_in_the_code_of_the_user_is_the_error_of_the_user() -> None:
    stage = Stage(KeyedProcessSpec(lambda value, ctx: [{[]: value}]))  # type: ignore[dict-item]
    with pytest.raises(UserCodeError, match=r"unhashable.*the record was 1"):
        stage.give([1], keys=parity)


def test_a_timer_for_something_that_is_no_time_is_refused() -> None:
    stage = Stage(KeyedProcessSpec(Alarm()))
    with pytest.raises(TypeMismatch, match="whole milliseconds"):
        stage.give(["soon"], keys=lambda value: 0)


def test_state_with_a_time_to_live_is_swept_batch_by_batch() -> None:
    class Short(Count):
        def open(self, runtime_context: RuntimeContext) -> None:
            descriptor = ValueStateDescriptor("count")
            ttl = StateTtlConfig.new_builder(Duration.of_millis(10)).cleanup_incrementally(5, True).build()
            descriptor.enable_time_to_live(ttl)
            self.count = runtime_context.get_state(descriptor)

    stage = Stage(KeyedProcessSpec(Short()))
    stage.give(list(range(20)), keys=lambda value: value)
    stage.advance(11)
    stage.give([100] * 20, keys=lambda value: value)
    assert stage.keyed_state.keys("count") == [100]


class Summary(KeyedProcessFunction):
    """Collects values; an event-time timer gives them out, and the next tens start anew."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.values = runtime_context.get_list_state(ListStateDescriptor("values"))

    def process_element(self, value: Any, ctx: KeyedProcessContext) -> None:
        self.values.add(value)
        ctx.timer_service().register_event_time_timer(value // 10 * 10 + 9)

    def on_timer(self, timestamp: int, ctx: KeyedOnTimerContext) -> Iterator[Any]:
        due = [value for value in self.values.get() if value <= timestamp]
        self.values.update([value for value in self.values.get() if value > timestamp])
        yield timestamp, ctx.get_current_key(), due


def summarised(steps: list[list[int] | int]) -> list[Any]:
    """What ``Summary`` gives, worked out slowly: a list is a batch, a number a watermark."""
    waiting: list[int] = []
    timers: set[tuple[int, int]] = set()
    out = []
    for step in steps:
        if isinstance(step, list):
            waiting += step
            timers |= {(value // 10 * 10 + 9, value % 3) for value in step}
            continue
        for timer in sorted(timers):
            if timer[0] <= step:
                timers.discard(timer)
                due = [value for value in waiting if value % 3 == timer[1] and value <= timer[0]]
                waiting = [value for value in waiting if value not in due or value % 3 != timer[1]]
                out.append((*timer, due))
    return out


STEPS = st.lists(
    st.one_of(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(0, 70)), max_size=12
)


@given(STEPS, st.sets(st.integers(0, 12)))
def test_a_snapshot_between_any_two_steps_changes_nothing(
    steps: list[list[int] | int], snapshots: set[int]
) -> None:
    steps = [*steps, MAX_WATERMARK]
    stage = Stage(KeyedProcessSpec(Summary()))
    out: list[Any] = []
    for index, step in enumerate(steps):
        if isinstance(step, list):
            stage.give(step, keys=lambda value: value % 3)
        else:
            stage.watermark(step)
        out += stage.take_values()
        if index in snapshots:
            stage = stage.restored()
    assert sorted(out) == sorted(summarised(steps))


@given(STEPS)
def test_two_subtasks_go_on_from_the_snapshot_of_one(steps: list[list[int] | int]) -> None:
    one = Stage(KeyedProcessSpec(Summary()))
    for step in steps:
        if isinstance(step, list):
            one.give(step, keys=lambda value: value % 3)
        else:
            one.watermark(step)
    saved = one.save()
    one.take()
    one.watermark(MAX_WATERMARK)
    two = [Stage(KeyedProcessSpec(Summary()), saved=[saved], subtask=(index, 2)) for index in range(2)]
    for stage in two:
        stage.watermark(MAX_WATERMARK)
    parts = [stage.take_values() for stage in two]
    assert sorted(parts[0] + parts[1]) == sorted(one.take_values())
    for stage, part in zip(two, parts, strict=True):
        assert all(key_group(key, MAX_PARALLELISM) in stage.key_groups for _, key, _ in part)


def test_processing_time_timers_are_armed_again_after_a_restore() -> None:
    stage = Stage(
        KeyedProcessSpec(lambda value, ctx: ctx.timer_service().register_processing_time_timer(value))
    )
    stage.give([3_000], keys=parity)
    assert stage.restored().time.next_ms() == 3_000
