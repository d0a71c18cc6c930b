"""Time to live: all kinds of state, by a clock that only the test moves."""

import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.clock import ManualClock
from penstock.contracts.functions import AggregateFunction
from penstock.contracts.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from penstock.data.time import Duration, Time
from penstock.errors import OptionError
from tests.state.state_backends import close_all, new_backend, only

TTL = 100


class Collect(AggregateFunction):
    def create_accumulator(self) -> list[int]:
        return []

    def add(self, value: Any, accumulator: list[int]) -> list[int]:
        return [*accumulator, value]

    def get_result(self, accumulator: list[int]) -> list[int]:
        return accumulator

    def merge(self, acc_a: list[int], acc_b: list[int]) -> list[int]:
        return acc_a + acc_b


class Timeline:
    """A backend, its clock, and one state with a time to live of 100 ms."""

    def __init__(self, descriptor: StateDescriptor, builder: StateTtlConfig.Builder | None = None) -> None:
        self.clock = ManualClock(1000)
        self.backend = new_backend(128, clock=self.clock)
        self.backend.current_key = "a"
        descriptor.enable_time_to_live((builder or quiet()).build())
        self.descriptor = descriptor
        self.state = self.backend.get_partitioned_state(None, descriptor)

    def stored(self, namespace: Any = None) -> dict[Any, Any]:
        return dict(self.backend._table(self.descriptor).pane(namespace).items())


def quiet() -> StateTtlConfig.Builder:
    """No cleanup but on access."""
    return StateTtlConfig.new_builder(TTL).disable_cleanup_in_background()


def test_a_value_is_gone_when_its_time_has_come_and_not_before() -> None:
    line = Timeline(ValueStateDescriptor("v", default_value=0))
    line.state.update(7)
    line.clock.advance(TTL - 1)
    assert line.state.value() == 7
    line.clock.advance(1)
    assert line.state.value() == 0
    assert line.stored() == {}


def test_reading_makes_state_young_again_only_where_that_was_asked_for() -> None:
    for builder, expected in ((quiet(), None), (quiet().update_ttl_on_read_and_write(), 7)):
        line = Timeline(ValueStateDescriptor("v"), builder)
        line.state.update(7)
        line.clock.advance(60)
        assert line.state.value() == 7
        line.clock.advance(60)
        assert line.state.value() == expected


def test_writing_makes_state_young_again() -> None:
    line = Timeline(ValueStateDescriptor("v"))
    line.state.update(7)
    line.clock.advance(60)
    line.state.update(8)
    line.clock.advance(60)
    assert line.state.value() == 8
    line.state.clear()
    assert line.state.value() is None


def test_expired_state_may_be_seen_once_where_that_was_asked_for() -> None:
    line = Timeline(ValueStateDescriptor("v"), quiet().return_expired_if_not_cleaned_up())
    line.state.update(7)
    line.clock.advance(TTL)
    assert line.state.value() == 7
    assert line.state.value() is None


def test_elements_of_a_list_expire_one_by_one() -> None:
    line = Timeline(ListStateDescriptor("l"))
    line.state.add(1)
    line.clock.advance(60)
    line.state.add_all([2, 3])
    line.clock.advance(60)
    assert line.state.get() == [2, 3]
    assert [element for element, _ in line.stored()["a"]] == [2, 3]
    line.state.update([4])
    line.clock.advance(TTL)
    assert list(line.state) == []
    assert line.stored() == {}


def test_lists_refuse_none_with_a_time_to_live_too() -> None:
    line = Timeline(ListStateDescriptor("l"))
    for wrong in (
        lambda: line.state.add(None),
        lambda: line.state.add_all([None]),
        lambda: line.state.update(None),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_expired_elements_of_a_list_may_be_seen_until_all_are_expired() -> None:
    line = Timeline(ListStateDescriptor("l"), quiet().return_expired_if_not_cleaned_up())
    line.state.add(1)
    line.clock.advance(60)
    line.state.add(2)
    line.clock.advance(60)
    assert line.state.get() == [1, 2]
    assert line.state.get() == [1, 2]
    line.clock.advance(60)
    assert line.state.get() == [1, 2]
    assert line.state.get() == []


def test_reading_a_list_makes_its_elements_young_again_where_that_was_asked_for() -> None:
    line = Timeline(ListStateDescriptor("l"), quiet().update_ttl_on_read_and_write())
    line.state.add(1)
    line.clock.advance(60)
    assert line.state.get() == [1]
    line.clock.advance(60)
    assert line.state.get() == [1]


def test_entries_of_a_map_expire_one_by_one() -> None:
    line = Timeline(MapStateDescriptor("m"))
    line.state.put("x", None)
    line.clock.advance(60)
    line.state.put_all({"y": 2})
    assert line.state.contains("x")
    line.clock.advance(60)
    assert not line.state.contains("x")
    assert line.state.get("x") is None
    assert list(line.state.items()) == [("y", 2)]
    assert set(line.stored()["a"]) == {"y"}
    assert not line.state.is_empty()
    line.clock.advance(60)
    assert line.state.is_empty()
    assert list(line.state.keys()) == list(line.state.values()) == []
    line.state.put("z", 3)
    line.state.remove("z")
    assert line.stored() == {}


def test_reading_an_entry_of_a_map_makes_only_that_one_young_again() -> None:
    line = Timeline(MapStateDescriptor("m"), quiet().update_ttl_on_read_and_write())
    line.state.put_all({"x": 1, "y": 2})
    line.clock.advance(60)
    assert line.state.get("x") == 1
    line.clock.advance(60)
    assert list(line.state.items()) == [("x", 1)]


def test_what_is_added_to_an_expired_sum_or_accumulator_starts_afresh() -> None:
    for descriptor, first, second in (
        (ReducingStateDescriptor("r", operator.add), 3, 5),
        (AggregatingStateDescriptor("a", Collect()), [1, 2], [5]),
    ):
        line = Timeline(descriptor)
        line.state.add(1)
        line.clock.advance(60)
        line.state.add(2)
        line.clock.advance(60)
        assert line.state.get() == first
        line.clock.advance(60)
        line.state.add(5)
        assert line.state.get() == second
        line.clock.advance(TTL)
        assert line.state.get() is None
        line.state.add(1)
        line.state.add(None)
        assert line.stored() == {}


def test_state_with_the_update_type_disabled_never_expires() -> None:
    line = Timeline(ValueStateDescriptor("v"), quiet().set_update_type(StateTtlConfig.UpdateType.Disabled))
    line.state.update(7)
    line.clock.advance(10 * TTL)
    assert line.state.value() == 7
    assert line.stored() == {"a": 7}


def fill(line: Timeline, keys: list[str]) -> None:
    for key in keys:
        line.backend.current_key = key
        line.state.update(key)


@only("hashmap")
def test_incremental_cleanup_looks_at_a_few_entries_at_each_access() -> None:
    line = Timeline(ValueStateDescriptor("v"), quiet().cleanup_incrementally(2, False))
    fill(line, list("abcdef"))
    line.clock.advance(TTL)
    line.backend.current_key = "z"
    line.backend.after_records(100)
    assert len(line.stored()) == 6
    sizes = []
    for _ in range(5):
        assert line.state.value() is None
        sizes.append(len(line.stored()))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 0
    assert all(before - after <= 2 for before, after in zip([6, *sizes], sizes, strict=False))


@only("hashmap")
def test_cleanup_can_run_for_every_record_though_the_state_is_not_used() -> None:
    line = Timeline(ListStateDescriptor("l"), quiet().cleanup_incrementally(1, True))
    for key in "abc":
        line.backend.current_key = key
        line.state.add(1)
    line.clock.advance(60)
    line.backend.current_key = "c"
    line.state.add(2)
    line.clock.advance(60)
    line.backend.after_records(10)
    line.backend.after_records(10)
    assert line.stored() == {"c": [(2, 1060)]}


@only("hashmap")
def test_cleanup_in_the_background_is_the_default_and_reaches_windows_too() -> None:
    line = Timeline(MapStateDescriptor("m"), StateTtlConfig.new_builder(Time.milliseconds(TTL)))
    window = line.backend.store("w").get_map_state(line.descriptor)
    window.put("x", 1)
    line.clock.advance(60)
    window.put("y", 1)
    line.clock.advance(60)
    for _ in range(3):
        line.state.put("now", 1)
    assert line.stored("w") == {"a": {"y": (1, 1060)}}


def test_snapshots_leave_expired_entries_out_where_that_was_asked_for() -> None:
    for builder, left in ((quiet(), {"a", "b"}), (quiet().cleanup_full_snapshot(), {"b"})):
        line = Timeline(ValueStateDescriptor("v"), builder)
        fill(line, ["a"])
        line.clock.advance(60)
        fill(line, ["b"])
        line.clock.advance(60)
        snapshot = line.backend.snapshot()
        assert snapshot.states["v"].meta.ttl
        restored = Timeline(line.descriptor)
        restored.backend = new_backend(128, clock=line.clock)
        restored.backend.restore([snapshot], range(128))
        assert set(restored.stored()) == left
        assert set(line.stored()) == {"a", "b"}


@pytest.mark.parametrize(
    ("make", "write", "read"),
    [
        (lambda: ValueStateDescriptor("s"), lambda s: s.update(1), lambda s: s.value() == 1),
        (lambda: ListStateDescriptor("s"), lambda s: s.add(1), lambda s: s.get() == [1]),
        (lambda: MapStateDescriptor("s"), lambda s: s.put(1, 1), lambda s: s.items() == [(1, 1)]),
        (lambda: ReducingStateDescriptor("s", max), lambda s: s.add(1), lambda s: s.get() == 1),
    ],
)
def test_a_state_may_get_or_lose_its_time_to_live_at_a_restore(make: Any, write: Any, read: Any) -> None:
    clock = ManualClock(5)
    old = new_backend(128, clock=clock)
    old.current_key = "a"
    write(old.get_partitioned_state(None, make()))
    expiring = make()
    expiring.enable_time_to_live(quiet().build())
    clock.advance(1000)
    middle = new_backend(128, clock=clock)
    middle.restore([old.snapshot()], range(128))
    middle.current_key = "a"
    state = middle.get_partitioned_state(None, expiring)
    clock.advance(TTL - 1)
    assert read(state)
    new = new_backend(128, clock=clock)
    new.restore([middle.snapshot()], range(128))
    new.current_key = "a"
    clock.advance(10 * TTL)
    assert read(new.get_partitioned_state(None, make()))
    clock.advance(1)
    assert not read(state)


def test_windows_that_merge_keep_the_later_time() -> None:
    for descriptor, expected in (
        (ReducingStateDescriptor("s", operator.add), 3),
        (ListStateDescriptor("s"), [2]),
    ):
        line = Timeline(descriptor)
        first = line.backend.get_partitioned_state("w1", descriptor)
        first.add(1)
        line.clock.advance(60)
        line.backend.get_partitioned_state("w2", descriptor).add(2)
        line.backend.merge_namespaces(descriptor, "w1", ["w2"])
        line.clock.advance(60)
        assert first.get() == expected


def test_the_settings_are_checked_and_shown() -> None:
    with pytest.raises(OptionError, match="at least a millisecond"):
        StateTtlConfig.new_builder(0)
    with pytest.raises(OptionError, match="above 0"):
        quiet().cleanup_incrementally(0, True)
    config = StateTtlConfig.new_builder(Time.seconds(1)).cleanup_in_rocksdb_compact_filter(7).build()
    strategies = config.get_cleanup_strategies()
    filtered = strategies.get_rocksdb_compact_filter_cleanup_strategy()
    assert filtered is not None
    assert (filtered.get_query_time_after_num_entries(), filtered.get_periodic_compaction_time()) == (
        7,
        Duration.of_days(30),
    )
    assert config.get_ttl().to_milliseconds() == 1000
    assert "ttl=1000 ms>" in repr(config)
    none = quiet().build().get_cleanup_strategies()
    assert none.get_incremental_cleanup_strategy() is None
    assert none.get_rocksdb_compact_filter_cleanup_strategy() is None
    background = (
        StateTtlConfig.new_builder(1).build().get_cleanup_strategies().get_incremental_cleanup_strategy()
    )
    assert background is not None
    assert (background.get_cleanup_size(), background.run_cleanup_for_every_record()) == (5, False)


actions = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(st.just("get"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("items"), st.just(0), st.just(0)),
    st.tuples(st.just("pass"), st.integers(0, 120), st.just(0)),
)


@only("hashmap", "tiny")
@settings(deadline=None, max_examples=40)
@given(st.lists(actions), st.booleans(), st.sampled_from(["none", "incremental", "background"]))
def test_a_map_with_a_time_to_live_behaves_as_a_list_of_writes_does(
    program: list[tuple[str, int, int]], updates_on_read: bool, cleanup: str
) -> None:
    builder = StateTtlConfig.new_builder(TTL) if cleanup == "background" else quiet()
    if updates_on_read:
        builder.update_ttl_on_read_and_write()
    if cleanup == "incremental":
        builder.cleanup_incrementally(1, True)
    line = Timeline(MapStateDescriptor("m"), builder)
    model: dict[int, tuple[int, int]] = {}
    for action, key, value in program:
        now = line.clock.now_ms()
        alive = {k: (v, at) for k, (v, at) in model.items() if at + TTL > now}
        if action == "put":
            line.state.put(key, value)
            model[key] = (value, now)
        elif action == "get":
            assert line.state.get(key) == alive.get(key, (None, 0))[0]
            if updates_on_read and key in alive:
                model[key] = (alive[key][0], now)
        elif action == "items":
            assert dict(line.state.items()) == {k: v for k, (v, _) in alive.items()}
            if updates_on_read:
                model = {k: (v, now) for k, (v, _) in alive.items()}
        else:
            line.clock.advance(key)
            line.backend.after_records(1)
        now = line.clock.now_ms()
        assert line.state.is_empty() == (not any(at + TTL > now for _, at in model.values()))
    close_all()
