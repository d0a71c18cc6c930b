"""Operator state: lists are dealt out, unions and broadcast maps go to everybody, and nothing is lost."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    OperatorStateMode,
    OperatorStateSnapshot,
    StateTtlConfig,
)
from penstock.data.types import Types
from penstock.errors import ProgramError, StateError, TypeMismatch
from penstock.state.operator_lists import InMemoryOperatorState, redistribute

OFFSETS = ListStateDescriptor("offsets")
NAMES = ListStateDescriptor("names")
RULES = MapStateDescriptor("rules")


def restored(snapshots: list[OperatorStateSnapshot], parallelism: int) -> list[InMemoryOperatorState]:
    subtasks = []
    for part in redistribute(snapshots, parallelism):
        subtask = InMemoryOperatorState()
        subtask.restore(part)
        subtasks.append(subtask)
    return subtasks


@given(st.lists(st.lists(st.integers()), min_size=1, max_size=5), st.integers(1, 6))
def test_lists_are_cut_in_order_into_parts_of_about_one_size(
    lists: list[list[int]], parallelism: int
) -> None:
    subtasks = []
    for elements in lists:
        subtask = InMemoryOperatorState()
        subtask.get_list_state(OFFSETS).update(elements)
        subtask.get_union_list_state(NAMES).add_all(elements)
        subtask.get_broadcast_state(RULES).put_all({"a": 1})
        subtasks.append(subtask)
    new = restored([subtask.snapshot() for subtask in subtasks], parallelism)
    parts: list[Any] = [list(subtask.get_list_state(OFFSETS)) for subtask in new]
    everything = [element for elements in lists for element in elements]
    assert [element for part in parts for element in part] == everything
    if parallelism == len(lists):
        assert parts == lists
    else:
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(list(subtask.get_union_list_state(NAMES)) == everything for subtask in new)
    assert all(dict(subtask.get_broadcast_state(RULES).items()) == {"a": 1} for subtask in new)


def test_a_snapshot_does_not_see_later_changes() -> None:
    subtask = InMemoryOperatorState()
    element = [1]
    subtask.get_list_state(OFFSETS).add(element)
    snapshot = subtask.snapshot()
    element.append(2)
    assert restored([snapshot], 1)[0].get_list_state(OFFSETS).get() == [[1]]


def test_state_that_nobody_asked_for_since_the_restore_is_saved_again() -> None:
    subtask = InMemoryOperatorState()
    subtask.get_list_state(OFFSETS).add_all([1, 2])
    between = restored([subtask.snapshot()], 1)[0]
    assert restored([between.snapshot()], 1)[0].get_list_state(OFFSETS).get() == [1, 2]


def test_a_subtask_that_never_had_a_state_takes_part_in_dealing_it_out() -> None:
    subtask = InMemoryOperatorState()
    subtask.get_list_state(OFFSETS).add_all([1, 2, 3])
    parts = restored([subtask.snapshot(), InMemoryOperatorState().snapshot()], 3)
    assert [part.get_list_state(OFFSETS).get() for part in parts] == [[1], [2], [3]]


def test_list_handles_keep_to_the_rules_of_list_state() -> None:
    state = InMemoryOperatorState().get_list_state(OFFSETS)
    assert state.get() == []
    state.add(1)
    state.add_all([2])
    for wrong in (lambda: state.add(None), lambda: state.add_all([None]), lambda: state.update([None])):
        with pytest.raises(TypeMismatch, match="takes no None"):
            wrong()
    none: Any = None
    with pytest.raises(TypeMismatch, match="empty list"):
        state.update(none)
    returned: Any = state.get()
    returned.append(3)
    assert state.get() == [1, 2]
    state.clear()
    assert state.get() == []


def test_broadcast_state_is_a_map_and_the_other_side_can_only_read_it() -> None:
    state = InMemoryOperatorState().get_broadcast_state(RULES)
    view = state.read_only()
    assert view.is_empty()
    assert state.is_empty()
    state.put("a", 1)
    state["b"] = None
    state.put_all({"c": 3})
    for seen in (state, view):
        assert list(seen.items()) == [("a", 1), ("b", None), ("c", 3)]
        assert list(seen.keys()) == list(seen) == ["a", "b", "c"]
        assert list(seen.values()) == [1, None, 3]
        assert (seen["a"], seen.get("z"), "b" in seen, seen.contains("z"), seen.is_empty()) == (
            1,
            None,
            True,
            False,
            False,
        )
    with pytest.raises(ProgramError, match="process_broadcast_element"):
        view.clear()
    assert not hasattr(view, "put")
    for key in state:
        del state[key]
    assert view.is_empty()
    state["a"] = 1
    state.clear()
    assert view.is_empty()


def test_asking_twice_gives_the_same_state_and_asking_in_another_way_is_refused() -> None:
    subtask = InMemoryOperatorState()
    subtask.get_list_state(OFFSETS).add(1)
    assert subtask.get_list_state(ListStateDescriptor("offsets")).get() == [1]
    with pytest.raises(StateError, match="'offsets' is split state and cannot become union state"):
        subtask.get_union_list_state(OFFSETS)
    again = restored([subtask.snapshot()], 1)[0]
    with pytest.raises(StateError, match="cannot become union state"):
        again.get_union_list_state(OFFSETS)
    wrong: Any = RULES
    with pytest.raises(ProgramError, match="give a list state descriptor"):
        subtask.get_list_state(wrong)
    expiring = ListStateDescriptor("expiring")
    expiring.enable_time_to_live(StateTtlConfig.new_builder(5).build())
    with pytest.raises(ProgramError, match="only keyed state can have"):
        subtask.get_list_state(expiring)


def test_parts_that_disagree_are_refused() -> None:
    parts = [
        OperatorStateSnapshot({"s": (OperatorStateMode.UNION, ())}),
        OperatorStateSnapshot({"s": (OperatorStateMode.BROADCAST, ())}),
    ]
    with pytest.raises(StateError, match="saved as union and as broadcast"):
        redistribute(parts, 1)


def test_what_cannot_be_pickled_is_named() -> None:
    subtask = InMemoryOperatorState()
    subtask.get_list_state(OFFSETS).add(threading.Lock())
    with pytest.raises(StateError, match="operator state 'offsets' cannot be saved"):
        subtask.snapshot()


def test_state_cannot_be_restored_after_it_was_used() -> None:
    subtask = InMemoryOperatorState()
    subtask.get_list_state(OFFSETS)
    with pytest.raises(StateError, match="before it was restored"):
        subtask.restore(InMemoryOperatorState().snapshot())


def test_what_was_saved_becomes_what_is_declared_now() -> None:
    subtask = InMemoryOperatorState()
    subtask.get_list_state(ListStateDescriptor("offsets", Types.INT())).update([1, 2])
    subtask.get_broadcast_state(MapStateDescriptor("rules", Types.STRING(), Types.INT())).put("a", 1)
    subtask.get_union_list_state(NAMES).add("left as it is")
    [again] = restored([subtask.snapshot()], 1)
    assert list(map(repr, again.get_list_state(ListStateDescriptor("offsets", Types.DOUBLE())))) == [
        "1.0",
        "2.0",
    ]
    wider = MapStateDescriptor("rules", Types.STRING(), Types.DOUBLE())
    assert repr(again.get_broadcast_state(wider).items()) == "[('a', 1.0)]"
    [once_more] = restored([again.snapshot()], 1)
    with pytest.raises(
        StateError, match=r"'offsets' was saved as ListTypeInfo<Double> and is now .*<String>"
    ):
        once_more.get_list_state(ListStateDescriptor("offsets", Types.STRING()))
    texts = ListStateDescriptor("offsets", Types.STRING())
    texts.migrate_with(lambda stored, old_type: f"{old_type}: {stored}")
    for _ in range(2):  # done once, although it is saved and restored again
        assert once_more.get_list_state(texts).get()[0] == "ListTypeInfo<Double>: 1.0"
        [once_more] = restored([once_more.snapshot()], 1)
    assert list(once_more.get_union_list_state(NAMES)) == ["left as it is"]
