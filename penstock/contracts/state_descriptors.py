"""Descriptors: the name, type, defaults and lifetime of a state. They are values that travel with functions."""

from abc import ABC
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar, TypeVar

from penstock.contracts.reduce_callable import CallableReduceFunction
from penstock.contracts.state_ttl import StateTtlConfig
from penstock.errors import ProgramError, TypeMismatch


class StateKind(Enum):
    """What is stored under a key."""

    VALUE = "value"
    LIST = "list"
    MAP = "map"
    REDUCING = "reducing"
    AGGREGATING = "aggregating"
    TIMERS = "timers"


class StateDescriptor(ABC):
    """Names a state. Two descriptors of one name in one operator mean the same state and must agree.

    ``type_info`` is the ``TypeInformation`` of what is stored, or None for any Python value.
    """

    kind: ClassVar[StateKind]

    is_checked = True
    """Whether what is put into the state is held to its type; see :func:`of_the_engine`."""

    def __init__(self, name: str, type_info: Any = None) -> None:
        if not isinstance(name, str) or not name:
            raise ProgramError(f"a state is called {name!r}: its name has to be text, and not empty")
        self.name = name
        self.type_info = None if type_info is None else _declared(name, type_info)
        self._ttl_config: StateTtlConfig | None = None
        self.migration: Callable[[Any, str], Any] | None = None
        self._version = 0

    def get_name(self) -> str:
        """The name of the state."""
        return self.name

    def enable_time_to_live(self, ttl_config: StateTtlConfig) -> None:
        """Have the state expire."""
        self._ttl_config = ttl_config

    def migrate_with(self, function: Callable[[Any, str], Any], version: int = 1) -> None:
        """Have ``function(stored, old_type)`` turn each restored value into what the program stores now.

        It is called once for each value (each element of a list, each value of a map) of a state that was saved with another
        type than this descriptor declares, or not in this ``version``, a number that is to be raised with each migration
        between values of one declared type, or of none. ``old_type`` is the text of the type that was saved, empty when none
        had been declared. What widens by itself, and fields that came or went, need no function.

        >>> prices = ValueStateDescriptor("price")
        >>> prices.migrate_with(lambda stored, old_type: {"amount": stored, "currency": "EUR"})
        >>> prices.type_text
        'any value, version 1'
        """
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ProgramError(f"the version of state {self.name!r} is a number from 1 on, not {version!r}")
        self.migration = function
        self._version = version

    @property
    def ttl_config(self) -> StateTtlConfig | None:
        """How the state expires; None when it does not."""
        config = self._ttl_config
        return config if config is not None and config.is_enabled() else None

    @property
    def type_text(self) -> str:
        """The type and version as text, for snapshots and errors; empty when none was given."""
        text = "" if self.type_info is None else str(self.type_info)
        return f"{text or 'any value'}, version {self._version}" if self._version else text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}{', ' * bool(self.type_text)}{self.type_text})"


class ValueStateDescriptor(StateDescriptor):
    """Describes a :class:`~penstock.contracts.state.ValueState`.

    >>> ValueStateDescriptor("count", default_value=0).get_name()
    'count'
    """

    kind = StateKind.VALUE

    def __init__(self, name: str, value_type_info: Any = None, default_value: Any = None) -> None:
        super().__init__(name, value_type_info)
        if default_value is not None and self.type_info is not None:
            default_value = _fitted_default(name, self.type_info, default_value)
        self.default_value = default_value


class ListStateDescriptor(StateDescriptor):
    """Describes a :class:`~penstock.contracts.state.ListState`, by the type of its elements."""

    kind = StateKind.LIST

    def __init__(self, name: str, elem_type_info: Any = None) -> None:
        super().__init__(name, None if elem_type_info is None else _types().LIST(elem_type_info))


class MapStateDescriptor(StateDescriptor):
    """Describes a :class:`~penstock.contracts.state.MapState` or a broadcast state."""

    kind = StateKind.MAP

    def __init__(self, name: str, key_type_info: Any = None, value_type_info: Any = None) -> None:
        if (key_type_info is None) != (value_type_info is None):
            raise ProgramError(
                f"map state {name!r} has the type of its keys or values only: give both or neither"
            )
        super().__init__(
            name, None if key_type_info is None else _types().MAP(key_type_info, value_type_info)
        )


class ReducingStateDescriptor(StateDescriptor):
    """Describes a :class:`~penstock.contracts.state.ReducingState`; the function is a ReduceFunction or a callable.

    >>> ReducingStateDescriptor("sum", lambda a, b: a + b).get_reduce_function().reduce(1, 2)
    3
    """

    kind = StateKind.REDUCING

    def __init__(self, name: str, reduce_function: Any, type_info: Any = None) -> None:
        super().__init__(name, type_info)
        if not callable(getattr(reduce_function, "reduce", None)) and not callable(reduce_function):
            raise TypeMismatch(
                f"reducing state {name!r} got {reduce_function!r} as its function: "
                "give a ReduceFunction, or a callable of two values"
            )
        self._reduce_function = reduce_function

    def get_reduce_function(self) -> Any:
        """The function, as a ``ReduceFunction``."""
        if callable(getattr(self._reduce_function, "reduce", None)):
            return self._reduce_function
        return CallableReduceFunction(self._reduce_function)

    @property
    def reduce(self) -> Callable[[Any, Any], Any]:
        """The function as a plain callable, for hot loops."""
        method: Callable[[Any, Any], Any] = getattr(self._reduce_function, "reduce", self._reduce_function)
        return method


class AggregatingStateDescriptor(StateDescriptor):
    """Describes an :class:`~penstock.contracts.state.AggregatingState`; the type is that of the accumulator."""

    kind = StateKind.AGGREGATING

    def __init__(self, name: str, agg_function: Any, state_type_info: Any = None) -> None:
        super().__init__(name, state_type_info)
        missing = [
            m
            for m in ("create_accumulator", "add", "get_result")
            if not callable(getattr(agg_function, m, None))
        ]
        if missing:
            raise TypeMismatch(
                f"aggregating state {name!r} got {agg_function!r} as its function, which has no {missing[0]}: "
                "give an AggregateFunction"
            )
        self._agg_function = agg_function

    def get_agg_function(self) -> Any:
        """The function."""
        return self._agg_function


D = TypeVar("D", bound=StateDescriptor)


def of_the_engine(descriptor: D) -> D:
    """The descriptor of a state into which the engine alone puts values: they fit, and nobody looks whether they do."""
    descriptor.is_checked = False
    return descriptor


def _declared(name: str, type_info: Any) -> Any:
    from penstock.data.type_collections import a_type

    try:
        return a_type(type_info)
    except TypeError as error:
        raise TypeMismatch(f"the type of state {name!r} is none: {error}") from error


def _fitted_default(name: str, declared: Any, value: Any) -> Any:
    from penstock.data.type_information import Misfit

    try:
        return declared.fit([value], True)[0]
    except Misfit as misfit:
        raise misfit.as_error(declared, f"the default value of state {name!r}") from None


def _types() -> Any:
    from penstock.data.types import Types  # not needed by programs that declare no types

    return Types
