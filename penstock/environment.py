"""Where the towers meet: owns the settings, collects the program, compiles its graph and hands it to an executor."""

import sys
import weakref
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from penstock.config.configuration import Configuration
from penstock.config.defaults import default_configuration
from penstock.config.execution_config import ExecutionConfig
from penstock.contracts.element_type import T
from penstock.contracts.source import Source
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.time import Duration
from penstock.data.types import TypeInformation
from penstock.dataflow.logical import LogicalGraph, RuntimeExecutionMode
from penstock.dataflow.submission import JobExecutionResult, RunningJob, find_executor, submit
from penstock.datastream.arguments import (
    AtUsersLine,
    path_argument,
    text_argument,
    type_argument,
    watermark_strategy_argument,
)
from penstock.datastream.environment_settings import EnvironmentOptions
from penstock.datastream.job_client import JobClient
from penstock.datastream.program import Program, positive
from penstock.datastream.settings_check import check_settings
from penstock.datastream.stream import DataStream, StreamRef
from penstock.datastream.stream_kinds import StreamKinds
from penstock.errors import ProgramError
from penstock.operators.source import SourceSpec
from penstock.operators.user_code import origin_of_caller, shorten
from penstock.plan.compile import compile_graph

TARGET = "execution.target"
RUNTIME_MODE = "execution.runtime-mode"
BUFFER_TIMEOUT = "execution.buffer-timeout.interval"
BUFFER_TIMEOUT_ENABLED = "execution.buffer-timeout.enabled"
CHAINING = "pipeline.operator-chaining.enabled"
JOB_NAME = "pipeline.name"
DEFAULT_JOB_NAME = "Flink Streaming Job"


class StreamExecutionEnvironment(EnvironmentOptions):
    """The entry to the DataStream API.

    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> _ = env.from_collection(["a", "b"]).map(str.upper).print()
    >>> result = env.execute()
    A
    B
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._configuration = default_configuration()
        if configuration is not None:
            self._configuration.add_all(configuration)
        self._config = ExecutionConfig(self._configuration)
        self._program = Program()
        self._listeners: list[Any] = []
        self._jobs: weakref.WeakSet[Any] = weakref.WeakSet()
        self._forget_cache: Any = None
        self._cache_folder = ""

    @staticmethod
    def get_execution_environment(
        configuration: Configuration | dict[str, Any] | None = None,
    ) -> "StreamExecutionEnvironment":
        """A new environment; options of ``configuration`` are as if they had been set one by one."""
        return StreamExecutionEnvironment(None if configuration is None else _configuration_of(configuration))

    @property
    def program(self) -> Program:
        """The program being written."""
        return self._program

    @property
    def streams(self) -> StreamKinds:
        """Makes streams of other kinds."""
        return StreamKinds()

    # Settings -----------------------------------------------------------------------------------------------------------

    def get_config(self) -> ExecutionConfig:
        """The execution configuration; changes of it hold for the environment."""
        return self._config

    def get_configuration(self) -> Configuration:
        """All options set so far."""
        return self._configuration

    def configure(self, configuration: Configuration | dict[str, Any]) -> None:
        """Take over options."""
        self._configuration.add_all(_configuration_of(configuration))

    def set_parallelism(self, parallelism: int) -> "StreamExecutionEnvironment":
        """In how many subtasks operators run that do not say otherwise."""
        self._config.set_parallelism(positive("parallelism", parallelism))
        return self

    def get_parallelism(self) -> int:
        """The default parallelism, 1 where nothing was set."""
        return max(self._config.get_parallelism(), 1)

    def set_max_parallelism(self, max_parallelism: int) -> "StreamExecutionEnvironment":
        """The number of key groups of operators that do not say otherwise."""
        self._config.set_max_parallelism(positive("maximum parallelism", max_parallelism))
        return self

    def get_max_parallelism(self) -> int:
        """The default number of key groups, -1 where nothing was set."""
        return self._config.get_max_parallelism()

    def set_runtime_mode(self, execution_mode: RuntimeExecutionMode) -> "StreamExecutionEnvironment":
        """STREAMING, BATCH, or AUTOMATIC (by whether all sources are bounded)."""
        if not isinstance(execution_mode, RuntimeExecutionMode):
            raise ProgramError(
                f"a RuntimeExecutionMode is expected, not {execution_mode!r} ({origin_of_caller()})"
            )
        self._configuration.set_string(RUNTIME_MODE, execution_mode.value)
        return self

    def set_buffer_timeout(self, timeout_millis: int) -> "StreamExecutionEnvironment":
        """How long records may wait for others to be sent on with; 0 for not at all, -1 until a batch is full."""
        if isinstance(timeout_millis, bool) or not isinstance(timeout_millis, int) or timeout_millis < -1:
            raise ProgramError(
                f"a buffer timeout is milliseconds, 0 or -1, not {timeout_millis!r} ({origin_of_caller()})"
            )
        self._configuration.set_boolean(BUFFER_TIMEOUT_ENABLED, timeout_millis >= 0)
        if timeout_millis >= 0:
            self._configuration.set_string(BUFFER_TIMEOUT, f"{timeout_millis} ms")
        return self

    def get_buffer_timeout(self) -> int:
        """The buffer timeout in milliseconds, -1 where records wait until a batch is full."""
        if not self._configuration.get_boolean(BUFFER_TIMEOUT_ENABLED, True):
            return -1
        text = self._configuration.get_string(BUFFER_TIMEOUT, None)
        return 100 if text is None else Duration.of(text).to_millis()

    def disable_operator_chaining(self) -> "StreamExecutionEnvironment":
        """Run every operator in a task of its own."""
        self._configuration.set_boolean(CHAINING, False)
        return self

    def is_chaining_enabled(self) -> bool:
        """Whether operators may share a task."""
        return self._configuration.get_boolean(CHAINING, True)

    def register_job_listener(self, job_listener: Any) -> None:
        """Have ``on_job_submitted(client, error)`` and ``on_job_executed(result, error)`` called."""
        for method in ("on_job_submitted", "on_job_executed"):
            if isinstance(job_listener, type) or not callable(getattr(job_listener, method, None)):
                raise ProgramError(
                    f"a job listener is an object with the methods on_job_submitted and on_job_executed, not "
                    f"{shorten(job_listener)} ({origin_of_caller()})"
                )
        self._listeners.append(job_listener)

    def get_job_listeners(self) -> list[Any]:
        """The listeners registered so far."""
        return list(self._listeners)

    def clear_job_listeners(self) -> None:
        """Forget all listeners."""
        self._listeners.clear()

    # Sources ------------------------------------------------------------------------------------------------------------

    def from_source(
        self,
        source: Source,
        watermark_strategy: WatermarkStrategy,
        source_name: str,
        type_info: TypeInformation | None = None,
    ) -> DataStream:
        """A stream of what a source reads."""
        if not isinstance(source, Source):
            raise ProgramError(f"from_source takes a Source, not {shorten(source)} ({origin_of_caller()})")
        watermark_strategy_argument(watermark_strategy, "from_source")
        declared = source.get_produced_type() if type_info is None else type_info
        return self._from(source, watermark_strategy, source_name, declared)

    def _from(
        self, source: Source, strategy: WatermarkStrategy, name: str, type_info: Any, **fields: Any
    ) -> DataStream:
        checked = type_argument(type_info, "type_info")
        text_argument(name, "the name of a source")
        is_certain = source.checks_types and checked == source.get_produced_type()
        spec = SourceSpec(source, strategy, None if is_certain else checked)
        node_id = self._program.add(f"Source: {name}", spec, **fields)
        return DataStream(self, (StreamRef(node_id),), type_info)

    def from_collection(
        self, collection: Iterable[T], type_info: TypeInformation | None = None
    ) -> DataStream[T]:
        """A bounded stream of the elements of a collection, read by one subtask."""
        from penstock.connectors.collection.source import CollectionSource

        try:
            values = list(collection)
        except TypeError:
            raise ProgramError(
                f"from_collection takes something to iterate over, not {shorten(collection)} ({origin_of_caller()})"
            ) from None
        fields = {"parallelism": 1, "max_parallelism": 1, "fixed_parallelism": True}
        strategy = WatermarkStrategy.no_watermarks()
        return self._from(CollectionSource(values), strategy, "Collection Source", type_info, **fields)

    def from_elements(self, *elements: T, type_info: TypeInformation | None = None) -> DataStream[T]:
        """A bounded stream of the arguments."""
        return self.from_collection(elements, type_info)

    def from_data(self, *data: Any, type_info: TypeInformation | None = None) -> DataStream:
        """A bounded stream of the arguments, or of the elements of a list that is the only one.

        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> env.from_data(1, 2).execute_and_collect(limit=5), env.from_data([1, 2]).execute_and_collect(limit=5)
        ([1, 2], [1, 2])
        """
        values = data[0] if len(data) == 1 and isinstance(data[0], list) else data
        return self.from_collection(values, type_info)

    def from_sequence(self, start: int, end: int) -> DataStream[int]:
        """A bounded stream of the integers from ``start`` to ``end``, both included, read in parallel."""
        from penstock.connectors.collection.source import NumberSequenceSource

        for name, number in (("start", start), ("end", end)):
            if isinstance(number, bool) or not isinstance(number, int):
                raise ProgramError(
                    f"from_sequence takes integers, and {name} is {shorten(number)} ({origin_of_caller()})"
                )
        with AtUsersLine():
            source = NumberSequenceSource(start, end)
        return self._from(source, WatermarkStrategy.no_watermarks(), "Sequence Source", None)

    def read_text_file(self, file_path: str, charset_name: str = "UTF-8") -> DataStream[str]:
        """A bounded stream of the lines of a file, or of the files of a directory, but not of directories inside of it."""
        from penstock.connectors.files.source import FileSource
        from penstock.connectors.files.source_parts import FileEnumeratorProvider
        from penstock.data.types import Types
        from penstock.formats.text import StreamFormat

        with AtUsersLine():
            lines = StreamFormat.text_line_format(charset_name)
            path = path_argument(file_path, "file_path")
            builder = FileSource.for_record_stream_format(lines, path)
            found = FileEnumeratorProvider.default_splittable_file_enumerator(is_recursive=False)
            source = builder.set_file_enumerator(found).build()
        return self._from(source, WatermarkStrategy.no_watermarks(), "Custom File Source", Types.STRING())

    def read_file(
        self,
        input_format: Any,
        file_path: str,
        watch_type: Any = None,
        interval: int = -1,
        nested_file_enumeration: bool = False,
    ) -> DataStream:
        """A stream of the records of a file, or of the files of a directory, read by a format of files.

        ``watch_type``: a ``FileProcessingMode``; ``PROCESS_CONTINUOUSLY`` looks every ``interval`` milliseconds for files
        that are new or have changed, and reads these again as a whole, so that their first records come twice.
        ``nested_file_enumeration``: whether files in directories inside of the directory are read, too.
        """
        from penstock.connectors.files.plain import FileProcessingMode
        from penstock.connectors.files.source import source_by_format

        with AtUsersLine():
            mode = FileProcessingMode.PROCESS_ONCE if watch_type is None else watch_type
            if not isinstance(mode, FileProcessingMode):
                raise ProgramError(f"watch_type is a FileProcessingMode, not {shorten(watch_type)}")
            builder = source_by_format(
                input_format, path_argument(file_path, "file_path"), bool(nested_file_enumeration)
            )
            if mode is FileProcessingMode.PROCESS_CONTINUOUSLY:
                builder.monitor_continuously(interval).read_changed_files_again()
            source = builder.build()
        produced = source.get_produced_type()
        return self._from(source, WatermarkStrategy.no_watermarks(), "Custom File Source", produced)

    def create_input(self, input_format: Any, type_info: TypeInformation | None = None) -> DataStream:
        """A stream of what is at the path that an input format has, as ``AvroInputFormat(path, schema)``.

        A directory is read without those inside. ``type_info``: the type of the records, where it is not the format's.
        """
        from penstock.connectors.files.source import source_by_format

        path = getattr(input_format, "input_path", None)
        with AtUsersLine():
            if path is None:
                raise ProgramError(
                    "create_input takes a format that has a path, as AvroInputFormat(path, schema), not "
                    f"{shorten(input_format)}; files of other formats are read with read_file(format, path), or with "
                    "from_source and a FileSource"
                )
            source = source_by_format(input_format, path, False).build()
        declared = source.get_produced_type() if type_info is None else type_info
        return self._from(source, WatermarkStrategy.no_watermarks(), "Custom File source", declared)

    def socket_text_stream(
        self, hostname: str, port: int, delimiter: str = "\n", max_retry: int = 0
    ) -> DataStream[str]:
        """An unbounded stream of the lines that a server sends, read by one subtask."""
        from penstock.connectors.socket.source import SocketTextSource
        from penstock.data.types import Types

        with AtUsersLine():
            source = SocketTextSource(hostname, port, delimiter, max_retry)
        fields = {"parallelism": 1, "fixed_parallelism": True}
        return self._from(
            source, WatermarkStrategy.no_watermarks(), "Socket Stream", Types.STRING(), **fields
        )

    def add_source(
        self, source_func: Any, source_name: str = "Custom Source", type_info: TypeInformation | None = None
    ) -> DataStream:
        """A stream of what a SourceFunction or a generator function emits; one that is not parallel has one subtask."""
        from penstock.connectors.functions.source import FunctionSource, source_of_function

        with AtUsersLine():
            source = source_of_function(source_func)
        alone = isinstance(source, FunctionSource) and not source.is_parallel
        fields = {"parallelism": 1, "max_parallelism": 1, "fixed_parallelism": True} if alone else {}
        return self._from(source, WatermarkStrategy.no_watermarks(), source_name, type_info, **fields)

    # Running ------------------------------------------------------------------------------------------------------------

    def execute(self, job_name: str | None = None) -> JobExecutionResult:
        """Run the program to its end. Raises ``JobFailed`` with what made it fail.

        At parallelism 1 the job runs in this process and thread; otherwise this thread waits for its workers. An interrupt
        cancels the job; one on a cluster goes on.
        """
        job = self._submit(self._take_program(job_name))
        result: JobExecutionResult | None = None
        error: BaseException | None = None
        try:
            with self._shown(job):
                result = job.result()
        except BaseException as failure:
            error = failure
            raise
        finally:
            for listener in self._listeners:
                listener.on_job_executed(result, error)
        return result

    def execute_async(self, job_name: str | None = None) -> JobClient:
        """Run the program in the background."""
        job = self._submit(self._take_program(job_name))
        job.start_in_background()
        return JobClient(job)

    def run_collecting(self, node_id: int, job_name: str) -> RunningJob:
        """Run what has been written with one more collecting sink; the caller drives the job by taking its rows."""
        return self._submit(self._take_program(job_name))

    def get_execution_plan(self) -> str:
        """The program as JSON, in the form of Flink's plan visualizer. The program stays."""
        from penstock.dataflow.explain import plan_json
        from penstock.plan.compile import settle

        return plan_json(settle(self._graph(None)))

    def get_stream_graph(
        self, job_name: str | None = None, clear_transformations: bool = True
    ) -> LogicalGraph:
        """The program as data."""
        return self._take_program(job_name) if clear_transformations else self._graph(job_name)

    def cache_folder(self) -> str:
        """Where rows of cached streams are kept; removed by ``close`` or with the environment."""
        if not self._cache_folder:
            import shutil
            import tempfile

            place = self._configuration.get_string("io.tmp.dirs", None)
            first = place.replace(";", ",").split(",")[0].strip() if place else None
            self._cache_folder = tempfile.mkdtemp(prefix="penstock-cache-", dir=first or None)
            self._forget_cache = weakref.finalize(self, shutil.rmtree, self._cache_folder, True)
        return self._cache_folder

    def close(self) -> None:
        """Cancel jobs that run in the background, and forget the rows of cached streams."""
        for job in list(self._jobs):
            if not job.status().is_globally_terminal_state():
                job.cancel()
        if self._cache_folder:
            self._forget_cache()
            self._cache_folder = ""

    def _graph(self, job_name: str | None) -> LogicalGraph:
        name = job_name or self._configuration.get_string(JOB_NAME, None) or DEFAULT_JOB_NAME
        needs = {group.get_name(): group.resources() for group in self._slot_sharing_groups().values()}
        resources = {name: need for name, need in needs.items() if need is not None}
        return replace(self._program.graph(name, self._configuration.to_dict()), slot_resources=resources)

    def _take_program(self, job_name: str | None) -> LogicalGraph:
        with AtUsersLine():
            check_settings(self._configuration)
        graph = self._graph(job_name)
        self._program.clear()
        return graph

    def _submit(self, graph: LogicalGraph) -> RunningJob:
        error: BaseException | None = None
        job: RunningJob | None = None
        try:
            with AtUsersLine():
                job = submit(graph, _hand_over)
            self._jobs.add(job)
            return job
        except BaseException as failure:
            error = failure
            raise
        finally:
            for listener in self._listeners:
                listener.on_job_submitted(None if job is None else JobClient(job), error)

    def _shown(self, job: RunningJob) -> Any:
        """A progress line for jobs that take long, where somebody looks at the terminal."""
        if not (sys.stderr is not None and sys.stderr.isatty()):
            from contextlib import nullcontext

            return nullcontext()
        from penstock.progress import ProgressLine

        return ProgressLine(job)


def _configuration_of(configuration: Any) -> Configuration:
    """A Configuration, or a dict of keys and values as one."""
    with AtUsersLine():
        if isinstance(configuration, dict):
            return Configuration.from_dict(configuration)
        if not isinstance(configuration, Configuration):
            raise ProgramError(f"a Configuration or a dict is expected, not {shorten(configuration)}")
    return configuration


def _hand_over(graph: LogicalGraph) -> RunningJob:
    """Have the graph carried out by whoever ``execution.target`` names."""
    return find_executor(graph.settings.get(TARGET, "local")).submit(compile_graph(graph))
