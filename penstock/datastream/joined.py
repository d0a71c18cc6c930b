"""Joins being written: ``a.join(b)``, ``a.co_group(b)`` and ``keyed_a.interval_join(keyed_b)``."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, NoReturn, Self, TypeVar, overload

from penstock.contracts.element_type import T, U
from penstock.contracts.functions import Function
from penstock.contracts.join_functions import (
    CoGroupFunction,
    FlatJoinFunction,
    JoinFunction,
    ProcessJoinContext,
    ProcessJoinFunction,
)
from penstock.contracts.output_tag import OutputTag
from penstock.datastream.arguments import function_argument, type_argument
from penstock.datastream.connected import two_inputs
from penstock.datastream.keyed import KeyedStream
from penstock.datastream.stream import DataStream
from penstock.datastream.windowed import WindowedStream
from penstock.errors import ProgramError
from penstock.operators.join.interval import IntervalJoinSpec
from penstock.operators.join.two_sides import CoGroup, Join, OnTwoSides
from penstock.operators.join.window import WindowJoinSpec
from penstock.operators.user_code import origin_of_caller, shorten
from penstock.operators.window.spec import Collected, Evaluation, Style
from penstock.windows.assigners.assigner import WindowAssigner
from penstock.windows.evictors import Evictor
from penstock.windows.length import Length, length_ms
from penstock.windows.triggers.trigger import Trigger

R = TypeVar("R")


class WindowedPair(Generic[T, U]):
    """Two keyed streams in common windows. The settings change the object, as those of a ``WindowedStream`` do."""

    _method: str
    _kind: type[Function]
    _wrapper: type[OnTwoSides]

    def __init__(
        self, first: KeyedStream[T], second: KeyedStream[U], window_assigner: WindowAssigner[Any, Any]
    ) -> None:
        self._first = first
        self._second = second
        self._windows = WindowedStream(first, window_assigner)

    def trigger(self, trigger: Trigger[Any, Any]) -> Self:
        """When windows are evaluated, in place of the assigner's default. It sees records as ``TaggedUnion``."""
        self._windows.trigger(trigger)
        return self

    def evictor(self, evictor: Evictor[Any, Any]) -> Self:
        """What removes records from a window that fires. It sees them as ``TaggedUnion``."""
        self._windows.evictor(evictor)
        return self

    def allowed_lateness(self, time_ms: Length) -> Self:
        """How long behind the watermark records may be: so long a window is kept, and fires again for each of them."""
        self._windows.allowed_lateness(time_ms)
        return self

    def _apply(self, function: Any, output_type: Any) -> DataStream:
        wrapped = self._wrapper(function_argument(function, self._method, self._kind, 2))
        evaluation = Evaluation(Style.APPLY, wrapped)
        windows = self._windows._spec(Collected(), evaluation, output_type)
        assigner, trigger = windows.assigner, windows.trigger
        name = type(assigner).__name__
        stream = two_inputs(self._first, self._second, name, WindowJoinSpec(windows), output_type)
        return stream.set_description(f"Window({assigner!r}, {type(trigger).__name__}, {wrapped!r})")


class WindowedJoin(WindowedPair[T, U]):
    """Pairs of records with one key in one window."""

    _method, _kind, _wrapper = "join", JoinFunction, Join

    @overload
    def apply(self, function: FlatJoinFunction[T, U, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def apply(self, function: JoinFunction[T, U, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def apply(self, function: Callable[[T, U], R], output_type: Any = None) -> DataStream[R]: ...
    def apply(self, function: Any, output_type: Any = None) -> DataStream[Any]:
        """What a ``JoinFunction``, a ``FlatJoinFunction`` or a function ``(first, second) -> result`` makes of each pair.

        Results have the last millisecond of their window as their time.
        """
        return self._apply(function, output_type)


class WindowedCoGroup(WindowedPair[T, U]):
    """All records of both streams with one key in one window."""

    _method, _kind, _wrapper = "co_group", CoGroupFunction, CoGroup

    @overload
    def apply(self, function: CoGroupFunction[T, U, R], output_type: Any = None) -> DataStream[R]: ...
    @overload
    def apply(
        self, function: Callable[[Iterable[T], Iterable[U]], Iterable[R] | None], output_type: Any = None
    ) -> DataStream[R]: ...
    def apply(self, function: Any, output_type: Any = None) -> DataStream[Any]:
        """What a ``CoGroupFunction`` or a function ``(firsts, seconds) -> iterable`` makes of each key and window.

        It is called where one side is empty, too. Results have the last millisecond of their window as their time.
        """
        return self._apply(function, output_type)


PAIR = TypeVar("PAIR", bound=WindowedPair[Any, Any])


class _TwoStreams(Generic[T, U]):
    """Two streams whose records are brought together by key and window."""

    def __init__(self, first: DataStream[T], second: DataStream[U]) -> None:
        if not isinstance(second, DataStream):
            raise ProgramError(
                f"a stream is joined with a DataStream, not with {shorten(second)} ({origin_of_caller()})"
            )
        self._first = first
        self._second = second


class JoinedStreams(_TwoStreams[T, U]):
    """Two streams for a join in windows: each pair of records with one key in one window.

    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> from penstock.datastream.window import GlobalWindows
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> people, towns = env.from_collection([("Ada", 1), ("Bo", 2)]), env.from_collection([(1, "Rome")])
    >>> ends = GlobalWindows.create_with_end_of_stream_trigger()
    >>> homes = people.join(towns).where(1).equal_to(0).window(ends).apply(lambda p, t: (p[0], t[1]))
    >>> with homes.execute_and_collect() as results:
    ...     list(results)
    [('Ada', 'Rome')]
    """

    def where(self, key_selector: Any, key_type: Any = None) -> "Where[WindowedJoin[T, U]]":
        """The key of the first stream: by function, position or field name."""
        return Where(self._first.key_by(key_selector, key_type), self._second, WindowedJoin)


class CoGroupedStreams(_TwoStreams[T, U]):
    """Two streams whose records with one key in one window come to a function together.

    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> from penstock.datastream.window import GlobalWindows
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> people, towns = env.from_collection([("Ada", 1), ("Bo", 2)]), env.from_collection([(1, "Rome")])
    >>> both = people.co_group(towns).where(1).equal_to(0).window(GlobalWindows.create_with_end_of_stream_trigger())
    >>> with both.apply(lambda people, towns: [(len(people), len(towns))]).execute_and_collect() as results:
    ...     list(results)
    [(1, 1), (1, 0)]
    """

    def where(self, key_selector: Any, key_type: Any = None) -> "Where[WindowedCoGroup[T, U]]":
        """The key of the first stream: by function, position or field name."""
        return Where(self._first.key_by(key_selector, key_type), self._second, WindowedCoGroup)


class Where(Generic[PAIR]):
    """The first stream has its key; ``equal_to`` says that of the second."""

    def __init__(self, first: KeyedStream, second: DataStream, then: type[PAIR]) -> None:
        self._first = first
        self._second = second
        self._then = then

    def equal_to(self, key_selector: Any, key_type: Any = None) -> "EqualTo[PAIR]":
        """The key of the second stream, of the same type as that of the first."""
        return EqualTo(self._first, self._second.key_by(key_selector, key_type), self._then)


class EqualTo(Generic[PAIR]):
    """Both streams have their keys; ``window`` says which records meet."""

    def __init__(self, first: KeyedStream, second: KeyedStream, then: type[PAIR]) -> None:
        self._first = first
        self._second = second
        self._then = then

    def window(self, window_assigner: WindowAssigner[Any, Any]) -> PAIR:
        """Put the records of both streams into windows."""
        return self._then(self._first, self._second, window_assigner)


class IntervalJoin(Generic[T, U]):
    """Two keyed streams for a join of records that are near in event time; ``between`` says how near.

    >>> from penstock.common import WatermarkStrategy
    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda row, _: row[1])
    >>> def timed(rows):
    ...     return env.from_collection(rows).assign_timestamps_and_watermarks(times).key_by(0)
    >>> clicks, orders = timed([("ada", 10), ("bo", 20)]), timed([("ada", 12), ("bo", 99)])
    >>> near = clicks.interval_join(orders).between(0, 5)
    >>> with near.process(lambda click, order, ctx: [(click, order)]).execute_and_collect() as results:
    ...     list(results)
    [(('ada', 10), ('ada', 12))]
    """

    def __init__(self, left: KeyedStream[T], right: KeyedStream[U]) -> None:
        if not isinstance(right, KeyedStream):
            raise ProgramError(
                f"interval_join takes a KeyedStream, not {shorten(right)}: call key_by on the other stream, too "
                f"({origin_of_caller()})"
            )
        self._left = left
        self._right = right

    def in_event_time(self) -> Self:
        """What it is anyway."""
        return self

    def in_processing_time(self) -> NoReturn:
        """Refused, as in Flink."""
        raise ProgramError(
            "Time-bounded stream joins are only supported in event time: the times of the records decide who meets "
            f"({origin_of_caller()})"
        )

    def between(self, lower_bound: Length, upper_bound: Length) -> "IntervalJoined[T, U]":
        """Where the right records lie, seen from the time of the left one; negative is before it. Both bounds included.

        Milliseconds, or durations.
        """
        bounds = []
        for length, what in ((lower_bound, "lower bound"), (upper_bound, "upper bound")):
            try:
                bounds.append(length_ms(length, what))
            except ProgramError as error:
                raise ProgramError(f"{error.message} ({origin_of_caller()})") from error
        lower_ms, upper_ms = bounds
        if lower_ms > upper_ms:
            raise ProgramError(
                f"the lower bound of an interval join, {lower_ms} ms, lies behind the upper one, {upper_ms} ms "
                f"({origin_of_caller()})"
            )
        return IntervalJoined(self._left, self._right, lower_ms, upper_ms)


class IntervalJoined(Generic[T, U]):
    """An interval join with its bounds. The settings change the object."""

    def __init__(self, left: KeyedStream[T], right: KeyedStream[U], lower_ms: int, upper_ms: int) -> None:
        self._left = left
        self._right = right
        self._lower_ms = lower_ms
        self._upper_ms = upper_ms
        self._excludes_lower = self._excludes_upper = False
        self._late_tags: list[OutputTag | None] = [None, None]
        self._keeps = (False, False)

    def lower_bound_exclusive(self) -> Self:
        """Records exactly at the lower bound do not meet."""
        self._excludes_lower = True
        return self

    def upper_bound_exclusive(self) -> Self:
        """Records exactly at the upper bound do not meet."""
        self._excludes_upper = True
        return self

    def side_output_left_late_data(self, output_tag: OutputTag) -> Self:
        """Put left records behind the watermark aside, in place of dropping them."""
        return self._late("side_output_left_late_data", 0, output_tag)

    def side_output_right_late_data(self, output_tag: OutputTag) -> Self:
        """Put right records behind the watermark aside, in place of dropping them."""
        return self._late("side_output_right_late_data", 1, output_tag)

    def _late(self, what: str, port: int, output_tag: OutputTag) -> Self:
        if not isinstance(output_tag, OutputTag):
            raise ProgramError(f"{what} takes an OutputTag, not {shorten(output_tag)} ({origin_of_caller()})")
        self._late_tags[port] = output_tag
        return self

    def left_outer(self) -> Self:
        """Left records that have met none come to the function, too, with None, once none can come any more.

        Penstock's own; Flink's interval join is an inner one.
        """
        self._keeps = (True, False)
        return self

    def right_outer(self) -> Self:
        """Right records that have met none come to the function, too, with None, once none can come any more."""
        self._keeps = (False, True)
        return self

    def full_outer(self) -> Self:
        """Records of both sides that have met none come to the function, too, with None for the other."""
        self._keeps = (True, True)
        return self

    @overload
    def process(
        self, process_join_function: ProcessJoinFunction[T, U, R], output_type: Any = None
    ) -> DataStream[R]: ...
    @overload
    def process(
        self,
        process_join_function: Callable[[T, U, ProcessJoinContext], Iterable[R] | None],
        output_type: Any = None,
    ) -> DataStream[R]: ...
    def process(self, process_join_function: Any, output_type: Any = None) -> DataStream[Any]:
        """What a ``ProcessJoinFunction`` or a function ``(left, right, ctx) -> iterable`` makes of each pair.

        Results have the time of the later record of the pair.
        """
        function = function_argument(process_join_function, "process_element", ProcessJoinFunction, 3)
        lower_ms, upper_ms = self._lower_ms + self._excludes_lower, self._upper_ms - self._excludes_upper
        if lower_ms > upper_ms:
            raise ProgramError(
                f"nothing lies between {self._lower_ms} ms and {self._upper_ms} ms when a bound is excluded "
                f"({origin_of_caller()})"
            )
        spec = IntervalJoinSpec(
            lower_ms,
            upper_ms,
            function,
            (self._late_tags[0], self._late_tags[1]),
            self._keeps,
            type_argument(output_type, "output_type"),
        )
        return two_inputs(self._left, self._right, "Interval Join", spec, output_type)
