"""PartitionWindowedStream: all records of a partition, to be worked on together when a bounded input has ended.

The partitions of a keyed stream are its keys, those of another one the parts of its subtasks. Source: Flink's documentation,
"Full Window Partition".
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, overload

from penstock.contracts.effects import Effect
from penstock.contracts.element_type import T
from penstock.contracts.functions import AggregateFunction, ReduceFunction, WindowFunction
from penstock.contracts.partition_functions import MapPartitionFunction, Order
from penstock.datastream.arguments import function_argument, key_argument, type_argument
from penstock.datastream.keyed import KeyedStream
from penstock.datastream.stream import DataStream
from penstock.datastream.windowed import WindowedStream
from penstock.errors import ProgramError
from penstock.operators.effects import effect_of
from penstock.operators.full_window import FullWindowSpec, Over
from penstock.operators.user_code import callable_of, is_rich, origin_of_caller, shorten
from penstock.windows.assigners.global_windows import GlobalWindows

R = TypeVar("R")


class PartitionWindowedStream(Generic[T]):
    """What :meth:`~penstock.datastream.stream.DataStream.full_window_partition` gives. Every record of a partition is kept
    until the input has ended, but for ``reduce`` and ``aggregate``; of an unbounded stream nothing comes out."""

    def __init__(self, stream: DataStream[T]) -> None:
        self._stream = stream

    @overload
    def map_partition(self, func: MapPartitionFunction[T, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def map_partition(
        self, func: Callable[[Iterable[T]], Iterable[R] | None], output_type: Any = None
    ) -> DataStream[R]: ...
    def map_partition(self, func: Any, output_type: Any = None) -> DataStream[Any]:
        """Any number of records out of all records of a partition."""
        function = function_argument(func, "map_partition", MapPartitionFunction, 1)
        windows = self._windows()
        if windows is not None:
            return windows.apply(_OfKey(function, Over.MAP), output_type).name("MapPartition")
        return self._add("MapPartition", Over.MAP, function, output_type)

    def sort_partition(self, field: Any, order: Order = Order.ASCENDING) -> DataStream[T]:
        """The records of each partition in the order of a field, a position, or what a function makes of a record."""
        if not isinstance(order, Order):
            raise ProgramError(
                f"sort_partition takes Order.ASCENDING or Order.DESCENDING, not {shorten(order)} ({origin_of_caller()})"
            )
        selector = key_argument(field)
        is_descending = order is Order.DESCENDING
        windows = self._windows()
        if windows is not None:
            sort = _OfKey(selector, Over.SORT, is_descending)
            return windows.apply(sort, self._stream._type_info).name("SortPartition")
        return self._add("SortPartition", Over.SORT, selector, self._stream._type_info, is_descending)

    def reduce(self, func: ReduceFunction[T] | Callable[[T, T], T]) -> DataStream[T]:
        """The records of each partition combined into one."""
        windows = self._windows()
        if windows is not None:
            return windows.reduce(func).name("PartitionReduce")
        function = function_argument(func, "reduce", ReduceFunction, 2)
        return self._add("PartitionReduce", Over.REDUCE, function, self._stream._type_info)

    def aggregate(
        self, aggregate_function: AggregateFunction[T, Any, R], output_type: Any = None
    ) -> DataStream[R]:
        """The result of an ``AggregateFunction`` over the records of each partition."""
        if not isinstance(aggregate_function, AggregateFunction):
            raise ProgramError(
                f"aggregate takes an AggregateFunction, not {shorten(aggregate_function)} ({origin_of_caller()})"
            )
        windows = self._windows()
        if windows is not None:
            return windows.aggregate(aggregate_function, output_type=output_type).name("PartitionAggregate")
        return self._add("PartitionAggregate", Over.AGGREGATE, aggregate_function, output_type)

    def _windows(self) -> WindowedStream[T] | None:
        """One window for each key, where there are keys."""
        stream = self._stream
        if not isinstance(stream, KeyedStream):
            return None
        return stream.window(GlobalWindows.create_with_end_of_stream_trigger())

    def _add(
        self, name: str, over: Over, function: Any, output_type: Any, is_descending: bool = False
    ) -> DataStream:
        checked = type_argument(output_type, "output_type")
        spec = FullWindowSpec(over, function, is_descending, checked)
        stream = self._stream
        fields = {}
        if len(stream._refs) == 1 and stream._refs[0].partitioning is None:
            # The partitions are those of the operator above, as in Flink.
            fields["parallelism"] = stream._environment.program.node(stream._node_id).parallelism
        return stream._then(name, spec, output_type, **fields)


class _OfKey(WindowFunction[Any, Any, Any, Any]):
    """A function of a partition over the window of one key."""

    def __init__(self, function: Any, over: Over, is_descending: bool = False) -> None:
        self._function = function
        self._over = over
        self._is_descending = is_descending

    @property
    def effect(self) -> Effect:
        """That of the function."""
        return effect_of(self._function)

    def open(self, runtime_context: Any) -> None:
        if is_rich(self._function):
            self._function.open(runtime_context)

    def close(self) -> None:
        if is_rich(self._function):
            self._function.close()

    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Iterable[Any] | None:
        call = callable_of(self._function, self._over.value, self._over.value)
        if self._over is Over.SORT:
            return sorted(inputs, key=call, reverse=self._is_descending)
        results: Iterable[Any] | None = call(inputs)
        return results
