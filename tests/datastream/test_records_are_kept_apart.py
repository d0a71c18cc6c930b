"""A row is what it was when it was emitted, whatever a function does to it later. (Programs that were recorded from Apache
Flink are in ``tests/results/programs/object_reuse``.)"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.common import Time, WatermarkStrategy
from penstock.connectors.datagen.source import DataGeneratorSource
from penstock.connectors.functions.generator import GeneratorSource
from penstock.connectors.functions.source import SourceFunction
from penstock.contracts.functions import AggregateFunction
from penstock.contracts.source import Source
from penstock.contracts.watermarks import TimestampAssigner
from penstock.datastream import (
    KeyedProcessFunction,
    MapFunction,
    MapPartitionFunction,
    StreamExecutionEnvironment,
)
from penstock.datastream.state import ValueStateDescriptor
from penstock.datastream.window import CountEvictor, CountTrigger, GlobalWindows, TumblingEventTimeWindows
from penstock.testing import collect


@pytest.fixture
def env() -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment()


def grow(row: Any) -> Any:
    row.append("more")
    return row


def one_list() -> Iterator[Any]:
    row: list[int] = []
    for number in range(3):
        row.append(number)
        yield row


def stamped_list() -> Iterator[Any]:
    for row in one_list():
        yield row, len(row)


class OneList(SourceFunction):
    def run(self, ctx: Any) -> None:
        for row in one_list():
            ctx.collect(row)

    def cancel(self) -> None:
        pass


class Appending:
    """A function of an index that returns one list each time."""

    def __init__(self) -> None:
        self.row: list[int] = []

    def __call__(self, index: int) -> list[int]:
        self.row.append(index)
        return self.row


@pytest.mark.parametrize(
    "source",
    [
        GeneratorSource(one_list),
        GeneratorSource(stamped_list, timestamps=True),
        GeneratorSource(one_list, blocking=True),
        DataGeneratorSource(Appending(), 3),
    ],
)
def test_a_source_that_gives_one_list_again_and_again(
    env: StreamExecutionEnvironment, source: Source
) -> None:
    rows = env.from_source(source, WatermarkStrategy.no_watermarks(), "rows")
    assert collect(rows) == [[0], [0, 1], [0, 1, 2]]


def test_a_source_function_that_gives_one_list_again_and_again(env: StreamExecutionEnvironment) -> None:
    assert collect(env.add_source(OneList())) == [[0], [0, 1], [0, 1, 2]]


def test_the_list_of_a_collection_stays_as_the_program_wrote_it(env: StreamExecutionEnvironment) -> None:
    rows = [[1], [2]]
    assert collect(env.from_collection(rows).map(grow)) == [[1, "more"], [2, "more"]]
    assert rows == [[1], [2]]


def test_rows_that_the_program_gets_are_its_own(env: StreamExecutionEnvironment) -> None:
    sums = (
        env.from_collection([1, 2, 3])
        .map(lambda n: [0, n])
        .key_by(0)
        .reduce(lambda a, b: [a[0], a[1] + b[1]])
    )
    with sums.execute_and_collect() as rows:
        found = []
        for row in rows:
            found.append(list(row))
            row.clear()
    assert found == [[0, 1], [0, 3], [0, 6]]


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value[1])


IN_ORDER = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())


def test_timestamps_do_not_matter(env: StreamExecutionEnvironment) -> None:
    def prefixes(row: Any) -> Iterator[Any]:
        letters: list[str] = []
        for letter in row[0]:
            letters.append(letter)
            yield letters

    rows = env.from_collection([("abc", 1), ("xy", 2)]).assign_timestamps_and_watermarks(IN_ORDER)
    found = collect(rows.flat_map(prefixes).filter(lambda letters: len(letters) > 1))
    assert found == [["a", "b"], ["a", "b", "c"], ["x", "y"]]


def test_an_interval_join_that_returns_its_own_list(env: StreamExecutionEnvironment) -> None:
    pairs: list[Any] = []

    def pair(left: Any, right: Any, ctx: Any) -> Any:
        pairs.append((left[1], right[1]))
        yield pairs

    left = env.from_collection([("a", 1), ("a", 2)]).assign_timestamps_and_watermarks(IN_ORDER)
    right = env.from_collection([("a", 1), ("a", 2)]).assign_timestamps_and_watermarks(IN_ORDER)
    joined = left.key_by(0).interval_join(right.key_by(0)).between(-5, 5).process(pair)
    assert [len(row) for row in collect(joined)] == [1, 2, 3, 4]


def test_a_window_join_that_returns_its_own_list(env: StreamExecutionEnvironment) -> None:
    pairs: list[Any] = []

    def pair(left: Any, right: Any) -> Any:
        pairs.append((left[1], right[1]))
        return pairs

    left = env.from_collection([("a", 1), ("a", 2)]).assign_timestamps_and_watermarks(IN_ORDER)
    right = env.from_collection([("a", 1), ("a", 2)]).assign_timestamps_and_watermarks(IN_ORDER)
    windows = left.join(right).where(lambda row: row[0]).equal_to(lambda row: row[0])
    joined = windows.window(TumblingEventTimeWindows.of(Time.seconds(1))).apply(pair)
    assert [len(row) for row in collect(joined)] == [1, 2, 3, 4]


def test_rows_of_a_join_that_have_a_record_in_common(env: StreamExecutionEnvironment) -> None:
    def mark(row: Any) -> Any:
        row[0].append("seen")
        return row

    left = env.from_collection([(["a"], 1)]).assign_timestamps_and_watermarks(IN_ORDER)
    right = env.from_collection([(["a"], 1), (["a"], 2)]).assign_timestamps_and_watermarks(IN_ORDER)
    windows = left.join(right).where(lambda row: row[0][0]).equal_to(lambda row: row[0][0])
    joined = windows.window(TumblingEventTimeWindows.of(Time.seconds(1))).apply(
        lambda a, b: (a[0], a[1], b[1])
    )
    assert collect(joined.map(mark)) == [(["a", "seen"], 1, 1), (["a", "seen"], 1, 2)]


def test_a_reduce_in_place_over_what_an_evictor_left(env: StreamExecutionEnvironment) -> None:
    def add(a: Any, b: Any) -> Any:
        a[1] += b[1]
        return a

    rows = env.from_collection([1, 2, 3, 4]).map(lambda n: ["a", n])
    windows = rows.key_by(0).window(GlobalWindows.create()).trigger(CountTrigger.of(1))
    assert collect(windows.evictor(CountEvictor.of(2)).reduce(add)) == [
        ["a", 1], ["a", 3], ["a", 5], ["a", 7],
    ]  # fmt: skip


class Gather(AggregateFunction):
    def create_accumulator(self) -> Any:
        return []

    def add(self, value: Any, accumulator: Any) -> Any:
        accumulator.append(value[1])
        return accumulator

    def get_result(self, accumulator: Any) -> Any:
        return accumulator

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a + acc_b


def test_a_window_that_fires_again_for_records_that_are_late(env: StreamExecutionEnvironment) -> None:
    rows = env.from_collection([("a", 1), ("a", 5_000), ("a", 2), ("a", 3)])
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    env.get_config().set_auto_watermark_interval(0)
    windows = rows.assign_timestamps_and_watermarks(strategy).key_by(0)
    fired = windows.window(TumblingEventTimeWindows.of(Time.seconds(1))).allowed_lateness(100_000)
    found = collect(fired.aggregate(Gather()))
    assert found == [[1, 2, 3], [5_000]]


def test_a_partition_as_a_whole_that_yields_one_list(env: StreamExecutionEnvironment) -> None:
    class Prefixes(MapPartitionFunction):
        def map_partition(self, values: Any) -> Any:
            seen: list[int] = []
            for value in values:
                seen.append(value)
                yield seen

    found = collect(env.from_collection([1, 2]).full_window_partition().map_partition(Prefixes()))
    assert found == [[1], [1, 2]]


def test_a_broadcast_record_is_the_own_of_each_subtask(env: StreamExecutionEnvironment) -> None:
    env.set_parallelism(2)
    rows = env.from_collection([[1], [2]]).broadcast().map(grow)
    assert sorted(collect(rows)) == [[1, "more"], [1, "more"], [2, "more"], [2, "more"]]


def test_a_loop_changes_only_what_goes_round(env: StreamExecutionEnvironment) -> None:
    loop = env.from_collection([[3]]).iterate(200)

    def less(row: Any) -> Any:
        row[0] -= 1
        return row

    body = loop.map(less)
    loop.close_with(body.filter(lambda row: row[0] > 0))
    assert collect(body) == [[2], [1], [0]]


@dataclass(frozen=True)
class Reading:
    name: str
    value: int


class Latest(KeyedProcessFunction):
    def open(self, runtime_context: Any) -> None:
        self.state = runtime_context.get_state(ValueStateDescriptor("latest"))

    def process_element(self, value: Any, ctx: Any) -> Any:
        self.state.update(value)
        yield self.state.value()


@pytest.mark.parametrize("value", [("a", 1), Reading("a", 1), "a", ("a", (1, None))])
def test_what_can_never_change_is_not_copied(env: StreamExecutionEnvironment, value: Any) -> None:
    [found] = collect(env.from_collection([value]).key_by(lambda each: 0).process(Latest()))
    assert found is value


def test_what_cannot_be_copied_is_passed_on_as_it_is(env: StreamExecutionEnvironment) -> None:
    class Locks(MapFunction):
        def map(self, value: Any) -> Any:
            self.lock = threading.Lock()
            return [self.lock]

    [[lock]] = collect(env.from_collection([1]).map(Locks()))
    assert isinstance(lock, type(threading.Lock()))


def test_a_record_whose_pickle_cannot_be_read_is_passed_on(env: StreamExecutionEnvironment) -> None:
    class Failure(Exception):
        def __init__(self, code: int, text: str) -> None:
            super().__init__(text)
            self.code = code

    def fail(value: Any) -> Any:
        failures = {"last": Failure(value, "no")}
        failures["again"] = failures["last"]
        return failures

    [found] = collect(env.from_collection([7]).map(fail))
    assert found["last"].code == 7


def test_with_object_reuse_a_record_is_one_object_for_all_its_readers(
    env: StreamExecutionEnvironment,
) -> None:
    env.get_config().enable_object_reuse()
    row = [1]
    assert collect(env.from_collection([row]).filter(lambda each: True))[0] is row


def test_with_object_reuse_a_function_may_still_emit_one_object_again(
    env: StreamExecutionEnvironment,
) -> None:
    env.get_config().enable_object_reuse()
    assert collect(env.from_collection([0, 1, 2]).map(Appending())) == [[0], [0, 1], [0, 1, 2]]
