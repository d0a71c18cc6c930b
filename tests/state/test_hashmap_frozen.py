"""A snapshot shows what was there when it was taken, however late it is written and whatever happens meanwhile."""

import copy
import operator
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.contracts.state import (
    VOID_NAMESPACE,
    KeyedStateSnapshot,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from penstock.data.own_copies import own_copy
from penstock.state.hashmap.backend import HashMapStateBackend

KEYS = (0, 1, "a", ("b", 2))
NAMESPACES = (VOID_NAMESPACE, "w1", "w2")
VALUE = ValueStateDescriptor("value")
LIST = ListStateDescriptor("list")
MAP = MapStateDescriptor("map")
REDUCING = ReducingStateDescriptor("reducing", operator.add)
LISTS = ReducingStateDescriptor("lists", operator.iadd)  # changes what is stored in place
ALL = (VALUE, LIST, MAP, REDUCING, LISTS)


def content(snapshot: KeyedStateSnapshot) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, state in snapshot.states.items():
        for chunk in state.chunks():
            namespaces = chunk.namespaces or [None] * len(chunk)
            for key, namespace, stored in zip(chunk.keys, namespaces, chunk.values, strict=True):
                assert (name, namespace, key) not in found
                found[name, namespace, key] = copy.deepcopy(stored)
    return found


class Program:
    """The live state, and snapshots that wait to be written, each with what it has to show."""

    def __init__(self) -> None:
        self.backend = HashMapStateBackend(16)
        for descriptor in ALL:
            self.backend.get_partitioned_state(VOID_NAMESPACE, descriptor)
        self.waiting: list[tuple[KeyedStateSnapshot, dict[Any, Any]]] = []

    def live(self) -> dict[Any, Any]:
        found = {}
        for descriptor in ALL:
            table = self.backend.table(descriptor)
            for namespace in table.namespaces():
                for key in list(table.pane(namespace)):
                    found[descriptor.name, namespace, key] = copy.deepcopy(table.pane(namespace)[key])
        return found

    def take(self, namespace: Any, key: Any, x: int) -> None:
        before = self.live()
        self.waiting.append((self.backend.snapshot(), before))

    def write(self, namespace: Any, key: Any, x: int) -> None:
        if self.waiting:
            snapshot, expected = self.waiting.pop(x % len(self.waiting))
            assert content(snapshot) == expected
            snapshot.release()

    def give_up(self, namespace: Any, key: Any, x: int) -> None:
        if self.waiting:
            self.waiting.pop(x % len(self.waiting))

    def settle(self, namespace: Any, key: Any, x: int) -> None:
        before = self.live()
        for descriptor in ALL:
            self.backend.table(descriptor).settle(x)
        assert self.live() == before
        self.backend.after_records(1)
        assert self.live() == before

    def handle(self, descriptor: Any, namespace: Any, key: Any) -> Any:
        self.backend.current_key = key
        return self.backend.get_partitioned_state(namespace, descriptor)

    def update(self, namespace: Any, key: Any, x: int) -> None:
        self.handle(VALUE, namespace, key).update({"x": [x]})

    def change_in_place(self, namespace: Any, key: Any, x: int) -> None:
        value = self.handle(VALUE, namespace, key).value()
        if value is not None:
            value["x"].append(x)

    def clear(self, namespace: Any, key: Any, x: int) -> None:
        self.handle(ALL[x % len(ALL)], namespace, key).clear()

    def append(self, namespace: Any, key: Any, x: int) -> None:
        self.handle(LIST, namespace, key).add([x])

    def change_an_element(self, namespace: Any, key: Any, x: int) -> None:
        for element in self.handle(LIST, namespace, key).get():
            element.append(x)

    def put(self, namespace: Any, key: Any, x: int) -> None:
        self.handle(MAP, namespace, key).put(x, [x])

    def change_a_value_of_the_map(self, namespace: Any, key: Any, x: int) -> None:
        for element in self.handle(MAP, namespace, key).values():
            element.append(x)

    def remove(self, namespace: Any, key: Any, x: int) -> None:
        self.handle(MAP, namespace, key).remove(x)

    def add(self, namespace: Any, key: Any, x: int) -> None:
        self.handle(REDUCING, namespace, key).add(x)

    def fold(self, namespace: Any, key: Any, x: int) -> None:
        keys, values = [key, x, key], [1, x, 2]
        if namespace is VOID_NAMESPACE:
            self.backend.table(REDUCING).fold(keys, values, operator.add)
        else:
            self.backend.table(REDUCING).fold_pane(namespace, keys, values, operator.add)

    def fold_in_place(self, namespace: Any, key: Any, x: int) -> None:
        keys, values = [key, x, key], [[1], [x], [2]]
        self.backend.table(LISTS).fold_pane(namespace, keys, values, operator.iadd)

    def append_pane(self, namespace: Any, key: Any, x: int) -> None:
        self.backend.table(LIST).append_pane(namespace, [key, x, key], [[1], [2], [x]])

    def pop_pane(self, namespace: Any, key: Any, x: int) -> None:
        table = self.backend.table(ALL[x % len(ALL)])
        expected = {k: copy.deepcopy(stored) for k, stored in table.pane(namespace).items()}
        popped = table.pop_pane(namespace)
        assert popped == expected
        for stored in popped.values():
            if isinstance(stored, list):
                stored.append("changed by the function that got it")

    def clear_key(self, namespace: Any, key: Any, x: int) -> None:
        self.backend.clear_key(key)

    def merge(self, namespace: Any, key: Any, x: int) -> None:
        self.backend.current_key = key
        self.backend.merge_namespaces(LISTS, "w1", ["w2"])


ACTS = [
    name
    for name, act in vars(Program).items()
    if callable(act) and name not in ("__init__", "live", "handle")
]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(ACTS), st.sampled_from(NAMESPACES), st.sampled_from(KEYS), st.integers(0, 4)
        ),
        max_size=60,
    )
)
def test_a_snapshot_shows_what_was_there_when_it_was_taken(acts: list[tuple[str, Any, Any, int]]) -> None:
    program, plain = Program(), Program()
    for name, namespace, key, x in acts:
        getattr(program, name)(namespace, key, x)
        if name not in ("take", "write", "give_up", "settle"):
            getattr(plain, name)(namespace, key, x)
        # Without snapshots the state would be the same.
        assert program.live() == plain.live()
    for snapshot, expected in program.waiting:
        assert content(snapshot) == expected


def test_what_changed_while_a_snapshot_was_written_comes_together_when_it_is_released() -> None:
    backend = HashMapStateBackend(128)
    table = backend.table(REDUCING)
    table.fold(range(1000), range(1000), operator.add)
    table.fold_pane("w", range(10), range(10), operator.add)
    snapshot = backend.snapshot()
    table.fold(range(500, 1500), range(1000), operator.add)
    backend.after_records(1)
    assert table.is_layered
    snapshot.release()
    backend.after_records(1)
    assert not table.is_layered
    assert isinstance(table.entries, dict)
    assert len(table.entries) == 1500
    assert table.pane("w") == {x: x for x in range(10)}


def test_a_snapshot_that_nobody_has_any_more_is_over_too() -> None:
    backend = HashMapStateBackend(128)
    backend.table(REDUCING).fold(["a"], [1], operator.add)
    snapshot = backend.snapshot()
    del snapshot
    backend.after_records(1)
    assert not backend.table(REDUCING).is_layered


def test_a_snapshot_outlasts_a_later_one_that_is_given_up() -> None:
    backend = HashMapStateBackend(128)
    backend.current_key = "a"
    states = [backend.get_partitioned_state(namespace, LIST) for namespace in (VOID_NAMESPACE, "w")]
    for state in states:
        state.add(1)
    earlier, later = backend.snapshot(), backend.snapshot()
    later.release()
    for state in states:
        state.add(2)
    backend.after_records(1)
    assert backend.table(LIST).is_layered
    assert content(earlier) == {("list", VOID_NAMESPACE, "a"): [1], ("list", "w", "a"): [1]}
    earlier.release()
    backend.after_records(1)
    assert not backend.table(LIST).is_layered
    assert [list(state.get()) for state in states] == [[1, 2], [1, 2]]


Point = namedtuple("Point", "x y")


@dataclass
class Mutable:
    x: list[int]


def test_only_what_can_change_is_copied() -> None:
    for fixed in (1, "a", 2.5, None, ("a", (1, b"x")), Point(1, "b"), frozenset({1})):
        assert own_copy(fixed) is fixed
    for changing in (
        [1],
        {"a": 1},
        {1},
        [[1]],
        ("a", [1]),
        Point(1, [2]),
        Mutable([1]),
        {"a": [1]},
        bytearray(b"x"),
    ):
        copied = own_copy(changing)
        assert copied == changing
        assert copied is not changing
        assert type(copied) is type(changing)
