"""Whatever function of the user raises: the error names the operator, the record, the line, and what was raised."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from penstock.dataflow.submission import JobStatus
from penstock.datastream import (
    AggregateFunction,
    CoMapFunction,
    DataStream,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
    ProcessWindowFunction,
    StreamExecutionEnvironment,
)
from penstock.datastream.window import (
    EventTimeSessionWindows,
    Evictor,
    SessionWindowTimeGapExtractor,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
)
from penstock.errors import JobFailed, UserCodeError
from tests.bad_input.programs import (
    FIVE_SECONDS,
    MADE_HERE,
    check_says,
    environment,
    failure_of,
    keyed_by_one,
    rows_of,
    stamped,
)

Env = StreamExecutionEnvironment
RAISED: list[type[BaseException]] = [ValueError, StopIteration, RecursionError, MemoryError, KeyError]


class Broken(Exception):
    """What the functions here raise."""


def breaks(*_: Any) -> Any:
    raise Broken("it broke")


class BreaksAt:
    """Calls ``check("here")`` in each method; raises in one."""

    def __init__(self, where: str) -> None:
        self._where = where

    def check(self, here: str) -> None:
        if here == self._where:
            raise Broken(f"it broke in {here}")


class Sum(BreaksAt, AggregateFunction):
    def create_accumulator(self) -> int:
        self.check("create_accumulator")
        return 0

    def add(self, value: int, accumulator: int) -> int:
        self.check("add")
        return accumulator + value

    def get_result(self, accumulator: int) -> int:
        self.check("get_result")
        return accumulator

    def merge(self, first: int, second: int) -> int:
        self.check("merge")
        return first + second


class AtTheEnd(BreaksAt, Trigger[Any, Any]):
    def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
        self.check("on_element")
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
        self.check("on_event_time")
        return TriggerResult.FIRE

    def on_merge(self, window: Any, ctx: Any) -> None:
        self.check("on_merge")

    def clear(self, window: Any, ctx: Any) -> None:
        self.check("clear")


class Evicting(BreaksAt, Evictor[Any, Any]):
    def evict_before(self, elements: Any, size: int, window: Any, context: Any) -> None:
        self.check("evict_before")

    def evict_after(self, elements: Any, size: int, window: Any, context: Any) -> None:
        self.check("evict_after")


class Gap(SessionWindowTimeGapExtractor):
    def extract(self, element: Any) -> int:
        raise Broken("no gap")


class Windowed(ProcessWindowFunction[Any, Any, Any, Any]):
    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Iterable[Any]:
        yield 1
        raise Broken("half way")


class OnTimer(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> None:
        ctx.timer_service().register_event_time_timer(value * 1_000 + 1)

    def on_timer(self, timestamp: int, ctx: Any) -> None:
        raise Broken("on time")


class Life(BreaksAt, MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.check("open")

    def map(self, value: Any) -> Any:
        return value

    def close(self) -> None:
        self.check("close")


class Half(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        yield value
        raise Broken("after the first result")


class Both(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return value

    def map2(self, value: Any) -> Any:
        raise Broken("second input")


def five(env: Env) -> Any:
    return keyed_by_one(env).window(TumblingEventTimeWindows.of(FIVE_SECONDS))


def added(one: int, two: int) -> int:
    return one + two


def session(env: Env, aggregate: Any) -> DataStream:
    """Two sessions that a record between them joins."""
    stream = stamped(env.from_collection([0, 8, 4]), lambda value: value * 1_000).key_by(lambda value: 1)
    windowed = stream.window(EventTimeSessionWindows.with_gap(FIVE_SECONDS)).allowed_lateness(60_000)
    return windowed.aggregate(aggregate)


RECORD = "the record was 1"
WINDOW = "TimeWindow(start=0, end=5000)"
CASES: dict[str, tuple[Callable[[Env], DataStream], tuple[str, ...]]] = {
    "map": (lambda env: env.from_collection([1]).map(breaks).name("mine"), ("'mine'", RECORD)),
    "filter": (lambda env: env.from_collection([1]).filter(breaks).name("mine"), ("'mine'", RECORD)),
    "flat_map": (lambda env: env.from_collection([1]).flat_map(breaks).name("mine"), ("'mine'", RECORD)),
    "third of a chain": (
        lambda env: env.from_collection([1]).map(str).map(len).map(breaks).name("mine"),
        ("'mine'", RECORD),
    ),
    "process": (lambda env: env.from_collection([1]).process(Half()).name("mine"), ("'mine'", RECORD)),
    "key selector": (
        lambda env: env.from_collection([1]).key_by(breaks).map(str),
        ("Collection Source", "when the key of key_by was computed", RECORD),
    ),
    "reduce": (
        lambda env: env.from_collection([2, 1]).key_by(lambda value: 0).reduce(breaks).name("mine"),
        ("'mine'", RECORD),
    ),
    "partitioner": (
        lambda env: env.from_collection([1]).partition_custom(breaks, lambda value: value).map(str),
        ("Collection Source",),
    ),
    "timestamp assigner": (lambda env: stamped(env.from_collection([1]), breaks), (RECORD,)),
    "create_accumulator": (lambda env: five(env).aggregate(Sum("create_accumulator")), (RECORD,)),
    "add": (lambda env: five(env).aggregate(Sum("add")), (RECORD,)),
    "get_result": (lambda env: five(env).aggregate(Sum("get_result")), (WINDOW,)),
    "window reduce": (lambda env: five(env).reduce(breaks), ("the record was 2",)),
    "window function": (lambda env: five(env).process(Windowed()), (WINDOW, "key 'one'")),
    "trigger on element": (lambda env: five(env).trigger(AtTheEnd("on_element")).reduce(added), (RECORD,)),
    "trigger on time": (
        lambda env: five(env).trigger(AtTheEnd("on_event_time")).reduce(added),
        ("in the timer at 4999", WINDOW, "key 'one'"),
    ),
    "trigger clear": (lambda env: five(env).trigger(AtTheEnd("clear")).reduce(added), (WINDOW, "key 'one'")),
    "evict_before": (lambda env: five(env).evictor(Evicting("evict_before")).reduce(added), (WINDOW,)),
    "evict_after": (lambda env: five(env).evictor(Evicting("evict_after")).reduce(added), (WINDOW,)),
    "session gap": (
        lambda env: keyed_by_one(env).window(EventTimeSessionWindows.with_dynamic_gap(Gap())).reduce(added),
        (RECORD,),
    ),
    "timer": (
        lambda env: keyed_by_one(env).process(OnTimer()).name("mine"),
        ("'mine'", "in the event-time timer at 1001 of key 'one'"),
    ),
    "open": (lambda env: env.from_collection([1]).map(str).map(Life("open")).name("mine"), ("'mine'",)),
    "close": (lambda env: env.from_collection([1]).map(str).map(Life("close")).name("mine"), ("'mine'",)),
    "second input": (
        lambda env: env.from_collection([0]).connect(env.from_collection([1])).map(Both()).name("mine"),
        ("'mine'", RECORD),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_error_names_the_operator_the_record_and_the_line(case: str) -> None:
    make, parts = CASES[case]
    error = failure_of(make)
    assert isinstance(error.__cause__, UserCodeError)
    assert isinstance(error.__cause__.__cause__, Broken)
    check_says(error, "Broken: ", f" at {__file__}:", MADE_HERE, *parts)


@pytest.mark.parametrize("case", ["map", "key selector", "reduce", "window function", "timer", "close"])
def test_the_same_is_said_by_worker_processes(case: str) -> None:
    make, parts = CASES[case]
    error = failure_of(make, 2)
    assert isinstance(error.__cause__, UserCodeError)
    check_says(error, "Broken: ", f" at {__file__}:", MADE_HERE, *parts)


@pytest.mark.parametrize("raised", RAISED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("method", ["map", "filter", "flat_map", "key_by"])
def test_every_kind_of_exception_fails_the_job(method: str, raised: type[BaseException]) -> None:
    def function(value: Any) -> Any:
        raise raised

    error = failure_of(
        lambda env: getattr(env.from_collection([1]), method)(function).map(lambda value: value)
    )
    check_says(error, raised.__name__, RECORD, f"{__file__}:")


def test_endless_recursion_fails_the_job() -> None:
    def function(value: Any) -> Any:
        return function(value)

    check_says(failure_of(lambda env: env.from_collection([1]).map(function)), "RecursionError", RECORD)


def test_a_generator_that_raises_half_way_fails_the_job() -> None:
    def function(value: Any) -> Iterable[Any]:
        yield value
        raise Broken("half way")

    check_says(failure_of(lambda env: env.from_collection([1]).flat_map(function)), "half way", RECORD)


def test_a_source_function_that_raises_half_way_names_its_line() -> None:
    def numbers() -> Iterable[int]:
        yield 1
        raise Broken("half way")

    error = failure_of(lambda env: env.add_source(numbers, "mine").map(lambda value: value))
    check_says(error, "Broken: half way", f" at {__file__}:", "'Source: mine'")


def test_a_sink_that_raises_names_the_record() -> None:
    env = environment()
    env.from_collection([1]).add_sink(breaks).name("mine")
    with pytest.raises(JobFailed) as raised:
        env.execute()
    check_says(raised.value, "Broken: it broke", RECORD, "'Sink: mine'", f"{__file__}:")


class Unreadable:
    def __repr__(self) -> str:
        raise Broken("no text")


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_record_that_cannot_be_shown_is_named_by_its_type(parallelism: int) -> None:
    def make(env: Env) -> DataStream:
        return env.from_collection([1]).map(lambda value: Unreadable()).disable_chaining().map(breaks)

    check_says(failure_of(make, parallelism), "<Unreadable, whose repr raises Broken>", "it broke")


def test_a_huge_record_is_shortened() -> None:
    error = failure_of(lambda env: env.from_collection(["x" * 1_000_000]).map(breaks))
    check_says(error, "xxx ... xxx", "(1000002 characters)")


class Mute(Exception):
    def __str__(self) -> str:
        raise Broken("no text")


@pytest.mark.parametrize("parallelism", [1, 2])
def test_an_exception_without_a_text_still_fails_the_job(parallelism: int) -> None:
    def function(value: Any) -> Any:
        raise Mute

    error = failure_of(lambda env: env.from_collection([1]).map(function), parallelism)
    check_says(error, "Mute: (its text cannot be read: Broken)", RECORD, f"{__file__}:")


@pytest.mark.parametrize("answer", [None, "FIRE", 1])
def test_a_trigger_that_answers_something_else_is_told_what_to_return(answer: Any) -> None:
    class Odd(AtTheEnd):
        def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
            return answer  # type: ignore[no-any-return]

    error = failure_of(lambda env: five(env).trigger(Odd("")).reduce(added))
    check_says(error, f"Odd answered {answer!r}; a trigger returns a TriggerResult", f"{__file__}:")


@pytest.mark.parametrize("method", ["flat_map", "process"])
def test_a_result_that_is_not_iterable_is_explained(method: str) -> None:
    def make(env: Env) -> DataStream:
        function: Any = (lambda value: 5) if method == "flat_map" else (lambda value, ctx: 5)
        return getattr(env.from_collection([1]), method)(function)  # type: ignore[no-any-return]

    check_says(
        failure_of(make), "'int' object is not iterable", "returns an iterable", RECORD, f"{__file__}:"
    )


@pytest.mark.parametrize("answer", ["x", -1, 99, None, 0.5])
def test_a_partitioner_that_names_no_channel_is_told_which_there_are(answer: Any) -> None:
    error = failure_of(
        lambda env: (
            env.from_collection([1]).partition_custom(lambda key, n: answer, lambda value: value).map(str)
        )
    )
    check_says(error, f"returned {answer!r} for key 1", "an int from 0 to 0", f"{__file__}:")


def test_an_interrupt_out_of_a_function_leaves_as_it_is_and_closes_the_functions() -> None:
    closed: list[str] = []

    class Interrupting(MapFunction):
        def map(self, value: Any) -> Any:
            raise KeyboardInterrupt

        def close(self) -> None:
            closed.append("closed")

        def __deepcopy__(self, memo: Any) -> "Interrupting":
            return self

    with pytest.raises(KeyboardInterrupt):
        rows_of(environment().from_collection([1]).map(Interrupting()))
    assert closed == ["closed"]


def test_what_exceptions_of_a_group_say_is_said() -> None:
    def function(value: Any) -> Any:
        raise ExceptionGroup("all of it", [ValueError("one"), ExceptionGroup("more", [KeyError("two")])])

    check_says(
        failure_of(lambda env: env.from_collection([1]).map(function)),
        "all of it (2 sub-exceptions): ValueError: one; ExceptionGroup: more (1 sub-exception): KeyError: 'two' at ",
    )


def test_a_huge_text_of_an_exception_is_shortened() -> None:
    def function(value: Any) -> Any:
        raise ValueError("a" + "x" * 10_000_000 + "z")

    text = str(failure_of(lambda env: env.from_collection([1]).map(function)))
    assert "ValueError: axxx" in text
    assert "xxxz (10000002 characters)" in text
    assert len(text) < 5_000


class Beyond(BaseException):
    """No Exception, as what test frameworks and event loops raise."""


@pytest.mark.parametrize(
    ("raised", "parallelism"),
    [
        (SystemExit, 2),
        (KeyboardInterrupt, 2),
        (GeneratorExit, 1),
        (GeneratorExit, 2),
        (asyncio.CancelledError, 1),
        (Beyond, 1),
        (Beyond, 2),
    ],
)
def test_what_is_no_exception_fails_the_job_with_its_line(
    raised: type[BaseException], parallelism: int
) -> None:
    def function(value: Any) -> Any:
        raise raised(3)

    error = failure_of(lambda env: env.from_collection([1]).map(function).name("mine"), parallelism)
    check_says(error, f"{raised.__name__}: 3 at {__file__}:", "'mine'", MADE_HERE)


def test_what_is_no_exception_is_told_of_open_too() -> None:
    class Mine(MapFunction):
        def open(self, runtime_context: Any) -> None:
            raise Beyond(3)

        def map(self, value: Any) -> Any:
            return value

    check_says(
        failure_of(lambda env: env.from_collection([1]).map(Mine()).name("mine")), "Beyond: 3", "'mine'"
    )


def test_a_job_in_a_thread_that_a_function_wants_to_exit_has_failed() -> None:
    def function(value: Any) -> Any:
        sys.exit(3)

    env = environment()
    env.from_collection([1]).map(function).name("mine").print()
    client = env.execute_async()
    with pytest.raises(JobFailed) as raised:
        client.get_job_execution_result().result(timeout=120)
    check_says(raised.value, "SystemExit: 3 at ", "'mine'")
    assert client.get_job_status().result() is JobStatus.FAILED
