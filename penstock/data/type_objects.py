"""Types of objects of the user's own classes: dataclasses, NamedTuples, pydantic models, enums."""

import dataclasses
import types
import typing
from enum import Enum
from typing import Any

from penstock.data.row import Row
from penstock.data.type_collections import ListTypeInfo, MapTypeInfo, PrimitiveArrayTypeInfo, a_type
from penstock.data.type_composites import TupleTypeInfo
from penstock.data.type_information import Misfit, TypeInformation
from penstock.data.type_scalars import BasicTypeInfo, PickledBytesTypeInfo
from penstock.errors import ProgramError


class PojoTypeInfo(TypeInformation):
    """Objects of a class with annotated fields, each of which is checked against its annotation.

    A dict or a row with the names of the fields becomes an object. A field is None only if its annotation says so.
    """

    __slots__ = ("_fields", "_given", "_kind")

    def __init__(self, kind: type, field_types: dict[str, TypeInformation] | None = None) -> None:
        self._kind = kind
        self._given = dict(field_types or {})
        self._fields = _fields_of(kind, self._given, ())

    @property
    def type_class(self) -> type:
        """The class."""
        return self._kind

    def get_field_names(self) -> list[str]:
        """The names of the fields."""
        return [name for name, _, _ in self._fields]

    def get_field_types(self) -> list[TypeInformation]:
        """The types of the fields."""
        return [kind for _, kind, _ in self._fields]

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        objects = values if kinds == {self._kind} else [self._as_object(value) for value in values]
        changes: dict[str, list[Any]] = {}
        for name, kind, is_optional in self._fields:
            column = [getattr(value, name) for value in objects]
            try:
                if not is_optional and any(value is None for value in column):
                    raise Misfit(kind.expectation(), None)
                fitted = kind.fit(column, is_optional)
            except Misfit as misfit:
                raise misfit.inside(name) from None
            if fitted is not column:
                changes[name] = fitted
        if not changes:
            return objects
        rows = zip(*changes.values(), strict=True)
        return [
            _changed(value, dict(zip(changes, row, strict=True)))
            for value, row in zip(objects, rows, strict=True)
        ]

    def _as_object(self, value: Any) -> Any:
        if isinstance(value, self._kind):
            return value
        if isinstance(value, Row) and value._names is not None:
            value = value.as_dict()
        if not isinstance(value, dict):
            raise Misfit(self.expectation(), value)
        try:
            return self._kind(**value)
        except (TypeError, ValueError) as error:
            raise Misfit(f"the fields of {self._kind.__qualname__} ({error})", value) from None

    def expectation(self) -> str:
        return f"an object of {self._kind.__qualname__}"

    def parts(self) -> tuple[Any, ...]:
        return (self._kind, tuple(self._given.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (PojoTypeInfo, (self._kind, self._given))

    def __repr__(self) -> str:
        fields = ", ".join([f"{name}: {kind}" for name, kind, _ in self._fields])
        return f"PojoType<{self._kind.__qualname__}, fields = [{fields}]>"


class EnumTypeInfo(TypeInformation):
    """Members of an enum; the name of one becomes the member."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type[Enum]) -> None:
        if not isinstance(kind, type) or not issubclass(kind, Enum):
            raise ProgramError(f"Types.ENUM takes a class of enum.Enum, not {kind!r}")
        self._kind = kind

    @property
    def type_class(self) -> type[Enum]:
        """The enum."""
        return self._kind

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if kinds == {self._kind}:
            return values
        return [self._member(value) for value in values]

    def _member(self, value: Any) -> Any:
        if isinstance(value, self._kind):
            return value
        if isinstance(value, str) and value in self._kind.__members__:
            return self._kind[value]
        raise Misfit(self.expectation(), value)

    def expectation(self) -> str:
        return f"one of {', '.join(self._kind.__members__)} of {self._kind.__qualname__}"

    def parts(self) -> tuple[Any, ...]:
        return (self._kind,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (EnumTypeInfo, (self._kind,))

    def __repr__(self) -> str:
        return f"EnumTypeInfo<{self._kind.__qualname__}>"


class InstanceTypeInfo(TypeInformation):
    """Objects of a class, as they are: dates, decimals, and whatever else a field is annotated with."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type) -> None:
        self._kind = kind

    @property
    def type_class(self) -> type:
        """The class."""
        return self._kind

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        for value in values if kinds != {self._kind} else ():
            if not isinstance(value, self._kind):
                raise Misfit(self.expectation(), value)
        return values

    def expectation(self) -> str:
        return f"an object of {self._kind.__qualname__}"

    def parts(self) -> tuple[Any, ...]:
        return (self._kind,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (InstanceTypeInfo, (self._kind,))

    def __repr__(self) -> str:
        return self._kind.__qualname__


class EnclosingTypeInfo(TypeInformation):
    """Objects of a class inside of objects of that class, as the branches of a tree."""

    __slots__ = ("_kind", "_type")

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._type: PojoTypeInfo | None = None

    @property
    def type_class(self) -> type:
        """The class."""
        return self._kind

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if self._type is None:
            self._type = PojoTypeInfo(self._kind)
        return self._type.fit_present(values, kinds)

    def expectation(self) -> str:
        return f"an object of {self._kind.__qualname__}"

    def parts(self) -> tuple[Any, ...]:
        return (self._kind,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (EnclosingTypeInfo, (self._kind,))

    def __repr__(self) -> str:
        return self._kind.__qualname__


Fields = list[tuple[str, TypeInformation, bool]]
"""The fields of a class: name, type, and whether None is allowed."""

_ANY = PickledBytesTypeInfo()
_SCALARS: dict[Any, TypeInformation] = {
    str: BasicTypeInfo.STRING_TYPE_INFO(),
    bool: BasicTypeInfo.BOOLEAN_TYPE_INFO(),
    int: BasicTypeInfo.BIG_INT_TYPE_INFO(),
    float: BasicTypeInfo.DOUBLE_TYPE_INFO(),
    bytes: PrimitiveArrayTypeInfo(BasicTypeInfo.BYTE_TYPE_INFO()),
}


def _names_of(kind: type) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind) if field.init]
    if issubclass(kind, tuple):
        return list(getattr(kind, "_fields", ()))
    return list(getattr(kind, "model_fields", ()))


def _fields_of(kind: Any, given: dict[str, TypeInformation], around: tuple[type, ...]) -> Fields:
    names = _names_of(kind) if isinstance(kind, type) else []
    if not names:
        raise ProgramError(
            f"Types.POJO takes a dataclass, a NamedTuple or a pydantic model with fields, not {kind!r}"
        )
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ProgramError(f"{kind.__qualname__} has no field {unknown[0]!r}; it has {', '.join(names)}")
    try:
        hints = typing.get_type_hints(kind)
    except NameError as error:
        raise ProgramError(f"the annotations of {kind.__qualname__} cannot be found: {error}") from error
    fields = []
    for name in names:
        is_optional, inner = _without_none(hints.get(name, Any))
        declared = a_type(given[name]) if name in given else _type_of(inner, (*around, kind))
        fields.append((name, declared, is_optional or declared == _ANY))
    return fields


def _without_none(hint: Any) -> tuple[bool, Any]:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint is Any, hint
    present = [part for part in typing.get_args(hint) if part is not type(None)]
    return len(present) < len(typing.get_args(hint)), present[0] if len(present) == 1 else Any


def _type_of(hint: Any, around: tuple[type, ...]) -> TypeInformation:
    if isinstance(hint, type) and hint in _SCALARS:
        return _SCALARS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (list, dict) or (origin is tuple and Ellipsis not in arguments):
        parts = [_type_of(_without_none(argument)[1], around) for argument in arguments]
        if origin is list:
            return ListTypeInfo(parts[0])
        return MapTypeInfo(*parts) if origin is dict else TupleTypeInfo(parts)
    if not isinstance(hint, type) or origin is not None or hint in (object, Any):
        return _ANY
    if hint in around:
        return EnclosingTypeInfo(hint)
    if issubclass(hint, Enum):
        return EnumTypeInfo(hint)
    return _nested(hint, around) if _names_of(hint) else InstanceTypeInfo(hint)


def _nested(kind: type, around: tuple[type, ...]) -> TypeInformation:
    """The type of a class that is the annotation of a field; one that refers back to a class around it is not entered."""
    made = PojoTypeInfo.__new__(PojoTypeInfo)
    made._kind, made._given = kind, {}
    made._fields = _fields_of(kind, {}, around)
    return made


def _changed(value: Any, changes: dict[str, Any]) -> Any:
    if isinstance(value, tuple):
        return value._replace(**changes)  # type: ignore[attr-defined]
    if hasattr(value, "model_copy"):
        return value.model_copy(update=changes)
    return dataclasses.replace(value, **changes)
