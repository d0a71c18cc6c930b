"""KeyedStream: a stream whose records with equal keys are together."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from penstock.contracts.element_type import T
from penstock.contracts.functions import (
    FilterFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
)
from penstock.contracts.partitioning import Hash, Partitioning
from penstock.datastream.arguments import AtUsersLine, function_argument, type_argument
from penstock.datastream.stream import DataStream
from penstock.errors import ProgramError
from penstock.operators.aggregations import AggregationKind, FieldAggregation
from penstock.operators.keyed_reduce import KeyedReduceSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.row_loops import StepKind
from penstock.operators.user_code import is_rich, origin_of_caller

if TYPE_CHECKING:
    from penstock.datastream.joined import IntervalJoin
    from penstock.datastream.windowed import WindowedStream
    from penstock.windows.assigners.assigner import WindowAssigner

R = TypeVar("R")


class KeyedStream(DataStream[T]):
    """A stream that is spread by key; functions on it have state and timers of the key of each record."""

    def __init__(self, stream: DataStream[T], key_selector: Any, key_type: Any = None) -> None:
        refs = tuple(replace(ref, partitioning=Hash(key_selector, key_type)) for ref in stream._refs)
        super().__init__(stream._environment, refs, stream._type_info)
        self._origin_stream = stream
        self._key_selector = key_selector
        self._key_type = key_type

    def get_key_type(self) -> Any:
        """The declared type of the keys; None where none was declared."""
        return self._key_type

    @property
    def key_selector(self) -> Any:
        """What computes the keys."""
        return self._key_selector

    def _refine(self, what: str, **fields: Any) -> None:
        if what == "set_description":
            return  # Flink describes the edge, which no plan shows
        raise ProgramError(
            f"{what} for KeyedStream is not supported: it is for operators, and key_by only spreads records; call it on the "
            f"operator before or behind ({origin_of_caller()})"
        )

    def _spread(self, partitioning: Partitioning) -> DataStream[T]:
        raise ProgramError(
            f"Cannot override partitioning for KeyedStream: key_by has spread the records by key ({origin_of_caller()})"
        )

    def cache(self) -> NoReturn:
        """Not for a keyed stream, as in Flink: this raises."""
        raise ProgramError(
            "Cache for KeyedStream is not supported: key_by only spreads records; call cache() on the stream before it "
            f"and key_by on what that returns ({origin_of_caller()})"
        )

    def key_by(self, key_selector: Any, key_type: Any = None) -> "KeyedStream[T]":
        """Spread by another key."""
        return self._origin_stream.key_by(key_selector, key_type)

    def _row_function(self, kind: StepKind, function: Any, name: str, output_type: Any) -> DataStream:
        """Function classes may use keyed state, so the key is set for each record; plain functions are fused as ever."""
        step = RowStep(kind, function, name, output_type=type_argument(output_type, "output_type"))
        if not is_rich(function):
            return self._then(name, RowChainSpec((step,)), output_type)
        from penstock.operators.keyed_rows import KeyedRowSpec

        return self._then(name, KeyedRowSpec(step), output_type)

    @overload
    def map(self, func: MapFunction[T, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def map(self, func: Callable[[T], R], output_type: Any = None) -> DataStream[R]: ...
    def map(self, func: Any, output_type: Any = None) -> DataStream[Any]:
        """One record out for each record in; a MapFunction may use keyed state."""
        return self._row_function("map", function_argument(func, "map", MapFunction, 1), "Map", output_type)

    @overload
    def flat_map(self, func: FlatMapFunction[T, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def flat_map(self, func: Callable[[T], Iterable[R] | None], output_type: Any = None) -> DataStream[R]: ...
    def flat_map(self, func: Any, output_type: Any = None) -> DataStream[Any]:
        """Any number of records out; a FlatMapFunction may use keyed state."""
        function = function_argument(func, "flat_map", FlatMapFunction, 1)
        return self._row_function("flat_map", function, "FlatMap", output_type)

    def filter(self, func: Callable[[T], Any] | FilterFunction[T]) -> DataStream[T]:
        """The records for which the function is true; a FilterFunction may use keyed state."""
        function = function_argument(func, "filter", FilterFunction, 1)
        stream = self._row_function("filter", function, "Filter", None)
        stream._type_info = self._type_info
        return stream

    def reduce(self, func: Callable[[T, T], T] | ReduceFunction[T]) -> DataStream[T]:
        """The running combination per key: one updated result for each record, in BATCH mode one per key.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> sums = env.from_collection([1, 2, 3, 4]).key_by(lambda x: x % 2).reduce(lambda a, b: a + b)
        >>> with sums.execute_and_collect() as results:
        ...     list(results)
        [1, 2, 4, 6]
        """
        function = function_argument(func, "reduce", ReduceFunction, 2)
        return self._then("Reduce", KeyedReduceSpec(function, self._type_info), self._type_info)

    def _aggregate(self, kind: AggregationKind, field: int | str) -> DataStream[T]:
        if isinstance(field, bool) or not isinstance(field, (int, str)):
            raise ProgramError(
                f"{kind} takes a position or a field name, not {field!r} ({origin_of_caller()})"
            )
        with AtUsersLine():
            aggregation = FieldAggregation(kind, field)
        return self._then("Reduce", KeyedReduceSpec(aggregation, self._type_info), self._type_info)

    def sum(self, position_to_sum: int | str = 0) -> DataStream[T]:
        """The running sum of a field per key; other fields keep their first value."""
        return self._aggregate("sum", position_to_sum)

    def min(self, position_to_min: int | str = 0) -> DataStream[T]:
        """The running minimum of a field per key; other fields keep their first value."""
        return self._aggregate("min", position_to_min)

    def max(self, position_to_max: int | str = 0) -> DataStream[T]:
        """The running maximum of a field per key; other fields keep their first value."""
        return self._aggregate("max", position_to_max)

    def min_by(self, position_to_min_by: int | str = 0) -> DataStream[T]:
        """The record with the smallest field per key so far."""
        return self._aggregate("min_by", position_to_min_by)

    def max_by(self, position_to_max_by: int | str = 0) -> DataStream[T]:
        """The record with the largest field per key so far."""
        return self._aggregate("max_by", position_to_max_by)

    def window(self, window_assigner: "WindowAssigner[Any, Any]") -> "WindowedStream[T]":
        """Put the records of each key into windows.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> from penstock.datastream.window import GlobalWindows
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> stream = env.from_collection([1, 2, 3, 4]).key_by(lambda x: x % 2)
        >>> totals = stream.window(GlobalWindows.create_with_end_of_stream_trigger()).sum()
        >>> with totals.execute_and_collect() as results:
        ...     list(results)
        [4, 6]
        """
        from penstock.datastream.windowed import WindowedStream

        return WindowedStream(self, window_assigner)

    def count_window(self, size: int, slide: int = 0) -> "WindowedStream[T]":
        """Windows of ``size`` records of each key, every ``slide`` records one; 0 for one after the other."""
        from penstock.datastream.windowed import WindowedStream, count_assigner

        return WindowedStream(self, count_assigner(size, slide))

    def interval_join(self, other_stream: "KeyedStream[R]") -> "IntervalJoin[T, R]":
        """This stream and another keyed one, for pairs of records that are near in event time; see ``IntervalJoin``."""
        self._check_same_environment(other_stream, "interval_join")
        joined: IntervalJoin[T, R] = self._environment.streams.interval_joined(self, other_stream)
        return joined

    @overload
    def process(self, func: KeyedProcessFunction[Any, T, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def process(self, func: Any, output_type: Any = None) -> DataStream[Any]: ...
    def process(self, func: Any, output_type: Any = None) -> DataStream[Any]:
        """The general operator on a keyed stream: state, timers, side outputs."""
        from penstock.operators.keyed_process import KeyedProcessSpec

        if isinstance(func, ProcessFunction):
            raise ProgramError(
                f"KeyedProcessFunction is required for KeyedStream: {type(func).__name__} is a ProcessFunction "
                f"({origin_of_caller()})"
            )
        function = function_argument(func, "process_element", KeyedProcessFunction, 2)
        spec = KeyedProcessSpec(function, type_argument(output_type, "output_type"))
        return self._then("KEYED PROCESS", spec, output_type)
