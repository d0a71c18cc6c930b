"""Keys, namespaces and keys of maps as bytes: values that are equal in Python have the same ones, and others never do.

Numbers, text, bytes, None, windows and tuples of those can be read back from their bytes. Of everything else the bytes say
only which value it is, as :func:`~penstock.data.keys.stable_hash` does, so that the value itself is stored beside them.
Numbers are written so that their order is that of their bytes.
"""

import enum
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import add
from struct import Struct
from struct import error as StructError
from typing import Any

from penstock.data.key_contents import compared_fields, content_of
from penstock.windows.window import CountWindow, GlobalWindow, TimeWindow

_LONG = Struct(">Q")
_TWO_LONGS = Struct(">QQ")
_DOUBLE = Struct(">d")
_SHIFT = 1 << 63
_LONG_TEXT = 255


def to_bytes(key: Any) -> bytes:
    """The bytes of a value.

    >>> from decimal import Decimal
    >>> to_bytes(1) == to_bytes(1.0) == to_bytes(True) == to_bytes(Decimal(1)), to_bytes("1") == to_bytes(1)
    (True, False)
    """
    encode = _ENCODERS.get(key.__class__)
    return encode(key) if encode is not None else _other(key)


def key_columns(keys: Sequence[Any]) -> tuple[bytes, Iterable[bytes]]:
    """The bytes of many values: what all begin with, and the rest of each.

    >>> start, rest = key_columns(["a", "b"])
    >>> [start + each for each in rest] == [to_bytes("a"), to_bytes("b")]
    True
    """
    kinds = set(map(type, keys))
    if kinds == {str}:
        return b"s", map(str.encode, keys, repeat("utf-8"), repeat("surrogatepass"))
    if kinds == {int}:
        try:
            return b"i", list(map(_LONG.pack, map(add, keys, repeat(_SHIFT))))
        except StructError:
            pass  # one of them is longer
    return b"", map(to_bytes, keys)


def is_exact(key: Any) -> bool:
    """Whether :func:`from_bytes` gives back the very value, type and all.

    >>> is_exact(("a", 1)), is_exact(True)
    (True, False)
    """
    kind = key.__class__
    if kind is tuple:
        return all(map(is_exact, key))
    if kind is float:
        return not key.is_integer() and key == key
    return kind in _EXACT


def from_bytes(data: bytes) -> Any:
    """The value of bytes for which ``is_exact`` was true.

    >>> from_bytes(to_bytes(("a", -1, b"x", None, 0.5)))
    ('a', -1, b'x', None, 0.5)
    """
    return _DECODERS[data[0]](data)


def framed(data: bytes) -> bytes:
    """Bytes with their length before them, so that something else may follow."""
    size = len(data)
    return size.to_bytes(1, "big") + data if size < _LONG_TEXT else b"\xff" + size.to_bytes(4, "big") + data


def unframed(data: bytes, start: int) -> tuple[bytes, int]:
    """What :func:`framed` wrote at ``start``, and where the rest begins."""
    size = data[start]
    start += 1
    if size == _LONG_TEXT:
        size = int.from_bytes(data[start : start + 4], "big")
        start += 4
    return data[start : start + size], start + size


# The common types -------------------------------------------------------------------------------------------------------


def _int(key: int) -> bytes:
    try:
        return b"i" + _LONG.pack(key + _SHIFT)
    except StructError:
        size = key.bit_length() // 8 + 1
        return b"I" + key.to_bytes(size, "big", signed=True)


def _float(key: float) -> bytes:
    if key.is_integer():
        return _int(int(key))
    return b"d" + _DOUBLE.pack(key if key == key else float("nan"))


def _text(key: str) -> bytes:
    return b"s" + str.encode(key, "utf-8", "surrogatepass")


def _bytes(key: Any) -> bytes:
    return b"b" + bytes(key)


def _tuple(key: tuple[Any, ...]) -> bytes:
    return b"t" + b"".join([framed(to_bytes(item)) for item in tuple.__iter__(key)])


def _time_window(key: TimeWindow) -> bytes:
    return b"W" + _TWO_LONGS.pack(key.start + _SHIFT, key.end + _SHIFT)


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    int: _int,
    bool: lambda key: _int(int(key)),
    float: _float,
    str: _text,
    bytes: _bytes,
    tuple: _tuple,
    type(None): lambda key: b"n",
    TimeWindow: _time_window,
    CountWindow: lambda key: b"C" + _int(key.id),
    GlobalWindow: lambda key: b"G",
}

EXACT_COLUMNS: tuple[set[type], ...] = ({int}, {str})
_EXACT = frozenset((int, str, bytes, type(None), TimeWindow, CountWindow, GlobalWindow))


def _read_tuple(data: bytes) -> tuple[Any, ...]:
    items: list[Any] = []
    position = 1
    while position < len(data):
        item, position = unframed(data, position)
        items.append(from_bytes(item))
    return tuple(items)


def _read_time_window(data: bytes) -> TimeWindow:
    start, end = _TWO_LONGS.unpack_from(data, 1)
    return TimeWindow(start - _SHIFT, end - _SHIFT)


_DECODERS: dict[int, Callable[[bytes], Any]] = {
    ord("i"): lambda data: _LONG.unpack_from(data, 1)[0] - _SHIFT,
    ord("I"): lambda data: int.from_bytes(data[1:], "big", signed=True),
    ord("d"): lambda data: _DOUBLE.unpack_from(data, 1)[0],
    ord("s"): lambda data: data[1:].decode("utf-8", "surrogatepass"),
    ord("b"): lambda data: data[1:],
    ord("t"): _read_tuple,
    ord("n"): lambda data: None,
    ord("W"): _read_time_window,
    ord("C"): lambda data: CountWindow(from_bytes(data[1:])),
    ord("G"): lambda data: GlobalWindow(),
}


# All others -------------------------------------------------------------------------------------------------------------


def _other(key: Any) -> bytes:
    """What is equal to a common value has its bytes; objects are written by what identifies them."""
    kind = key.__class__
    if kind.__module__.partition(".")[0] in ("numpy", "pyarrow"):
        return _scalar(key)
    compares = kind.__eq__
    for inherited, encode in ((str, _text), (bytes, _bytes), (tuple, _tuple)):
        if issubclass(kind, inherited) and compares is inherited.__eq__:
            return encode(key)
    if isinstance(key, memoryview):
        return _bytes(key)
    if _is_number(key):
        return _number(key)
    if isinstance(key, frozenset):
        return _named("set", sorted(map(to_bytes, frozenset.__iter__(key))))
    return _of_known_module(key) or _object(key)


def _scalar(key: Any) -> bytes:
    """A scalar of numpy or Arrow, by the Python value that it equals."""
    if getattr(getattr(key, "dtype", None), "kind", "") in ("M", "m"):  # compare across units
        if key != key:
            return _named("nat")
        key = key.astype(key.dtype.str[:3] + "[us]")
    value = key.item() if hasattr(key, "item") else key.as_py()
    return _object(key) if type(value) is type(key) else to_bytes(value)


def _is_number(key: Any) -> bool:
    from numbers import Number

    return isinstance(key, Number)


def _number(key: Any) -> bytes:
    if key != key:
        return _float(float("nan"))
    if isinstance(key, complex):
        return _float(key.real) if key.imag == 0 else _named("complex", [_float(key.real), _float(key.imag)])
    try:
        whole = int(key)
    except OverflowError:
        return _float(float(key))
    if whole == key:
        return _int(whole)
    near = float(key)
    if near == key:
        return _float(near)
    numerator, denominator = key.as_integer_ratio()
    return _named("ratio", [_int(numerator), _int(denominator)])


def _of_known_module(key: Any) -> bytes | None:
    """Values whose equality does not show in what pickle saves of them."""
    kind = type(key)
    compares: Any = kind.__eq__
    if isinstance(key, enum.Enum) and compares is object.__eq__:
        identity = key.value if isinstance(key, enum.Flag) else key.name
        return _named("member", [_text(kind.__qualname__), to_bytes(identity)])
    if isinstance(key, type):
        return _named("class", [_text(key.__qualname__)])
    if isinstance(key, range):
        size = len(key)
        parts = (size, key.start if size else None, key.step if size > 1 else None)
        return _named("range", [to_bytes(parts)])
    for module, name, write in _BY_MODULE:
        loaded = getattr(sys.modules.get(module), name, None)
        if loaded is not None and isinstance(key, loaded):
            return _named(name, [to_bytes(part) for part in write(key)])
    return None


def _instant(key: Any) -> tuple[Any, ...]:
    key = key.replace(fold=0)
    offset = key.utcoffset()
    seconds = key.toordinal() * 86400 + key.hour * 3600 + key.minute * 60 + key.second
    microseconds = seconds * 1_000_000 + key.microsecond
    return (microseconds, "naive") if offset is None else (microseconds - _microseconds(offset),)


def _time(key: Any) -> tuple[Any, ...]:
    key = key.replace(fold=0)
    offset = key.utcoffset()
    microseconds = (key.hour * 3600 + key.minute * 60 + key.second) * 1_000_000 + key.microsecond
    return (microseconds, "naive") if offset is None else (microseconds - _microseconds(offset),)


def _microseconds(delta: Any) -> int:
    return int((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds)


def _path(key: Any) -> tuple[Any, ...]:
    text = str(key)
    return ("Windows", text.lower()) if "Windows" in type(key).__name__ else ("Posix", text)


def _row(key: Any) -> tuple[Any, ...]:
    names = getattr(key, "_fields", None)
    return tuple(key) if names is None else tuple((name, key[name]) for name in sorted(names))


_BY_MODULE: list[tuple[str, str, Callable[[Any], tuple[Any, ...]]]] = [
    ("datetime", "datetime", _instant),
    ("datetime", "date", lambda key: (key.toordinal(),)),
    ("datetime", "time", _time),
    ("datetime", "timedelta", lambda key: (_microseconds(key),)),
    ("datetime", "timezone", lambda key: (_microseconds(key.utcoffset(None)),)),
    ("uuid", "UUID", lambda key: (key.int,)),
    ("pathlib", "PurePath", _path),
    ("penstock.data.row", "Row", _row),
]


def _object(key: Any) -> bytes:
    """An object by the fields that it compares, or by what pickle would save of it."""
    kind: Any = type(key)
    fields = compared_fields(kind)
    if fields is not None:
        return _named(
            "fields", [_text(kind.__qualname__), *[to_bytes(getattr(key, field)) for field in fields]]
        )
    content = content_of(key)
    if isinstance(content, str):
        return _named("object", [_text(kind.__qualname__), _text(content)])
    parts = (content.arguments, content.state, content.items, content.pairs)
    return _named("object", [_text(content.name), *map(_content, parts)])


def _content(value: Any) -> bytes:
    """Something inside of an object; other than a key, it may be a list, dict or set."""
    match value:
        case list() | tuple():
            return _named("list", [_content(item) for item in value])
        case dict():
            return _named("dict", sorted(framed(to_bytes(k)) + _content(v) for k, v in value.items()))
        case set():
            return _named("set", sorted(map(_content, value)))
        case bytearray():
            return _bytes(value)
    return to_bytes(value)


def _named(what: str, parts: list[bytes] | None = None) -> bytes:
    """A kind of value, and its parts."""
    return b"O" + framed(what.encode()) + b"".join(map(framed, parts or ()))
