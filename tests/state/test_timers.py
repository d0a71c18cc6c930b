"""Timers: in order of time, once each, whatever is registered or deleted meanwhile, and across rescaling."""

import pickle
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.data.keys import key_group, key_group_range, subtask_of_key_group
from penstock.errors import StateError, TypeMismatch
from penstock.state.timers import KeyedTimers, TimerQueue

GROUPS = 8


def queue_of(*timers: tuple[Any, int]) -> TimerQueue:
    queue = TimerQueue()
    for key, timestamp in timers:
        queue.register(key, None, timestamp)
    return queue


def test_timers_fire_in_order_of_time_and_of_registration_and_once() -> None:
    queue = queue_of(("a", 30), ("c", 10), ("b", 10), ("c", 10), ("a", 20))
    assert list(queue.pop_until(20)) == [(10, "c", None), (10, "b", None), (20, "a", None)]
    assert list(queue.pop_until(29)) == []
    assert list(queue.pop_until(30)) == [(30, "a", None)]
    assert len(queue) == 0


def test_one_key_may_have_a_timer_at_one_time_in_each_namespace() -> None:
    queue = TimerQueue()
    for key, namespace in (("a", "w1"), ("b", "w1"), ("a", "w2"), ("b", "w1"), ("c", "w1")):
        queue.register(key, namespace, 10)
    assert list(queue.pop_until(10)) == [(10, "a", "w1"), (10, "b", "w1"), (10, "c", "w1"), (10, "a", "w2")]


def test_deleting_removes_exactly_one_timer() -> None:
    queue = queue_of(("a", 10), ("b", 10), ("a", 20))
    assert queue.delete("a", None, 10)
    assert not queue.delete("a", None, 10)
    assert not queue.delete("a", "w", 20)
    assert list(queue.pop_until(20)) == [(10, "b", None), (20, "a", None)]


def test_a_timer_registered_while_firing_fires_in_the_same_advance_when_it_is_due() -> None:
    queue = queue_of(("a", 10), ("b", 10), ("c", 20))
    fired = []
    for timestamp, key, _ in queue.pop_until(20):
        fired.append((timestamp, key))
        if key == "a":
            queue.register("early", None, 5)
            queue.register("same", None, 10)
            queue.register("later", None, 21)
        if key == "early":
            queue.register("earlier", None, 1)
    assert fired == [(10, "a"), (5, "early"), (1, "earlier"), (10, "b"), (10, "same"), (20, "c")]
    assert queue.first_timestamp() == 21


def test_a_timer_deleted_while_firing_does_not_fire() -> None:
    queue = queue_of(("a", 10), ("b", 10), ("c", 20))
    fired = []
    for _, key, _ in queue.pop_until(20):
        fired.append(key)
        queue.delete("b", None, 10)
        queue.delete("c", None, 20)
    assert fired == ["a"]


def test_a_timer_that_registers_itself_again_fires_again() -> None:
    queue = queue_of(("a", 10))
    fired: list[int] = []
    for timestamp, key, _ in queue.pop_until(10):
        fired.append(timestamp)
        if len(fired) < 3:
            queue.register(key, None, timestamp)
    assert fired == [10, 10, 10]


def test_timers_that_were_not_reached_are_still_there_after_a_failure() -> None:
    queue = queue_of(("a", 10), ("b", 10))
    assert next(queue.pop_until(10)) == (10, "a", None)
    assert list(queue.pop_until(10)) == [(10, "b", None)]


def test_many_timers_that_each_register_an_earlier_one_stay_cheap() -> None:
    queue = queue_of(*((key, 10) for key in range(20_000)))
    fired = 0
    for timestamp, key, _ in queue.pop_until(10):
        fired += 1
        if timestamp == 10:
            queue.register(key, None, 9)
    assert fired == 40_000


def test_registering_and_deleting_for_ever_takes_no_memory() -> None:
    queue = queue_of(("a", 10**9))
    for timestamp in range(10_000):
        queue.register("a", None, timestamp % 100)
        queue.delete("a", None, timestamp % 100)
    assert len(queue._heap) < 200
    assert queue.first_timestamp() == 10**9


def test_a_timestamp_has_to_be_whole_milliseconds() -> None:
    with pytest.raises(TypeMismatch, match=r"registered for 1\.5, a float"):
        queue_of(("a", 1.5))  # type: ignore[arg-type]
    queue = TimerQueue()
    queue.register("a", None, True)
    assert type(queue.first_timestamp()) is int


def test_event_time_and_processing_time_are_apart() -> None:
    timers = KeyedTimers("t", GROUPS)
    timers.register_event_time_timer("a", None, 10)
    timers.register_processing_time_timer("a", None, 20)
    timers.register_processing_time_timer("b", None, 15)
    timers.delete_processing_time_timer("b", None, 15)
    timers.delete_event_time_timer("a", None, 11)
    assert timers.next_processing_time() == 20
    assert list(timers.advance_watermark(100)) == [(10, "a", None)]
    assert timers.current_watermark == 100
    assert list(timers.advance_processing_time(100)) == [(20, "a", None)]
    assert timers.next_processing_time() is None


def test_what_cannot_be_saved_is_named() -> None:
    timers = KeyedTimers("t", GROUPS)
    timers.register_event_time_timer("a", threading.Lock(), 10)
    with pytest.raises(StateError, match="timers 't' cannot be saved: the key 'a' or its namespace"):
        pickle.dumps(timers.snapshot())
    group = key_group("a", GROUPS)
    elsewhere = KeyedTimers("t", GROUPS, range(group + 1, group + 2))
    elsewhere.register_event_time_timer("a", None, 10)
    with pytest.raises(StateError, match=f"key 'a' of key group {group}"):
        pickle.dumps(elsewhere.snapshot())


class Subtasks:
    """The timers of all subtasks; a call goes to the owner of the key."""

    def __init__(self) -> None:
        self.parts = [KeyedTimers("t", GROUPS)]

    def owner(self, key: Any) -> KeyedTimers:
        return self.parts[subtask_of_key_group(GROUPS, len(self.parts), key_group(key, GROUPS))]

    def rescale(self, parallelism: int) -> None:
        snapshots = pickle.loads(pickle.dumps([part.snapshot() for part in self.parts]))
        self.parts = []
        for index in range(parallelism):
            own = key_group_range(GROUPS, parallelism, index)
            part = KeyedTimers("t", GROUPS, own)
            part.restore(snapshots, own)
            self.parts.append(part)

    def advance(self, limit: int, event_time: bool) -> Iterator[tuple[int, Any, Any]]:
        for part in self.parts:
            yield from part.advance_watermark(limit) if event_time else part.advance_processing_time(limit)


timers = st.tuples(st.sampled_from("abc"), st.sampled_from([None, "w"]), st.integers(-2, 12), st.booleans())
program = st.lists(
    st.one_of(
        st.tuples(st.just("register"), timers),
        st.tuples(st.just("delete"), timers),
        # An advance, in which each timer that fires registers or deletes one of these.
        st.tuples(
            st.just("advance"),
            st.tuples(
                st.integers(0, 12), st.booleans(), st.lists(st.tuples(st.booleans(), timers), max_size=4)
            ),
        ),
        st.tuples(st.just("rescale"), st.integers(1, 4)),
    ),
    max_size=40,
)


def change(owner: KeyedTimers, model: set[Any], register: bool, timer: Any) -> None:
    key, namespace, timestamp, event_time = timer
    domain = "event" if event_time else "processing"
    getattr(owner, f"{'register' if register else 'delete'}_{domain}_time_timer")(key, namespace, timestamp)
    (model.add if register else model.discard)(timer)


@settings(deadline=None)
@given(program)
def test_any_program_fires_what_a_set_of_timers_says(steps: list[tuple[str, Any]]) -> None:
    subtasks, model = Subtasks(), set[Any]()
    for action, argument in steps:
        if action == "rescale":
            subtasks.rescale(argument)
        elif action == "advance":
            limit, event_time, changes = argument
            pending = list(changes)
            for timestamp, key, namespace in subtasks.advance(limit, event_time):
                owner = subtasks.owner(key)
                due = [
                    t for t in model if t[3] == event_time and t[2] <= limit and subtasks.owner(t[0]) is owner
                ]
                assert timestamp == min(t[2] for t in due)
                model.remove((key, namespace, timestamp, event_time))
                if pending:
                    register, (_, *rest) = pending.pop()
                    change(owner, model, register, (key, *rest))  # callbacks know their own key only
            assert not [t for t in model if t[3] == event_time and t[2] <= limit]
        else:
            change(subtasks.owner(argument[0]), model, action == "register", argument)
        next_times = [part.next_processing_time() for part in subtasks.parts]
        expected = min((t[2] for t in model if not t[3]), default=None)
        assert min((t for t in next_times if t is not None), default=None) == expected


acts = st.tuples(
    st.sampled_from(["register", "register two", "delete", "advance", "take", "write", "settle"]),
    st.sampled_from(["a", "b", 3]),
    st.sampled_from([None, "w"]),
    st.integers(0, 6),
)


@given(st.lists(acts, max_size=60))
def test_a_snapshot_shows_the_timers_that_were_there_when_it_was_taken(program: list[Any]) -> None:
    timers, model = KeyedTimers("t", GROUPS), set[Any]()
    waiting: list[Any] = []
    for act, key, namespace, time in program:
        queue = timers.event_time
        match act:
            case "register":
                queue.register(key, namespace, time)
                model.add((time, key, namespace))
            case "register two":
                for each in (key, 3):
                    queue.register(each, namespace, time)
                    model.add((time, each, namespace))
            case "delete":
                assert queue.delete(key, namespace, time) == ((time, key, namespace) in model)
                model.discard((time, key, namespace))
            case "advance":
                due = list(timers.advance_watermark(time))
                assert [each[0] for each in due] == sorted(each[0] for each in due)
                assert set(due) == {each for each in model if each[0] <= time}
                model -= set(due)
            case "take":
                waiting.append((timers.snapshot(), set(model)))
            case "write" if waiting:
                snapshot, expected = waiting.pop(time % len(waiting))
                assert written(snapshot) == expected
            case "settle":
                queue.settle()
        assert len(queue) == len(model)
        assert queue.first_timestamp() == min((each[0] for each in model), default=None)
    assert set(timers.advance_watermark(10)) == model


@given(st.lists(acts, max_size=60))
def test_timers_of_one_time_come_in_the_order_of_their_registration_whatever_is_saved(
    program: list[Any],
) -> None:
    timers, unsaved = KeyedTimers("t", GROUPS), TimerQueue()
    waiting: list[Any] = []
    for act, key, namespace, time in program:
        for queue in (timers.event_time, unsaved):
            match act:
                case "register":
                    queue.register(key, namespace, time)
                case "register two":
                    for each in (key, 3):
                        queue.register(each, namespace, time)
                case "delete":
                    queue.delete(key, namespace, time)
                case "settle":
                    queue.settle()
        if act == "take":
            waiting.append(timers.snapshot())
        elif act == "write" and waiting:
            waiting.pop(time % len(waiting))
        elif act == "advance":
            assert list(timers.advance_watermark(time)) == list(unsaved.pop_until(time))
    assert list(timers.advance_watermark(10)) == list(unsaved.pop_until(10))


def test_many_timers_of_one_time_are_not_copied_when_one_comes_after_a_barrier() -> None:
    timers = KeyedTimers("timers", 128)
    for key in range(200_000):
        timers.register_event_time_timer(key, None, 60_000)
    snapshot = timers.snapshot()
    tracemalloc.start()
    try:
        timers.register_event_time_timer("new", None, 60_000)
        assert timers.event_time.delete(5, None, 60_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100_000  # bytes, where a copy would have millions
    assert (60_000, 5, None) in written(snapshot)
    assert len(timers.event_time) == 200_000


def test_a_snapshot_outlasts_a_later_one_that_is_given_up() -> None:
    timers = KeyedTimers("timers", 128)
    timers.register_event_time_timer("a", None, 10)
    earlier = timers.snapshot()
    timers.snapshot()  # nobody keeps it
    timers.register_event_time_timer("b", None, 10)
    assert written(earlier) == {(10, "a", None)}


def written(snapshot: Any) -> set[Any]:
    found = []
    for chunk in snapshot.chunks():
        for key, namespace, (_, time) in zip(
            chunk.keys, chunk.namespaces or [None] * len(chunk), chunk.values, strict=True
        ):
            found.append((time, key, namespace))
    assert len(found) == len(set(found))
    return set(found)
