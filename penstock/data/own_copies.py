"""Copies of values for those who must not see them change, and which values can never change."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from penstock.data.pickles import dump, load
from penstock.data.row import Row, copied_row
from penstock.errors import StateError

ATOMS: set[type] = {
    int, float, str, bytes, bool, complex, type(None), Decimal, date, datetime, time, timedelta, timezone, range,
    re.Pattern, type, FunctionType, BuiltinFunctionType, ModuleType,
}  # fmt: skip
"""Types whose values can never change, nor anything in them. (Exact types: a subclass may have attributes.) Others that turn
out to be of the kind are added when they are first seen."""


def own_copy(value: Any) -> Any:
    """The value itself where it can never change, else a copy that shares nothing with it that could.

    A value that cannot be pickled is returned as it is: the snapshot that it must not change for fails, and names it.

    >>> pair = ("a", 1)
    >>> own_copy(pair) is pair
    True
    >>> numbers = [1, 2]
    >>> own_copy(numbers) == numbers, own_copy(numbers) is numbers
    (True, False)
    """
    kind: Any = type(value)
    if kind in ATOMS:
        return value
    if kind is tuple:
        if ATOMS.issuperset(map(type, value)):
            return value
        return value if is_fixed(value) else tuple(map(own_copy, value))
    if kind is list or kind is set:
        if _all_fixed(value):
            return kind(value)
    elif kind is dict:
        if ATOMS.issuperset(map(type, value.values())) and ATOMS.issuperset(map(type, value)):
            return value.copy()
        if _all_fixed(value) and _all_fixed(value.values()):
            return value.copy()
    elif kind is Row:
        if _all_fixed(value):
            return copied_row(value)
    elif is_fixed(value):
        return value
    elif _is_plain(kind) and _all_fixed(value.__dict__.values()):
        copied = object.__new__(kind)
        copied.__dict__.update(value.__dict__)
        return copied
    try:
        data = dump(value)
    except Exception:  # noqa: BLE001  (whatever a class raises while it is pickled)
        return value
    return load(data, f"a copy of {value!r:.80}")


def copy_or_same(value: Any) -> Any:
    """The same for records on their way: one that a pickle does not bring back stays what it is."""
    try:
        return own_copy(value)
    except StateError:
        return value


def own_copies(values: Sequence[Any]) -> Sequence[Any]:
    """The same of many values; those of plain types, and tuples of them, cost about 50 ns each.

    >>> rows = [("a", 1), ("b", 2)]
    >>> own_copies(rows) is rows
    True
    """
    return values if are_fixed(values) else list(map(own_copy, values))


def copies_or_same(values: list[Any]) -> list[Any]:
    """The same for records on their way; the list itself where nothing in it can change."""
    return values if are_fixed(values) else list(map(copy_or_same, values))


def are_fixed(values: Sequence[Any]) -> bool:
    """Whether it is plain that none of the values can ever change; an answer at C speed."""
    kinds = set(map(type, values))
    if kinds <= ATOMS:
        return True
    return kinds == {tuple} and ATOMS.issuperset(map(type, chain.from_iterable(values)))


def is_fixed(value: Any) -> bool:
    """Whether a value, and everything in it, can never change.

    >>> is_fixed(("a", (1, None))), is_fixed(("a", [1]))
    (True, False)
    """
    kind = type(value)
    if kind in ATOMS:
        return True
    if kind is tuple or kind is frozenset or (issubclass(kind, tuple) and not hasattr(value, "__dict__")):
        return all(map(is_fixed, value))
    parameters = kind.__dict__.get("__dataclass_params__")
    if parameters is not None:
        return parameters.frozen and all(is_fixed(getattr(value, name)) for name in kind.__dataclass_fields__)
    if _is_atom(kind):
        ATOMS.add(kind)
        return True
    return False


def _all_fixed(values: Iterable[Any]) -> bool:
    """For values that can be gone through twice."""
    return ATOMS.issuperset(map(type, values)) or all(map(is_fixed, values))


@lru_cache(maxsize=1024)
def _is_plain(kind: Any) -> bool:
    """Whether objects of a class are no more than their attributes, and are pickled and copied as all objects are."""
    bases = [vars(base) for base in kind.__mro__[:-1]]
    if any(base.get("__slots__") for base in bases) or not any("__dict__" in base for base in bases):
        return False
    ways = (
        "__new__",
        "__reduce_ex__",
        "__reduce__",
        "__getstate__",
        "__setstate__",
        "__copy__",
        "__deepcopy__",
        "__setattr__",
    )
    return all(getattr(kind, way, None) is getattr(object, way, None) for way in ways)


def _is_atom(kind: type) -> bool:
    """By names, so that nothing has to be imported for it. Members of an enumeration are the same wherever they are read."""
    if _names_of(kind) in _MORE_ATOMS:
        return True
    names = set(map(_names_of, kind.__mro__))
    if ("numpy", "generic") in names:
        return not names & {("numpy", "void"), ("numpy", "object_")}
    return ("enum", "Enum") in names or (("builtins", "type") in names)


def _names_of(kind: type) -> tuple[str, str]:
    return kind.__module__.partition(".")[0], kind.__name__


_MORE_ATOMS = {
    ("fractions", "Fraction"), ("uuid", "UUID"), ("zoneinfo", "ZoneInfo"), ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"), ("pathlib", "PurePosixPath"), ("pathlib", "PureWindowsPath"),
    ("ipaddress", "IPv4Address"), ("ipaddress", "IPv6Address"),
    ("penstock", "Instant"), ("penstock", "Duration"), ("penstock", "Time"), ("penstock", "OutputTag"),
}  # fmt: skip
