"""Stored values as bytes: a tag for whole numbers, floats, text and bytes, and pickle for everything else."""

from collections.abc import Sequence
from struct import Struct
from struct import error as StructError
from typing import Any

from penstock.data.saved_pickles import NotingPickles, SavedPickles

_LONG = Struct("<q")
_DOUBLE = Struct("<d")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def value_to_bytes(value: Any, pickles: NotingPickles) -> bytes:
    """The bytes of a value; raises what pickle raises when it cannot be pickled.

    >>> value_from_bytes(value_to_bytes((1, "a"), NotingPickles()), SavedPickles(), "a value")
    (1, 'a')
    """
    kind = value.__class__
    if kind is int:
        return (
            b"i" + _LONG.pack(value) if _LOWEST <= value <= _HIGHEST else pickles.dump_for_this_program(value)
        )
    if kind is str:
        return b"s" + value.encode("utf-8", "surrogatepass")  # type: ignore[no-any-return]
    if kind is float:
        return b"d" + _DOUBLE.pack(value)
    if kind is bytes:
        return b"b" + value  # type: ignore[no-any-return]
    return pickles.dump_for_this_program(value)


def value_columns(values: Sequence[Any]) -> tuple[bytes, list[bytes]] | None:
    """The bytes of many values, if all are whole numbers or all floats: what all begin with, and the rest of each.

    >>> value_columns([1, 2])[0], value_columns([1, "a"])
    (b'i', None)
    """
    kinds = set(map(type, values))
    try:
        if kinds == {int}:
            return b"i", list(map(_LONG.pack, values))
        if kinds == {float}:
            return b"d", list(map(_DOUBLE.pack, values))
    except StructError:
        pass  # a number of more than 64 bits
    return None


def value_from_bytes(data: bytes, pickles: SavedPickles, what: str) -> Any:
    """Read a value again; raises ``StateError`` saying ``what`` it was.

    Pickles of protocol 2 and above begin with the byte 0x80, which is none of the tags.
    """
    match data[0]:
        case 0x69:  # i
            return _LONG.unpack_from(data, 1)[0]
        case 0x64:  # d
            return _DOUBLE.unpack_from(data, 1)[0]
        case 0x73:  # s
            return data[1:].decode("utf-8", "surrogatepass")
        case 0x62:  # b
            return data[1:]
    return pickles.load(data, what)
