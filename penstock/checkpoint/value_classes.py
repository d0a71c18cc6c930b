"""Tuples, rows, windows, named tuples and dataclasses: which of them become structs, and how they are made again.

A class may have changed since: fields that came get their defaults, fields that went are dropped.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, Generic

from penstock.data.row import Row, RowKind, new_row
from penstock.data.saved_classes import (
    DATACLASS,
    NAMED_TUPLE,
    class_of,
    fields_now,
    has_plain_pickles,
    makers_of_new,
    name_of,
    reference_of,
)
from penstock.errors import StateError
from penstock.windows.window import TimeWindow

Shape = dict[str, Any]
FORMS = frozenset(("tuple", "row", "time window", "named tuple", "dataclass"))


@dataclass(frozen=True, slots=True)
class StructForm:
    """How values of one class are taken apart. ``description`` is what the shape says of it, beside the fields' shapes."""

    names: tuple[str, ...]
    getters: tuple[Callable[[Any], Any], ...]
    description: Shape

    def field(self, values: Sequence[Any], index: int, nullable: bool) -> list[Any]:
        """One field of all values; None of None, where there is any."""
        get = self.getters[index]
        if nullable:
            return [None if value is None else get(value) for value in values]
        return list(map(get, values))


def form_of(kind: type, present: Sequence[Any]) -> StructForm | None:
    """How values of the class become structs; None where they do not."""
    if kind is tuple:
        widths = set(map(len, present))
        return _positional("tuple", widths.pop()) if len(widths) == 1 else None
    if kind is Row:
        return _row_form(present)
    if kind is TimeWindow:
        return _by_names(("start", "end"), {"as": "time window"})
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple_form(kind, present)
    if "__dataclass_fields__" in vars(kind):
        return _dataclass_form(kind, present)
    return None


def make(shape: Shape, fields: list[list[Any]], count: int) -> list[Any]:
    """The values again, of the columns of their fields."""
    rows = zip(*fields, strict=True)
    match shape["as"]:
        case "tuple":
            return list(rows)
        case "row":
            kind, names = RowKind(shape["kind"]), shape["names"]
            return [new_row(list(row), None if names is None else list(names), kind) for row in rows]
        case "time window":
            return [TimeWindow(start, end) for start, end in rows]
        case "named tuple":
            return _make_named_tuples(shape, fields, count)
    return _make_dataclasses(shape, fields, count)


def _positional(form: str, width: int) -> StructForm:
    names = tuple(f"f{index}" for index in range(width))
    return StructForm(names, tuple(itemgetter(index) for index in range(width)), {"as": form})


def _by_names(names: tuple[str, ...], description: Shape) -> StructForm:
    return StructForm(names, tuple(attrgetter(name) for name in names), description)


def _row_form(rows: Sequence[Any]) -> StructForm | None:
    outlines = {
        (row.get_row_kind(), None if row._names is None else tuple(row._names), len(row._values))
        for row in rows
    }
    if len(outlines) != 1:
        return None
    kind, names, width = outlines.pop()
    if names is not None and (
        len(names) != width or len(set(names)) != width or not all(type(n) is str for n in names)
    ):
        return None
    columns = names or tuple(f"f{index}" for index in range(width))
    getters = tuple(itemgetter(index) for index in range(width))
    return StructForm(columns, getters, {"as": "row", "kind": kind.value, "names": names})


# Classes ---------------------------------------------------------------------------------------------------------------


def _named_tuple_form(kind: Any, values: Sequence[Any]) -> StructForm | None:
    names = kind._fields
    if not has_plain_pickles(kind, tuple) or any(len(value) != len(names) for value in values):
        return None
    if kind.__dictoffset__ and any(vars(value) for value in values):
        return None
    description = reference_of(kind, NAMED_TUPLE, names)
    return StructForm(tuple(names), tuple(itemgetter(index) for index in range(len(names))), description)


def _dataclass_form(kind: Any, values: Sequence[Any]) -> StructForm | None:
    names = tuple(field.name for field in dataclasses.fields(kind))
    parents = [parent for parent in kind.__mro__ if parent not in (object, Generic)]
    if not all("__dataclass_fields__" in vars(parent) for parent in parents):
        return None
    if not has_plain_pickles(kind, object):
        return None
    if kind.__dictoffset__:
        wanted = set(names)
        if not all(vars(value).keys() == wanted for value in values):
            return None  # with attributes that are no fields
    elif not all(hasattr(value, name) for value in values for name in names):
        return None
    return _by_names(names, reference_of(kind, DATACLASS, names))


def _make_named_tuples(shape: Shape, fields: list[list[Any]], count: int) -> list[Any]:
    kind = class_of(shape)
    columns = _columns_now(shape, kind, fields, count)
    return [tuple.__new__(kind, row) for row in zip(*columns.values(), strict=True)]


def _make_dataclasses(shape: Shape, fields: list[list[Any]], count: int) -> list[Any]:
    kind: Any = class_of(shape)
    columns = _columns_now(shape, kind, fields, count)
    names = list(columns)
    new, put = kind.__new__, object.__setattr__
    made = []
    has_dictionary = bool(kind.__dictoffset__)
    for row in zip(*columns.values(), strict=True):
        value = new(kind)
        if has_dictionary:
            value.__dict__.update(zip(names, row, strict=True))
        else:
            for name, part in zip(names, row, strict=True):
                put(value, name, part)
        made.append(value)
    return made


def _columns_now(shape: Shape, kind: Any, fields: list[list[Any]], count: int) -> dict[str, list[Any]]:
    """The columns that the class has now: those that were saved, and the defaults of those that came since."""
    now = fields_now(kind, shape["as"])
    if now is None:
        raise StateError(
            f"values of {name_of(shape)} were saved when it was a {shape['as']}, and {kind!r} is none: "
            "keep the old class under its name, and change what is stored by the state's migration"
        )
    saved = dict(zip(shape["names"], fields, strict=True))
    makers = makers_of_new(shape, now)
    return {name: saved[name] if name in saved else [makers[name]() for _ in range(count)] for name in now}
