"""ConnectedStreams: two streams of any types, for functions that see both."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from penstock.contracts.element_type import T, U
from penstock.contracts.functions import (
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    Function,
    KeyedCoProcessFunction,
)
from penstock.data.types import TypeInformation
from penstock.datastream.arguments import function_argument, type_argument
from penstock.datastream.keyed import KeyedStream
from penstock.datastream.stream import DataStream, StreamRef
from penstock.errors import ProgramError, TypeMismatch
from penstock.operators.co_process import CoProcessSpec, KeyedCoProcessSpec
from penstock.operators.co_rows import CoRowKind, CoRowSpec
from penstock.operators.contract import OperatorSpec
from penstock.operators.user_code import origin_of_caller, shorten

R = TypeVar("R")
S = TypeVar("S")


def connect(first: DataStream[T], second: Any) -> "ConnectedStreams[T, Any]":
    """Two streams of one environment.

    :raises ProgramError: when the second is something else than a stream.
    """
    if not isinstance(second, DataStream):
        raise ProgramError(
            f"connect takes a DataStream or a BroadcastStream, not {shorten(second)} ({origin_of_caller()})"
        )
    return ConnectedStreams(first, second)


class ConnectedStreams(Generic[T, U]):
    """Two streams. Where both are keyed, functions have state and timers of the key, which is the same for both."""

    def __init__(self, stream1: DataStream[T], stream2: DataStream[U]) -> None:
        self.stream1 = stream1
        self.stream2 = stream2
        self._environment = stream1._environment

    def get_first_input(self) -> DataStream[T]:
        """The first stream."""
        return self.stream1

    def get_second_input(self) -> DataStream[U]:
        """The second stream."""
        return self.stream2

    def get_type1(self) -> Any:
        """The type of the first stream's records."""
        return self.stream1.get_type()

    def get_type2(self) -> Any:
        """The type of the second stream's records."""
        return self.stream2.get_type()

    def get_execution_environment(self) -> Any:
        """The environment that both streams belong to."""
        return self._environment

    def key_by(
        self, key_selector1: Any, key_selector2: Any, key_type: Any = None
    ) -> "ConnectedStreams[T, U]":
        """Bring records of both streams with equal keys together; the keys of both must be of one type."""
        return ConnectedStreams(
            self.stream1.key_by(key_selector1, key_type), self.stream2.key_by(key_selector2, key_type)
        )

    @overload
    def map(
        self, func: CoMapFunction[T, U, R], second: None = None, output_type: Any = None
    ) -> DataStream[R]: ...
    @overload
    def map(
        self, func: Callable[[T], R], second: Callable[[U], S], output_type: Any = None
    ) -> DataStream[R | S]: ...
    def map(self, func: Any, second: Any = None, output_type: Any = None) -> DataStream:
        """At most one record out for each record in: by a ``CoMapFunction``, or by one function for each stream.

        None is left out.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> both = env.from_collection([1, 2]).connect(env.from_collection(["a"]))
        >>> with both.map(lambda n: n * 10, str.upper).execute_and_collect() as results:
        ...     sorted(map(str, results))
        ['10', '20', 'A']
        """
        return self._row_function("map", CoMapFunction, func, second, output_type)

    @overload
    def flat_map(
        self, func: CoFlatMapFunction[T, U, R], second: None = None, output_type: Any = None
    ) -> DataStream[R]: ...
    @overload
    def flat_map(self, func: Any, second: Any = None, output_type: Any = None) -> DataStream[Any]: ...
    def flat_map(self, func: Any, second: Any = None, output_type: Any = None) -> DataStream:
        """Any number of records out: by a ``CoFlatMapFunction``, or by one function for each stream."""
        return self._row_function("flat_map", CoFlatMapFunction, func, second, output_type)

    @overload
    def process(
        self,
        func: CoProcessFunction[T, U, R] | KeyedCoProcessFunction[Any, T, U, R],
        second: None = None,
        output_type: Any = None,
    ) -> DataStream[R]: ...
    @overload
    def process(self, func: Any, second: Any = None, output_type: Any = None) -> DataStream[Any]: ...
    def process(self, func: Any, second: Any = None, output_type: Any = None) -> DataStream:
        """The general operator: a ``CoProcessFunction``, on keyed streams a ``KeyedCoProcessFunction``, or two functions."""
        second, output_type = _second_and_type(second, output_type)
        if isinstance(func, KeyedCoProcessFunction) and not self._is_keyed:
            raise TypeMismatch(
                "a KeyedCoProcessFunction needs two keyed streams: call key_by on the connected streams, or use a "
                f"CoProcessFunction ({origin_of_caller()})"
            )
        what = "The input must be a CoProcessFunction or KeyedCoProcessFunction!"
        methods = ("process_element1", "process_element2")
        function = _co_function(func, second, CoProcessFunction, methods, what)
        if self._is_keyed:
            return self._then("Keyed Co-Process", KeyedCoProcessSpec(function, output_type), output_type)
        return self._then("Co-Process", CoProcessSpec(function, output_type), output_type)

    def _row_function(
        self, kind: CoRowKind, wanted: type[Function], func: Any, second: Any, output_type: Any
    ) -> DataStream:
        second, output_type = _second_and_type(second, output_type)
        what = f"The input {'function ' if kind == 'map' else ''}must be a {wanted.__name__}!"
        function = _co_function(func, second, wanted, (f"{kind}1", f"{kind}2"), what)
        name = "Co-Map" if kind == "map" else "Co-Flat Map"
        return self._then(name, CoRowSpec(kind, function, output_type, self._is_keyed), output_type)

    @property
    def _is_keyed(self) -> bool:
        return isinstance(self.stream1, KeyedStream) and isinstance(self.stream2, KeyedStream)

    def _then(self, name: str, spec: OperatorSpec, output_type: Any) -> DataStream:
        return two_inputs(self.stream1, self.stream2, name, spec, output_type)


def two_inputs(
    first: DataStream, second: DataStream, name: str, spec: OperatorSpec, output_type: Any
) -> DataStream:
    """A stream of what an operator makes of two, the first on port 0, the second on port 1."""
    edges = [ref.edge(port) for port, stream in enumerate((first, second)) for ref in stream._refs]
    node_id = first._environment.program.add(name, spec, tuple(edges))
    return DataStream(first._environment, (StreamRef(node_id),), output_type)


def _second_and_type(second: Any, output_type: Any) -> tuple[Any, Any]:
    """PyFlink's second argument is the type; ours may be the function for the second stream."""
    if output_type is None and isinstance(second, TypeInformation):
        second, output_type = None, second
    return second, type_argument(output_type, "output_type")


def _co_function(func: Any, second: Any, wanted: type[Function], methods: tuple[str, str], what: str) -> Any:
    """A function class with both methods as it is, two plain functions as a tuple."""
    if second is not None:
        arguments = 1 if wanted in (CoMapFunction, CoFlatMapFunction) else 2
        for function, method in zip((func, second), methods, strict=True):
            if isinstance(function, Function):
                raise TypeMismatch(
                    f"{what} Two plain functions do as well, but {method} got a {type(function).__name__} "
                    f"({origin_of_caller()})"
                )
            function_argument(function, method, wanted, arguments)
        return func, second
    if not isinstance(func, type) and all(callable(getattr(func, method, None)) for method in methods):
        return func
    raise TypeMismatch(
        f"{what} It got {shorten(func)}; an object with the methods {' and '.join(methods)}, or one plain function for each "
        f"stream, will do ({origin_of_caller()})"
    )
