"""Declared types as JSON has them: truth values are no numbers there, and numbers no truth values, other than in Python."""

from typing import Any

from penstock.data.type_collections import (
    BasicArrayTypeInfo,
    ListTypeInfo,
    MapTypeInfo,
    ObjectArrayTypeInfo,
    PrimitiveArrayTypeInfo,
)
from penstock.data.type_composites import RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import Misfit, TypeInformation
from penstock.data.type_objects import PojoTypeInfo
from penstock.data.type_scalars import BasicTypeInfo
from penstock.data.types import Types
from penstock.formats.type_texts import FLOATS, INTEGERS

ARRAYS = (BasicArrayTypeInfo, ObjectArrayTypeInfo, PrimitiveArrayTypeInfo, ListTypeInfo)
BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())


def type_in_json(kind: TypeInformation) -> TypeInformation:
    """A type that is equal to the one given, but refuses what is of another kind in JSON.

    >>> type_in_json(Types.INT()).convert(1)
    1
    >>> type_in_json(Types.INT()).convert(True)
    Traceback (most recent call last):
    ...
    penstock.errors.TypeMismatch: a value does not fit ...: expected an integer from ..., got True of type bool; ...
    """
    if isinstance(kind, RowTypeInfo):
        return Types.ROW_NAMED(kind.get_field_names(), list(map(type_in_json, kind.get_field_types())))
    if isinstance(kind, PojoTypeInfo):
        if hasattr(kind.type_class, "model_validate"):
            return kind  # checks by itself
        fields = zip(kind.get_field_names(), kind.get_field_types(), strict=True)
        return PojoTypeInfo(kind.type_class, {name: type_in_json(part) for name, part in fields})
    if isinstance(kind, TupleTypeInfo):
        return Types.TUPLE(list(map(type_in_json, kind.get_field_types())))
    if isinstance(kind, MapTypeInfo):
        return Types.MAP(kind.key_type, type_in_json(kind.value_type))
    if isinstance(kind, ARRAYS) and kind != BYTES:
        return type(kind)(type_in_json(kind.element_type))
    if isinstance(kind, BasicTypeInfo) and (kind in INTEGERS or kind in FLOATS):
        return _Number(kind.basic_type)
    return _TruthValue(Types.BOOLEAN().basic_type) if kind == Types.BOOLEAN() else kind  # type: ignore[attr-defined]


class _Number(BasicTypeInfo):
    __slots__ = ()

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if bool in kinds:
            raise Misfit(self.expectation(), next(value for value in values if type(value) is bool))
        return super().fit_present(values, kinds)


class _TruthValue(BasicTypeInfo):
    __slots__ = ()

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if kinds != {bool}:
            raise Misfit(self.expectation(), next(value for value in values if type(value) is not bool))
        return values
