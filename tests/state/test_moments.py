"""A snapshot shows the moment of its barrier, whatever happens to the state before it is written, and in whatever order."""

import copy
import operator
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.contracts.state import (
    VOID_NAMESPACE,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from penstock.errors import StateError
from penstock.state.rocksdb import cache
from tests.state.state_backends import close_all, new_backend, only, turn
from tests.state.test_hashmap_model import (
    AGGREGATING,
    LIST,
    MAP,
    REDUCING,
    VALUE,
    Model,
    Subtasks,
    assert_seen,
    assert_tables,
    places,
    steps,
)

ALL = (VALUE, LIST, MAP, REDUCING, AGGREGATING)
between = st.sampled_from(["freeze", "write some", "records", "read", "give up"])
programs = st.lists(st.one_of(between, st.tuples(steps, places)), max_size=40)


@settings(deadline=None, max_examples=40)
@given(programs)
def test_a_snapshot_shows_its_moment_whatever_comes_after(program: list[Any]) -> None:
    check(program)


@only("tiny")
@settings(deadline=None, max_examples=40)
@given(programs)
def test_nor_does_it_matter_that_what_left_the_cache_is_still_to_be_written(program: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            cache, "ENTRIES_PER_BATCH", 0
        )  # so that it is not written at once, as in so small a cache
        patch.setattr(cache, "_GROWTH_PER_BATCH", 7)
        check(program)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(deadline=None, max_examples=1000)
@given(programs)
def test_many_snapshots_show_their_moment(program: list[Any]) -> None:
    check(program)


def check(program: list[Any]) -> None:
    subtasks, model = Subtasks(1), Model()
    pending: list[tuple[Any, dict[Any, Any]]] = []
    for step in program:
        if isinstance(step, str):
            pending = after(step, subtasks.backends[0], model, pending)
            continue
        action, (namespace, key) = step
        if not isinstance(action, int):
            action(subtasks, model, namespace, key)
            assert_seen(subtasks, model, namespace, key)
    last = subtasks.backends[0].snapshot(), dict(model.content)
    for namespace in (VOID_NAMESPACE, "w1", "w2", "w3"):
        for key in (0, 1, "a", ("b", 2), None):
            assert_seen(subtasks, model, namespace, key)
    for descriptor in ALL:
        assert_tables(subtasks, model, descriptor)
    close_all()  # which a snapshot outlives
    for snapshot, expected in [*pending, last]:
        assert content(snapshot) == expected
        snapshot.release()


def after(step: str, backend: Any, model: Model, pending: list[Any]) -> list[Any]:
    """The snapshots that are still to be read after a step of their own."""
    match step:
        case "freeze":
            return [*pending, (backend.snapshot(), dict(model.content))]
        case "write some":
            if turn() != "hashmap" and backend._database.is_waiting:
                backend._database._moment.step()
        case "records":
            backend.after_records(1)
        case "read":
            for snapshot, expected in pending:
                assert content(snapshot) == expected
                assert content(snapshot) == expected
        case "give up":
            for snapshot, _ in pending:
                snapshot.release()
            return []
    return pending


def content(snapshot: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, entries in snapshot.states.items():
        for chunk in entries.chunks():
            namespaces = chunk.namespaces or [VOID_NAMESPACE] * len(chunk)
            for namespace, key, stored in zip(namespaces, chunk.keys, chunk.values, strict=True):
                if stored not in ([], {}):
                    found[name, namespace, key] = stored
    return found


@pytest.mark.parametrize("seed", range(3))
def test_another_thread_writes_a_snapshot_while_the_state_changes(seed: int) -> None:
    """Sums, lists and maps of many keys change at each step by the number of the step, as all keys of a batch do."""
    backend = new_backend(8)
    sums = backend.table(ReducingStateDescriptor("sums", operator.add))
    lists = backend.table(ListStateDescriptor("lists"))
    maps = backend.get_map_state(MapStateDescriptor("maps"))
    keys = range(seed, 4000)
    threads: list[threading.Thread] = []
    seen: list[tuple[int, dict[Any, Any]]] = []
    for step in range(1, 13):
        sums.fold(keys, [step] * len(keys), operator.add)
        lists.append_pane("w" if step % 2 else "v", keys, [step] * len(keys))
        for key in range(40):
            backend.current_key = key
            maps.put(step, step)
            maps.remove(step - 3)
        if step % 5 == 0:
            assert lists.pop_pane("v") == {key: _steps(step, step, 0) for key in keys}
        backend.after_records(len(keys))
        if step % 3 == 0:
            snapshot = backend.snapshot()
            thread = threading.Thread(target=_read, args=(step, snapshot, seen))
            thread.start()
            threads.append(thread)
    for thread in threads:
        thread.join()
    assert sorted(step for step, _ in seen) == [3, 6, 9, 12]
    for step, found in seen:
        expected: dict[Any, Any] = {("sums", None, key): sum(range(step + 1)) for key in keys}
        for key in keys:
            expected["lists", "w", key] = _steps(step, step, 1)
            if left := [number for number in _steps(step, step, 0) if number > step // 5 * 5]:
                expected["lists", "v", key] = left
        expected.update({("maps", None, key): {n: n for n in range(step - 2, step + 1)} for key in range(40)})
        assert found == expected


def _steps(upto: int, popped: int, odd: int) -> list[int]:
    last = 5 if odd == 0 and popped > 5 and upto % 5 == 0 else 0
    return [number for number in range(last + 1, upto + 1) if number % 2 == odd]


def _read(step: int, snapshot: Any, seen: list[Any]) -> None:
    seen.append((step, copy.deepcopy(content(snapshot))))  # as objects may change again once it is released
    snapshot.release()


@only("rocksdb")
def test_what_cannot_be_pickled_is_named_when_the_snapshot_is_written_and_from_then_on() -> None:
    backend = new_backend(8)
    state = backend.get_state(ValueStateDescriptor("v"))
    backend.current_key = "a"
    state.update(threading.Lock())
    snapshot = backend.snapshot()
    for _ in range(2):
        with pytest.raises(StateError, match=r"state 'v' cannot be saved: under key 'a' it holds a lock"):
            list(snapshot.states["v"].chunks())
    snapshot.release()
    with pytest.raises(StateError, match="cannot be saved"):
        backend.snapshot()
