"""Types of many values: arrays, lists and maps. Their elements are checked in one flat list, whatever the nesting."""

from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

from penstock.data.type_information import Misfit, TypeInformation
from penstock.data.type_scalars import BasicType, BasicTypeInfo

_PRIMITIVES = frozenset(
    {
        BasicType.BOOLEAN,
        BasicType.BYTE,
        BasicType.SHORT,
        BasicType.INT,
        BasicType.LONG,
        BasicType.FLOAT,
        BasicType.DOUBLE,
        BasicType.CHAR,
    }
)
_BYTE = BasicTypeInfo.BYTE_TYPE_INFO()
_LIST, _DICT, _BYTES = {list}, {dict}, {bytes}


class _SequenceTypeInfo(TypeInformation):
    """Values that are lists of one element type; a tuple or an array becomes a list."""

    __slots__ = ("_element_type",)

    # Whether an element may be None.
    nullable_elements = True

    def __init__(self, element_type: TypeInformation) -> None:
        self._element_type = a_type(element_type)

    @property
    def element_type(self) -> TypeInformation:
        """The type of the elements."""
        return self._element_type

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        lists = values if kinds == _LIST else [_as_list(value, self) for value in values]
        flat = list(chain.from_iterable(lists))
        try:
            fitted = self._element_type.fit(flat, self.nullable_elements)
        except Misfit as misfit:
            raise misfit.inside("[]") from None
        if fitted is flat:
            return lists
        following = iter(fitted)
        return [list(islice(following, len(items))) for items in lists]

    def expectation(self) -> str:
        return "a list"

    def parts(self) -> tuple[Any, ...]:
        return (self._element_type,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._element_type,))

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self._element_type}>"


class PrimitiveArrayTypeInfo(_SequenceTypeInfo):
    """Lists of numbers, truth values or characters without None; of BYTE, ``bytes``."""

    __slots__ = ()

    nullable_elements = False

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        if not isinstance(element_type, BasicTypeInfo) or element_type.basic_type not in _PRIMITIVES:
            raise TypeError(f"{element_type} is not a primitive type; use BASIC_ARRAY or OBJECT_ARRAY for it")

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if self._element_type != _BYTE:
            return super().fit_present(values, kinds)
        if kinds == _BYTES:
            return values
        for value in values:
            if not isinstance(value, (bytes, bytearray, memoryview)):
                raise Misfit("bytes", value)
        return [bytes(value) for value in values]

    def exact_test(self, place: str) -> str:
        return f"type({place}) is bytes" if self._element_type == _BYTE else "False"

    def expectation(self) -> str:
        return "bytes" if self._element_type == _BYTE else "a list"


class BasicArrayTypeInfo(_SequenceTypeInfo):
    """Lists of basic values or None."""

    __slots__ = ()

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__(element_type)
        allowed = _PRIMITIVES | {BasicType.STRING}
        if not isinstance(element_type, BasicTypeInfo) or element_type.basic_type not in allowed:
            raise TypeError(f"{element_type} is not a type for a basic array; use OBJECT_ARRAY for it")


class ObjectArrayTypeInfo(_SequenceTypeInfo):
    """Lists of values of any type, or None."""

    __slots__ = ()


class ListTypeInfo(_SequenceTypeInfo):
    """Lists of values of any type, or None."""

    __slots__ = ()

    @property
    def elem_type(self) -> TypeInformation:
        """The type of the elements."""
        return self._element_type


class MapTypeInfo(TypeInformation):
    """Dicts of one key type and one value type; a value may be None, a key only if its type knows None."""

    __slots__ = ("_key_type_info", "_value_type_info")

    def __init__(self, key_type_info: TypeInformation, value_type_info: TypeInformation) -> None:
        self._key_type_info = a_type(key_type_info)
        self._value_type_info = a_type(value_type_info)

    @property
    def key_type(self) -> TypeInformation:
        """The type of the keys."""
        return self._key_type_info

    @property
    def value_type(self) -> TypeInformation:
        """The type of the values."""
        return self._value_type_info

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if kinds != _DICT:
            values = [_as_dict(value) for value in values]
        keys = list(chain.from_iterable(values))
        items = list(chain.from_iterable([value.values() for value in values]))
        try:
            fitted_keys = self._key_type_info.fit(keys, False)
        except Misfit as misfit:
            raise misfit.inside("[key]") from None
        try:
            fitted_items = self._value_type_info.fit(items, True)
        except Misfit as misfit:
            raise misfit.inside("[value]") from None
        if fitted_keys is keys and fitted_items is items:
            return values
        pairs = zip(fitted_keys, fitted_items, strict=True)
        return [dict(islice(pairs, len(value))) for value in values]

    def expectation(self) -> str:
        return "a dict"

    def parts(self) -> tuple[Any, ...]:
        return (self._key_type_info, self._value_type_info)

    def __reduce__(self) -> tuple[Any, ...]:
        return (MapTypeInfo, (self._key_type_info, self._value_type_info))

    def __repr__(self) -> str:
        return f"MapTypeInfo<{self._key_type_info}, {self._value_type_info}>"


def a_type(candidate: object) -> TypeInformation:
    """The type itself; a function such as ``Types.INT`` without its brackets is found here instead of at run time."""
    if isinstance(candidate, TypeInformation):
        return candidate
    if callable(candidate):
        name = getattr(candidate, "__name__", str(candidate))
        raise TypeError(f"expected a type, got the function {name}; write Types.{name}() with brackets")
    raise TypeError(f"expected a type such as Types.INT(), got {candidate!r}")


def types_in(candidates: Iterable[object]) -> list[TypeInformation]:
    """A list of types, each checked by :func:`a_type`."""
    return [a_type(candidate) for candidate in candidates]


def _as_list(value: Any, declared: TypeInformation) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    if hasattr(value, "tolist") and not isinstance(value, (str, bytes, bytearray, memoryview)):
        listed = value.tolist()  # numpy.ndarray, array.array
        if isinstance(listed, list):
            return listed
    raise Misfit(declared.expectation(), value)


def _as_dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return dict(value)
    raise Misfit("a dict", value)
