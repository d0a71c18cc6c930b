"""Snapshots of a table that only grows take the keys that an earlier one took; nothing of it shows."""

import operator
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.contracts.state import KeyedStateSnapshot, ReducingStateDescriptor
from penstock.data.keys import key_group
from penstock.operators.pair_fold import PairFold
from penstock.state.hashmap import key_columns
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.layers import Freeze, Pin

SUM = ReducingStateDescriptor("sum", operator.add)
GROUPS = 16


def content(snapshot: KeyedStateSnapshot) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for chunk in snapshot.states["sum"].chunks():
        assert list(chunk.key_groups) == [key_group(key, GROUPS) for key in chunk.keys]
        for key, stored in zip(chunk.keys, chunk.values, strict=True):
            assert key not in found
            found[key] = stored
    return found


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.state.hashmap.table.KeyColumns", partial(key_columns.KeyColumns, size=3))


KEYS = st.one_of(
    st.lists(st.integers(0, 40), max_size=12),
    st.lists(st.integers(0, 40).map(str), max_size=12),
    st.lists(
        st.one_of(st.integers(0, 9), st.text(max_size=2), st.tuples(st.integers(0, 3)), st.floats(0, 1)),
        max_size=6,
    ),
)
ACTS = st.lists(
    st.tuples(st.sampled_from(["fold", "take", "write", "clear", "pop", "handle", "settle"]), KEYS),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(ACTS)
def test_every_snapshot_shows_what_was_there_when_it_was_taken(acts: list[tuple[str, list[Any]]]) -> None:
    backend = HashMapStateBackend(GROUPS)
    table = backend.table(SUM)
    live: dict[Any, Any] = {}
    waiting: list[tuple[KeyedStateSnapshot, dict[Any, Any]]] = []
    for act, keys in acts:
        if act == "fold":
            table.fold(keys, [1] * len(keys), operator.add)
            for key in keys:
                live[key] = live.get(key, 0) + 1
        elif act == "take":
            waiting.append((backend.snapshot(), dict(live)))
        elif act == "write" and waiting:
            snapshot, expected = waiting.pop(0)
            assert content(snapshot) == expected
            snapshot.release()
        elif act == "clear":
            for key in keys[:2]:
                backend.clear_key(key)
                live.pop(key, None)
        elif act == "pop":
            assert table.pop_pane(None) == live
            live = {}
        elif act == "handle":
            for key in keys[:1]:
                backend.current_key = key
                backend.get_reducing_state(SUM).clear()
                live.pop(key, None)
        else:
            backend.after_records(1)
    for snapshot, expected in waiting:
        assert content(snapshot) == expected


@pytest.mark.parametrize("keys", [range(20), list(map(str, range(20)))], ids=["numbers", "texts"])
def test_keys_are_looked_at_once(keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = HashMapStateBackend(GROUPS)
    table = backend.table(SUM)
    table.fold(list(keys), [1] * 20, operator.add)
    first = content(backend.snapshot())
    asked: list[int] = []
    taken = key_columns.last_keys

    def counting(entries: dict[Any, Any], count: int) -> list[Any]:
        asked.append(count)
        return taken(entries, count)

    monkeypatch.setattr(key_columns, "last_keys", counting)
    table.fold([*keys[:2], *keys], [1] * 22, operator.add)
    table.fold([keys[0].__class__(100 + number) for number in range(5)], [7] * 5, operator.add)
    second = content(backend.snapshot())
    assert sum(asked) == 7  # 18 of 20 had made whole parts
    assert len(second) == 25
    assert second[keys[0]] == first[keys[0]] + 2


@pytest.mark.parametrize("way", ["clear_key", "handle", "pane", "pop_pane"])
@pytest.mark.parametrize("is_written_before", [True, False])
def test_keys_that_were_kept_are_forgotten_when_one_goes(way: str, is_written_before: bool) -> None:
    backend = HashMapStateBackend(GROUPS)
    table = backend.table(SUM)
    keys = list(range(10))
    table.fold(keys, keys, operator.add)
    content(backend.snapshot())
    held = backend.snapshot()
    if is_written_before:
        content(held)
    if way == "clear_key":
        backend.clear_key(2)
    elif way == "handle":
        backend.current_key = 2
        backend.get_reducing_state(SUM).clear()
    elif way == "pane":
        table.pane(None).pop(2)
    else:
        table.pop_pane(None)
        table.fold([*keys[:2], *keys[3:]], [*keys[:2], *keys[3:]], operator.add)
    table.fold([2], [77], operator.add)
    after = backend.snapshot()
    assert content(held) == dict(zip(keys, keys, strict=True))
    assert content(after) == dict(zip(keys, keys, strict=True)) | {2: 77}


def test_pairs_are_made_of_values_and_the_keys_that_were_kept() -> None:
    backend = HashMapStateBackend(GROUPS)
    table = backend.table(SUM)
    pairs = PairFold("sum", str)
    assert table.compact(pairs)
    expected: dict[str, int] = {}
    for count in (5, 9, 30):
        keys = [f"k{number}" for number in range(count)]
        pairs.fold(table.entries_for(keys), keys, [(key, 1) for key in keys], [])
        expected |= {key: expected.get(key, 0) + 1 for key in keys}
        as_pairs = {key: (key, number) for key, number in expected.items()}
        assert content(backend.snapshot()) == as_pairs
    assert table.compact(None)
    assert content(backend.snapshot()) == as_pairs
    table.fold(["k3", "new"], [("k3", 0), ("new", 0)], lambda _, new: new)
    assert content(backend.snapshot()) == as_pairs | {"k3": ("k3", 0), "new": ("new", 0)}


def test_a_task_goes_on_though_somebody_takes_entries_out_and_does_not_come_to_an_end() -> None:
    pin = Pin()
    freeze = Freeze(pin)
    with pin.reading():
        freeze.give_way()
        assert pin.is_being_read
    assert not pin.is_being_read
    freeze.give_way()


def test_a_task_waits_for_nobody_who_is_gone() -> None:
    pin = Pin()
    pin.is_being_read = True
    freeze = Freeze(pin)
    del pin
    freeze.give_way()
    assert freeze.is_over()
