"""What JSON objects are turned into: dicts as they are, rows of a declared type, dataclasses, pydantic models."""

import dataclasses
from collections.abc import Callable
from typing import Any

from penstock.data.row import Row
from penstock.data.type_collections import (
    BasicArrayTypeInfo,
    ListTypeInfo,
    MapTypeInfo,
    ObjectArrayTypeInfo,
    PrimitiveArrayTypeInfo,
)
from penstock.data.type_composites import RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.formats.type_texts import Convert, moment_text, reader_of, writer_of

_ARRAYS = (BasicArrayTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo, ListTypeInfo)
_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
_TEXTUAL = {Types.SQL_DATE(), Types.SQL_TIME(), Types.SQL_TIMESTAMP(), _BYTES}

Batch = Callable[[list[Any]], list[Any]]


def converter_to(target: Any, fail_on_missing_field: bool = False) -> Batch:
    """What turns a list of parsed JSON values into records of a target.

    >>> converter_to(Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()]))([{"a": 1}])
    [Row(a=1, b=None)]

    :raises ProgramError: for a target that is none.
    """
    if target is None:
        return lambda values: values
    if isinstance(target, TypeInformation):
        prepare = _from_json(target, fail_on_missing_field)
        if prepare is None:
            return target.convert_batch
        return lambda values: target.convert_batch(list(map(prepare, values)))
    if isinstance(target, type):
        if hasattr(target, "model_validate"):
            return lambda values: list(map(target.model_validate, values))
        if dataclasses.is_dataclass(target):
            make = dataclass_reader(target)
            return lambda values: list(map(make, values))
    raise ProgramError(
        f"JSON objects become dicts, rows of a type from Types, dataclasses or pydantic models, not {target!r}"
    )


def dataclass_reader(kind: Any) -> Convert:
    """Makes objects of a dataclass of dicts; fields that are dataclasses themselves, or lists of them, are made too."""
    from typing import get_args, get_origin, get_type_hints

    hints = get_type_hints(kind)
    nested: dict[str, Convert] = {}
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        inner = [
            part
            for part in (hint, *get_args(hint))
            if isinstance(part, type) and dataclasses.is_dataclass(part)
        ]
        if inner:
            make = dataclass_reader(inner[0])
            is_list = get_origin(hint) is list
            nested[field.name] = _each(make) if is_list else make
    known = {field.name for field in dataclasses.fields(kind) if field.init}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"an object with the fields of {kind.__name__} is expected, not {value!r}")
        if not value.keys() <= known:
            value = {name: field for name, field in value.items() if name in known}
        if nested:
            value = {
                name: nested[name](field) if name in nested and field is not None else field
                for name, field in value.items()
            }
        return kind(**value)

    return read


def _each(make: Convert) -> Convert:
    return lambda values: list(map(make, values))


def _from_json(kind: TypeInformation, strict: bool) -> Convert | None:
    """What is to be done to a parsed value before its type is checked; None for nothing."""
    if isinstance(kind, RowTypeInfo):
        return _row_from_json(kind, strict)
    if isinstance(kind, TupleTypeInfo):
        parts = [_from_json(part, strict) or _same for part in kind.get_field_types()]
        return lambda value: None if value is None else tuple(f(v) for f, v in zip(parts, value, strict=True))
    if kind in _TEXTUAL:
        read = reader_of(kind)
        assert read is not None
        return lambda value: None if value is None else read(value)
    if kind == Types.BIG_DEC():
        from decimal import Decimal

        return lambda value: None if value is None else Decimal(str(value))
    if isinstance(kind, MapTypeInfo):
        return _of_values(_from_json(kind.value_type, strict))
    if isinstance(kind, _ARRAYS):
        return _of_elements(_from_json(kind.element_type, strict))
    return None


def _of_values(inner: Convert | None) -> Convert | None:
    if inner is None:
        return None
    return lambda value: None if value is None else {key: inner(item) for key, item in value.items()}


def _of_elements(inner: Convert | None) -> Convert | None:
    if inner is None:
        return None
    return lambda value: None if value is None else list(map(inner, value))


def _row_from_json(kind: RowTypeInfo, strict: bool) -> Convert:
    names = kind.get_field_names()
    inner = [_from_json(part, strict) for part in kind.get_field_types()]
    special = [(index, convert) for index, convert in enumerate(inner) if convert is not None]

    def read(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TypeError(f"an object with the fields {', '.join(names)} is expected, not {value!r}")
        if strict:
            fields = [value[name] if name in value else _missing(name) for name in names]
        else:
            fields = [value.get(name) for name in names]
        for index, convert in special:
            fields[index] = convert(fields[index])
        return fields

    return read


def _missing(name: str) -> Any:
    raise ValueError(f"the field {name!r} is missing")


def _same(value: Any) -> Any:
    return value


def json_value(value: Any) -> Any:
    """A value that is not JSON's own, as one that is; for ``json.dumps(default=)``."""
    import datetime
    from decimal import Decimal

    if isinstance(value, Row):
        return value.as_dict() if value._names is not None else list(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime.datetime, datetime.time)):
        return f"{moment_text(value)}Z" if value.tzinfo is None else value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        write = writer_of(_BYTES)
        assert write is not None
        return write(value)
    raise TypeError(
        f"{value!r} of type {type(value).__name__} has no form in JSON; map it to one that has before"
    )
