"""A restored state becomes what the program declares now, or the error says what does not."""

from dataclasses import dataclass
from typing import Any

import pytest

from penstock.clock import ManualClock
from penstock.contracts.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    StateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from penstock.data.row import Row
from penstock.data.time import Time
from penstock.data.types import Types
from penstock.errors import ProgramError, StateError
from tests.state.state_backends import new_backend

OLD_ROW = Types.ROW_NAMED(["name", "count"], [Types.STRING(), Types.INT()])
NEW_ROW = Types.ROW_NAMED(["count", "unit"], [Types.DOUBLE(), Types.STRING()])


def restored(old: StateDescriptor, stored: Any, new: StateDescriptor) -> Any:
    """The handle of the new descriptor on what was stored by the old one."""
    before = new_backend(16, clock=ManualClock())
    before.current_key = "k"
    handle = before.get_partitioned_state(None, old)
    handle.put_all(stored) if isinstance(old, MapStateDescriptor) else handle.update(stored)
    after = new_backend(16, clock=ManualClock())
    after.restore([before.snapshot()], range(16))
    after.current_key = "k"
    return after.get_partitioned_state(None, new)


@pytest.mark.parametrize(
    ("old", "stored", "new", "becomes"),
    [
        (Types.INT(), 5, Types.DOUBLE(), 5.0),
        (Types.INT(), 5, Types.LONG(), 5),
        (None, 5, Types.DOUBLE(), 5.0),
        (Types.DOUBLE(), 5.0, None, 5.0),
        (OLD_ROW, Row(name="a", count=1), NEW_ROW, Row(count=1.0, unit=None)),
        (Types.TUPLE([Types.INT()]), (1,), Types.TUPLE([Types.DOUBLE()]), (1.0,)),
        (Types.LIST(OLD_ROW), [Row(name="a", count=1)], Types.LIST(NEW_ROW), [Row(count=1.0, unit=None)]),
    ],
)
def test_a_value_becomes_what_is_declared_now(old: Any, stored: Any, new: Any, becomes: Any) -> None:
    value = restored(ValueStateDescriptor("v", old), stored, ValueStateDescriptor("v", new)).value()
    assert value == becomes
    assert type(value) is type(becomes)


def test_elements_of_lists_and_values_of_maps_do_too() -> None:
    lists = restored(ListStateDescriptor("l", Types.INT()), [1, 2], ListStateDescriptor("l", Types.DOUBLE()))
    assert list(map(repr, lists.get())) == ["1.0", "2.0"]
    old, new = (
        MapStateDescriptor("m", Types.STRING(), Types.INT()),
        MapStateDescriptor("m", Types.STRING(), Types.DOUBLE()),
    )
    assert repr(restored(old, {"a": 1, "b": None}, new).items()) == "[('a', 1.0), ('b', None)]"


def test_with_a_time_to_live_the_values_beneath_the_times_do() -> None:
    lasting = StateTtlConfig.new_builder(Time.hours(1)).build()
    old, new = ListStateDescriptor("l", Types.INT()), ListStateDescriptor("l", Types.DOUBLE())
    old.enable_time_to_live(lasting)
    new.enable_time_to_live(lasting)
    assert list(map(repr, restored(old, [1], new).get())) == ["1.0"]


def test_what_does_not_become_it_by_itself_is_an_error_that_names_state_key_and_types() -> None:
    old, new = ValueStateDescriptor("price", Types.STRING()), ValueStateDescriptor("price", Types.INT())
    with pytest.raises(
        StateError, match=r"'price' was saved as String and is now declared as Integer; .* key 'k'"
    ) as caught:
        restored(old, "12 EUR", new)
    assert "migrate_with" in caught.value.message


@dataclass
class Price:
    amount: int
    currency: str


def test_a_function_of_the_descriptor_migrates_the_rest() -> None:
    def parsed(stored: Any, old_type: str) -> Any:
        assert old_type == "String"
        amount, _, currency = stored.partition(" ")
        return Price(int(amount), currency)

    new = ValueStateDescriptor("price", Types.PICKLED_BYTE_ARRAY())
    new.migrate_with(parsed)
    assert restored(ValueStateDescriptor("price", Types.STRING()), "12 EUR", new).value() == Price(12, "EUR")
    listed = ListStateDescriptor("prices")
    listed.migrate_with(lambda stored, old_type: stored * 2)
    assert restored(ListStateDescriptor("prices", Types.INT()), [1, 2], listed).get() == [2, 4]


@pytest.mark.parametrize("declared", [None, Types.PICKLED_BYTE_ARRAY()])
def test_each_migration_of_values_of_one_type_is_done_once_by_its_version(declared: Any) -> None:
    def state(version: int) -> ValueStateDescriptor:
        made = ValueStateDescriptor("steps", declared)
        if version:
            made.migrate_with(lambda stored, old_type: f"{stored}, {version}", version)
        return made

    assert restored(state(0), "0", state(1)).value() == "0, 1"
    assert restored(state(1), "0, 1", state(1)).value() == "0, 1"
    assert restored(state(1), "0, 1", state(2)).value() == "0, 1, 2"
    assert restored(state(2), "0, 1, 2", state(0)).value() == "0, 1, 2"


@pytest.mark.parametrize("version", [0, True, "2"])
def test_a_version_is_a_number_from_one_on(version: Any) -> None:
    with pytest.raises(ProgramError, match="'price' is a number from 1 on"):
        ValueStateDescriptor("price").migrate_with(lambda stored, old_type: stored, version)
