"""What this process does not have is pickled again as it came."""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.data import code_pickle
from penstock.data.passed_on import Module, Name
from penstock.deploy.cluster.foreign_packages import foreign_packages, passing_on

SHOP = """
from dataclasses import dataclass

class Order:
    def __init__(self, number):
        self.number = number

@dataclass(frozen=True, slots=True)
class Line:
    goods: str
    amount: int = 1

class Cart(list):
    pass

class Index(dict):
    pass

class Money:
    def __new__(cls, amount, *, currency):
        made = object.__new__(cls)
        made.amount, made.currency = amount, currency
        return made
    def __getnewargs_ex__(self):
        return (self.amount,), {"currency": self.currency}

def rate(value):
    return 2 * value
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package, which is there once it is called."""
    (tmp_path / "faraway").mkdir()
    (tmp_path / "faraway" / "__init__.py").write_text("")
    (tmp_path / "faraway" / "shop.py").write_text(SHOP)
    monkeypatch.syspath_prepend(tmp_path)
    import faraway.shop  # type: ignore[import-not-found]

    yield faraway.shop
    for name in [name for name in sys.modules if name.partition(".")[0] == "faraway"]:
        del sys.modules[name]


class _Away(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name.startswith("faraway"):
            return Name.of(module_name, global_name)
        return super().find_class(module_name, global_name)


def passed_on(value: Any, tmp_path: Path) -> Any:
    """Through a process that does not have the package, and back."""
    (tmp_path / "pickled").write_bytes(code_pickle.dumps(value))
    with passing_on(frozenset(["faraway"])), open(tmp_path / "pickled", "rb") as file:
        data = code_pickle.dumps(_Away(file).load())
    return pickle.loads(data)


def test_functions_and_values_of_classes_that_are_not_here(shop: Any, tmp_path: Path) -> None:
    cart, index, order = shop.Cart([1, 2]), shop.Index(a=1), shop.Order(7)
    cart.name = "mine"
    values = [
        shop.rate,
        shop.Order,
        order,
        order,
        shop.Line("tea"),
        cart,
        index,
        shop.Money(5, currency="EUR"),
    ]
    rate, kind, again, same, line, cart, index, money = passed_on(values, tmp_path)
    assert (rate, kind, line) == (shop.rate, shop.Order, shop.Line("tea"))
    assert again is same and type(again) is shop.Order and again.number == 7
    assert (type(cart), cart, cart.name) == (shop.Cart, [1, 2], "mine")
    assert (type(index), index, money.amount, money.currency) == (shop.Index, {"a": 1}, 5, "EUR")


def test_what_a_program_makes_of_them_itself(shop: Any, tmp_path: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__", "shop": shop}
    exec(
        "class Own(shop.Order):\n    def twice(self):\n        return shop.rate(self.number)\n"
        "def made():\n    from faraway.shop import Order\n    return Own(3).twice() + Order(1).number\n"
        "method = Own(4).twice\n",
        names,
    )
    made, own, method = passed_on([names["made"], names["Own"](5), names["method"]], tmp_path)
    assert (made(), own.twice(), method()) == (7, 10, 8)
    assert isinstance(own, shop.Order) and type(type(own)) is type


def test_a_module_of_the_program_may_import_them(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text(
        "import faraway.shop as shop\nfrom faraway.shop import rate\ndef use(value):\n    return rate(value)\n"
    )
    with passing_on(frozenset(["faraway"])):
        import beside  # type: ignore[import-not-found]

        assert isinstance(beside.shop, Module) and isinstance(beside.rate, Name)
        with pytest.raises(AttributeError, match=r"faraway\.shop:Order.* in the version of another job"):
            beside.shop.Order(1).number  # noqa: B018
    assert sys.modules["faraway.shop"] is shop
    del sys.modules["beside"]


def test_packages_are_foreign_that_a_job_has_otherwise_or_others_alone(shop: Any, tmp_path: Path) -> None:
    place, own = str(tmp_path), tmp_path / "own"
    assert foreign_packages([place], {place}) == frozenset()
    assert foreign_packages([], {place}) == {"faraway"}
    (own / "faraway").mkdir(parents=True)
    assert foreign_packages([str(own)], ()) == frozenset(), "a directory that is no package"
    (own / "faraway" / "__init__.py").write_text("")
    assert foreign_packages([str(own)], ()) == {"faraway"}
    (own / "faraway" / "shop.py").write_text(SHOP)
    assert foreign_packages([str(own)], {place}) == frozenset(), "the same version"
