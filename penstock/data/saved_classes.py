"""Dataclasses and named tuples of saved values: which class it was, and which fields it had.

A *reference* is what is written of a class, as JSON: ``as`` ("dataclass" or "named tuple"), ``module``, ``class``, and the
``names`` of the fields. Where other processes could not import the class, ``by value`` has a pickle of it, or ``shipped``
says that the pickles of the values bring it along.
"""

import dataclasses
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from penstock.data import code_pickle
from penstock.data.program_classes import find_program_class, load_with_program_classes
from penstock.errors import StateError

Reference = dict[str, Any]
Makers = dict[str, Callable[[], Any] | None]
"""The fields of a class, each with what makes its default; None where it has none."""

DATACLASS, NAMED_TUPLE = "dataclass", "named tuple"


def reference_of(kind: type, form: str, names: Sequence[str]) -> Reference:
    """What is to be written of a class of columns; the class itself with it where other processes could not import it."""
    reference = _named(kind, form, names)
    if not _is_importable(kind, reference):
        reference["by value"] = b64encode(code_pickle.dumps(kind)).decode()
    return reference


def outline_of(kind: type) -> Reference | None:
    """What is to be written of a class whose values are pickled; None of one that has no fields to go by.

    >>> from typing import NamedTuple
    >>> outline_of(NamedTuple("Point", [("x", int), ("y", int)]))["names"], outline_of(dict)
    (['x', 'y'], None)
    """
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        if not has_plain_pickles(kind, tuple):
            return None
        reference = _named(kind, NAMED_TUPLE, kind._fields)
    elif "__dataclass_fields__" in vars(kind):
        if not has_plain_pickles(kind, object):
            return None
        reference = _named(kind, DATACLASS, [field.name for field in dataclasses.fields(kind)])
    else:
        return None
    if not _is_importable(kind, reference):
        reference["shipped"] = True
    return reference


def _named(kind: type, form: str, names: Sequence[str]) -> Reference:
    return {"as": form, "names": list(names), "module": kind.__module__, "class": kind.__qualname__}


def _is_importable(kind: type, reference: Reference) -> bool:
    found: Any = sys.modules.get(reference["module"])
    for name in reference["class"].split("."):
        found = getattr(found, name, None)
    return kind.__module__ != "__main__" and found is kind


def has_plain_pickles(kind: Any, parent: Any) -> bool:
    """Whether the class leaves to Python how it is pickled; ``parent`` is ``tuple`` or ``object``."""
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


# Now ---------------------------------------------------------------------------------------------------------------------


def class_of(reference: Reference) -> Any:
    """The class that a reference names, or else the one that was saved with it; raises ``StateError`` when it is gone."""
    found = _find_class(reference)
    if found is not None:
        return found
    name = name_of(reference)
    if "by value" in reference:
        try:
            return load_with_program_classes(b64decode(reference["by value"]))
        except Exception as error:
            raise StateError(f"the class {name} cannot be read: {type(error).__name__}: {error}") from error
    raise StateError(
        f"a value of the class {name} cannot be read: there is no such class any more; keep one of this name where it was, "
        "and change what is stored by the state's migration"
    )


def find_class_now(reference: Reference) -> Any:
    """The class that pickled values are made of; None where they bring along one of which the program knows nothing.

    Raises ``StateError`` when it is gone.
    """
    return _find_class(reference) if "shipped" in reference else class_of(reference)


def _find_class(reference: Reference) -> Any:
    import importlib

    if reference["module"] not in sys.modules and not {"by value", "shipped"} & reference.keys():
        try:
            importlib.import_module(reference["module"])
        except ImportError as error:
            raise StateError(
                f"a value of the class {name_of(reference)} cannot be read: {error}. The class must be importable where the "
                "state is restored, under the name it had"
            ) from error
    return find_program_class(reference["module"], reference["class"])


def name_of(reference: Reference) -> str:
    """The class's name with its module."""
    return f"{reference['module']}.{reference['class']}"


def fields_now(kind: Any, form: str) -> Makers | None:
    """The fields that a class has now; None where it is no class of this form."""
    if form == NAMED_TUPLE:
        names = getattr(kind, "_fields", None)
        defaults = getattr(kind, "_field_defaults", {})
        if names is None or not issubclass(kind, tuple):
            return None
        return {name: _maker_of(defaults[name]) if name in defaults else None for name in names}
    if not dataclasses.is_dataclass(kind):
        return None
    makers: Makers = {}
    for field in dataclasses.fields(kind):
        if _has(field.default_factory):
            makers[field.name] = field.default_factory  # type: ignore[assignment]
        else:
            makers[field.name] = _maker_of(field.default) if _has(field.default) else None
    return makers


def _has(default: Any) -> bool:
    """Whether a field has this default, or maker of defaults. ``MISSING`` may be another one in classes that were shipped."""
    return not isinstance(default, type(dataclasses.MISSING))


def _maker_of(default: Any) -> Callable[[], Any]:
    return partial(_itself, default)


def _itself(default: Any) -> Any:
    return default


def makers_of_new(reference: Reference, now: Makers) -> dict[str, Callable[[], Any]]:
    """What makes the fields that have come since; raises ``StateError`` where one has no default."""
    came = {name: make for name, make in now.items() if name not in reference["names"]}
    made = {name: make for name, make in came.items() if make is not None}
    for name in came:
        if name not in made:
            raise StateError(
                f"the class {name_of(reference)} was saved with the fields {', '.join(reference['names'])} and now has "
                f"{name!r} too, which has no default: give it one"
            )
    return made
