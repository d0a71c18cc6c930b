"""The types that a type is made of."""

from collections.abc import Iterator

from penstock.data.type_composites import RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.type_objects import PojoTypeInfo

_PARTS = ("element_type", "key_type", "value_type")


def types_inside(kind: TypeInformation) -> Iterator[TypeInformation]:
    """A type, those of its fields, elements, keys and values, and so on; a class that contains itself is entered once.

    >>> from penstock.data.types import Types
    >>> list(types_inside(Types.ROW_NAMED(["a"], [Types.LIST(Types.INT())])))
    [RowTypeInfo(a: ListTypeInfo<Integer>), ListTypeInfo<Integer>, Integer]
    """
    yield kind
    if isinstance(kind, (RowTypeInfo, TupleTypeInfo, PojoTypeInfo)):
        parts = kind.get_field_types()
    else:
        parts = [getattr(kind, name) for name in _PARTS if hasattr(kind, name)]
    for part in parts:
        yield from types_inside(part)
