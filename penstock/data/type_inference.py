"""Which type a Python value or annotation has, where a program declared none but columns need one.

What cannot be said exactly is PICKLED_BYTE_ARRAY, which keeps every value as it is.
"""

import dataclasses
import types
import typing
from collections.abc import Iterable
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.type_information import TypeInformation, out_of_numpy
from penstock.data.type_scalars import LocalTimeTypeInfo
from penstock.data.types import Types

_PICKLED = Types.PICKLED_BYTE_ARRAY()
_LOCAL_TIME = LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType.LOCAL_TIME)
_LOCAL_DATE_TIME = LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME)
_BY_CLASS: dict[type, TypeInformation] = {
    str: Types.STRING(),
    bool: Types.BOOLEAN(),
    int: Types.LONG(),
    float: Types.DOUBLE(),
    bytes: Types.PRIMITIVE_ARRAY(Types.BYTE()),
    date: Types.SQL_DATE(),
    time: _LOCAL_TIME,
    datetime: _LOCAL_DATE_TIME,
    Instant: Types.INSTANT(),
}


def infer(values: Iterable[Any]) -> TypeInformation:
    """The type that all values have, leaving None out; PICKLED_BYTE_ARRAY where they differ or there are none.

    >>> infer([1, None, 2]), infer([1, "a"])
    (Long, PickledByteArrayTypeInfo)
    """
    found: TypeInformation | None = None
    for value in values:
        if value is None:
            continue
        kind = type_of(value)
        if found is None:
            found = kind
        elif not _same(found, kind):
            return _PICKLED
    return _PICKLED if found is None else found


def type_of(value: Any) -> TypeInformation:
    """The type of one value.

    >>> type_of(("a", 1)), type_of(Row(id=1)), type_of({"a": [1.5]})
    (TupleTypeInfo(String, Long), RowTypeInfo(id: Long), MapTypeInfo<String, ListTypeInfo<Double>>)
    """
    value = out_of_numpy(value)
    if isinstance(value, Enum):
        return _PICKLED
    if isinstance(value, Row):
        kinds = [type_of(item) for item in value]
        return Types.ROW(kinds) if value._names is None else Types.ROW_NAMED(value._names, kinds)
    if isinstance(value, tuple):
        kinds = [type_of(item) for item in value]
        names = getattr(value, "_fields", None)
        return Types.TUPLE(kinds) if names is None else Types.ROW_NAMED(list(names), kinds)
    if isinstance(value, list):
        return _of_parts(value, Types.LIST)
    if isinstance(value, dict):
        key, item = infer(value), infer(value.values())
        return _PICKLED if _PICKLED in (key, item) else Types.MAP(key, item)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return (
            Types.ROW_NAMED(names, [type_of(getattr(value, name)) for name in names]) if names else _PICKLED
        )
    return _scalar(value)


def type_of_hint(hint: Any) -> TypeInformation:
    """The type that an annotation stands for: a class, ``list[int]``, ``tuple[str, int]``, a dataclass, ...

    >>> type_of_hint(dict[str, list[int]]), type_of_hint(int | None)
    (MapTypeInfo<String, ListTypeInfo<Long>>, Long)
    """
    if isinstance(hint, TypeInformation):
        return hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        present = [argument for argument in arguments if argument is not type(None)]
        return type_of_hint(present[0]) if len(present) == 1 else _PICKLED
    parts = [type_of_hint(argument) for argument in arguments if argument is not Ellipsis]
    if origin is not None and (not parts or _PICKLED in parts):
        return _PICKLED
    if origin is list:
        return Types.LIST(parts[0])
    if origin is dict:
        return Types.MAP(parts[0], parts[1])
    if origin is tuple:
        return _PICKLED if Ellipsis in arguments else Types.TUPLE(parts)
    return _of_class(hint) if isinstance(hint, type) else _PICKLED


def _of_class(kind: type) -> TypeInformation:
    if kind in _BY_CLASS:
        return _BY_CLASS[kind]
    if kind.__module__ in ("decimal", "_decimal") and kind.__name__ == "Decimal":
        return Types.BIG_DEC()
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif issubclass(kind, tuple):
        names = list(getattr(kind, "_fields", ()))
    else:
        return _PICKLED
    hints = typing.get_type_hints(kind)
    return (
        Types.ROW_NAMED(names, [type_of_hint(hints.get(name, object)) for name in names])
        if names
        else _PICKLED
    )


def _of_parts(values: list[Any], make: Any) -> TypeInformation:
    element = infer(values)
    if element == _PICKLED:
        return _PICKLED
    made: TypeInformation = make(element)
    return made


def _scalar(value: Any) -> TypeInformation:
    kind = type(value)
    if kind is int:
        return Types.LONG() if -(2**63) <= value < 2**63 else Types.BIG_INT()
    if kind in (datetime, time) and value.tzinfo is not None:
        return _PICKLED
    if kind in _BY_CLASS:
        return _BY_CLASS[kind]
    if kind.__module__ in ("decimal", "_decimal") and kind.__name__ == "Decimal" and value.is_finite():
        return Types.BIG_DEC()
    return _PICKLED


def _same(one: TypeInformation, other: TypeInformation) -> bool:
    """Equal also in the names of fields, which Flink's own comparison leaves out."""
    return one == other and str(one) == str(other)
