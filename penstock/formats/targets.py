"""What JSON objects are turned into: dicts as they are, rows of a declared type, objects of the user's own classes."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from penstock.data.time import Instant
from penstock.data.type_collections import MapTypeInfo
from penstock.data.type_composites import RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.type_objects import EnclosingTypeInfo, EnumTypeInfo, InstanceTypeInfo, PojoTypeInfo
from penstock.data.type_parts import types_inside
from penstock.data.type_scalars import PickledBytesTypeInfo
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.formats.json_parsing import ExactFloat
from penstock.formats.json_types import ARRAYS, BYTES, type_in_json
from penstock.formats.type_texts import Convert, decimal_of, instant_of, reader_of

_TEXTUAL = {
    Types.SQL_DATE(),
    Types.SQL_TIME(),
    Types.SQL_TIMESTAMP(),
    Types.LOCAL_DATE(),
    Types.LOCAL_TIME(),
    Types.LOCAL_DATE_TIME(),
    Types.INSTANT(),
    BYTES,
}

Batch = Callable[[list[Any]], list[Any]]


def converter_to(target: Any, fail_on_missing_field: bool = False) -> Batch:
    """What turns a list of parsed JSON values into records of a target.

    >>> converter_to(Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()]))([{"a": 1}])
    [Row(a=1, b=None)]

    :raises ProgramError: for a target that is none.
    """
    if target is None:
        return lambda values: values
    if _is_model(target):
        return lambda values: list(map(target.model_validate, values))
    kind = type_in_json(_type_of(target))
    prepare = _Preparation(fail_on_missing_field).of(kind)
    if prepare is None:
        return kind.convert_batch
    return lambda values: kind.convert_batch(list(map(prepare, values)))


def needs_exact_numbers(target: Any) -> bool:
    """Whether a target keeps more digits than a float has, so that it is to be given ``ExactFloat``.

    >>> needs_exact_numbers(Types.LIST(Types.BIG_DEC())), needs_exact_numbers(Types.DOUBLE())
    (True, False)
    """
    if target is None:
        return False
    return _is_model(target) or any(map(_is_decimal, types_inside(_type_of(target))))


def _is_model(target: Any) -> bool:
    return isinstance(target, type) and hasattr(target, "model_validate")


def _type_of(target: Any) -> TypeInformation:
    if isinstance(target, TypeInformation):
        return target
    if not isinstance(target, type) or issubclass(target, (str, int, float)):
        raise _no_target(target)
    try:
        return PojoTypeInfo(target)
    except ProgramError as error:
        raise ProgramError(f"{_no_target(target)}: {error}") from error


def _no_target(target: Any) -> ProgramError:
    return ProgramError(
        "JSON objects become dicts, rows of a type from Types, NamedTuples, dataclasses or pydantic models, "
        f"not {target!r}"
    )


def _is_decimal(kind: TypeInformation) -> bool:
    from decimal import Decimal

    if isinstance(kind, PojoTypeInfo):
        return _is_model(kind.type_class)
    return kind == Types.BIG_DEC() or (isinstance(kind, InstanceTypeInfo) and kind.type_class is Decimal)


class _Preparation:
    """Makes what is to be done to a parsed value before its type is checked.

    ``fails_on_missing``: whether an object has to have all fields of a row.
    """

    def __init__(self, fails_on_missing: bool) -> None:
        self._fails_on_missing = fails_on_missing
        self._objects: dict[type, Convert] = {}

    def of(self, kind: TypeInformation) -> Convert | None:
        """What is to be done for a type; None for nothing."""
        if isinstance(kind, RowTypeInfo):
            return self._row(kind)
        if isinstance(kind, PojoTypeInfo):
            return self._object(kind)
        if isinstance(kind, EnclosingTypeInfo):
            return self._objects[kind.type_class]
        if isinstance(kind, TupleTypeInfo):
            return self._tuple(kind)
        if isinstance(kind, MapTypeInfo):
            return _of_values(self.of(kind.value_type))
        if kind in _TEXTUAL:
            return _where_text(reader_of(kind) or _same)
        if isinstance(kind, ARRAYS):
            return _of_elements(self.of(kind.element_type))
        if kind == Types.BIG_DEC():
            return _decimal
        if isinstance(kind, EnumTypeInfo):
            return _member_of(kind.type_class)
        if isinstance(kind, InstanceTypeInfo):
            return _reader_of_class(kind.type_class)
        return _without_digits if isinstance(kind, PickledBytesTypeInfo) else None

    def _tuple(self, kind: TupleTypeInfo) -> Convert:
        parts = [self.of(part) or _same for part in kind.get_field_types()]

        def read(value: Any) -> Any:
            if not isinstance(value, list) or len(value) != len(parts):
                return value  # which the type refuses
            return tuple([prepare(item) for prepare, item in zip(parts, value, strict=True)])

        return read

    def _row(self, kind: RowTypeInfo) -> Convert:
        names = kind.get_field_names()
        inner = [self.of(part) for part in kind.get_field_types()]
        special = [(index, prepare) for index, prepare in enumerate(inner) if prepare is not None]
        fails_on_missing = self._fails_on_missing

        def read(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise TypeError(f"an object with the fields {', '.join(names)} is expected, not {value!r}")
            if fails_on_missing:
                fields = [value[name] if name in value else _missing(name) for name in names]
            else:
                fields = [value.get(name) for name in names]
            index = 0
            try:
                for index, prepare in special:
                    fields[index] = prepare(fields[index])
            except ValueError as error:
                raise _in_field(names[index], error) from error
            return fields

        return read

    def _object(self, kind: PojoTypeInfo) -> Convert:
        """Makes objects of a class. What it has no field for is left out; what is missing is for the class to say."""
        made = kind.type_class
        if _is_model(made):
            return _unless_none(made.model_validate)  # type: ignore[attr-defined]
        inner: dict[str, Convert | None] = {}

        def read(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise TypeError(f"an object with the fields of {made.__name__} is expected, not {value!r}")
            given, name = {}, ""
            try:
                for name, item in value.items():
                    if name in inner:
                        prepare = inner[name]
                        given[name] = item if prepare is None else prepare(item)
            except ValueError as error:
                raise _in_field(name, error) from error
            return made(**given)

        self._objects[made] = read
        fields = zip(kind.get_field_names(), kind.get_field_types(), strict=True)
        inner.update((name, self.of(part)) for name, part in fields)
        return read


def _in_field(name: str, error: ValueError) -> ValueError:
    return ValueError(f"{error} in field {name}")


def _missing(name: str) -> Any:
    raise ValueError(f"the field {name!r} is missing")


def _same(value: Any) -> Any:
    return value


def _unless_none(read: Convert) -> Convert:
    return lambda value: None if value is None else read(value)


def _where_text(read: Convert) -> Convert:
    """What is no text is left to its type, which refuses it."""
    return lambda value: read(value) if isinstance(value, str) else value


def _of_values(inner: Convert | None) -> Convert | None:
    if inner is None:
        return None
    return lambda value: (
        {key: inner(item) for key, item in value.items()} if isinstance(value, dict) else value
    )


def _of_elements(inner: Convert | None) -> Convert | None:
    if inner is None:
        return None
    return lambda value: list(map(inner, value)) if isinstance(value, list) else value


def _decimal(value: Any) -> Any:
    """A decimal number with all digits that were written, but zeros behind the last, as Flink's JSON gives it."""
    from decimal import MAX_PREC, Context, Decimal

    if isinstance(value, str):
        return decimal_of(value)
    if isinstance(value, ExactFloat):
        shortest = decimal_of(value.text).normalize(Context(prec=MAX_PREC))
        return shortest or abs(shortest)
    if isinstance(value, float):
        raise ValueError(f"a decimal number is expected, not {value!r}")
    return Decimal(value) if type(value) is int else value


def _member_of(kind: type[Enum]) -> Convert:
    """The value of a member stands for it, as its name does."""
    plain = (str, int, float)
    by_value = {member.value: member for member in kind if isinstance(member.value, plain)}
    return lambda value: (
        by_value.get(value, value) if isinstance(value, plain) and type(value) is not bool else value
    )


def _reader_of_class(kind: type) -> Convert | None:
    """What makes objects of a class that fields are annotated with out of texts and numbers; None for other classes."""
    import datetime
    from decimal import Decimal
    from uuid import UUID

    if kind is Decimal:
        return _decimal
    readers: dict[type, Convert] = {
        datetime.date: datetime.date.fromisoformat,
        datetime.time: datetime.time.fromisoformat,
        datetime.datetime: datetime.datetime.fromisoformat,
        Instant: instant_of,
        UUID: UUID,
    }
    read = readers.get(kind)
    return None if read is None else _where_text(read)


def _without_digits(value: Any) -> Any:
    """A value of no declared type, in which numbers are plain floats."""
    if isinstance(value, ExactFloat):
        return float(value)
    if isinstance(value, list):
        return list(map(_without_digits, value))
    if isinstance(value, dict):
        return {name: _without_digits(item) for name, item in value.items()}
    return value
