"""Keys that cannot be keys, keys that look alike, and times that are none."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from penstock.common import Types
from penstock.datastream import KeyedProcessFunction, RuntimeExecutionMode
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.errors import KeyNotUsable, ProgramError, TypeMismatch
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


class Itself:
    """Equal to itself only."""


@dataclass
class Mutable:
    number: int


class WithKey(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield repr(ctx.get_current_key()), value


def read_by(read: Callable[[Any], Any], key: Any, env: Any) -> Any:
    return read(env.from_collection([1, 2]).key_by(key))


UNUSABLE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "list": (lambda value: [value], "use tuple(key)"),
    "dict": (lambda value: {value: 1}, "use tuple(sorted(key.items()))"),
    "set": (lambda value: {value}, "use frozenset(key)"),
    "mutable dataclass": (Mutable, "@dataclass(frozen=True)"),
    "object without equality": (
        lambda value: Itself() if value else None,
        "give the class __eq__ and __hash__",
    ),
    "NaN": (lambda value: float("nan"), "it is not equal to itself"),
}


@pytest.mark.parametrize("parallelism", [1, 2])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_key_that_cannot_be_one_is_refused_whatever_reads_the_keyed_stream(
    kind: str, parallelism: int
) -> None:
    key, advice = UNUSABLE[kind]
    readers: list[Callable[[Any], Any]] = [
        lambda keyed: keyed.reduce(lambda one, two: one + two),
        lambda keyed: keyed.process(WithKey()),
    ]
    for read in readers[: 2 if parallelism == 1 else 1]:
        error = failure_of(partial(read_by, read, key), parallelism)
        assert isinstance(error.__cause__, KeyNotUsable)
        check_says(error, advice, "the record was 1", MADE_HERE)


def test_a_list_among_good_keys_is_refused_by_what_keeps_state() -> None:
    error = failure_of(
        lambda env: (
            env.from_collection([1, 2]).key_by(lambda v: v if v == 1 else [v]).reduce(lambda a, b: a + b)
        )
    )
    assert isinstance(error.__cause__, KeyNotUsable)
    check_says(error, "[2]", "list", "the record was 2", MADE_HERE)


BY_FIRST: dict[str, Callable[[Any], Any]] = {
    "an item": lambda pair: pair[0],
    "a call": lambda pair: min(pair[:1]),
}


@pytest.mark.parametrize("parallelism", [1, 2])
@pytest.mark.parametrize("by", BY_FIRST)
def test_a_key_that_is_not_of_its_declared_type_is_refused_wherever_it_comes(
    by: str, parallelism: int
) -> None:
    pairs = [("a", 1), (None, 1)] * 3_000
    error = failure_of(
        lambda env: (
            env.from_collection([*pairs, (5, 1), *pairs])
            .map(lambda pair: pair)
            .key_by(BY_FIRST[by], key_type=Types.STRING())
            .reduce(lambda one, two: (one[0], one[1] + two[1]))
        ),
        parallelism,
    )
    assert isinstance(error.__cause__, TypeMismatch)
    check_says(error, "type String: expected a str, got 5", "the key of the record (5, 1)", MADE_HERE)


@pytest.mark.parametrize("parallelism", [1, 2])
def test_keys_of_their_declared_type_are_taken(parallelism: int) -> None:
    pairs = environment(parallelism).from_collection([("a", 1), (None, 1), ("a", 2)]).map(lambda pair: pair)
    sums = pairs.key_by(lambda pair: pair[0], key_type=Types.STRING()).sum(1)
    assert sorted(rows_of(sums), key=repr) == [("a", 1), ("a", 3), (None, 1)]


@pytest.mark.parametrize("mode", [RuntimeExecutionMode.STREAMING, RuntimeExecutionMode.BATCH])
@pytest.mark.parametrize("parallelism", [1, 2])
def test_none_is_a_key_like_any_other_as_in_flink(parallelism: int, mode: RuntimeExecutionMode) -> None:
    env = environment(parallelism).set_runtime_mode(mode)
    sums = env.from_collection([1, 2, 3, 4]).key_by(lambda value: None).reduce(lambda one, two: one + two)
    assert rows_of(sums)[-1] == 10


@pytest.mark.parametrize("mode", [RuntimeExecutionMode.STREAMING, RuntimeExecutionMode.BATCH])
@pytest.mark.parametrize("parallelism", [1, 2])
def test_keys_of_many_types_are_kept_apart(parallelism: int, mode: RuntimeExecutionMode) -> None:
    keys = [1, "1", None, (1, 2), b"1", ("1", 2), frozenset([1]), "", (), (None,)]
    env = environment(parallelism).set_runtime_mode(mode)
    stream = env.from_collection(list(range(len(keys))) * 3).key_by(lambda value: keys[value])
    counts = stream.map(lambda value: (value, 1)).key_by(lambda pair: keys[pair[0]])
    found: dict[int, int] = {}
    for index, count in rows_of(counts.reduce(lambda one, two: (one[0], one[1] + two[1]))):
        found[index] = max(count, found.get(index, 0))
    assert found == dict.fromkeys(range(len(keys)), 3)


@pytest.mark.parametrize("time", [None, "12", 1.5, float("nan"), 2**63, -(2**70), (1,)])
def test_a_timestamp_that_is_none_is_refused_with_its_record(time: Any) -> None:
    error = failure_of(lambda env: stamped(env.from_collection([1]), lambda value: time))
    assert isinstance(error.__cause__, ProgramError)
    check_says(
        error, f"the timestamp {time!r} is not an integer of milliseconds", "the record was 1", MADE_HERE
    )


def test_records_without_timestamps_in_a_window_of_event_time_are_told_what_to_call() -> None:
    windows = TumblingEventTimeWindows.of(FIVE_SECONDS)
    error = failure_of(
        lambda env: env.from_collection([1]).key_by(lambda v: v).window(windows).reduce(lambda a, b: a)
    )
    check_says(error, "without a timestamp", "assign_timestamps_and_watermarks", f"{__file__}:")


class At(KeyedProcessFunction):
    def __init__(self, time: Any) -> None:
        self._time = time

    def process_element(self, value: Any, ctx: Any) -> None:
        ctx.timer_service().register_event_time_timer(self._time)


@pytest.mark.parametrize("time", [None, "a", 1.5, 2**63, -(2**70)])
def test_a_timer_at_no_time_is_refused(time: Any) -> None:
    error = failure_of(lambda env: keyed_by_one(env).process(At(time)).name("mine"))
    assert isinstance(error.__cause__, TypeMismatch)
    check_says(error, "a timer was registered for", str(time), "whole milliseconds", "'mine'", f"{__file__}:")


def test_a_field_that_records_do_not_have_is_named() -> None:
    error = failure_of(lambda env: env.from_collection([1]).key_by("name").map(str))
    check_says(error, "the record was 1", "key_by", f"{__file__}:")
