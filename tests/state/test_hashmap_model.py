"""Random programs on keyed state do what a naive model does, with a snapshot, restore and rescaling between any two steps."""

import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.clock import ManualClock
from penstock.contracts.functions import AggregateFunction
from penstock.contracts.state import (
    VOID_NAMESPACE,
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from penstock.data.keys import key_group, key_group_range, subtask_of_key_group
from tests.state.state_backends import close_all, new_backend, only

GROUPS = 8


class Collect(AggregateFunction):
    """Changes its accumulator in place, as user code may."""

    def create_accumulator(self) -> list[int]:
        return []

    def add(self, value: Any, accumulator: list[int]) -> list[int]:
        accumulator.append(value)
        return accumulator

    def get_result(self, accumulator: list[int]) -> list[int]:
        return sorted(accumulator)

    def merge(self, acc_a: list[int], acc_b: list[int]) -> list[int]:
        return acc_a + acc_b


VALUE = ValueStateDescriptor("value", default_value=-1)
LIST = ListStateDescriptor("list")
MAP = MapStateDescriptor("map")
REDUCING = ReducingStateDescriptor("reducing", operator.add)
AGGREGATING = AggregatingStateDescriptor("aggregating", Collect())


class Subtasks:
    """The subtasks of one operator; a step goes to the owner of its key."""

    def __init__(self, parallelism: int) -> None:
        self.backends = self.new(parallelism)

    @staticmethod
    def new(parallelism: int) -> list[Any]:
        ranges = [key_group_range(GROUPS, parallelism, index) for index in range(parallelism)]
        return [new_backend(GROUPS, own, ManualClock()) for own in ranges]

    def owner(self, key: Any) -> Any:
        return self.backends[subtask_of_key_group(GROUPS, len(self.backends), key_group(key, GROUPS))]

    def handle(self, descriptor: StateDescriptor, namespace: Any, key: Any) -> Any:
        backend = self.owner(key)
        backend.current_key = key
        return backend.get_partitioned_state(namespace, descriptor)

    def rescale(self, parallelism: int) -> None:
        snapshots = [backend.snapshot() for backend in self.backends]
        for backend in self.backends:  # what happens to the old ones must not reach the snapshot
            for descriptor in (VALUE, LIST, MAP, REDUCING, AGGREGATING):
                table = backend.table(descriptor)
                for namespace in table.namespaces():
                    for stored in table.pop_pane(namespace).values():
                        if isinstance(stored, list | dict):
                            stored.clear()
            backend.close()
        snapshots = pickle.loads(pickle.dumps(snapshots))
        self.backends = self.new(parallelism)
        for index, backend in enumerate(self.backends):
            backend.restore(snapshots, key_group_range(GROUPS, parallelism, index))


class Model:
    """All that there is, in one dictionary of copies."""

    def __init__(self) -> None:
        self.content: dict[tuple[str, Any, Any], Any] = {}

    def get(self, descriptor: StateDescriptor, namespace: Any, key: Any, default: Any) -> Any:
        return self.content.get((descriptor.name, namespace, key), default)

    def put(self, descriptor: StateDescriptor, namespace: Any, key: Any, stored: Any) -> None:
        place = (descriptor.name, namespace, key)
        if stored is None or stored == [] or stored == {}:
            self.content.pop(place, None)
        else:
            self.content[place] = stored


Step = Callable[[Subtasks, Model, Any, Any], None]
numbers = st.integers(0, 5)


def _step(
    descriptor: StateDescriptor, act: Callable[[Any], Any], change: Callable[[Any], Any], empty: Any = None
) -> Step:
    def step(subtasks: Subtasks, model: Model, namespace: Any, key: Any) -> None:
        act(subtasks.handle(descriptor, namespace, key))
        model.put(descriptor, namespace, key, change(model.get(descriptor, namespace, key, empty)))

    return step


def merged(descriptor: StateDescriptor) -> Step:
    def step(subtasks: Subtasks, model: Model, namespace: Any, key: Any) -> None:
        backend = subtasks.owner(key)
        backend.current_key = key
        backend.merge_namespaces(descriptor, "w1", ["w2", "w3"])
        parts = [model.get(descriptor, source, key, None) for source in ("w1", "w2", "w3")]
        present = [part for part in parts if part is not None]
        total = present[0] if present else None
        for part in present[1:]:
            total = total + part
        for source in ("w2", "w3"):
            model.put(descriptor, source, key, None)
        model.put(descriptor, "w1", key, total)

    return step


def without(pairs: dict[Any, Any], key: Any) -> dict[Any, Any]:
    return {k: v for k, v in pairs.items() if k != key}


def clear_key(subtasks: Subtasks, model: Model, namespace: Any, key: Any) -> None:
    subtasks.owner(key).clear_key(key)
    model.content = {place: stored for place, stored in model.content.items() if place[2] != key}


def pop_pane(subtasks: Subtasks, model: Model, namespace: Any, key: Any) -> None:
    popped: dict[Any, Any] = {}
    for backend in subtasks.backends:
        popped |= backend.table(REDUCING).pop_pane(namespace)
    places = [place for place in model.content if place[:2] == ("reducing", namespace)]
    assert popped == {place[2]: model.content.pop(place) for place in places}


steps = st.one_of(
    numbers.map(lambda x: _step(VALUE, lambda h: h.update(x), lambda _: x)),
    st.just(_step(VALUE, lambda h: h.update(None), lambda _: None)),
    st.just(_step(VALUE, lambda h: h.clear(), lambda _: None)),
    numbers.map(lambda x: _step(LIST, lambda h: h.add(x), lambda old: [*old, x], [])),
    st.lists(numbers).map(lambda xs: _step(LIST, lambda h: h.add_all(xs), lambda old: old + xs, [])),
    st.lists(numbers).map(lambda xs: _step(LIST, lambda h: h.update(xs), lambda old: list(xs), [])),
    st.just(_step(LIST, lambda h: h.clear(), lambda _: None)),
    st.tuples(numbers, st.none() | numbers).map(
        lambda p: _step(MAP, lambda h: h.put(*p), lambda old: {**old, p[0]: p[1]}, {})
    ),
    st.dictionaries(numbers, numbers).map(
        lambda d: _step(MAP, lambda h: h.put_all(d), lambda old: {**old, **d}, {})
    ),
    numbers.map(lambda x: _step(MAP, lambda h: h.remove(x), lambda old: without(old, x), {})),
    numbers.map(lambda x: _step(REDUCING, lambda h: h.add(x), lambda old: x if old is None else old + x)),
    st.just(_step(REDUCING, lambda h: h.add(None), lambda _: None)),
    numbers.map(lambda x: _step(AGGREGATING, lambda h: h.add(x), lambda old: [*old, x], [])),
    st.just(_step(AGGREGATING, lambda h: h.clear(), lambda _: None)),
    st.sampled_from([merged(LIST), merged(REDUCING), merged(AGGREGATING)]),
    st.just(clear_key),
    st.just(pop_pane),
    st.integers(1, 5),  # a snapshot, and a restore at that parallelism
)
places = st.tuples(
    st.sampled_from([VOID_NAMESPACE, "w1", "w2", "w3"]), st.sampled_from([0, 1, "a", ("b", 2), None])
)


programs = st.lists(st.tuples(steps, places), max_size=40)


@only("hashmap")
@settings(deadline=None)
@given(programs)
def test_any_program_with_rescaling_anywhere_does_what_the_model_does(program: list[Any]) -> None:
    check(program)


@only("rocksdb", "tiny")
@settings(deadline=None, max_examples=20)
@given(programs)
def test_any_program_does_what_the_model_does_on_disk_too(program: list[Any]) -> None:
    check(program)


@pytest.mark.slow
@pytest.mark.timeout(900)
@only("rocksdb", "tiny")
@settings(deadline=None, max_examples=300)
@given(programs)
def test_many_programs_do_what_the_model_does_on_disk_too(program: list[Any]) -> None:
    check(program)


def check(program: list[Any]) -> None:
    subtasks, model = Subtasks(2), Model()
    for step, (namespace, key) in program:
        if isinstance(step, int):
            subtasks.rescale(step)
        else:
            step(subtasks, model, namespace, key)
        assert_seen(subtasks, model, namespace, key)
    subtasks.rescale(3)
    for namespace in (VOID_NAMESPACE, "w1", "w2", "w3"):
        for key in (0, 1, "a", ("b", 2), None):
            assert_seen(subtasks, model, namespace, key)
    for descriptor in (VALUE, LIST, MAP, REDUCING, AGGREGATING):
        assert_tables(subtasks, model, descriptor)
    close_all()


def assert_seen(subtasks: Subtasks, model: Model, namespace: Any, key: Any) -> None:
    assert subtasks.handle(VALUE, namespace, key).value() == model.get(VALUE, namespace, key, -1)
    assert list(subtasks.handle(LIST, namespace, key)) == model.get(LIST, namespace, key, [])
    assert subtasks.handle(REDUCING, namespace, key).get() == model.get(REDUCING, namespace, key, None)
    collected = model.get(AGGREGATING, namespace, key, None)
    assert subtasks.handle(AGGREGATING, namespace, key).get() == (
        None if collected is None else sorted(collected)
    )
    pairs = model.get(MAP, namespace, key, {})
    handle = subtasks.handle(MAP, namespace, key)
    assert dict(handle.items()) == pairs
    assert set(handle) == set(handle.keys()) == set(pairs)
    assert list(handle.values()) == [handle[k] for k in handle.keys()]  # noqa: SIM118  (a map state, not a dict)
    assert handle.is_empty() == (not pairs)
    assert [k in handle for k in range(6)] == [k in pairs for k in range(6)]
    assert [handle.get(k) for k in range(6)] == [pairs.get(k) for k in range(6)]


def assert_tables(subtasks: Subtasks, model: Model, descriptor: StateDescriptor) -> None:
    stored: dict[Any, Any] = {}
    for backend in subtasks.backends:
        table = backend.table(descriptor)
        for namespace in table.namespaces():
            for key, value in table.pane(namespace).items():
                stored[descriptor.name, namespace, key] = value
    assert stored == {place: value for place, value in model.content.items() if place[0] == descriptor.name}
