"""Every function and method is called as PyFlink's: the same parameters in the same order, with the same defaults."""

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from penstock.pyflink_compat import absent, install
from tests.compatibility.record_signatures import Signature, parameters_of
from tests.compatibility.signature_differences import DIFFERENCES

HERE = Path(__file__).resolve().parent
RECORDED: dict[str, dict[str, Signature]] = json.loads((HERE / "pyflink_signatures.json").read_text())[
    "modules"
]


@pytest.fixture(autouse=True)
def _pyflink_is_penstock() -> None:
    install()


def of_penstock(module: str, qualified_name: str) -> Signature | None:
    """How ours is called; None for a name that is absent, which the test of names sees to."""
    holder: Any = import_module(module)
    *outer, name = qualified_name.split(".")
    for part in outer:
        holder = getattr(holder, part, None)
    if holder is None or not hasattr(holder, name):
        return None
    found = getattr(holder, name)
    if found is object.__init__:
        return []
    if not inspect.isroutine(found):
        return None
    parameters = parameters_of(found)
    raw = inspect.getattr_static(holder, name)
    return parameters[1:] if inspect.isfunction(raw) and inspect.isclass(holder) else parameters


def can_be_called_like(ours: Signature, theirs: Signature) -> bool:
    """Whether every call that PyFlink takes means the same here."""
    if len(ours) < len(theirs):
        return False
    for mine, other in zip(ours, theirs, strict=False):
        if mine[0] != other[0] or (len(other) == 2 and mine != other):
            return False
    return all(len(more) == 2 or more[0].startswith("*") for more in ours[len(theirs) :])


def takes_an_object_of_java(theirs: Signature) -> bool:
    return any(parameter[0].startswith("j_") for parameter in theirs)


def differences(module: str) -> set[str]:
    found = set()
    for qualified_name, theirs in RECORDED[module].items():
        if absent.reason_of_absence(module, qualified_name.partition(".")[0]) is not None:
            continue
        ours = of_penstock(module, qualified_name)
        of_java = qualified_name.endswith("__init__") and takes_an_object_of_java(theirs)
        if ours is not None and not of_java and not can_be_called_like(ours, theirs):
            found.add(qualified_name)
    return found


@pytest.mark.parametrize("module", sorted(set(RECORDED) - set(absent.MODULES)))
def test_the_module_is_called_as_pyflinks_except_where_the_list_says_otherwise(module: str) -> None:
    assert differences(module) == set(DIFFERENCES.get(module, ()))


def test_most_of_the_names_are_compared() -> None:
    compared = [
        qualified_name
        for module in RECORDED
        if module not in absent.MODULES
        for qualified_name in RECORDED[module]
        if absent.reason_of_absence(module, qualified_name.partition(".")[0]) is None
        and of_penstock(module, qualified_name) is not None
    ]
    assert len(compared) > 1_000


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ([["a"], ["b", "1"]], [["a"], ["b", "1"]], True),
        ([["a"], ["b", "1"], ["c", "2"]], [["a"], ["b", "1"]], True),
        ([["a", "None"]], [["a"]], True),
        ([["a"], ["*more"]], [["a"]], True),
        ([["a"], ["b"]], [["a"]], False),
        ([["b"]], [["a"]], False),
        ([["a", "2"]], [["a", "1"]], False),
        ([["a"]], [["a", "1"]], False),
        ([["a"]], [["a"], ["b"]], False),
    ],
)
def test_a_difference_is_seen(ours: Signature, theirs: Signature, same: bool) -> None:
    assert can_be_called_like(ours, theirs) is same
