"""How the classes of saved values differ from those of the program now: found in the footers of files, not in values."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from penstock.checkpoint.entry_files import METADATA, shapes_in
from penstock.checkpoint.value_classes import class_of, has
from penstock.errors import StateError

Shape = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
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
    found = (_change(shape) for column in columns.values() for shape in _classes(column))
    return list(dict.fromkeys(change for change in found if change is not None))


def _classes(shape: Shape) -> Iterator[Shape]:
    if "class" in shape:
        yield shape
    parts = [shape[name] for name in ("of", "keys", "values") if isinstance(shape.get(name), dict)]
    for part in [*parts, *shape.get("fields", ())]:
        yield from _classes(part)


def _change(shape: Shape) -> ClassChange | None:
    name = f"{shape['module']}.{shape['class']}"
    try:
        kind = class_of(shape)
    except StateError as error:
        return ClassChange(name, problem=error.message)
    now = _fields_of(kind, shape["as"])
    if now is None:
        return ClassChange(name, problem=f"{name} was a {shape['as']} when it was saved, and is none now")
    saved = shape["names"]
    came = tuple(field for field in now if field not in saved)
    without = [field for field in came if not now[field]]
    if without:
        return ClassChange(name, problem=f"{name} has the field {without[0]!r} now, which has no default")
    went = tuple(field for field in saved if field not in now)
    return ClassChange(name, came, went) if came or went else None


def _fields_of(kind: Any, form: str) -> dict[str, bool] | None:
    """The fields that a class has now, and whether each has a default; None where it is no class of this form."""
    if form == "named tuple":
        names = getattr(kind, "_fields", None)
        defaults = getattr(kind, "_field_defaults", {})
        return None if names is None else {name: name in defaults for name in names}
    if not dataclasses.is_dataclass(kind):
        return None
    return {
        field.name: has(field.default) or has(field.default_factory) for field in dataclasses.fields(kind)
    }
