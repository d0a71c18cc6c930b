"""Keys: one hash for equal values, the same in every process, and the way from a key to its channel.

Python's own ``hash`` of text and bytes differs from process to process, so it can place nothing that outlives a process.
:func:`stable_hash` depends on the value alone, and values that are equal in Python have the same one, whatever their types:
``1``, ``1.0``, ``True``, ``Decimal(1)`` and an ``IntEnum`` of 1; a named tuple and its tuple; one instant in two time zones.
"""

import enum
import sys
from binascii import crc32
from collections.abc import Callable, Iterable
from typing import Any

from penstock.data.key_cache import MANY_KEYS, KeyCache
from penstock.data.key_groups import (
    check_parallelism,
    default_max_parallelism,
    key_group_range,
    subtask_of_key_group,
)
from penstock.errors import KeyNotUsable

__all__ = [
    "KeyRouter",
    "check_parallelism",
    "default_max_parallelism",
    "key_group",
    "key_group_range",
    "stable_hash",
    "subtask_of_key_group",
]

_Hasher = Callable[[Any], int]

_MASK = 0xFFFF_FFFF_FFFF_FFFF
# Odd 64-bit constants with about as many ones as zeros; one seed a kind of value, so that "" and () and None differ.
FACTOR_1 = 0xBF58_476D_1CE4_E5B9
FACTOR_2 = 0x94D0_49BB_1331_11EB
TEXT_SEED, _BYTES, _TUPLE, _SET, _RANGE = 0x1F3D5B79, 0x2E4C6A88, 0x3D5B7997, 0x4C6A88A6, 0x5B7997B5
_DATETIME, _DATE, _TIME, _DELTA, _UUID = 0x6A88A6C4, 0x7997B5D3, 0x88A6C4E2, 0x97B5D3F1, 0xA6C4E200
_OBJECT, _MEMBER, _CLASS, _PATH, _MAPPING = 0xB5D3F10F, 0xC4E2001E, 0xD3F10F2D, 0xE2001E3C, 0xF10F2D4B
_NAN, _NONE, _ELLIPSIS, _NAIVE = 0x0F2D4B69, 0x1E3C5A78, 0x2D4B6987, 0x3C5A7896
_MOST_TYPES = 4096


def stable_hash(key: Any) -> int:
    """A hash of 64 bits that depends on the value alone: not on the process, the machine or the version of Python.

    Equal keys have equal hashes. Frozen dataclasses, attrs classes and pydantic models are hashed by the fields they compare.
    An object of another class with its own ``__eq__`` and ``__hash__`` is hashed by what pickle would save of it; see
    :mod:`penstock.data.key_contents`. The name of its class counts, without its module: a class keeps its hashes wherever it
    is defined.

    Raises ``KeyNotUsable`` for keys that Python cannot hash (list, dict, set) and for objects that are equal to themselves
    only, which no other process could recognise. Costs 0.3-0.6 microseconds for numbers and text.

    >>> stable_hash(1) == stable_hash(1.0) == stable_hash(True)
    True
    >>> stable_hash("penstock") % 128
    53
    """
    try:
        hasher = _HASHERS.get(key.__class__)
        return hasher(key) if hasher is not None else _hasher_of(key)(key)
    except RecursionError:
        raise KeyNotUsable(
            f"a key of type {_name(type(key))} cannot be used: it contains itself; "
            "use a tuple of the fields that identify it"
        ) from None


def key_group(key: Any, max_parallelism: int) -> int:
    """The key group of a key, between 0 and ``max_parallelism - 1``.

    >>> key_group("penstock", 128)
    53
    """
    return stable_hash(key) % max_parallelism


class KeyRouter(KeyCache):
    """From a key to the subtask that owns it, remembering the keys it has seen.

    On the hot path: ``list(map(router.__getitem__, keys))``, or :meth:`route`, which names an unusable key. The memory is
    bounded by ``most_keys``.

    >>> KeyRouter(128, 2).route(["a", "b", "c", "a"])
    [0, 0, 1, 0]
    """

    __slots__ = ("_max_parallelism", "_parallelism")

    def __init__(self, max_parallelism: int, parallelism: int, most_keys: int = MANY_KEYS) -> None:
        check_parallelism(max_parallelism, parallelism)
        super().__init__(most_keys)
        self._max_parallelism = max_parallelism
        self._parallelism = parallelism

    def __missing__(self, key: Any) -> int:
        subtask = self.subtask_of(key)
        self.make_room()
        self[key] = subtask
        return subtask

    def subtask_of(self, key: Any) -> int:
        """The subtask of a key, computed anew; raises ``KeyNotUsable``."""
        return stable_hash(key) % self._max_parallelism * self._parallelism // self._max_parallelism

    def route(self, keys: Iterable[Any]) -> list[int]:
        """The subtask of each key; raises ``KeyNotUsable`` naming the key that cannot be used."""
        keys = keys if isinstance(keys, list) else list(keys)
        try:
            subtasks = list(map(self.__getitem__, keys))
        except KeyNotUsable:
            raise
        except TypeError as error:
            for key in keys:
                _check_hashable(key)
            raise KeyNotUsable(f"a key cannot be used: {error}") from error
        self.saw(len(keys))
        return subtasks

    def __reduce__(self) -> tuple[Any, ...]:
        return (KeyRouter, (self._max_parallelism, self._parallelism, self._most))


def _check_hashable(key: Any) -> None:
    try:
        hash(key)
    except TypeError as error:
        stable_hash(key)  # knows better what to advise
        raise KeyNotUsable(
            f"the key {_shown(key)} of type {_name(type(key))} cannot be used: {error}"
        ) from error


def _mix(number: int) -> int:
    """Spread a number over 64 bits, so that every bit of it changes about half of the bits of the result."""
    number &= _MASK
    number = (number ^ (number >> 30)) * FACTOR_1 & _MASK
    number = (number ^ (number >> 27)) * FACTOR_2 & _MASK
    return number ^ (number >> 31)


def _number(key: Any) -> int:
    # Python's hash of numbers is not randomised, and is one for all types of numbers. NaN differs from itself.
    return _mix(hash(key)) if key == key else _NAN


def _decimal(key: Any) -> int:
    return _NAN if key.is_nan() else _mix(hash(key))


def _text(key: str) -> int:
    # `str.encode` and not `key.encode`: subclasses may have their own.
    return _mix(crc32(str.encode(key, "utf-8", "surrogatepass"), TEXT_SEED) + TEXT_SEED)


def _bytes(key: Any) -> int:
    return _mix(crc32(key, _BYTES) + _BYTES)


def _ordered(seed: int, items: Iterable[Any], hash_item: _Hasher) -> int:
    result = seed
    for item in items:
        result = (result * 0x0000_0100_0000_01B3 ^ hash_item(item)) & _MASK
    return _mix(result)


def _unordered(seed: int, hashes: Iterable[int]) -> int:
    each = list(hashes)
    return _mix(sum(each) + (len(each) + 1) * seed)


def _tuple(key: tuple[Any, ...]) -> int:
    result = _TUPLE
    for item in tuple.__iter__(key):
        hasher = _HASHERS.get(item.__class__)
        hashed = hasher(item) if hasher is not None else _hasher_of(item)(item)
        result = (result * 0x0000_0100_0000_01B3 ^ hashed) & _MASK
    return _mix(result)


def _frozenset(key: frozenset[Any]) -> int:
    return _unordered(_SET, map(stable_hash, frozenset.__iter__(key)))


def _range(key: range) -> int:
    # Ranges are equal when their elements are: the step of a range of one, and all of an empty range, do not matter.
    size = len(key)
    return _ordered(_RANGE, (size, key.start if size else None, key.step if size > 1 else None), stable_hash)


def _constant(value: int) -> _Hasher:
    return lambda key: value


def _instant(key: Any) -> int:
    key = key.replace(fold=0)
    offset = key.utcoffset()
    seconds = key.toordinal() * 86400 + key.hour * 3600 + key.minute * 60 + key.second
    if offset is None:
        return _ordered(_DATETIME, (seconds, key.microsecond, _NAIVE), _number)
    microseconds = seconds * 1_000_000 + key.microsecond - _microseconds(offset)
    return _ordered(_DATETIME, (microseconds,), _number)


def _date(key: Any) -> int:
    return _mix(key.toordinal() + (_DATE << 32))


def _time(key: Any) -> int:
    key = key.replace(fold=0)
    offset = key.utcoffset()
    microseconds = (key.hour * 3600 + key.minute * 60 + key.second) * 1_000_000 + key.microsecond
    if offset is None:
        return _ordered(_TIME, (microseconds, _NAIVE), _number)
    return _ordered(_TIME, (microseconds - _microseconds(offset),), _number)


def _microseconds(delta: Any) -> int:
    return int((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds)


def _delta(key: Any) -> int:
    return _ordered(_DELTA, (_microseconds(key),), _number)


def _timezone(key: Any) -> int:
    return _delta(key.utcoffset(None)) ^ _CLASS


def _uuid(key: Any) -> int:
    number = key.int
    return _ordered(_UUID, (number >> 64, number & _MASK), _mix)


def _path(key: Any) -> int:
    text = str(key)
    return _text(text if "Windows" not in type(key).__name__ else text.lower()) ^ _PATH


def _row(key: Any) -> int:
    # Rows are equal whatever the order of their names, and an unnamed row only equals an unnamed one.
    names = getattr(key, "_fields", None)
    if names is None:
        return _ordered(_OBJECT, key, stable_hash)
    return _ordered(_OBJECT, (key[name] for name in sorted(names)), stable_hash)


def _member(key: Any) -> int:
    # Enumerations are compared by identity, and travel by name. A combination of flags has no name of its own.
    identity = key.value if isinstance(key, enum.Flag) else key.name
    return _ordered(_MEMBER, (type(key).__qualname__, identity), stable_hash)


def _class(key: type) -> int:
    return _text(key.__qualname__) ^ _CLASS


def _scalar(key: Any) -> int:
    """A numpy or Arrow scalar, by the Python value that it equals."""
    kind = getattr(getattr(key, "dtype", None), "kind", "")
    if kind in ("M", "m"):  # dates and durations of numpy compare across units
        if key != key:
            return _NAN
        key = key.astype(key.dtype.str[:3] + "[us]")
    value = key.item() if hasattr(key, "item") else key.as_py()
    return _number(key) if type(value) is type(key) else stable_hash(value)


def _refuse_unhashable(key: Any) -> int:
    advice = {
        "list": "use tuple(key)",
        "bytearray": "use bytes(key)",
        "set": "use frozenset(key)",
        "dict": "use tuple(sorted(key.items())), or only the fields that identify the record",
        "ndarray": "use tuple(key.tolist())",
    }.get(type(key).__name__)
    if advice is None:
        is_dataclass = hasattr(type(key), "__dataclass_fields__")
        advice = (
            "declare it with @dataclass(frozen=True)"
            if is_dataclass
            else "use a tuple of the fields that identify it"
        )
    raise KeyNotUsable(
        f"the key {_shown(key)} of type {_name(type(key))} cannot be used: it has no hash, as it can change; {advice}"
    )


def _refuse_identity(key: Any) -> int:
    raise KeyNotUsable(
        f"a key of type {_name(type(key))} cannot be used: such objects are equal to themselves only, so a copy in another "
        "process would be another key; give the class __eq__ and __hash__, make it a frozen dataclass, "
        "or use a tuple of the fields that identify it"
    )


def _fields_hasher(kind: type, fields: list[str]) -> _Hasher:
    name = kind.__qualname__

    def hash_fields(key: Any) -> int:
        return _ordered(_OBJECT, (name, *[getattr(key, field) for field in fields]), stable_hash)

    return hash_fields


def _object(key: Any) -> int:
    from penstock.data.key_contents import content_of

    content = content_of(key)
    if isinstance(content, str):
        return _ordered(_OBJECT, (type(key).__qualname__, content), stable_hash)
    parts = (content.name, content.arguments, content.state, content.items, content.pairs)
    return _ordered(_OBJECT, parts, _content)


def _content(value: Any) -> int:
    """The hash of something inside of an object; other than a key, it may be a list, dict or set."""
    match value:
        case list():
            return _ordered(_TUPLE, value, _content)
        case dict():
            return _unordered(_MAPPING, (_mix(stable_hash(k) * 3 + _content(v)) for k, v in value.items()))
        case set():
            return _unordered(_SET, map(_content, value))
        case bytearray():
            return _bytes(value)
        case tuple():
            return _ordered(_TUPLE, value, _content)
    return stable_hash(value)


# The exact types; subclasses and everything else are looked at once and then added.
_HASHERS: dict[type, _Hasher] = {
    int: _number, bool: _number, float: _number, complex: _number, str: _text, bytes: _bytes, tuple: _tuple,
    frozenset: _frozenset, range: _range, type(None): _constant(_NONE), type(...): _constant(_ELLIPSIS), type: _class,
    list: _refuse_unhashable, dict: _refuse_unhashable, set: _refuse_unhashable, object: _refuse_identity,
}  # fmt: skip

# Values of these are equal only as far as their inherited part is, unless the subclass compares in its own way.
_BY_INHERITANCE: list[tuple[type, _Hasher]] = [
    (str, _text), (bytes, _bytes), (tuple, _tuple), (frozenset, _frozenset),
    (int, _number), (float, _number), (complex, _number), (type, _class),
]  # fmt: skip

# From modules that are imported only when somebody has imported them: module, class, hasher.
_BY_MODULE: list[tuple[str, str, _Hasher]] = [
    ("datetime", "datetime", _instant),
    ("datetime", "date", _date),
    ("datetime", "time", _time),
    ("datetime", "timedelta", _delta),
    ("datetime", "timezone", _timezone),
    ("decimal", "Decimal", _decimal),
    ("fractions", "Fraction", _number),
    ("uuid", "UUID", _uuid),
    ("pathlib", "PurePath", _path),
    ("penstock.data.row", "Row", _row),
]


def _hasher_of(key: Any) -> _Hasher:
    """Find out how values of the key's type are hashed, and remember it."""
    kind = key.__class__
    hasher = _choose_hasher(kind)
    if len(_HASHERS) >= _MOST_TYPES:  # classes made in a loop must not fill the memory
        return hasher
    _HASHERS[kind] = hasher
    return hasher


def _choose_hasher(kind: Any) -> _Hasher:
    compare: Any = kind.__eq__
    if vars(kind).get("__hash__", kind.__hash__) is None:
        return _refuse_unhashable
    if kind.__module__.partition(".")[0] in ("numpy", "pyarrow") and (
        hasattr(kind, "item") or hasattr(kind, "as_py")
    ):
        return _scalar
    for module, name, hasher in _BY_MODULE:
        loaded = getattr(sys.modules.get(module), name, None)
        if loaded is not None and issubclass(kind, loaded):
            return hasher
    for inherited, hasher in _BY_INHERITANCE:
        if issubclass(kind, inherited):
            if compare is inherited.__eq__:
                return hasher
            break
    if issubclass(kind, memoryview):
        return lambda key: _bytes(key.tobytes())
    if issubclass(kind, enum.Enum) and compare is object.__eq__:
        return _member
    if compare is object.__eq__:
        return _refuse_identity
    from penstock.data.key_contents import compared_fields

    fields = compared_fields(kind)
    return _object if fields is None else _fields_hasher(kind, fields)


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _shown(key: Any) -> str:
    text = repr(key)
    return text if len(text) <= 80 else text[:77] + "..."
