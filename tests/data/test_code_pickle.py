"""Functions and classes in pickles by value: they work, and know their file."""

import pickle
from types import CodeType
from typing import Any

import pytest

from penstock.data import code_pickle

SOURCE = """
def outer(value):
    def inner():
        return 1 // value
    return inner

class Kind:
    def method(self):
        return [each for each in (lambda: 7,)][0]

def generate():
    yield outer
"""


class Place:
    """One that has a name."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.fixture(name="made")
def made_fixture() -> dict[str, Any]:
    """What a program defined that no other process can import."""
    names: dict[str, Any] = {"__name__": "not_to_be_imported"}
    exec(compile(SOURCE, "/far/away/program.py", "exec"), names)
    return names


def through_pickle(value: Any) -> Any:
    return pickle.loads(code_pickle.dumps(value))


def codes_in(code: CodeType) -> list[CodeType]:
    """A code object and all that are inside it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [code, *(deeper for one in inner for deeper in codes_in(one))]


@pytest.mark.parametrize("name", ["outer", "generate"])
def test_functions_keep_their_file_and_so_does_all_code_inside_them(name: str, made: dict[str, Any]) -> None:
    again = through_pickle(made[name])
    assert again is not made[name]
    assert {code.co_filename for code in codes_in(again.__code__)} == {"/far/away/program.py"}
    assert [list(one.co_lines()) for one in codes_in(again.__code__)] == [
        list(one.co_lines()) for one in codes_in(made[name].__code__)
    ]


def test_closures_keep_their_values_and_their_file(made: dict[str, Any]) -> None:
    again = through_pickle(made["outer"](3))
    assert again() == 0
    assert again.__code__.co_filename == "/far/away/program.py"


def test_methods_of_classes_keep_their_file(made: dict[str, Any]) -> None:
    pickled = code_pickle.dumps(made["Kind"])
    assert b"/far/away/program.py" in pickled
    assert pickle.loads(pickled).method.__code__.co_filename == "/far/away/program.py"


def test_code_objects_themselves_keep_their_file() -> None:
    code = compile("6 * 7", "/far/away/program.py", "eval")
    again = through_pickle(code)
    assert (eval(again), again.co_filename) == (42, "/far/away/program.py")


def test_functions_with_the_same_globals_share_them_afterwards(made: dict[str, Any]) -> None:
    one, two = through_pickle((made["outer"], made["generate"]))
    assert one.__globals__ is two.__globals__


def test_what_can_be_imported_is_written_by_name() -> None:
    assert through_pickle(pytest.raises) is pytest.raises
    assert b"co_filename" not in code_pickle.dumps(pytest.raises)
    assert len(code_pickle.dumps(pytest.raises)) < 100


def test_classes_of_objects_are_taken_apart_as_is_said(made: dict[str, Any]) -> None:
    taken: list[str] = []

    def reduce_place(place: Place) -> tuple[Any, ...]:
        taken.append(place.name)
        return Place, (place.name + " again",)

    data = code_pickle.dumps([made["outer"], Place("here")], {Place: reduce_place})
    assert (pickle.loads(data)[1].name, taken) == ("here again", ["here"])
