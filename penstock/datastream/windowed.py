"""WindowedStream and AllWindowedStream: a stream that is cut into windows, before it is said what becomes of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar, overload

from penstock.contracts.element_type import T
from penstock.contracts.functions import (
    AggregateFunction,
    AllWindowFunction,
    Function,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
)
from penstock.contracts.output_tag import OutputTag
from penstock.datastream.arguments import AtUsersLine, check_arity, function_argument, type_argument
from penstock.errors import ProgramError, TypeMismatch
from penstock.operators.aggregations import AggregationKind, FieldAggregation
from penstock.operators.user_code import origin_of_caller, shorten
from penstock.operators.window.spec import (
    Aggregated,
    Collected,
    Contents,
    Evaluation,
    Reduced,
    Style,
    WindowSpec,
)
from penstock.windows.assigners.assigner import MergingWindowAssigner, WindowAssigner
from penstock.windows.assigners.counting import CountSlidingWindowAssigner, CountTumblingWindowAssigner
from penstock.windows.evictors import Evictor
from penstock.windows.length import Length, length_ms
from penstock.windows.triggers.trigger import Trigger

if TYPE_CHECKING:
    from penstock.datastream.keyed import KeyedStream
    from penstock.datastream.stream import DataStream

R = TypeVar("R")
WindowFunctions: TypeAlias = (
    WindowFunction[Any, R, Any, Any]
    | AllWindowFunction[Any, R, Any]
    | ProcessWindowFunction[Any, R, Any, Any]
    | ProcessAllWindowFunction[Any, R, Any]
)


class _Windows(Generic[T]):
    """What windows with and without keys have in common. The settings change the object, as PyFlink's do."""

    _keyed = True
    _apply_kind: type[Function] = WindowFunction
    _process_kind: type[Function] = ProcessWindowFunction

    def __init__(self, keyed_stream: "KeyedStream", window_assigner: WindowAssigner[Any, Any]) -> None:
        if not isinstance(window_assigner, WindowAssigner):
            raise ProgramError(
                "a window is given by a WindowAssigner such as TumblingEventTimeWindows.of(Time.seconds(5)), "
                f"not by {shorten(window_assigner)} ({origin_of_caller()})"
            )
        self._keyed_stream = keyed_stream
        self._window_assigner = window_assigner
        self._trigger: Trigger[Any, Any] | None = None
        self._evictor: Evictor[Any, Any] | None = None
        self._allowed_lateness_ms = 0
        self._late_tag: OutputTag | None = None

    # Settings -----------------------------------------------------------------------------------------------------------

    def trigger(self, trigger: Trigger[Any, Any]) -> Self:
        """When windows are evaluated, in place of the assigner's default."""
        if not isinstance(trigger, Trigger):
            raise ProgramError(f"trigger takes a Trigger, not {shorten(trigger)} ({origin_of_caller()})")
        if isinstance(self._window_assigner, MergingWindowAssigner) and not trigger.can_merge():
            raise TypeMismatch(
                "A merging window assigner cannot be used with a trigger that does not support merging: "
                f"{type(trigger).__name__} has no on_merge ({origin_of_caller()})"
            )
        self._trigger = trigger
        return self

    def evictor(self, evictor: Evictor[Any, Any]) -> Self:
        """What removes records from a window that fires. Windows then keep all their records until they end."""
        if not isinstance(evictor, Evictor):
            raise ProgramError(f"evictor takes an Evictor, not {shorten(evictor)} ({origin_of_caller()})")
        self._evictor = evictor
        return self

    def allowed_lateness(self, time_ms: Length) -> Self:
        """How long behind the watermark records may be: so long a window is kept, and fires again for each of them.

        For windows of event time only; milliseconds, or a duration.
        """
        try:
            lateness_ms = length_ms(time_ms, "allowed lateness")
        except ProgramError as error:
            raise ProgramError(f"{error.message} ({origin_of_caller()})") from error
        if lateness_ms < 0:
            raise ProgramError(
                f"The allowed lateness cannot be negative, and it is {lateness_ms} ms ({origin_of_caller()})"
            )
        self._allowed_lateness_ms = lateness_ms
        return self

    def side_output_late_data(self, output_tag: OutputTag) -> Self:
        """Put records that are too late aside, in place of dropping them; ``get_side_output`` of the result reads them."""
        if not isinstance(output_tag, OutputTag):
            raise ProgramError(
                f"side_output_late_data takes an OutputTag, not {shorten(output_tag)} ({origin_of_caller()})"
            )
        self._late_tag = output_tag
        return self

    # Results ------------------------------------------------------------------------------------------------------------

    @overload
    def reduce(self, reduce_function: ReduceFunction[T] | Callable[[T, T], T]) -> "DataStream[T]": ...
    @overload
    def reduce(
        self,
        reduce_function: ReduceFunction[T] | Callable[[T, T], T],
        window_function: WindowFunctions[R],
        output_type: Any = None,
    ) -> "DataStream[R]": ...
    @overload
    def reduce(
        self, reduce_function: Any, window_function: Any, output_type: Any = None
    ) -> "DataStream[Any]": ...
    def reduce(
        self,
        reduce_function: Any,
        window_function: Any = None,
        output_type: Any = None,
    ) -> "DataStream[Any]":
        """The records of a window combined into one; a window function makes the result of that, when one is given.

        A window holds one value per key only.
        """
        function = function_argument(reduce_function, "reduce", ReduceFunction, 2)
        input_type = self._keyed_stream._type_info
        if window_function is None and output_type is None:
            output_type = input_type
        return self._evaluate(Reduced(function, input_type), window_function, output_type, function)

    @overload
    def aggregate(
        self,
        aggregate_function: AggregateFunction[T, Any, R],
        window_function: None = None,
        accumulator_type: Any = None,
        output_type: Any = None,
    ) -> "DataStream[R]": ...
    @overload
    def aggregate(
        self,
        aggregate_function: Any,
        window_function: Any = None,
        accumulator_type: Any = None,
        output_type: Any = None,
    ) -> "DataStream[Any]": ...
    def aggregate(
        self,
        aggregate_function: Any,
        window_function: Any = None,
        accumulator_type: Any = None,
        output_type: Any = None,
    ) -> "DataStream[Any]":
        """The result of an ``AggregateFunction`` over the records of a window, or what a window function makes of it.

        A window holds one accumulator per key only.
        """
        self._check_aggregate(aggregate_function)
        contents = Aggregated(aggregate_function, type_argument(accumulator_type, "accumulator_type"))
        return self._evaluate(contents, window_function, output_type, aggregate_function)

    def _check_aggregate(self, function: Any) -> None:
        methods = {"create_accumulator": 0, "add": 2, "get_result": 1}
        if isinstance(self._window_assigner, MergingWindowAssigner):
            methods["merge"] = 2
        missing = [method for method in methods if not callable(getattr(function, method, None))]
        if missing or isinstance(function, type):
            lacks = "a class and not an object of it" if not missing else f"without a method {missing[0]!r}"
            raise TypeMismatch(
                f"aggregate takes an AggregateFunction, and {shorten(function)} is {lacks} ({origin_of_caller()})"
            )
        for method, arguments in methods.items():
            check_arity(getattr(function, method), method, arguments)

    @overload
    def apply(self, window_function: WindowFunctions[R], output_type: Any = None) -> "DataStream[R]": ...
    @overload
    def apply(self, window_function: Any, output_type: Any = None) -> "DataStream[Any]": ...
    def apply(self, window_function: Any, output_type: Any = None) -> "DataStream":
        """What a window function makes of all the records of a window."""
        arguments = 3 if self._keyed else 2
        function = function_argument(window_function, "apply", self._apply_kind, arguments)
        evaluation = Evaluation(Style.APPLY, function, self._keyed)
        return self._add(
            Collected(self._keyed_stream._type_info), evaluation, output_type, _named(window_function)
        )

    @overload
    def process(
        self, process_window_function: WindowFunctions[R], output_type: Any = None
    ) -> "DataStream[R]": ...
    @overload
    def process(self, process_window_function: Any, output_type: Any = None) -> "DataStream[Any]": ...
    def process(self, process_window_function: Any, output_type: Any = None) -> "DataStream":
        """What a process window function makes of all the records of a window; it has state, time and side outputs."""
        arguments = 3 if self._keyed else 2
        function = function_argument(process_window_function, "process", self._process_kind, arguments)
        evaluation = Evaluation(Style.PROCESS, function, self._keyed)
        return self._add(
            Collected(self._keyed_stream._type_info), evaluation, output_type, _named(process_window_function)
        )

    def sum(self, position_to_sum: int | str = 0) -> "DataStream[T]":
        """The sum of a field; the other fields are those of the window's first record."""
        return self._aggregate_field("sum", position_to_sum)

    def min(self, position_to_min: int | str = 0) -> "DataStream[T]":
        """The minimum of a field; the other fields are those of the window's first record."""
        return self._aggregate_field("min", position_to_min)

    def max(self, position_to_max: int | str = 0) -> "DataStream[T]":
        """The maximum of a field; the other fields are those of the window's first record."""
        return self._aggregate_field("max", position_to_max)

    def min_by(self, position_to_min_by: int | str = 0) -> "DataStream[T]":
        """The record with the smallest field, the first of equals."""
        return self._aggregate_field("min_by", position_to_min_by)

    def max_by(self, position_to_max_by: int | str = 0) -> "DataStream[T]":
        """The record with the largest field, the first of equals."""
        return self._aggregate_field("max_by", position_to_max_by)

    def _aggregate_field(self, kind: AggregationKind, field: int | str) -> "DataStream[T]":
        if isinstance(field, bool) or not isinstance(field, (int, str)):
            raise ProgramError(
                f"{kind} takes a position or a field name, not {field!r} ({origin_of_caller()})"
            )
        input_type = self._keyed_stream._type_info
        with AtUsersLine():
            contents = Reduced(FieldAggregation(kind, field), input_type)
        return self._add(contents, Evaluation(), input_type, "AggregationFunction")

    # The operator -------------------------------------------------------------------------------------------------------

    def _evaluate(
        self, contents: Contents, window_function: Any, output_type: Any, function: Any
    ) -> "DataStream":
        """Windows that hold one element per key: it is the result, or a window function gets it."""
        if window_function is None:
            return self._add(contents, Evaluation(), output_type, _named(function))
        named = f"{_named(function)}, {_named(window_function)}"
        return self._add(contents, self._evaluation_of(window_function), output_type, named)

    def _evaluation_of(self, window_function: Any) -> Evaluation:
        arguments = 3 if self._keyed else 2
        if isinstance(window_function, self._process_kind):
            return Evaluation(Style.PROCESS, window_function, self._keyed)
        if isinstance(window_function, Function) and not isinstance(window_function, self._apply_kind):
            raise TypeMismatch(
                f"window_function should be a {self._apply_kind.__name__} or {self._process_kind.__name__}, "
                f"not a {type(window_function).__name__} ({origin_of_caller()})"
            )
        function = function_argument(window_function, "apply", self._apply_kind, arguments)
        return Evaluation(Style.APPLY, function, self._keyed)

    def _spec(self, contents: Contents, evaluation: Evaluation, output_type: Any) -> WindowSpec:
        """The operator of these windows, for a program yet to take it."""
        assigner = self._window_assigner
        trigger = self._trigger or assigner.get_default_trigger(self.get_execution_environment())
        if isinstance(assigner, MergingWindowAssigner) and not trigger.can_merge():
            raise TypeMismatch(
                f"{type(assigner).__name__} merges windows, and its default trigger "
                f"{type(trigger).__name__} has no on_merge ({origin_of_caller()})"
            )
        return WindowSpec(
            assigner,
            trigger,
            contents,
            evaluation,
            self._allowed_lateness_ms,
            self._late_tag,
            self._evictor,
            type_argument(output_type, "output_type"),
        )

    def _add(
        self, contents: Contents, evaluation: Evaluation, output_type: Any, described: str
    ) -> "DataStream":
        spec = self._spec(contents, evaluation, output_type)
        assigner, trigger = spec.assigner, spec.trigger
        stream = self._keyed_stream._then(type(assigner).__name__, spec, output_type)
        return stream.set_description(f"Window({assigner!r}, {type(trigger).__name__}, {described})")

    def get_execution_environment(self) -> Any:
        """The environment that the stream belongs to."""
        return self._keyed_stream.get_execution_environment()

    def get_input_type(self) -> Any:
        """The type of the records that are put into windows."""
        return self._keyed_stream.get_type()


class WindowedStream(_Windows[T]):
    """A keyed stream in windows: each key has its own.

    >>> from penstock.common import Time
    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> words = env.from_collection(["a", "b", "a", "a", "b"])
    >>> pairs = words.key_by(lambda word: word).count_window(2).reduce(lambda one, two: one + two)
    >>> with pairs.execute_and_collect() as results:
    ...     list(results)
    ['aa', 'bb']
    """


class AllWindowedStream(_Windows[T]):
    """A stream without keys in windows. All records go through one subtask; functions are called without a key.

    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> sums = env.from_collection([1, 2, 3, 4]).count_window_all(2).sum()
    >>> with sums.execute_and_collect() as results:
    ...     list(results)
    [3, 7]
    """

    _keyed = False
    _apply_kind = AllWindowFunction
    _process_kind = ProcessAllWindowFunction

    def __init__(self, data_stream: "DataStream", window_assigner: WindowAssigner[Any, Any]) -> None:
        super().__init__(data_stream.key_by(_one_key), window_assigner)

    def _add(
        self, contents: Contents, evaluation: Evaluation, output_type: Any, described: str
    ) -> "DataStream":
        return super()._add(contents, evaluation, output_type, described).force_non_parallel()


def count_assigner(size: int, slide: int) -> WindowAssigner[Any, Any]:
    """The assigner of count windows; ``slide`` 0 for windows one after the other.

    :raises ProgramError: for sizes that are no counts, at the user's line.
    """
    for what, count, least in (("size", size, 1), ("slide", slide, 0)):
        if isinstance(count, bool) or not isinstance(count, int) or count < least:
            raise ProgramError(
                f"the {what} of a count window is an integer of at least {least}, not {count!r} ({origin_of_caller()})"
            )
    return CountSlidingWindowAssigner(size, slide) if slide else CountTumblingWindowAssigner(size)


def _one_key(value: Any) -> int:
    return 0


def _named(function: Any) -> str:
    """How a function is called in descriptions: by its class, a plain function by its name."""
    name: str = getattr(function, "__name__", None) or type(function).__name__
    return name
