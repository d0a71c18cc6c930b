"""The hashmap backend: corners of handles, tables and snapshots that the model does not reach."""

import operator
import pickle
import threading
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from penstock.contracts.functions import AggregateFunction, ReduceFunction
from penstock.contracts.state import (
    VOID_NAMESPACE,
    AggregatingStateDescriptor,
    EntryChunk,
    KeyedStateSnapshot,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateKind,
    StateMeta,
    StateTtlConfig,
    StoredEntries,
    TupleColumn,
    ValueStateDescriptor,
)
from penstock.data.keys import key_group
from penstock.data.types import Types
from penstock.errors import ProgramError, StateError, TypeMismatch
from penstock.state.hashmap.backend import HashMapStateBackend
from tests.state.state_backends import new_backend

EXPIRING = StateTtlConfig.new_builder(1000).build()


def backend_at(key: Any) -> Any:
    backend = new_backend(128)
    backend.set_current_key(key)
    return backend


class Count(AggregateFunction):
    def create_accumulator(self) -> int:
        return 0

    def add(self, value: Any, accumulator: int) -> int:
        return accumulator + 1

    def get_result(self, accumulator: int) -> str:
        return f"{accumulator} times"

    def merge(self, acc_a: int, acc_b: int) -> int:
        return acc_a + acc_b


class Add(ReduceFunction):
    def reduce(self, value1: Any, value2: Any) -> Any:
        return value1 + value2


def test_state_that_was_never_written_is_empty() -> None:
    backend = backend_at("a")
    assert backend.get_state(ValueStateDescriptor("v", Types.LONG())).value() is None
    assert list(backend.get_list_state(ListStateDescriptor("l", Types.STRING())).get()) == []
    assert backend.get_map_state(MapStateDescriptor("m", Types.STRING(), Types.LONG())).is_empty()
    assert backend.get_reducing_state(ReducingStateDescriptor("r", Add(), Types.LONG())).get() is None
    assert backend.get_aggregating_state(AggregatingStateDescriptor("a", Count(), Types.LONG())).get() is None


def test_a_default_value_is_not_shared_between_keys() -> None:
    backend = backend_at("a")
    state = backend.get_state(ValueStateDescriptor("v", default_value=[]))
    first: Any = state.value()
    first.append(1)
    assert state.value() == []


def test_list_state_refuses_none_and_keeps_what_it_had() -> None:
    state = backend_at("a").get_list_state(ListStateDescriptor("seen"))
    state.add(1)
    for wrong in (lambda: state.add(None), lambda: state.add_all([2, None]), lambda: state.update([None])):
        with pytest.raises(TypeMismatch, match="'seen', which takes no None"):
            wrong()
    none: Any = None
    for refused in (state.add_all, state.update):
        with pytest.raises(TypeMismatch, match="give an empty list"):
            refused(none)
    assert state.get() == [1]


def test_a_list_that_was_given_or_returned_is_not_the_states_own() -> None:
    state = backend_at("a").get_list_state(ListStateDescriptor("seen"))
    given = [1]
    state.update(given)
    given.append(2)
    returned: Any = state.get()
    returned.append(3)
    assert state.get() == [1]


def test_a_map_can_be_changed_while_it_is_walked() -> None:
    state = backend_at("a").get_map_state(MapStateDescriptor("m"))
    state.put_all({1: None, 2: "b"})
    for key in state:
        del state[key]
    assert state.is_empty()


def test_using_state_without_a_current_key_says_where_it_can_be_used() -> None:
    backend = new_backend(128)
    with pytest.raises(StateError, match="process_element or on_timer"):
        backend.get_state(ValueStateDescriptor("v")).value()
    with pytest.raises(StateError, match="process_element or on_timer"):
        backend.get_partitioned_state("w", ListStateDescriptor("l")).add(1)


def test_none_can_be_a_key() -> None:
    backend = backend_at(None)
    backend.get_state(ValueStateDescriptor("v")).update(7)
    assert backend.keys("v") == [None]


def test_one_name_means_one_state_whatever_descriptor_object_asks() -> None:
    backend = backend_at("a")
    backend.get_state(ValueStateDescriptor("v")).update(7)
    assert backend.get_state(ValueStateDescriptor("v")).value() == 7


def test_a_state_cannot_change_its_kind() -> None:
    backend = backend_at("a")
    backend.get_state(ValueStateDescriptor("v")).update(7)
    with pytest.raises(StateError, match="'v' is value state and cannot become list state"):
        backend.get_list_state(ListStateDescriptor("v"))
    wrong: Any = ListStateDescriptor("l")
    with pytest.raises(ProgramError, match="does not describe value state"):
        backend.get_state(wrong)


def test_fold_returns_what_was_stored_each_time() -> None:
    table = new_backend(128).table(ReducingStateDescriptor("sum", operator.add))
    assert table.fold(["a", "b", "a"], [1, 2, 3], operator.add) == [1, 2, 4]
    assert table.fold(["a"], [5], operator.add) == [9]


def failing(one: int, two: int) -> int:
    if two == 13:
        raise ZeroDivisionError("thirteen")
    return one + two


class FailingCount(Count):
    def add(self, value: Any, accumulator: int) -> int:
        return failing(accumulator, value)


def test_a_failing_function_leaves_the_records_before_it_stored_and_says_which_record_it_was() -> None:
    table = new_backend(128).table(ReducingStateDescriptor("sum", failing))
    keys, values = ["a", "b", "a", "b", "a"], [1, 2, 3, 13, 5]
    with pytest.raises(ZeroDivisionError):
        table.fold(keys, values, failing)
    assert table.failed_index == 3
    assert table.pane(None) == {"a": 4, "b": 2}
    table.failed_index = -1
    with pytest.raises(ZeroDivisionError):
        table.fold_pane("w", keys, values, failing)
    assert table.failed_index == 3
    assert table.pane("w") == {"a": 4, "b": 2}
    with pytest.raises(ZeroDivisionError):
        table.aggregate_pane("w2", ["a", "a"], [1, 13], FailingCount())
    assert table.failed_index == 1
    assert table.pane("w2") == {"a": 1}


def test_panes_give_all_keys_of_a_window_and_share_state_with_handles() -> None:
    backend = backend_at("a")
    descriptor = AggregatingStateDescriptor("count", Count())
    table = backend.table(descriptor)
    table.aggregate_pane("w1", ["a", "b", "a"], [0, 0, 0], Count())
    assert backend.store("w1").get_aggregating_state(descriptor).get() == "2 times"
    assert table.namespaces() == ["w1"]
    assert table.pop_pane("w1") == {"a": 2, "b": 1}
    assert table.pop_pane("w1") == {}
    assert table.namespaces() == []
    lists = backend.table(ListStateDescriptor("records"))
    lists.append_pane("w1", ["a", "b", "a"], [1, 2, 3])
    assert lists.pane("w1") == {"a": [1, 3], "b": [2]}


def test_a_handle_of_a_window_survives_that_the_window_is_popped() -> None:
    backend = backend_at("a")
    descriptor = ListStateDescriptor("records")
    handle = backend.store("w").get_list_state(descriptor)
    handle.add(1)
    backend.table(descriptor).pop_pane("w")
    assert handle.get() == []
    handle.add(2)
    assert backend.table(descriptor).pane("w") == {"a": [2]}


def test_apply_to_all_keys_visits_each_key_and_leaves_the_current_one() -> None:
    backend = backend_at("a")
    descriptor = ValueStateDescriptor("v")
    backend.table(descriptor).fold(["a", "b", "c"], [1, 2, 3], operator.add)
    seen = []

    def visit(key: Any, state: Any) -> None:
        seen.append((key, state.value()))
        state.clear()

    backend.apply_to_all_keys(None, descriptor, visit)
    assert sorted(seen) == [("a", 1), ("b", 2), ("c", 3)]
    assert backend.keys("v") == backend.keys("unknown") == []
    assert backend.current_key == "a"


def test_only_appending_state_can_be_merged() -> None:
    with pytest.raises(ProgramError, match="value state, of which two cannot become one"):
        backend_at("a").merge_namespaces(ValueStateDescriptor("v"), "w1", ["w2"])


def update_and_save(backend: Any, state: Any, value: Any) -> None:
    """Where nothing can be cached, what cannot be saved is found at once."""
    state.update(value)
    pickle.dumps(backend.snapshot())


def test_what_cannot_be_pickled_is_named_by_state_and_key() -> None:
    backend = backend_at(("user", 5))
    state = backend.get_state(ValueStateDescriptor("lock"))
    with pytest.raises(StateError, match=r"state 'lock' .* key \('user', 5\) .*lock.* cannot be pickled"):
        update_and_save(backend, state, threading.Lock())


def test_classes_of_the_main_program_can_be_state() -> None:
    class Local:
        def __init__(self, x: int) -> None:
            self.x = x

    backend = backend_at("a")
    backend.get_state(ValueStateDescriptor("v")).update(Local(5))
    restored = backend_at("a")
    restored.restore([backend.snapshot()], range(128))
    value: Any = restored.get_state(ValueStateDescriptor("v")).value()
    assert value.x == 5


def test_a_key_in_the_wrong_subtask_is_found_when_state_is_saved() -> None:
    group = key_group("a", 128)
    backend = new_backend(128, range(group + 1, group + 2))
    backend.current_key = "a"
    state = backend.get_state(ValueStateDescriptor("v"))
    with pytest.raises(StateError, match=f"key 'a' of key group {group}"):
        update_and_save(backend, state, 1)


def test_the_maximum_parallelism_cannot_change() -> None:
    with pytest.raises(StateError, match="maximum parallelism of 64, and the operator now has 128"):
        new_backend(128).restore([new_backend(64).snapshot()], range(128))


def test_a_state_of_another_kind_in_the_snapshot_is_refused_when_it_is_asked_for() -> None:
    backend = backend_at("a")
    backend.get_state(ValueStateDescriptor("v")).update(1)
    restored = backend_at("a")
    restored.restore([backend.snapshot()], range(128))
    with pytest.raises(StateError, match="cannot become map state"):
        restored.get_map_state(MapStateDescriptor("v"))


def test_state_that_nobody_asked_for_since_the_restore_is_saved_again() -> None:
    backend = backend_at("a")
    backend.get_state(ValueStateDescriptor("old", Types.LONG())).update(1)
    between = new_backend(128)
    between.restore([backend.snapshot()], range(128))
    restored = backend_at("a")
    snapshot = between.snapshot()
    assert snapshot.states["old"].meta.type_text == str(Types.LONG())
    restored.restore([snapshot], range(128))
    assert restored.get_state(ValueStateDescriptor("old")).value() == 1


def test_a_class_that_is_gone_is_reported_with_the_name_of_the_state() -> None:
    backend = backend_at("a")
    backend.get_state(ValueStateDescriptor("v")).update(Fraction(1, 3))
    data = pickle.dumps(backend.snapshot()).replace(b"fractions", b"fractious")
    with pytest.raises(StateError, match="state 'v' cannot be read: ModuleNotFoundError"):
        pickle.loads(data)


def test_whole_batches_are_refused_on_state_with_a_time_to_live() -> None:
    descriptor = ValueStateDescriptor("v")
    descriptor.enable_time_to_live(EXPIRING)
    with pytest.raises(ProgramError, match="time to live"):
        new_backend(128).table(descriptor)


def test_descriptors_check_what_they_are_given() -> None:
    wrong: Any = None
    with pytest.raises(ProgramError, match="has to be text"):
        ValueStateDescriptor("")
    with pytest.raises(TypeMismatch, match="give a ReduceFunction"):
        ReducingStateDescriptor("r", 5)
    with pytest.raises(TypeMismatch, match="has no create_accumulator"):
        AggregatingStateDescriptor("a", wrong)
    with pytest.raises(ProgramError, match="keys or values only"):
        MapStateDescriptor("m", Types.STRING())
    assert isinstance(ReducingStateDescriptor("r", max).get_reduce_function(), ReduceFunction)
    add = Add()
    assert ReducingStateDescriptor("r", add).get_reduce_function() is add


class PairsAsValues:
    """A form of pairs whose first part is their key."""

    def shrink(self, keys: Sequence[Any], stored: Sequence[Any]) -> Sequence[Any] | None:
        pairs = list(stored)
        return [second for _, second in pairs] if [first for first, _ in pairs] == list(keys) else None

    def expand(self, keys: Sequence[Any], shrunk: Sequence[Any]) -> Sequence[Any]:
        return list(zip(keys, shrunk, strict=True))


def restored(*parts: tuple[list[Any], Sequence[Any]]) -> HashMapStateBackend:
    chunks = [EntryChunk([key_group(key, 128) for key in keys], keys, values) for keys, values in parts]
    entries = StoredEntries(StateMeta("pair", StateKind.VALUE), chunks)
    backend = HashMapStateBackend(128)
    backend.restore([KeyedStateSnapshot(128, {"pair": entries})], range(128))
    return backend


PAIR = ValueStateDescriptor("pair")


@pytest.mark.parametrize(
    "second", [TupleColumn(["b"], [2]), [("b", 2)]], ids=["more columns", "values among columns"]
)
@pytest.mark.parametrize("columns_first", [True, False])
def test_restored_columns_are_tuples_for_whoever_asks(second: Sequence[Any], columns_first: bool) -> None:
    parts: list[tuple[list[Any], Sequence[Any]]] = [(["a"], TupleColumn(["a"], [1])), (["b"], second)]
    backend = restored(*parts[:: 1 if columns_first else -1])
    assert sorted(backend.keys("pair")) == ["a", "b"]
    assert dict(backend.table(PAIR).pane(VOID_NAMESPACE)) == {"a": ("a", 1), "b": ("b", 2)}


def test_restored_columns_come_to_another_form_without_having_been_tuples() -> None:
    backend = restored((["a", "b"], TupleColumn(["a", "b"], [1, 2])), (["c"], TupleColumn(["c"], [3])))
    table = backend.table(PAIR)
    assert table.compact(PairsAsValues())
    assert table.entries_for(["a"]) == {"a": 1, "b": 2, "c": 3}
    assert table.compact(None)
    assert dict(table.pane(VOID_NAMESPACE)) == {"a": ("a", 1), "b": ("b", 2), "c": ("c", 3)}


def test_restored_columns_that_do_not_fit_a_form_stay_what_they_are() -> None:
    backend = restored((["a", "b"], TupleColumn(["a", "other"], [1, 2])))
    table = backend.table(PAIR)
    assert not table.compact(PairsAsValues())
    assert dict(table.pane(VOID_NAMESPACE)) == {"a": ("a", 1), "b": ("other", 2)}


def test_restored_columns_that_nobody_asks_for_are_in_the_next_snapshot() -> None:
    backend = restored((["a"], TupleColumn(["a"], [1])))
    (chunk,) = backend.snapshot().states["pair"].chunks()
    assert list(chunk.values) == [("a", 1)]
    backend = restored((["a"], TupleColumn(["a"], [1])))
    backend.after_records(1)
    assert dict(backend.table(PAIR).pane(VOID_NAMESPACE)) == {"a": ("a", 1)}
