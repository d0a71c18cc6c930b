"""What a function of the user can do to records, read off its bytecode.

Most functions change nothing: they read fields, compare, add, and make new values. Of those it is known beforehand that no
record of theirs has to be copied, so that a record that goes well pays nothing. The reading errs on the side of
:attr:`~penstock.contracts.effects.Effect.CHANGES`: whatever is not known to be harmless may change records.
"""

import builtins
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from penstock.contracts.effects import Effect
from penstock.data.own_copies import is_fixed
from penstock.data.row import Row

if TYPE_CHECKING:
    from penstock.operators.row_chain import RowStep

MOST_CALLS_DEEP = 8
# Called once, before and after all records.
_OF_LIFE = {"__init__", "open", "close"}


def effect_of(function: Any) -> Effect:
    """What a function does: a plain one, one of a function class, several in a tuple, or None for none.

    What the engine makes itself says so in an attribute ``effect``.

    >>> effect_of(lambda row: (row[0], row[1] + 1)).name, effect_of(lambda row: row.append(1)).name
    ('NONE', 'CHANGES')
    """
    if function is None:
        return Effect.NONE
    if type(function) is tuple:
        return max(map(effect_of, function), default=Effect.NONE)
    said = getattr(function, "effect", None)
    if isinstance(said, Effect):
        return said
    if isinstance(function, (FunctionType, MethodType, type)) or _is_harmless(function):
        return _Reading().of_callable(function)
    return _of_object(function)


def effect_of_steps(steps: Iterable["RowStep"]) -> Effect:
    """What steps do to records together. Between them records go on one by one, as in a chain of PyFlink's, uncopied."""
    effect = Effect.NONE
    for step in steps:
        own = effect_of(step.function)
        if own is Effect.SHARES and step.kind == "filter":
            own = Effect.NONE  # what a filter gives is what it got
        elif own is Effect.NONE and step.kind == "flat_map" and not passes_once(step.function):
            own = Effect.SHARES  # several results may have a part in common
        effect = max(effect, own)
    return effect


def passes_once(function: Any) -> bool:
    """Whether it is plain that of what a function is given it gives no part twice: ``lambda line: line.split()``.

    >>> passes_once(lambda row: row["items"]), passes_once(lambda row: [row, row])
    (True, False)
    """
    if type(function) is not FunctionType:
        return False
    return all(
        name in _PASSING_OPERATIONS or (name == "BINARY_OP" and operation.argrepr == "[]")
        for name, operation in _operations(function.__code__)
    )


def _of_object(function: Any) -> Effect:
    """An object with methods: what any of its user's methods does, as timers and windows call more than one."""
    methods = _methods_of(type(function))
    if not methods:
        return Effect.CHANGES
    reading = _Reading(set(methods), _states_of(type(function)))
    return max(reading.of_function(method, has_self=True) for method in methods.values())


def _states_of(kind: type) -> set[str]:
    """The attributes that are given a handle of a state in ``open``: ``self.last = runtime_context.get_state(..)``."""
    opening = getattr(kind, "open", None)
    found: set[str] = set()
    if not isinstance(opening, FunctionType) or opening.__module__.startswith("penstock."):
        return found
    asked = False
    for name, operation in _operations(opening.__code__):
        if name in ("LOAD_METHOD", "LOAD_ATTR") and operation.argval in _STATES:
            asked = True
        elif name == "STORE_ATTR":
            found |= {operation.argval} if asked else set()
            asked = False
        elif name in ("STORE_FAST", "POP_TOP"):
            asked = False
    return found


def _methods_of(kind: type) -> dict[str, FunctionType]:
    methods: dict[str, FunctionType] = {}
    for base in kind.__mro__:
        if base.__module__ in ("builtins", "abc", "typing") or base.__module__.startswith("penstock."):
            continue
        for name, method in vars(base).items():
            if isinstance(method, (staticmethod, classmethod)):
                method = method.__func__
            if isinstance(method, FunctionType) and name not in _OF_LIFE:
                methods.setdefault(name, method)
    return methods


class _Reading:
    """Reads one function, and those that it calls, each once. ``own_methods`` are read too, so they may be called.
    ``states`` are attributes that hold states."""

    def __init__(self, own_methods: set[str] | None = None, states: set[str] | None = None) -> None:
        self._own_methods = own_methods or set()
        self.states = states or set()
        self._seen: set[CodeType] = set()

    def of_callable(self, function: Any) -> Effect:
        if isinstance(function, MethodType):
            return max(Effect.SHARES, _of_object(function.__self__))
        if _is_harmless(function):
            return Effect.NONE
        if isinstance(function, FunctionType):
            return self.of_function(function)
        makes_one = isinstance(function, type) and _only_makes_objects(function)
        return Effect.NONE if makes_one else Effect.CHANGES

    def of_function(self, function: FunctionType, has_self: bool = False) -> Effect:
        code = function.__code__
        if code in self._seen:
            return Effect.NONE
        self._seen.add(code)
        if len(self._seen) > MOST_CALLS_DEEP:
            return Effect.CHANGES
        effect = Effect.NONE
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        if not all(map(is_fixed, defaults)):
            effect = Effect.SHARES
        own = code.co_varnames[0] if has_self and code.co_argcount else None
        return max(effect, _CodeReading(self, function, own).of_code(code))

    def calls_own(self, name: str) -> bool:
        return name in self._own_methods


class _CodeReading:
    """Reads the code of one function, with that of what is written inside of it."""

    def __init__(self, reading: _Reading, function: FunctionType, own: str | None) -> None:
        self._reading = reading
        self._globals = function.__globals__
        self._own = own
        self._cells: dict[str, Any] = {}
        self._in_module = False
        self._earlier: tuple[str, Any] = ("", None)  # what stands in front of the operation before
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._cells[name] = cell.cell_contents
            except ValueError:  # not set yet
                self._cells[name] = _UNKNOWN

    def of_code(self, code: CodeType) -> Effect:
        effect = Effect.NONE
        before: tuple[str, Any] = ("", None)
        operations = list(_operations(code))
        for at, (name, operation) in enumerate(operations):
            behind = operations[at + 1] if at + 1 < len(operations) else ("", None)
            effect = max(effect, self._of_operation(name, operation, before, behind))
            if effect is Effect.CHANGES:
                break
            self._earlier, before = before, (name, operation)
        return effect

    def _of_operation(
        self, name: str, operation: Any, before: tuple[str, Any], behind: tuple[str, Any]
    ) -> Effect:
        argument = operation.argval
        if name == "LOAD_CONST":
            return self.of_code(argument) if isinstance(argument, CodeType) else Effect.NONE
        if name in ("LOAD_GLOBAL", "LOAD_NAME"):
            return self._of_value(self._global(argument), behind)
        if name in ("LOAD_DEREF", "LOAD_CLASSDEREF"):
            if argument == self._own:
                return Effect.SHARES
            return self._of_value(self._cells[argument], behind) if argument in self._cells else Effect.NONE
        if name == "STORE_DEREF":
            return Effect.SHARES if argument in self._cells else Effect.NONE
        if name in ("LOAD_METHOD", "LOAD_ATTR"):
            return self._of_attribute(name, operation, before)
        if name == "PUSH_NULL":
            return Effect.NONE if self._has_read_called(before, behind) else Effect.CHANGES
        if name == "BINARY_OP":
            return Effect.CHANGES if operation.argrepr.endswith("=") else Effect.NONE
        if name not in _HARMLESS_OPERATIONS:
            return Effect.CHANGES
        names = argument if type(argument) is tuple else (argument,)
        return Effect.SHARES if self._own is not None and self._own in names else Effect.NONE

    def _has_read_called(self, before: tuple[str, Any], behind: tuple[str, Any]) -> bool:
        """Whether what is called, which stands behind PUSH_NULL, and since Python 3.13 before it, is read as what it is."""
        name, operation = before if sys.version_info >= (3, 13) else behind
        if name == "LOAD_DEREF":
            return callable(self._cells.get(operation.argval))
        return sys.version_info >= (3, 13) and name == "LOAD_ATTR" and self._in_module

    def _global(self, name: str) -> Any:
        found = self._globals.get(name, _UNKNOWN)
        return getattr(builtins, name, _UNKNOWN) if found is _UNKNOWN else found

    def _of_value(self, value: Any, behind: tuple[str, Any]) -> Effect:
        """What comes of a value that is not the function's own: it may be called, its attributes may be read."""
        if isinstance(value, ModuleType) and behind[0] in ("LOAD_ATTR", "LOAD_METHOD"):
            value = getattr(value, behind[1].argval, _UNKNOWN)
        if value is _UNKNOWN or isinstance(value, ModuleType):
            return Effect.CHANGES
        if isinstance(value, type) or callable(value):
            return self._reading.of_callable(value)
        return Effect.NONE if is_fixed(value) else Effect.SHARES

    def _is_of_state(self, loaded: Any, operation: Any) -> bool:
        """Whether this is ``self.state.update``, of an attribute that holds a state."""
        owner = self._earlier[1]
        of_self = self._own is not None and owner is not None and owner.argval == self._own
        return of_self and loaded.argval in self._reading.states and operation.argval in _OF_STATES

    def _of_attribute(self, name: str, operation: Any, before: tuple[str, Any]) -> Effect:
        came_from, loaded = before
        self._in_module = False
        if came_from == "LOAD_ATTR" and self._is_of_state(loaded, operation):
            return Effect.SHARES
        if came_from in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME"):
            owner = (
                self._cells[loaded.argval] if loaded.argval in self._cells else self._global(loaded.argval)
            )
            self._in_module = isinstance(owner, ModuleType)
            if self._in_module:
                return Effect.NONE  # read together with the module
        is_method = name == "LOAD_METHOD" or (sys.version_info >= (3, 12) and operation.arg & 1)
        if not is_method or operation.argval in _HARMLESS_METHODS:
            return Effect.NONE
        is_own = self._own is not None and came_from.startswith("LOAD_FAST") and loaded.argval == self._own
        return Effect.NONE if is_own and self._reading.calls_own(operation.argval) else Effect.CHANGES


_UNKNOWN = object()
_STATES = {"get_state", "get_list_state", "get_map_state"}
"""Reducing and aggregating states call functions that may change what lies in them."""
_OF_STATES = {"update", "add", "add_all", "put", "put_all", "remove", "clear"}
"""What puts a value into a state, or takes one out, and changes none."""


def _operations(code: CodeType) -> Iterator[tuple[str, Any]]:
    from dis import get_instructions

    for operation in get_instructions(code):
        if operation.opname != "CACHE":
            yield operation.opname, operation


# What is known to change no record -----------------------------------------------------------------------------------------

_LOADS = {
    "LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW",
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW", "LOAD_SMALL_INT",
}  # fmt: skip

_HARMLESS_OPERATIONS = _LOADS | {
    "RESUME", "RETURN_GENERATOR", "COPY_FREE_VARS", "MAKE_CELL", "NOP", "NOT_TAKEN", "EXTENDED_ARG", "POP_TOP", "COPY",
    "SWAP", "PRECALL", "KW_NAMES", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "CALL_INTRINSIC_1", "STORE_FAST",
    "STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST", "DELETE_FAST", "LOAD_CLOSURE", "LOAD_COMMON_CONSTANT",
    "LOAD_ASSERTION_ERROR", "BINARY_SUBSCR",
    "BINARY_SLICE", "BUILD_SLICE", "COMPARE_OP", "CONTAINS_OP", "IS_OP", "UNARY_NEGATIVE", "UNARY_NOT", "UNARY_INVERT",
    "UNARY_POSITIVE", "TO_BOOL", "BUILD_TUPLE", "BUILD_LIST", "BUILD_SET", "BUILD_MAP", "BUILD_CONST_KEY_MAP", "BUILD_STRING",
    "LIST_APPEND", "SET_ADD", "MAP_ADD", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE", "LIST_TO_TUPLE",
    "FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC", "CONVERT_VALUE", "UNPACK_SEQUENCE", "UNPACK_EX", "GET_LEN",
    "MATCH_MAPPING", "MATCH_SEQUENCE", "MATCH_KEYS", "MATCH_CLASS", "GET_ITER", "FOR_ITER", "END_FOR", "POP_ITER",
    "YIELD_VALUE", "GET_YIELD_FROM_ITER", "SEND", "END_SEND", "CLEANUP_THROW", "RETURN_VALUE", "RETURN_CONST",
    "MAKE_FUNCTION",
    "SET_FUNCTION_ATTRIBUTE", "RAISE_VARARGS", "RERAISE", "PUSH_EXC_INFO", "POP_EXCEPT", "CHECK_EXC_MATCH",
    "JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP",
    "POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE",
    "POP_JUMP_FORWARD_IF_TRUE", "POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_NONE", "POP_JUMP_FORWARD_IF_NOT_NONE",
    "POP_JUMP_BACKWARD_IF_TRUE", "POP_JUMP_BACKWARD_IF_FALSE", "POP_JUMP_BACKWARD_IF_NONE", "POP_JUMP_BACKWARD_IF_NOT_NONE",
}  # fmt: skip
"""Of Python 3.11 to 3.14. Those that add to a list, a set or a dict are of displays and comprehensions, which are new."""

_PASSING_OPERATIONS = _LOADS | {
    "RESUME", "NOT_TAKEN", "LOAD_CONST", "LOAD_METHOD", "LOAD_ATTR", "PRECALL", "CALL", "BINARY_SUBSCR", "RETURN_VALUE",
}  # fmt: skip
"""Those of a function that asks one thing of what it was given, and makes nothing of it."""

_IMMUTABLE = (
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    tuple,
    frozenset,
    date,
    datetime,
    time,
    timedelta,
    Decimal,
)
_PATTERNS = (re.Pattern, re.Match)
_CHANGING = {
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
    "add",
    "rotate",
    "partition",
}

_HARMLESS_METHODS = {
    name for kind in (*_IMMUTABLE, *_PATTERNS) for name in dir(kind) if not name.startswith("_")
} - _CHANGING | {
    "get", "keys", "values", "items", "copy", "most_common", "elements",
    "_replace", "_asdict",
    "as_dict", "get_row_kind", "get_fields_by_names",
    "value", "contains", "is_empty", "get_current_key", "timer_service", "current_watermark", "current_processing_time",
    "get_current_watermark", "get_left_timestamp", "get_right_timestamp", "get_timestamp", "window", "max_timestamp",
    "register_event_time_timer", "register_processing_time_timer", "delete_event_time_timer", "delete_processing_time_timer",
}  # fmt: skip
"""Names that methods of unchangeable types have, that read a container, or that ask states, contexts and timers."""

_TYPES = (
    *_IMMUTABLE, list, dict, set, bytearray, object, range, slice, enumerate, zip, map, filter, reversed, type, Row,
    Counter, OrderedDict, defaultdict, deque,
)  # fmt: skip

_HARMLESS_CALLS: set[Any] = {
    *_TYPES, abs, all, any, ascii, bin, callable, chr, divmod, format, getattr, hasattr, hash, hex, id, isinstance,
    issubclass, iter, len, max, min, oct, ord, pow, print, repr, round, sorted, sum,
}  # fmt: skip

_HARMLESS_MODULES = {
    "json", "json.decoder", "json.encoder", "math", "re", "datetime", "_datetime", "time", "statistics", "hashlib",
    "_hashlib",
    "base64", "binascii", "zlib", "struct", "_struct", "html", "unicodedata", "decimal", "_decimal", "fractions", "uuid",
    "copy", "urllib.parse", "calendar", "zoneinfo",
}  # fmt: skip
_HARMFUL_IN_THEM = {"load", "dump", "pack_into"}


def _is_harmless(function: Any) -> bool:
    """Whether a function, or a class as far as it is called, is one of the library that changes nothing it is given."""
    try:
        if function in _HARMLESS_CALLS:
            return True
    except TypeError:  # cannot be hashed
        return False
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", None)
    if isinstance(function, type) and issubclass(function, BaseException):
        return module == "builtins"
    if getattr(function, "__objclass__", None) in _IMMUTABLE:
        return name in _HARMLESS_METHODS
    return module in _HARMLESS_MODULES and name not in _HARMFUL_IN_THEM


def _only_makes_objects(kind: Any) -> bool:
    """Whether calling a class does no more than to put its arguments into a new object: named tuples, dataclasses."""
    if _is_harmless(kind):
        return True
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return kind.__init__ is object.__init__ and kind.__new__.__module__ == f"namedtuple_{kind.__name__}"
    makes_itself = "__dataclass_params__" in vars(kind) and kind.__init__.__code__.co_filename == "<string>"
    return makes_itself and kind.__new__ is object.__new__ and not hasattr(kind, "__post_init__")
