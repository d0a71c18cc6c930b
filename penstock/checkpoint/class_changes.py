"""How the classes of saved values differ from those of the program now: found in the footers of files, not in values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.checkpoint.entry_files import METADATA, shapes_in
from penstock.data.saved_classes import (
    DATACLASS,
    NAMED_TUPLE,
    class_of,
    fields_now,
    find_class_now,
    name_of,
)
from penstock.errors import StateError

Shape = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A class that has other fields now. ``problem`` says why its values cannot be read, None where they can."""

    name: str
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    problem: str | None = None

    def __str__(self) -> str:
        if self.problem is not None:
            return self.problem
        came = [f"{field} comes with its default" for field in self.came]
        return f"{self.name}: {', '.join(came + [f'{field} is dropped' for field in self.went])}"


def class_changes(content: bytes, state: str) -> list[ClassChange]:
    """The classes in a file of entries or elements that have changed since it was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return changes_by_schema(pq.read_schema(pa.BufferReader(content)).metadata or {}, state)


def changes_by_schema(metadata: dict[bytes, bytes], state: str) -> list[ClassChange]:
    """The same by the metadata of the file's schema."""
    if METADATA not in metadata:
        return []
    columns = shapes_in(metadata, f"state {state!r}")
    return changes_of(shape for column in columns.values() for shape in _classes(column))


def changes_of(classes: Iterable[Shape]) -> list[ClassChange]:
    """Those of some classes that have changed since; ``classes`` as they were written down."""
    found = map(_change, classes)
    return list(dict.fromkeys(change for change in found if change is not None))


def _classes(shape: Shape) -> Iterator[Shape]:
    if "class" in shape:
        yield shape
    parts = [shape[name] for name in ("of", "keys", "values") if isinstance(shape.get(name), dict)]
    for part in [*parts, *shape.get("fields", ()), *shape.get("classes", ())]:
        yield from _classes(part)


def _change(shape: Shape) -> ClassChange | None:
    name = name_of(shape)
    is_pickled = "fields" not in shape
    try:
        kind = find_class_now(shape) if is_pickled else class_of(shape)
    except StateError as error:
        return ClassChange(name, problem=error.message)
    if kind is None:
        return None  # it comes with the values
    now = fields_now(kind, shape["as"])
    if now is None:
        if is_pickled and shape["as"] == DATACLASS and fields_now(kind, NAMED_TUPLE) is None:
            return None  # a pickle is of attributes, which other objects have as well
        return ClassChange(name, problem=f"{name} was a {shape['as']} when it was saved, and is none now")
    saved = shape["names"]
    came = tuple(field for field in now if field not in saved)
    without = [field for field in came if now[field] is None]
    if without:
        return ClassChange(name, problem=f"{name} has the field {without[0]!r} now, which has no default")
    went = tuple(field for field in saved if field not in now)
    return ClassChange(name, came, went) if came or went else None
