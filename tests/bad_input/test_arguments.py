"""Every public method of environments and streams, given what it does not take."""

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from penstock.common import Configuration, Duration, Time, WatermarkStrategy
from penstock.contracts.watermarks import TimestampAssigner
from penstock.datastream import (
    AggregateFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    OutputTag,
    ProcessFunction,
    ProcessWindowFunction,
    StreamExecutionEnvironment,
)
from penstock.datastream.environment_settings import EnvironmentOptions
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.errors import PenstockError, ProgramError
from tests.bad_input.programs import check_says, environment


class Nothing:
    """Has none of the methods that anything asks for."""


BAD_VALUES: list[Any] = [
    None, 5, -1, 3.5, True, "nope", "", b"x", [], (1,), {}, {1}, object(), int, Nothing, Nothing(), lambda: 0,
    lambda a, b, c, d: 0, iter(()), Time.seconds(1), OutputTag("tag"), Configuration(), environment(),
]  # fmt: skip

RUNS = {
    "execute",
    "execute_async",
    "execute_and_collect",
    "get_stream_graph",
    "run_collecting",
    "socket_text_stream",
}


def connected() -> Any:
    stream = environment().from_collection([1])
    return stream.connect(stream.map(str))


KINDS: dict[str, Callable[[], Any]] = {
    "environment": environment,
    "stream": lambda: environment().from_collection([1]),
    "keyed": lambda: environment().from_collection([1]).key_by(lambda value: value),
    "connected": connected,
    "windowed": lambda: KINDS["keyed"]().window(TumblingEventTimeWindows.of(Time.seconds(1))),
    "all windowed": lambda: KINDS["stream"]().window_all(TumblingEventTimeWindows.of(Time.seconds(1))),
    "sink": lambda: environment().from_collection([1]).print(),
}


def methods_of(kind: str) -> Iterator[tuple[str, int]]:
    """Public methods with the number of arguments that they need at least, and 1 for those that can do without."""
    made = KINDS[kind]()
    for name in dir(made):
        if name.startswith("_") or name in RUNS or not inspect.isroutine(getattr(type(made), name, None)):
            continue
        parameters = inspect.signature(getattr(made, name)).parameters.values()
        positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        if positional:
            yield (
                name,
                max(1, sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in positional)),
            )


@pytest.mark.parametrize(
    ("kind", "method", "count"), [(kind, *method) for kind in KINDS for method in methods_of(kind)]
)
@pytest.mark.filterwarnings("ignore")
def test_a_wrong_argument_is_taken_or_refused_with_the_line_of_the_call(
    kind: str, method: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EnvironmentOptions, "_default_local_parallelism", None)  # one setter is of the class
    for bad in BAD_VALUES:
        call = getattr(KINDS[kind](), method)
        error: PenstockError | None = None
        try:
            call(*[bad] * count)
        except PenstockError as refused:
            error = refused
        if error is not None:
            assert isinstance(error, ProgramError), repr(error)
            check_says(error, f"{__file__}:")


@pytest.mark.parametrize("method", ["map", "flat_map", "filter", "process", "key_by", "add_sink"])
def test_a_function_with_the_wrong_number_of_arguments_is_refused_where_it_is_passed(method: str) -> None:
    stream = environment().from_collection([1])
    with pytest.raises(ProgramError) as raised:
        getattr(stream, method)(lambda a, b, c: a)
    check_says(raised.value, "argument", "(a, b, c)", f"{__file__}:")


def test_a_reduce_function_of_one_argument_is_refused() -> None:
    keyed = environment().from_collection([1]).key_by(lambda value: value)
    with pytest.raises(ProgramError) as raised:
        keyed.reduce(lambda one: one)
    check_says(raised.value, "reduce calls its function with 2 arguments", "(one)", f"{__file__}:")


class Narrow:
    """Methods with an argument too few, as one may have them from another kind of function."""

    def call(self) -> Any:
        return []

    map = flat_map = filter = get_key = call

    def process_element(self, value: Any) -> Any:
        return [value]

    def extract_timestamp(self, value: Any) -> int:
        return 1

    def process(self, key: Any, elements: Any) -> Any:
        return []

    def create_accumulator(self) -> int:
        return 0

    def add(self, value: Any) -> int:
        return 0

    def get_result(self, accumulator: Any) -> int:
        return 0

    def merge(self, accumulator: Any) -> int:
        return 0


def narrow(kind: type) -> Any:
    """An object of a function class, with such methods."""
    return type(f"Narrow{kind.__name__}", (Narrow, kind), {})()


@pytest.mark.parametrize(
    ("write", "method"),
    [
        (lambda stream: stream.map(narrow(MapFunction)), "call"),
        (lambda stream: stream.flat_map(narrow(FlatMapFunction)), "call"),
        (lambda stream: stream.filter(narrow(FilterFunction)), "call"),
        (lambda stream: stream.key_by(narrow(KeySelector)), "call"),
        (lambda stream: stream.process(narrow(ProcessFunction)), "process_element"),
        (lambda stream: stream.key_by(str).process(narrow(KeyedProcessFunction)), "process_element"),
        (lambda stream: stream.key_by(str).count_window(2).process(narrow(ProcessWindowFunction)), "process"),
        (lambda stream: stream.key_by(str).count_window(2).aggregate(narrow(AggregateFunction)), "add"),
        (
            lambda stream: stream.assign_timestamps_and_watermarks(
                WatermarkStrategy.no_watermarks().with_timestamp_assigner(narrow(TimestampAssigner))
            ),
            "extract_timestamp",
        ),
    ],
)
def test_a_method_with_the_wrong_number_of_arguments_is_refused_where_its_object_is_passed(
    write: Callable[[Any], Any], method: str
) -> None:
    stream = environment().from_collection([1])
    with pytest.raises(ProgramError, match="calls its function with") as raised:
        write(stream)
    code = getattr(Narrow, method).__code__
    check_says(raised.value, f"Narrow.{method} of {__file__}:{code.co_firstlineno} takes", f"({__file__}:")


def test_a_bound_of_lateness_cannot_be_negative() -> None:
    with pytest.raises(ProgramError, match="max_out_of_orderness cannot be negative, and it is -5 ms"):
        WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(-5))


async def awaited(value: Any) -> Any:
    return value


async def awaited_several(value: Any) -> Any:
    yield value


def several(value: Any) -> Any:
    yield value


class AwaitedMap(MapFunction):
    async def map(self, value: Any) -> Any:
        return value


@pytest.mark.parametrize("method", ["map", "flat_map", "filter", "key_by", "add_sink"])
@pytest.mark.parametrize("function", [awaited, awaited_several, functools.partial(awaited)])
def test_a_function_that_has_to_be_awaited_is_refused_where_nobody_awaits_it(
    function: Any, method: str
) -> None:
    with pytest.raises(ProgramError) as raised:
        getattr(environment().from_collection([1]), method)(function)
    check_says(raised.value, "is async", "AsyncDataStream.unordered_wait", f"{__file__}:")


def test_a_method_that_has_to_be_awaited_is_refused_too() -> None:
    with pytest.raises(ProgramError, match="is async"):
        environment().from_collection([1]).map(AwaitedMap())


@pytest.mark.parametrize("method", ["map", "filter", "key_by", "add_sink"])
def test_a_function_that_yields_is_refused_where_one_result_is_wanted(method: str) -> None:
    with pytest.raises(ProgramError) as raised:
        getattr(environment().from_collection([1]), method)(several)
    check_says(raised.value, "yields", "flat_map", f"{__file__}:")


class Doubled(MapFunction):
    def map(self, value: Any) -> Any:
        return value * 2


def test_a_class_in_the_place_of_an_object_is_named_with_what_to_write() -> None:
    with pytest.raises(ProgramError) as raised:
        environment().from_collection([1]).map(Doubled)  # type: ignore[arg-type]
    check_says(raised.value, "not the class Doubled; write Doubled()", f"{__file__}:")


@pytest.mark.parametrize("parallelism", [0, -1, 2.0, "4", None, True])
def test_a_parallelism_that_is_no_positive_integer_is_refused(parallelism: Any) -> None:
    stream = environment().from_collection([1]).map(str)
    for owner in (environment(), stream):
        with pytest.raises(ProgramError) as raised:
            owner.set_parallelism(parallelism)
        check_says(raised.value, "parallelism", repr(parallelism), "at least 1", f"{__file__}:")


def test_options_are_given_as_a_configuration_or_a_dict() -> None:
    with pytest.raises(ProgramError) as raised:
        StreamExecutionEnvironment.get_execution_environment("parallelism.default: 2")  # type: ignore[arg-type]
    check_says(raised.value, "a Configuration or a dict", "'parallelism.default: 2'", f"{__file__}:")


def test_ordinary_arguments_make_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in KINDS.values():
            make()


def test_a_sequence_that_runs_downwards_is_refused_at_its_line() -> None:
    with pytest.raises(ProgramError) as raised:
        environment().from_sequence(5, 1)
    check_says(raised.value, "5 is greater than 1", f"{__file__}:")
