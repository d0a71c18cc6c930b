"""Pickles of values whose classes have other fields when they are read."""

from typing import Any

import pytest

from penstock.data.saved_pickles import NotingPickles, SavedPickles
from penstock.errors import StateError
from tests.data.changing_module import ChangingModule

FORMS = [
    "@dataclass",
    "@dataclass(slots=True)",
    "@dataclass(frozen=True)",
    "@dataclass(frozen=True, slots=True)",
]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ChangingModule:
    return ChangingModule(monkeypatch)


def read_again(value: Any, module: ChangingModule, after: str) -> Any:
    pickles = NotingPickles()
    data = pickles.dump(value)
    assert pickles.dump_for_this_program(value) == data
    module.write(after)
    return SavedPickles(pickles.classes).load(data, "a value")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("later", FORMS)
def test_fields_that_came_get_their_defaults_and_fields_that_went_are_dropped(
    form: str, later: str, module: ChangingModule
) -> None:
    before = module.write(f"{form}\nclass Order:\n    went: int\n    number: int\n    city: str\n")
    orders = [before.Order(0, 7, "Oslo"), {"one": before.Order(0, 8, "Rome")}, before.Order]
    after = (
        f"{later}\nclass Order:\n    place: str = 'here'\n    city: str = '?'\n    number: int = 0\n"
        "    parts: list = field(default_factory=list)\n"
    )
    first, others, kind = read_again(orders, module, after)
    import shop  # type: ignore[import-not-found]

    assert first == shop.Order("here", "Oslo", 7, [])
    assert others == {"one": shop.Order("here", "Rome", 8, [])}
    assert first.parts is not others["one"].parts
    assert not hasattr(first, "went")
    assert type(first) is shop.Order
    assert kind(number=5) == shop.Order(number=5)


def test_named_tuples_are_read_by_the_names_of_their_fields(module: ChangingModule) -> None:
    before = module.write("class Point(NamedTuple):\n    x: int\n    z: int\n    y: int\n")
    after = "class Point(NamedTuple):\n    w: int = 5\n    y: int = 0\n    x: int = 0\n"
    found = read_again({"here": before.Point(1, 3, 2)}, module, after)["here"]
    import shop

    assert found == shop.Point(w=5, y=2, x=1)
    assert type(found) is shop.Point


def test_attributes_that_are_no_fields_stay(module: ChangingModule) -> None:
    before = module.write("@dataclass\nclass Order:\n    number: int\n")
    order = before.Order(1)
    order.note = "soon"
    found = read_again(order, module, "@dataclass\nclass Order:\n    number: int\n    city: str = ''\n")
    assert vars(found) == {"number": 1, "note": "soon", "city": ""}


def test_a_class_without_fields_gets_some(module: ChangingModule) -> None:
    before = module.write("@dataclass\nclass Mark:\n    pass\n")
    found = read_again(
        [before.Mark()], module, "@dataclass\nclass Mark:\n    at: list = field(default_factory=list)\n"
    )
    import shop

    assert found == [shop.Mark([])]
    assert type(found[0]) is shop.Mark


def test_a_factory_of_values_is_the_class_itself(module: ChangingModule) -> None:
    before = module.write("@dataclass\nclass Mark:\n    at: int = 0\n")
    marks = before.defaultdict(before.Mark)
    marks["a"].at = 3
    found = read_again(marks, module, "@dataclass\nclass Mark:\n    at: int = 0\n    by: str = ''\n")
    import shop

    assert found["a"] == shop.Mark(3)
    assert type(found["b"]) is shop.Mark


def test_a_class_that_counts_its_subclasses_is_told_of_none(module: ChangingModule) -> None:
    source = (
        "@dataclass\nclass Mark:\n    at: int = 0\n{}    def __init_subclass__(cls): raise TypeError(cls)\n"
    )
    before = module.write(source.format(""))
    found = read_again(before.Mark(2), module, source.format("    by: str = 'me'\n"))
    assert (found.at, found.by) == (2, "me")


def test_values_that_hold_each_other_are_read(module: ChangingModule) -> None:
    source = "@dataclass\nclass Node:\n    name: str\n    next: object = None\n"
    before = module.write(source)
    one, two = before.Node("one"), before.Node("two")
    one.next, two.next = two, one
    found = read_again(one, module, source + "    depth: int = 0\n")
    assert found.next.next is found
    assert (found.name, found.next.name, found.next.depth) == ("one", "two", 0)


def test_a_field_that_came_without_a_default_is_named(module: ChangingModule) -> None:
    before = module.write("@dataclass\nclass Order:\n    number: int\n")
    with pytest.raises(
        StateError, match=r"shop.Order was saved with the fields number and now has 'city' too, which has"
    ):
        read_again(before.Order(1), module, "@dataclass\nclass Order:\n    number: int\n    city: str\n")


def test_classes_that_say_themselves_how_they_are_pickled_are_left_to_it(module: ChangingModule) -> None:
    source = (
        "@dataclass\nclass Order:\n    number: int\n{}"
        "    def __getstate__(self): return (self.number,)\n"
        "    def __setstate__(self, state): self.number, self.city = state[0], 'own'\n"
    )
    before = module.write(source.format(""))
    found = read_again(before.Order(1), module, source.format("    city: str = 'default'\n"))
    assert (found.number, found.city) == (1, "own")


def test_classes_are_noted_beside_a_function_that_travels_by_value(module: ChangingModule) -> None:
    shop = module.write("@dataclass\nclass Order:\n    number: int\n")
    pickles = NotingPickles()
    pickles.dump([lambda: None, shop.Order(1)])
    assert [each["class"] for each in pickles.classes] == ["Order"]


def test_a_class_is_noted_once_however_many_values_have_it(module: ChangingModule) -> None:
    shop = module.write("@dataclass\nclass Order:\n    number: int\n\nclass Plain:\n    pass\n")
    pickles = NotingPickles()
    for value in (shop.Order(1), [shop.Order(2)], (3, {"four": shop.Order(4)}), shop.Plain(), shop.Order):
        pickles.dump(value)
    assert pickles.classes == [{"as": "dataclass", "module": "shop", "class": "Order", "names": ["number"]}]
