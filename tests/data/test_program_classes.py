"""Classes of the main program in processes that do not run it; the process here plays a worker."""

import dataclasses
import enum
import pickle
import subprocess
import sys
from typing import Any

import pytest

from penstock.data import code_pickle, program_classes
from penstock.data.pickles import dump, dump_for_this_program, load
from penstock.errors import StateError

# What another program's process wrote: the class Note as it was then.
SAVE = """
import dataclasses, enum, sys
from penstock.data import code_pickle

@dataclasses.dataclass
class Note:
    text: str
    def shown(self):
        return "old " + self.text

class Kind(enum.Enum):
    LONG = 1

class Outer:
    class Inner:
        pass

sys.stdout.buffer.write(code_pickle.dumps({what}))
"""


def saved_by_value(what: str) -> bytes:
    finished = subprocess.run([sys.executable, "-c", SAVE.format(what=what)], capture_output=True, check=True)
    return finished.stdout


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], type]:
    """The program has a class Note, with another method and another field."""
    known: dict[tuple[str, str], type] = {}
    monkeypatch.setattr(program_classes, "_shipped", known)
    return known


def main_class(name: str, kind: type) -> type:
    kind.__module__, kind.__qualname__, kind.__name__ = "__main__", name, name
    return kind


def test_values_that_bring_an_older_class_along_are_of_the_class_that_the_program_has(shipped: Any) -> None:
    @dataclasses.dataclass
    class Note:
        text: str
        stars: int = 3

        def shown(self) -> str:
            return f"new {self.text}"

    shipped["__main__", "Note"] = main_class("Note", Note)
    [note] = load(saved_by_value("[Note('a')]"), "notes")
    assert type(note) is Note
    assert (note.shown(), Note.shown(note)) == ("new a", "new a")


def test_enumerations_too(shipped: Any) -> None:
    class Kind(enum.Enum):
        LONG = 1
        SHORT = 2

    shipped["__main__", "Kind"] = main_class("Kind", Kind)
    assert load(saved_by_value("Kind.LONG"), "kinds") is Kind.LONG
    assert [each.name for each in Kind] == ["LONG", "SHORT"]


def test_without_such_a_class_the_older_one_serves(shipped: Any) -> None:
    note = load(saved_by_value("Note('a')"), "notes")
    assert note.shown() == "old a"
    assert [field.name for field in dataclasses.fields(note)] == ["text"]


def test_a_class_inside_of_another_is_found_where_its_name_is_clear(shipped: Any) -> None:
    class Inner:
        pass

    shipped["__main__", "Outer.Inner"] = main_class("Outer.Inner", Inner)
    assert type(load(saved_by_value("Outer.Inner()"), "inner")) is Inner
    assert program_classes.find_program_class("__main__", "Inner") is Inner
    shipped["__main__", "Other.Inner"] = int
    assert program_classes.find_program_class("__main__", "Inner") is None


def test_a_worker_writes_shipped_classes_by_name_where_only_its_program_reads(shipped: Any) -> None:
    class Note:
        pass

    shipped["__main__", "Note"] = main_class("Note", Note)
    small = dump_for_this_program([Note(), Note()])
    assert len(small) < 150 < len(dump([Note(), Note()]))
    assert [type(each) for each in load(small, "notes")] == [Note, Note]
    shipped.clear()
    with pytest.raises(StateError, match=r"notes cannot be read: .*no class Note in __main__"):
        load(small, "notes")


def test_what_is_saved_by_name_alone_names_the_class_that_is_missing(shipped: Any) -> None:
    class Note:
        pass

    main_class("Note", Note)
    sys.modules["__main__"].Note = Note  # type: ignore[attr-defined]
    by_name = pickle.dumps(Note())
    del sys.modules["__main__"].Note  # type: ignore[attr-defined]
    with pytest.raises(StateError, match="'Note'"):
        load(by_name, "notes")
    shipped["__main__", "Note"] = Note
    assert type(load(by_name, "notes")) is Note


def test_a_shipped_dataclass_knows_which_fields_have_no_default() -> None:
    text = pickle.loads(saved_by_value("Note"))
    [field] = dataclasses.fields(text)
    assert field.default is dataclasses.MISSING
    assert field.default_factory is dataclasses.MISSING
    assert pickle.loads(code_pickle.dumps(dataclasses.MISSING)) is dataclasses.MISSING
