"""What identifies an object that is a key: the fields that its ``__eq__`` compares.

Hashes and bytes of keys are made of this, and must be equal for equal objects. Dataclasses, attrs classes and pydantic models
say which fields they compare. Of every other class pickle's idea of the object is taken, and its ``__eq__`` is read: one that
leaves out something that pickle saves is refused, as equal keys would be told apart; one that computes is warned of.
"""

import logging
import sys
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType
from typing import Any

from penstock.errors import KeyNotUsable

_log = logging.getLogger(__name__)

_MOST_CLASSES = 4096
_HARMLESS = frozenset(
    ("isinstance", "type", "vars", "bool", "__class__", "NotImplemented", "AttributeError", "TypeError")
)
_ADVICE = "make it a frozen dataclass, with field(compare=False) for what does not identify it, or use a tuple of what does"


@dataclass(frozen=True, slots=True)
class Content:
    """What pickle saves of an object, without what does not count for its equality."""

    name: str
    arguments: list[Any]
    state: Any
    items: list[Any]
    pairs: dict[Any, Any]


def comparing_class(kind: type) -> type:
    """The class whose ``__eq__`` compares the objects of ``kind``."""
    return next(parent for parent in kind.__mro__ if "__eq__" in parent.__dict__)


@lru_cache(maxsize=_MOST_CLASSES)
def compared_fields(kind: Any) -> list[str] | None:
    """The fields that a dataclass compares, or None where another ``__eq__`` than that of a dataclass is used.

    >>> compared_fields(Content)[:2], compared_fields(int)
    (['name', 'arguments'], None)
    """
    compares = comparing_class(kind)
    if "__dataclass_fields__" not in compares.__dict__ or not _is_generated(compares, "__create_fn__"):
        return None
    return [
        field.name
        for field in compares.__dataclass_fields__.values()  # type: ignore[attr-defined]
        if field._field_type.name == "_FIELD" and field.compare and field.hash is not False
    ]


def content_of(key: Any) -> Content | str:
    """What identifies an object of a class that is no dataclass; a text where pickle saves it as a name.

    Raises ``KeyNotUsable`` where that cannot be read, or is more than what the class compares.

    >>> from ipaddress import ip_address
    >>> content_of(ip_address("10.0.0.1")).arguments  # of its class
    [167772161]
    """
    kind: Any = type(key)
    return _reader_of(kind)(key)


@lru_cache(maxsize=_MOST_CLASSES)
def _reader_of(kind: Any) -> Callable[[Any], Content | str]:
    compares = comparing_class(kind)
    if "__attrs_attrs__" in compares.__dict__ and _is_generated(compares, "<attrs generated"):
        return _attrs_reader(kind, compares)
    if compares.__module__.startswith("pydantic.") and hasattr(kind, "__pydantic_fields__"):
        return _model
    return _own_equality_reader(kind, compares)


def _is_generated(compares: type, mark: str) -> bool:
    """Whether a library wrote the ``__eq__`` of a class, rather than whoever wrote the class."""
    code = getattr(compares.__dict__["__eq__"], "__code__", None)
    return code is not None and (code.co_qualname.startswith(mark) or code.co_filename.startswith(mark))


def _attrs_reader(kind: type, compares: Any) -> Callable[[Any], Content]:
    fields = [(each.name, getattr(each, "eq_key", None)) for each in compares.__attrs_attrs__ if each.eq]

    def content(key: Any) -> Content:
        values = [(name, getattr(key, name), compared_as) for name, compared_as in fields]
        state = {name: compared_as(value) if compared_as else value for name, value, compared_as in values}
        return Content(kind.__qualname__, [], state or None, [], {})

    return content


def _model(key: Any) -> Content:
    """A pydantic model: which fields were given and which have their default does not count, nor do cached properties."""
    kind = type(key)
    names = kind.__pydantic_fields__
    extra = getattr(key, "__pydantic_extra__", None)
    state = {
        "__dict__": {name: value for name, value in key.__dict__.items() if name in names},
        "__pydantic_extra__": extra,
        "__pydantic_fields_set__": {*names, *(extra or ())},
        "__pydantic_private__": getattr(key, "__pydantic_private__", None),
    }
    generic = kind.__pydantic_generic_metadata__["origin"] or kind
    return Content(generic.__qualname__, [], state, [], {})


def _own_equality_reader(kind: type, compares: type) -> Callable[[Any], Content | str]:
    function = compares.__dict__["__eq__"]
    # What Python brings along is known, and what is written in C cannot be read.
    if (
        not isinstance(function, FunctionType)
        or compares.__module__.partition(".")[0] in sys.stdlib_module_names
    ):
        return _saved
    equality = _Equality(kind, compares, function)

    def content(key: Any) -> Content | str:
        saved = _saved(key)
        if isinstance(saved, Content) and isinstance(saved.state, dict):
            equality.check(saved.state)
        return saved

    return content


def _saved(key: Any) -> Content | str:
    """What pickle would save of an object."""
    kind = type(key)
    try:
        reduced = key.__reduce_ex__(4)
    except Exception as error:  # whatever the class raises, the key cannot be used
        raise KeyNotUsable(
            f"a key of type {_name(kind)} cannot be used: its content cannot be read ({error}); "
            "use a tuple of the fields that identify it"
        ) from error
    if isinstance(reduced, str):
        return reduced
    _, arguments, *rest = reduced
    state, items, pairs = (*rest, None, None, None)[:3]
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        state = {**(state[0] or {}), **state[1]}  # attributes, and those in slots
    if isinstance(state, dict):
        state = {name: value for name, value in state.items() if not _is_cache(key, name, value)}
    arguments = [argument for argument in arguments if argument is not kind]
    return Content(kind.__qualname__, arguments, state or None, list(items or ()), dict(pairs or ()))


def _is_cache(key: Any, name: Any, value: Any) -> bool:
    """Whether an attribute only remembers what was computed from the others: a cached property or a hash."""
    if type(getattr(type(key), str(name), None)).__name__ == "cached_property":
        return True
    return "hash" in str(name).lower() and type(value) is int and value == hash(key)


class _Equality:
    """What the ``__eq__`` of a class looks at, as far as its code tells."""

    def __init__(self, kind: type, compares: type, function: FunctionType) -> None:
        self._kind = kind
        self._attributes: set[str] = set()
        self._followed: set[str] = set()
        self._is_opaque = False  # it may look at what its code does not name
        self._computes = False
        self._takes_subclasses = kind is not compares and "isinstance" in function.__code__.co_names
        self._classes = {compares.__name__, kind.__name__}
        self._has_warned = False
        self._accepted: AbstractSet[str] | None = None
        self._read(function)

    def _read(self, function: FunctionType) -> None:
        import dis

        for instruction in dis.get_instructions(function):
            name, operation = str(instruction.argval), instruction.opname
            if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                if name == "vars":
                    self._attributes.add("__dict__")
                self._is_opaque |= name not in _HARMLESS and name not in self._classes
            elif operation in ("LOAD_ATTR", "LOAD_METHOD"):
                self._look_at(name)
            elif operation == "COMPARE_OP":
                self._computes |= not any(sign in instruction.argrepr for sign in ("==", "!="))
            else:
                self._is_opaque |= operation in ("LOAD_DEREF", "MAKE_FUNCTION", "CALL_FUNCTION_EX")
                self._computes |= operation.startswith(("BINARY_", "UNARY_NEGATIVE", "UNARY_INVERT"))

    def _look_at(self, name: str) -> None:
        if name in self._attributes or name in _HARMLESS:
            return
        self._attributes.add(name)
        attribute = getattr(self._kind, name, None)
        function = attribute.fget if isinstance(attribute, property) else attribute
        if isinstance(function, FunctionType):
            self._followed.add(name)
            self._read(function)

    def check(self, state: dict[Any, Any]) -> None:
        """Refuse an object of which more is saved than is compared, and warn once of a class that may have others."""
        if state.keys() == self._accepted:
            return
        if "__dict__" not in self._attributes and not self._is_opaque:
            self._refuse_unread([str(name) for name in state if name not in self._attributes])
        elsewhere = self._attributes - state.keys() - self._followed - {"__dict__"}
        if not self._has_warned and (
            self._is_opaque or self._computes or self._takes_subclasses or elsewhere
        ):
            self._has_warned = True
            _log.warning(
                "keys of type %s go to their subtask by all that pickle saves of them, and its __eq__ may take less for "
                "equal: equal keys that hold different values, or are of different classes, would be told apart; "
                "%s",
                _name(self._kind),
                _ADVICE,
            )
        self._accepted = frozenset(state)

    def _refuse_unread(self, unread: list[str]) -> None:
        if unread:
            raise KeyNotUsable(
                f"a key of type {_name(self._kind)} cannot be used: its __eq__ does not look at {', '.join(unread)}, so that "
                f"keys which are equal could go to different subtasks; {_ADVICE}"
            )


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
