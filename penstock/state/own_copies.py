"""Values that a frozen view shows must not change any more: what can change is copied before it is handed out."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from penstock.data.pickles import dump, load

_ATOMS = frozenset(
    (int, float, str, bytes, bool, complex, type(None), Decimal, date, datetime, time, timedelta)
)
"""Types whose values can never change. (Exact types: a subclass may have attributes.)"""


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
    kind = value.__class__
    if kind in _ATOMS:
        return value
    if kind is tuple:
        if all(map(is_fixed, value)):
            return value
    elif kind is list or kind is set:
        if _ATOMS.issuperset(map(type, value)):
            return kind(value)
    elif kind is dict and _ATOMS.issuperset(map(type, value.values())) and all(map(is_fixed, value)):
        return dict(value)
    elif is_fixed(value):
        return value
    try:
        data = dump(value)
    except Exception:  # noqa: BLE001  (whatever a class raises while it is pickled)
        return value
    return load(data, f"a copy of {value!r:.80}")


def own_copies(values: Sequence[Any]) -> Sequence[Any]:
    """The same of many values; those of plain types, and tuples of them, cost about 50 ns each."""
    kinds = set(map(type, values))
    if kinds <= _ATOMS:
        return values
    if kinds == {tuple} and _ATOMS.issuperset(map(type, chain.from_iterable(values))):
        return values
    return list(map(own_copy, values))


def is_fixed(value: Any) -> bool:
    """Whether a value, and everything in it, can never change."""
    kind = value.__class__
    if kind in _ATOMS:
        return True
    if kind is tuple or kind is frozenset or (issubclass(kind, tuple) and not hasattr(value, "__dict__")):
        return all(map(is_fixed, value))
    return False
