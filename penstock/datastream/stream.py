"""DataStream: a stream of records that is being written down."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from penstock.contracts.element_type import T
from penstock.contracts.functions import (
    FilterFunction,
    FlatMapFunction,
    MapFunction,
    Partitioner,
    ProcessFunction,
)
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.partitioning import (
    Broadcast,
    Custom,
    Forward,
    Global,
    Partitioning,
    Rebalance,
    Rescale,
    Shuffle,
)
from penstock.contracts.sink import Sink
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.dataflow.logical import LogicalEdge
from penstock.datastream.arguments import (
    AtUsersLine,
    function_argument,
    key_argument,
    sink_function_argument,
    type_argument,
    watermark_strategy_argument,
)
from penstock.datastream.operator_settings import OperatorSettings
from penstock.datastream.program import Environment
from penstock.datastream.sink_handle import DataStreamSink
from penstock.errors import ProgramError
from penstock.operators.contract import OperatorSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.row_loops import StepKind
from penstock.operators.sink import SinkSpec
from penstock.operators.user_code import origin_of_caller, shorten

if TYPE_CHECKING:
    from penstock.datastream.broadcast import BroadcastConnectedStream, BroadcastStream
    from penstock.datastream.cached import CachedDataStream
    from penstock.datastream.collected import CloseableIterator
    from penstock.datastream.connected import ConnectedStreams
    from penstock.datastream.iterative import IterativeStream
    from penstock.datastream.joined import CoGroupedStreams, JoinedStreams
    from penstock.datastream.keyed import KeyedStream
    from penstock.datastream.partition_windowed import PartitionWindowedStream
    from penstock.datastream.windowed import AllWindowedStream
    from penstock.windows.assigners.assigner import WindowAssigner


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class StreamRef:
    """Where records of a stream come from: a node's output or one of its side outputs, and how they are spread."""

    node_id: int
    side_tag: str | None = None
    partitioning: Partitioning | None = None

    def edge(self, port: int = 0) -> LogicalEdge:
        """An edge that reads it."""
        return LogicalEdge(self.node_id, self.partitioning, port, self.side_tag)


class DataStream(OperatorSettings, Generic[T]):
    """A stream of records of one type. Methods add operators to the program; nothing runs before ``execute``."""

    def __init__(self, environment: Environment, refs: tuple[StreamRef, ...], type_info: Any = None) -> None:
        super().__init__(environment, refs[0].node_id)
        self._refs = refs
        self._type_info = type_info

    # Adding operators ---------------------------------------------------------------------------------------------------

    def _then(self, name: str, spec: OperatorSpec, output_type: Any = None, **fields: Any) -> "DataStream":
        """A stream of what an operator makes of this one."""
        edges = tuple(ref.edge() for ref in self._refs)
        fields.setdefault("parallelism", self._inherited_parallelism())
        node_id = self._environment.program.add(name, spec, edges, **fields)
        return DataStream(self._environment, (StreamRef(node_id),), output_type)

    def _inherited_parallelism(self) -> int | None:
        """New operators have the environment's parallelism, as in Flink; None leaves it to that."""
        return None

    def _row_function(self, kind: StepKind, function: Any, name: str, output_type: Any) -> "DataStream":
        step = RowStep(kind, function, name, output_type=type_argument(output_type, "output_type"))
        return self._then(name, RowChainSpec((step,)), output_type)

    @overload
    def map(self, func: MapFunction[T, R], output_type: Any = None) -> "DataStream[R]": ...
    @overload
    def map(self, func: Callable[[T], R], output_type: Any = None) -> "DataStream[R]": ...
    def map(self, func: Any, output_type: Any = None) -> "DataStream[Any]":
        """One record out for each record in.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> with env.from_collection([1, 2]).map(lambda x: x * 10).execute_and_collect() as results:
        ...     list(results)
        [10, 20]
        """
        return self._row_function("map", function_argument(func, "map", MapFunction, 1), "Map", output_type)

    @overload
    def flat_map(self, func: FlatMapFunction[T, R], output_type: Any = None) -> "DataStream[R]": ...
    @overload
    def flat_map(
        self, func: Callable[[T], Iterable[R] | None], output_type: Any = None
    ) -> "DataStream[R]": ...
    def flat_map(self, func: Any, output_type: Any = None) -> "DataStream[Any]":
        """Any number of records out for each record in: everything that the iterable returned yields."""
        function = function_argument(func, "flat_map", FlatMapFunction, 1)
        return self._row_function("flat_map", function, "FlatMap", output_type)

    def filter(self, func: Callable[[T], Any] | FilterFunction[T]) -> "DataStream[T]":
        """The records for which the function is true."""
        function = function_argument(func, "filter", FilterFunction, 1)
        step = RowStep("filter", function, "Filter")
        return self._then("Filter", RowChainSpec((step,)), self._type_info)

    def project(self, *field_indexes: int) -> "DataStream":
        """Tuples of the named fields, in the order given."""
        from penstock.datastream.projection import Projection

        projection = Projection.of(field_indexes, self._type_info)
        step = RowStep("map", projection, "Projection", output_type=projection.output_type)
        return self._then("Projection", RowChainSpec((step,)), projection.output_type)

    def process(self, func: ProcessFunction[T, R], output_type: Any = None) -> "DataStream[R]":
        """The general operator: any number of records out, side outputs, the record's timestamp."""
        from penstock.operators.process import ProcessSpec

        function = function_argument(func, "process_element", ProcessFunction, 2)
        return self._then(
            "PROCESS", ProcessSpec(function, type_argument(output_type, "output_type")), output_type
        )

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> "DataStream[T]":
        """Give records their event times, and make watermarks."""
        from penstock.operators.assign_watermarks import AssignWatermarksSpec

        watermark_strategy_argument(watermark_strategy, "assign_timestamps_and_watermarks")
        if watermark_strategy.alignment is not None:
            import warnings

            warnings.warn(
                "with_watermark_alignment holds back sources only, so it does nothing in assign_timestamps_and_watermarks; "
                f"give the strategy to from_source ({origin_of_caller()})",
                stacklevel=2,
            )
        return self._then("Timestamps/Watermarks", AssignWatermarksSpec(watermark_strategy), self._type_info)

    def get_side_output(self, output_tag: OutputTag[R]) -> "DataStream[R]":
        """What the operator of this stream puts into a side output."""
        if not isinstance(output_tag, OutputTag):
            raise ProgramError(
                f"get_side_output takes an OutputTag, not {output_tag!r} ({origin_of_caller()})"
            )
        if len(self._refs) != 1 or self._refs[0].side_tag is not None:
            raise ProgramError(
                f"a side output is read from the operator that makes it ({origin_of_caller()})"
            )
        ref = StreamRef(self._node_id, output_tag.tag_id)
        return DataStream(self._environment, (ref,), output_tag.type_info)

    # Combining ----------------------------------------------------------------------------------------------------------

    def union(self, *streams: "DataStream[T]") -> "DataStream[T]":
        """All records of this and the other streams."""
        refs = list(self._refs)
        for stream in streams:
            self._check_same_environment(stream, "union")
            if None not in (self._type_info, stream._type_info) and self._type_info != stream._type_info:
                raise ProgramError(
                    f"Cannot union streams of different types: {self._type_info} and {stream._type_info} "
                    f"({origin_of_caller()})"
                )
            refs += stream._refs
        return DataStream(self._environment, tuple(refs), self._type_info)

    @overload
    def connect(self, ds: "DataStream[R]") -> "ConnectedStreams[T, R]": ...
    @overload
    def connect(self, ds: "BroadcastStream[R]") -> "BroadcastConnectedStream[T, R]": ...
    def connect(self, ds: Any) -> Any:
        """This stream and another of any type, for functions that see both; see ``ConnectedStreams``.

        With a ``BroadcastStream`` the functions share broadcast state; see ``BroadcastConnectedStream``.
        """
        self._check_same_environment(ds, "connect")
        return self._environment.streams.connected(self, ds)

    def join(self, other_stream: "DataStream[R]") -> "JoinedStreams[T, R]":
        """This stream and another, for pairs of records with one key in one window; see ``JoinedStreams``."""
        self._check_same_environment(other_stream, "join")
        joined: JoinedStreams[T, R] = self._environment.streams.joined(self, other_stream)
        return joined

    def co_group(self, other_stream: "DataStream[R]") -> "CoGroupedStreams[T, R]":
        """This stream and another, for all records with one key in one window; see ``CoGroupedStreams``."""
        self._check_same_environment(other_stream, "co_group")
        grouped: CoGroupedStreams[T, R] = self._environment.streams.co_grouped(self, other_stream)
        return grouped

    def _check_same_environment(self, other: Any, what: str) -> None:
        if not isinstance(other, OperatorSettings) and not hasattr(other, "_environment"):
            raise ProgramError(f"{what} takes a DataStream, not {shorten(other)} ({origin_of_caller()})")
        if other._environment is not self._environment:
            raise ProgramError(f"{what} takes streams of one environment ({origin_of_caller()})")

    def key_by(self, key_selector: Any, key_type: Any = None) -> "KeyedStream[T]":
        """Bring records with equal keys together: by function, position or field name."""
        keyed: KeyedStream[T] = self._environment.streams.keyed(
            self, key_argument(key_selector), type_argument(key_type, "key_type")
        )
        return keyed

    def window_all(self, window_assigner: "WindowAssigner[Any, Any]") -> "AllWindowedStream[T]":
        """Put all records into windows, without keys; one subtask does it all."""
        from penstock.datastream.windowed import AllWindowedStream

        return AllWindowedStream(self, window_assigner)

    def count_window_all(self, size: int, slide: int = 0) -> "AllWindowedStream[T]":
        """Windows of ``size`` records, every ``slide`` records one; 0 for one after the other."""
        from penstock.datastream.windowed import AllWindowedStream, count_assigner

        return AllWindowedStream(self, count_assigner(size, slide))

    def full_window_partition(self) -> "PartitionWindowedStream[T]":
        """All records of each partition together, when a bounded input has ended: of a key, or of a subtask without keys.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> words = env.from_collection(["b", "c", "a"]).full_window_partition()
        >>> with words.map_partition(lambda values: [" ".join(sorted(values))]).execute_and_collect() as results:
        ...     list(results)
        ['a b c']
        """
        windowed: PartitionWindowedStream[T] = self._environment.streams.partition_windowed(self)
        return windowed

    # Partitioning -------------------------------------------------------------------------------------------------------

    def _spread(self, partitioning: Partitioning) -> "DataStream[T]":
        refs = tuple(replace(ref, partitioning=partitioning) for ref in self._refs)
        return _PartitionedStream(self._environment, refs, self._type_info)

    def forward(self) -> "DataStream[T]":
        """Subtask i to subtask i."""
        return self._spread(Forward())

    def rebalance(self) -> "DataStream[T]":
        """Round robin over all subtasks."""
        return self._spread(Rebalance())

    def rescale(self) -> "DataStream[T]":
        """Round robin over a few near subtasks."""
        return self._spread(Rescale())

    def shuffle(self) -> "DataStream[T]":
        """At random over all subtasks."""
        return self._spread(Shuffle())

    @overload
    def broadcast(self) -> "DataStream[T]": ...
    @overload
    def broadcast(
        self, broadcast_state_descriptor: Any, *other_broadcast_state_descriptors: Any
    ) -> "BroadcastStream[T]": ...
    def broadcast(
        self, broadcast_state_descriptor: Any = None, *other_broadcast_state_descriptors: Any
    ) -> Any:
        """Every record to every subtask; with state descriptors a ``BroadcastStream``, to be connected with another."""
        if broadcast_state_descriptor is None:
            return self._spread(Broadcast())
        descriptors = (broadcast_state_descriptor, *other_broadcast_state_descriptors)
        return self._environment.streams.broadcast(self, descriptors)

    def global_(self) -> "DataStream[T]":
        """Every record to the first subtask."""
        return self._spread(Global())

    def partition_custom(
        self, partitioner: Callable[[Any, int], int] | Partitioner, key_selector: Any
    ) -> "DataStream[T]":
        """Where a function of the key and the number of subtasks says."""
        choose = function_argument(partitioner, "partition", Partitioner, 2)
        return self._spread(Custom(choose, key_argument(key_selector)))

    def iterate(self, max_wait_time_millis: int = 0) -> "IterativeStream":
        """Begin a loop: records of a stream that is made of this one come back to it, see ``IterativeStream.close_with``.

        Once the input has ended, the loop waits ``max_wait_time_millis`` for records to come back, and ends when none has;
        with 0 it waits for ever, and the job has to be cancelled. Not for BATCH mode. Source: Flink's documentation,
        "Iterations", up to 1.20.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> numbers = env.from_collection([1, 5]).iterate(100)
        >>> doubled = numbers.map(lambda x: x * 2)
        >>> _ = numbers.close_with(doubled.filter(lambda x: x < 10))
        >>> with doubled.filter(lambda x: x >= 10).execute_and_collect() as results:
        ...     sorted(results)
        [10, 16]
        """
        wait = max_wait_time_millis
        if isinstance(wait, bool) or not isinstance(wait, int) or wait < 0:
            raise ProgramError(
                f"max_wait_time_millis is an integer of milliseconds, 0 for ever, not {shorten(wait)} ({origin_of_caller()})"
            )
        iterative: IterativeStream = self._environment.streams.iterative(self, wait)
        return iterative

    def cache(self) -> "CachedDataStream":
        """Keep the rows when a job computes them, for later jobs of the environment that read the stream that is returned.

        For bounded streams. The rows lie in a folder of ``io.tmp.dirs`` until ``invalidate`` or until the environment is
        closed. Watermarks are not kept: what reads the rows again sees the end of time only.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> squares = env.from_collection([1, 2]).map(lambda x: print("computed") or x * x).cache()
        >>> for _ in range(2):
        ...     with squares.execute_and_collect() as results:
        ...         list(results)
        computed
        computed
        [1, 4]
        [1, 4]
        """
        cached: CachedDataStream = self._environment.streams.cached(self, self._environment.cache_folder())
        return cached

    # Sinks --------------------------------------------------------------------------------------------------------------

    def sink_to(self, sink: Sink) -> DataStreamSink:
        """Write the records to a sink."""
        if not isinstance(sink, Sink):
            raise ProgramError(f"sink_to takes a Sink, not {shorten(sink)} ({origin_of_caller()})")
        for_type = getattr(sink, "for_type", None)  # sinks that write texts write those of the declared type
        return self._end("Writer", sink if for_type is None else for_type(self._type_info))

    def add_sink(self, sink_func: Any) -> DataStreamSink:
        """Give every record to a SinkFunction or a plain function."""
        from penstock.connectors.functions.sink import FunctionSink

        sink = sink_func if isinstance(sink_func, Sink) else FunctionSink(sink_function_argument(sink_func))
        return self._end("Unnamed", sink)

    def print(self, sink_identifier: str | None = None) -> DataStreamSink:
        """Write every record to standard output, behind the identifier and, where there are several, the subtask's number."""
        from penstock.connectors.print.sink import PrintSink
        from penstock.data.text_forms import print_form

        return self._end("Print to Std. Out", PrintSink(sink_identifier, form=print_form(self._type_info)))

    def write_as_text(self, path: str, write_mode: Any = None) -> DataStreamSink:
        """Write every record as a line into a file, or with several writers into files of a directory. Not exactly once:
        ``FileSink`` is.

        ``write_mode``: a ``WriteMode``; a file that is there is not overwritten unless it says so.
        """
        return self._write_plain(path, write_mode, None, "\n")

    def write_as_csv(
        self, path: str, write_mode: Any = None, row_delimiter: str = "\n", field_delimiter: str = ","
    ) -> DataStreamSink:
        """Write every tuple as a line of its fields, without quotes; otherwise as ``write_as_text``."""
        return self._write_plain(path, write_mode, field_delimiter, row_delimiter)

    def _write_plain(
        self, path: str, write_mode: Any, field_delimiter: str | None, row_delimiter: str
    ) -> DataStreamSink:
        from penstock.connectors.files.plain import PlainFileSink, WriteMode
        from penstock.storage.reading import absolute_path

        with AtUsersLine():
            mode = WriteMode.NO_OVERWRITE if write_mode is None else write_mode
            sink = PlainFileSink(absolute_path(path), mode, field_delimiter, row_delimiter, self._type_info)
        return self._end("Unnamed", sink)

    def print_to_err(self, sink_identifier: str | None = None) -> DataStreamSink:
        """Write every record to standard error, as :meth:`print` does to standard output."""
        from penstock.connectors.print.sink import PrintSink
        from penstock.data.text_forms import print_form

        return self._end("Print to Std. Err", PrintSink(sink_identifier, True, print_form(self._type_info)))

    def _end(self, name: str, sink: Sink) -> DataStreamSink:
        edges = tuple(ref.edge() for ref in self._refs)
        node_id = self._environment.program.add(f"Sink: {name}", SinkSpec(sink, self._type_info), edges)
        return DataStreamSink(self._environment, node_id)

    @overload
    def execute_and_collect(
        self, job_execution_name: str | None = None, limit: None = None
    ) -> "CloseableIterator[T]": ...
    @overload
    def execute_and_collect(self, job_execution_name: str | None = None, *, limit: int) -> list[T]: ...
    @overload
    def execute_and_collect(self, job_execution_name: str | None, limit: int) -> list[T]: ...
    def execute_and_collect(self, job_execution_name: str | None = None, limit: int | None = None) -> Any:
        """Run the program now and bring the records here: an iterator, or with ``limit`` a list of so many at most.

        The iterator is to be closed: leave its ``with`` block, or read it to its end; that ends the job.
        """
        results: CloseableIterator[T] = self._collect(job_execution_name)
        if limit is None:
            return results
        with results:
            # Not the other way round: an unbounded stream may never have one more.
            return [value for _, value in zip(range(limit), results, strict=False)]

    def _collect(self, job_name: str | None) -> "CloseableIterator[T]":
        from penstock.datastream.collected import CloseableIterator
        from penstock.operators.collect import CollectSpec

        collector = f"collect-{len(self._environment.program)}"
        edges = tuple(ref.edge() for ref in self._refs)
        node_id = self._environment.program.add(
            "Collect", CollectSpec(collector), edges, parallelism=1, fixed_parallelism=True
        )
        job = self._environment.run_collecting(node_id, job_name or "DataStream Collect")
        return CloseableIterator(job.rows(collector), job.cancel)

    # Asking -------------------------------------------------------------------------------------------------------------

    def get_name(self) -> str:
        """The name of the operator that makes the stream."""
        return self._shown_name().removeprefix("Source: ")

    def get_id(self) -> int:
        """The number of the operator in the program."""
        return self._node_id

    def get_parallelism(self) -> int:
        """In how many subtasks the operator runs; that of the environment where nothing was set for it."""
        parallelism = self._environment.program.node(self._node_id).parallelism
        return parallelism or self.get_execution_environment().get_parallelism()

    def get_type(self) -> Any:
        """The declared type of the records; what the engine assumes where none was declared."""
        from penstock.data.types import RowTypeInfo, Types

        if isinstance(self._type_info, RowTypeInfo):
            # Fields have names then, f0, f1, ... where none were given: as in PyFlink.
            return Types.ROW_NAMED(self._type_info.get_field_names(), self._type_info.get_field_types())
        return self._type_info or Types.PICKLED_BYTE_ARRAY()

    def get_execution_environment(self) -> Any:
        """The environment that the stream belongs to."""
        return self._environment

    def get_execution_config(self) -> Any:
        """The execution configuration of the environment."""
        return self.get_execution_environment().get_config()


class _PartitionedStream(DataStream[T]):
    """A stream with a partitioning of its own: no operator, so there is nothing to set."""

    def _refine(self, what: str, **fields: Any) -> None:
        if what in ("set_parallelism", "set_max_parallelism", "uid"):
            raise ProgramError(f"{what} is for operators, and a partitioning is none ({origin_of_caller()})")

    def set_parallelism(self, parallelism: int) -> Self:
        self._refine("set_parallelism")
        return self
