"""Handles around the handles of any backend, for states that are declared with a type: only what fits it is put into them.

A state without a declared type, or of any Python value, never comes here. What fits after a conversion is stored converted,
as the results of functions are. Reading goes straight to the handle inside.
"""

from collections.abc import Callable, Iterable
from copy import copy
from functools import lru_cache
from typing import Any, Protocol

from penstock.contracts.state import (
    AggregatingStateDescriptor,
    BroadcastState,
    ListState,
    MapState,
    ReadOnlyBroadcastState,
    ReducingState,
    ReducingStateDescriptor,
    StateDescriptor,
    StateKind,
    ValueState,
)
from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.type_collections import ListTypeInfo, MapTypeInfo
from penstock.data.type_information import Misfit, TypeInformation
from penstock.data.type_scalars import BasicTypeInfo, PickledBytesTypeInfo
from penstock.data.types import Types
from penstock.operators.user_code import GENERATED, origin_of_caller, shorten

Fit = Callable[[Any], Any]
"""From a value to the value that is stored. Raises ``TypeMismatch``."""


class Store(Protocol):
    """Puts a value into a state: a method of a handle, or what stands in its place."""

    def __call__(self, value: Any) -> None: ...


_KNOWN = {"Row": Row, "Instant": Instant}


@lru_cache(maxsize=1000)
def _maker(source: str) -> Callable[..., Any]:
    code = compile(f"lambda first, second, third: {source}", f"{GENERATED} check of state>", "eval")
    made: Callable[..., Any] = eval(code, _KNOWN)
    return made


def _generated(source: str, first: Any, second: Any = None, third: Any = None) -> Any:
    """A function of the source, in which three names are bound; a handle costs no more for it than what it looks at."""
    return _maker(source)(first, second, third)


def _unless(fits: str, converted: Fit) -> Fit:
    fit: Fit = _generated(f"lambda value: value if {fits} else first(value)", converted)
    return fit


def _has_floats(declared: TypeInformation) -> bool:
    """Floats of 32 bits are rounded where they are written; until then what was put comes back as it was, as in Flink."""
    return str(Types.FLOAT()) in str(declared)


def _test_of_keys(declared: TypeInformation, place: str) -> str:
    """Keys are rounded at once: they are looked for among those that were restored, too."""
    return "False" if _has_floats(declared) else declared.exact_test(place)


class HasCurrentKey(Protocol):
    """The backend, for messages; operator state has none."""

    current_key: Any


def with_type(
    descriptor: StateDescriptor, make: Callable[[StateDescriptor], Any], backend: HasCurrentKey | None
) -> Any:
    """The handle that ``make`` makes of the descriptor, held to the type that the descriptor declares."""
    declared = descriptor.type_info
    if declared is None or _takes_anything(declared):
        return make(descriptor)
    put = Put(descriptor, backend)
    match descriptor.kind:
        case StateKind.MAP if isinstance(declared, MapTypeInfo):
            inner = make(descriptor)
            kind = CheckedBroadcast if isinstance(inner, BroadcastState) else CheckedMap
            return kind(inner, put, declared)
        case StateKind.LIST if isinstance(declared, ListTypeInfo):
            return CheckedList(make(descriptor), put, declared.elem_type)
        case StateKind.REDUCING if isinstance(descriptor, ReducingStateDescriptor):
            inner = make(_with_results(descriptor, put.fit(declared)))
            return CheckedReducing(inner, put.before(inner.add, declared))
        case StateKind.AGGREGATING if isinstance(descriptor, AggregatingStateDescriptor):
            return make(_with_accumulators(descriptor, put.fit(declared)))
        case StateKind.VALUE:
            inner = make(descriptor)
            return CheckedValue(inner, put.before(inner.update, declared))
    return make(descriptor)


def _takes_anything(declared: TypeInformation) -> bool:
    if isinstance(declared, ListTypeInfo):
        return _takes_anything(declared.elem_type)
    if isinstance(declared, MapTypeInfo):
        return _takes_anything(declared.key_type) and _takes_anything(declared.value_type)
    return isinstance(declared, PickledBytesTypeInfo)


class Put:
    """What is put into one state: how it is made to fit, and what is said where it does not."""

    __slots__ = ("_backend", "_descriptor", "_what")

    def __init__(
        self, descriptor: StateDescriptor, backend: HasCurrentKey | None, what: str = "what is put into"
    ) -> None:
        self._descriptor = descriptor
        self._backend = backend
        self._what = what

    def looking_up(self) -> "Put":
        """The same for what is only looked up."""
        return Put(self._descriptor, self._backend, "what is looked up in")

    def fit(self, declared: TypeInformation, place: str = "") -> Fit:
        """For single values, also those that fit as they are."""
        return _unless(declared.exact_test("value"), self.converted(declared, place))

    def fit_key(self, declared: TypeInformation) -> Fit:
        """The same for keys of maps."""
        return _unless(_test_of_keys(declared, "value"), self.converted(declared, "[key]", nullable=False))

    def before(self, store: Store, declared: TypeInformation, place: str = "") -> Store:
        """``store``, of what fits."""
        converted = self.converted(declared, place)
        made: Store = _generated(
            f"lambda value: first(value if {declared.exact_test('value')} else second(value))",
            store,
            converted,
        )
        return made

    def converted(self, declared: TypeInformation, place: str = "", nullable: bool = True) -> Fit:
        """For single values that do not fit as they are, as far as can be seen at once."""
        return lambda value: self.all([value], declared, place, nullable)[0]

    def all(
        self, values: list[Any], declared: TypeInformation, place: str = "", nullable: bool = True
    ) -> list[Any]:
        """For several values at once."""
        try:
            return declared.fit(values, nullable)
        except Misfit as misfit:
            found = misfit.inside(place) if place else misfit
            raise found.as_error(self._descriptor.type_info, self._subject()) from None

    def _subject(self) -> str:
        key = "" if self._backend is None else f" under key {shorten(self._backend.current_key)}"
        line = origin_of_caller()
        return f"{self._what} state {self._descriptor.name!r}{key}{f' at {line}' if line else ''}"


class CheckedValue(ValueState[Any]):
    """One value per key, of the declared type."""

    __slots__ = ("clear", "update", "value")

    clear: Callable[[], None]
    update: Store
    value: Callable[[], Any]

    def __init__(self, inner: ValueState[Any], update: Store) -> None:
        self.clear = inner.clear
        self.update = update
        self.value = inner.value


class CheckedReducing(ReducingState[Any]):
    """One reduced value per key; what is added is of the declared type."""

    __slots__ = ("add", "clear", "get")

    add: Store
    clear: Callable[[], None]
    get: Callable[[], Any]

    def __init__(self, inner: ReducingState[Any], add: Store) -> None:
        self.add = add
        self.clear = inner.clear
        self.get = inner.get


class CheckedList(ListState[Any]):
    """A list whose elements are of the declared type."""

    __slots__ = ("_declared", "_inner", "_put", "add", "clear", "get")

    add: Store
    clear: Callable[[], None]
    get: Callable[[], Any]

    def __init__(self, inner: ListState[Any], put: Put, declared: TypeInformation) -> None:
        self.clear = inner.clear
        self.get = inner.get
        self._inner = inner
        self._put = put
        self._declared = declared
        self.add = put.before(inner.add, declared, "[]")

    def update(self, values: Iterable[Any]) -> None:
        self._inner.update(self._fitted(values))

    def add_all(self, values: Iterable[Any]) -> None:
        self._inner.add_all(self._fitted(values))

    def _fitted(self, values: Iterable[Any]) -> Any:
        # The handle inside refuses None, for all elements as for one.
        if values is None:
            return None
        if _has_floats(self._declared):
            return list(map(self._put.fit(self._declared, "[]"), values))
        return self._put.all(list(values), self._declared, "[]")


class _CheckedPairs:
    """What the kinds of maps have in common. Comes before the kind of handle, which has the slots."""

    __slots__ = ()

    _inner: Any
    _fit_key: Fit
    _fit_value: Fit
    clear: Callable[[], None]
    contains: Callable[[Any], bool]
    get: Callable[[Any], Any]
    is_empty: Callable[[], bool]
    items: Callable[[], Iterable[tuple[Any, Any]]]
    keys: Callable[[], Iterable[Any]]
    put: Callable[[Any, Any], None]
    remove: Callable[[Any], None]
    values: Callable[[], Iterable[Any]]

    def __init__(self, inner: Any, put: Put, declared: MapTypeInfo) -> None:
        self._inner = inner
        keys, values = declared.key_type, declared.value_type
        self._fit_key = put.fit_key(keys)
        self._fit_value = put.fit(values, "[value]")
        self.put = _generated(
            f"lambda key, value: first(key if {_test_of_keys(keys, 'key')} else second(key), "
            f"value if {values.exact_test('value')} else third(value))",
            inner.put,
            put.converted(keys, "[key]", nullable=False),
            put.converted(values, "[value]"),
        )
        for name in ("clear", "is_empty", "items", "keys", "values"):
            setattr(self, name, getattr(inner, name))
        # What a basic key is converted to equals it, so that it is found as it is.
        if isinstance(keys, BasicTypeInfo) and _test_of_keys(keys, "key") != "False":
            fit_key = None
        else:
            fit_key = put.looking_up().fit_key(keys)
        for name in ("contains", "get", "remove"):
            method = getattr(inner, name)
            setattr(self, name, method if fit_key is None else _of_fitted(method, fit_key))

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        fit_key, fit_value = self._fit_key, self._fit_value
        self._inner.put_all({fit_key(key): fit_value(value) for key, value in dict_value.items()})


_PAIR_SLOTS = (
    "_fit_key",
    "_fit_value",
    "_inner",
    "clear",
    "contains",
    "get",
    "is_empty",
    "items",
    "keys",
    "put",
    "remove",
    "values",
)


class CheckedMap(_CheckedPairs, MapState[Any, Any]):
    """A map whose keys and values are of the declared types."""

    __slots__ = _PAIR_SLOTS


class CheckedBroadcast(_CheckedPairs, BroadcastState[Any, Any]):
    """Broadcast state whose keys and values are of the declared types."""

    __slots__ = _PAIR_SLOTS

    def read_only(self) -> ReadOnlyBroadcastState[Any, Any]:
        view: ReadOnlyBroadcastState[Any, Any] = self._inner.read_only()
        return view


def _of_fitted(method: Callable[[Any], Any], fit: Fit) -> Callable[[Any], Any]:
    return lambda key: method(fit(key))


def _with_results(descriptor: ReducingStateDescriptor, fit: Fit) -> ReducingStateDescriptor:
    """The descriptor with a function whose results are held to the type."""
    reduce = descriptor.reduce
    checked = copy(descriptor)
    checked._reduce_function = lambda one, two: fit(reduce(one, two))
    return checked


def _with_accumulators(descriptor: AggregatingStateDescriptor, fit: Fit) -> AggregatingStateDescriptor:
    """The descriptor with a function whose accumulators are held to the type."""
    checked = copy(descriptor)
    checked._agg_function = _CheckedAggregate(descriptor.get_agg_function(), fit)
    return checked


class _CheckedAggregate:
    """An aggregate function of the user with accumulators of the declared type."""

    __slots__ = ("_add", "_fit", "create_accumulator", "get_result", "merge")

    def __init__(self, function: Any, fit: Fit) -> None:
        self._add = function.add
        self._fit = fit
        self.create_accumulator = function.create_accumulator
        self.get_result = function.get_result
        self.merge = function.merge

    def add(self, value: Any, accumulator: Any) -> Any:
        return self._fit(self._add(value, accumulator))
