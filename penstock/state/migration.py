"""From what a restored state holds to what the program declares now.

A state that is declared with another type than it was saved with is brought to the new one when the program first asks for
it: whole numbers become floating-point ones where those are declared, rows get the fields that came since, as None, and lose
those that went. For anything else there is the descriptor's ``migrate_with``. What fits neither way is an error that names
the state, the key and both types, before any record is processed. Classes see to themselves: fields that came to a
dataclass or named tuple get their defaults when the state is read.
"""

from collections.abc import Callable
from typing import Any

from penstock.contracts.state import StateDescriptor, StateKind, StateMeta
from penstock.data.row import Row, new_row
from penstock.data.type_collections import ListTypeInfo, MapTypeInfo
from penstock.data.type_composites import RowTypeInfo
from penstock.errors import StateError, TypeMismatch

Conversion = Callable[..., Any]
"""``conversion(stored, key)``: what is to be stored; the key, which may be left out, is for the error."""

_UNKNOWN = object()


def conversion_to(descriptor: StateDescriptor, saved: StateMeta) -> Conversion | None:
    """How values of a restored state become what its descriptor declares; None where nothing has to be done."""
    declared = descriptor.type_text
    if saved.type_text == declared or (not declared and descriptor.migration is None):
        return None
    convert = _converter(descriptor, saved)

    def conversion(stored: Any, key: Any = _UNKNOWN) -> Any:
        try:
            return _each_value(saved, stored, convert)
        except TypeMismatch as error:
            where = "" if key is _UNKNOWN else f" under key {key!r:.80}"
            raise StateError(
                f"state {descriptor.name!r} was saved as {saved.type_text or 'any value'} and is now declared as {declared}; "
                f"what is stored{where} does not become that by itself: {error.message}. Say what to do with "
                "it by the descriptor's migrate_with(function), or give the new state another name"
            ) from error

    return conversion


def _converter(descriptor: StateDescriptor, saved: StateMeta) -> Callable[[Any], Any]:
    """For a whole value, an element of a list, or a pair of a map."""
    migrate, info = descriptor.migration, descriptor.type_info
    if descriptor.kind is StateKind.MAP:
        keys = info.key_type if isinstance(info, MapTypeInfo) else None
        values = info.value_type if isinstance(info, MapTypeInfo) else None

        def convert_pair(pair: tuple[Any, Any]) -> tuple[Any, Any]:
            key, value = pair
            if migrate is not None:
                value = migrate(value, saved.type_text)
            if value is not None:
                value = fitted(value, values)
            return fitted(key, keys), value

        return convert_pair
    if descriptor.kind is StateKind.LIST:
        info = info.element_type if isinstance(info, ListTypeInfo) else info
    return lambda value: fitted(value if migrate is None else migrate(value, saved.type_text), info)


def _each_value(saved: StateMeta, stored: Any, convert: Callable[[Any], Any]) -> Any:
    """Convert what a kind of state consists of; with a time to live, beneath the times."""
    if saved.kind is StateKind.LIST:
        if saved.ttl:
            return [(convert(value), at) for value, at in stored]
        return [convert(value) for value in stored]
    if saved.kind is StateKind.MAP:
        if not saved.ttl:
            return dict(map(convert, stored.items()))
        made = {}
        for key, (value, at) in stored.items():
            new_key, new_value = convert((key, value))
            made[new_key] = (new_value, at)
        return made
    return (convert(stored[0]), stored[1]) if saved.ttl else convert(stored)


def fitted(value: Any, declared: Any) -> Any:
    """A value as its declared type has it; raises ``TypeMismatch``. ``declared`` None: as it is.

    >>> from penstock.data.types import Types
    >>> fitted(5, Types.DOUBLE()), fitted(Row(a=1, gone=2), Types.ROW_NAMED(["a", "came"], [Types.DOUBLE(), Types.INT()]))
    (5.0, Row(a=1.0, came=None))
    """
    if declared is None:
        return value
    return declared.convert(_with_fields(value, declared))


def _with_fields(value: Any, declared: Any) -> Any:
    """Rows, wherever they are in a value, with the fields that are declared now."""
    if isinstance(declared, RowTypeInfo) and isinstance(value, Row):
        names, types = declared.get_field_names(), declared.get_field_types()
        own = value._names
        if own is None:
            if len(value) != len(types):
                return value
            parts = list(value)
        else:
            saved = dict(zip(own, value, strict=True))
            parts = [saved.get(name) for name in names]
        fields = [_with_fields(part, kind) for part, kind in zip(parts, types, strict=True)]
        return new_row(fields, None if own is None else list(names), value.get_row_kind())
    if isinstance(declared, ListTypeInfo) and isinstance(value, list):
        return [_with_fields(element, declared.element_type) for element in value]
    if isinstance(declared, MapTypeInfo) and isinstance(value, dict):
        return {key: _with_fields(element, declared.value_type) for key, element in value.items()}
    return value
