"""Tuples, rows, windows, named tuples and dataclasses: which of them become structs, and how they are made again.

A class may have changed since: fields that came get their defaults, fields that went are dropped.
"""

import dataclasses
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass
from operator import attrgetter, itemgetter
from typing import Any, Generic

from penstock.data import code_pickle
from penstock.data.pickles import load
from penstock.data.program_classes import find_program_class
from penstock.data.row import Row, RowKind, new_row
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
    if not _has_plain_pickles(kind, tuple) or any(len(value) != len(names) for value in values):
        return None
    if kind.__dictoffset__ and any(vars(value) for value in values):
        return None
    description = {"as": "named tuple", "names": list(names), **_reference(kind)}
    return StructForm(tuple(names), tuple(itemgetter(index) for index in range(len(names))), description)


def _dataclass_form(kind: Any, values: Sequence[Any]) -> StructForm | None:
    names = tuple(field.name for field in dataclasses.fields(kind))
    parents = [parent for parent in kind.__mro__ if parent not in (object, Generic)]
    if not all("__dataclass_fields__" in vars(parent) for parent in parents):
        return None
    if not _has_plain_pickles(kind, object):
        return None
    if kind.__dictoffset__:
        wanted = set(names)
        if not all(vars(value).keys() == wanted for value in values):
            return None  # with attributes that are no fields
    elif not all(hasattr(value, name) for value in values for name in names):
        return None
    return _by_names(names, {"as": "dataclass", "names": list(names), **_reference(kind)})


def _has_plain_pickles(kind: Any, parent: Any) -> bool:
    """Whether the class leaves to Python how it is pickled, which is what is done here in columns."""
    own_state = getattr(dataclasses, "_dataclass_getstate", None)
    return (
        kind.__reduce__ is object.__reduce__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__getstate__ in (object.__getstate__, own_state)
        and getattr(kind, "__setstate__", None) in (None, getattr(dataclasses, "_dataclass_setstate", None))
        and (parent is tuple or kind.__new__ is object.__new__)
        and (parent is object or kind.__getnewargs__ is _named_tuple_arguments(kind))
    )


def _named_tuple_arguments(kind: Any) -> Any:
    """What ``collections.namedtuple`` gives a class, of itself or of the parent it extends."""
    owner = next((parent for parent in kind.__mro__ if "_fields" in vars(parent)), kind)
    return vars(owner).get("__getnewargs__")


def _reference(kind: type) -> Shape:
    """The class's name, and the class itself where other processes could not import it."""
    reference: Shape = {"module": kind.__module__, "class": kind.__qualname__}
    if kind.__module__ == "__main__" or _find_class(reference) is not kind:
        reference["by value"] = b64encode(code_pickle.dumps(kind)).decode()
    return reference


def _find_class(reference: Shape) -> Any:
    found: Any = sys.modules.get(reference["module"])
    for name in reference["class"].split("."):
        found = getattr(found, name, None)
    return found


def class_of(shape: Shape) -> Any:
    """The class that a shape names, or else the one that was saved with it; raises ``StateError`` when it is gone."""
    import importlib

    name = f"{shape['module']}.{shape['class']}"
    if shape["module"] not in sys.modules and "by value" not in shape:
        try:
            importlib.import_module(shape["module"])
        except ImportError as error:
            raise StateError(
                f"a value of the class {name} cannot be read: {error}. The class must be importable where the state is "
                "restored, under the name it had"
            ) from error
    found = find_program_class(shape["module"], shape["class"])
    if found is not None:
        return found
    if "by value" in shape:
        return load(b64decode(shape["by value"]), f"the class {name}")
    raise StateError(
        f"a value of the class {name} cannot be read: there is no such class any more; keep one of this name where it was, "
        "and change what is stored by the state's migration"
    )


def _make_named_tuples(shape: Shape, fields: list[list[Any]], count: int) -> list[Any]:
    kind = class_of(shape)
    names = getattr(kind, "_fields", None)
    if not issubclass(kind, tuple) or names is None:
        raise _other_class(shape, kind, "named tuple")
    columns = _columns_now(shape, list(names), fields, getattr(kind, "_field_defaults", {}), count)
    return [tuple.__new__(kind, row) for row in zip(*columns, strict=True)]


def _make_dataclasses(shape: Shape, fields: list[list[Any]], count: int) -> list[Any]:
    kind: Any = class_of(shape)
    is_dataclass: bool = dataclasses.is_dataclass(kind)
    if not is_dataclass:
        raise _other_class(shape, kind, "dataclass")
    declared = dataclasses.fields(kind)
    defaults = {field.name: field.default for field in declared if has(field.default)}
    names = [field.name for field in declared]
    makers: dict[str, Any] = {
        field.name: field.default_factory for field in declared if has(field.default_factory)
    }
    for name in set(makers).difference(shape["names"]):
        defaults[name] = makers[name]  # made anew for each value, below
    columns = _columns_now(shape, names, fields, defaults, count)
    for position, name in enumerate(names):
        if name in makers and name not in shape["names"]:
            columns[position] = [makers[name]() for _ in range(count)]
    new, put = kind.__new__, object.__setattr__
    made = []
    has_dictionary = bool(kind.__dictoffset__)
    for row in zip(*columns, strict=True):
        value = new(kind)
        if has_dictionary:
            value.__dict__.update(zip(names, row, strict=True))
        else:
            for name, part in zip(names, row, strict=True):
                put(value, name, part)
        made.append(value)
    return made


def has(default: Any) -> bool:
    """Whether a field has this default, or maker of defaults. ``MISSING`` may be another one in classes that were shipped."""
    return not isinstance(default, type(MISSING))


def _columns_now(
    shape: Shape, names: list[str], fields: list[list[Any]], defaults: dict[str, Any], count: int
) -> list[list[Any]]:
    """The columns that the class has now: those that were saved, and the defaults of those that came since."""
    saved = dict(zip(shape["names"], fields, strict=True))
    missing = [name for name in names if name not in saved and name not in defaults]
    if missing:
        raise StateError(
            f"the class {shape['module']}.{shape['class']} was saved with the fields {', '.join(shape['names'])} and now has "
            f"{missing[0]!r} too, which has no default: give it one"
        )
    return [saved[name] if name in saved else [defaults[name]] * count for name in names]


def _other_class(shape: Shape, kind: Any, form: str) -> StateError:
    return StateError(
        f"values of {shape['module']}.{shape['class']} were saved when it was a {form}, and {kind!r} is none: "
        "keep the old class under its name, and change what is stored by the state's migration"
    )
