"""Full-window partitions: by key and by subtask, at every parallelism, and again after a restart elsewhere."""

from collections.abc import Iterable
from typing import Any

import pytest

from penstock.datastream import (
    AggregateFunction,
    DataStream,
    MapPartitionFunction,
    Order,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
)
from penstock.errors import JobFailed, ProgramError
from penstock.operators.full_window import FullWindowSpec, Over
from penstock.testing import OperatorHarness


class Mean(AggregateFunction):
    def create_accumulator(self) -> Any:
        return (0, 0)

    def add(self, value: Any, accumulator: Any) -> Any:
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator: Any) -> Any:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


class Joined(MapPartitionFunction[Any, str]):
    def open(self, runtime_context: Any) -> None:
        self.separator = "-"

    def map_partition(self, values: Iterable[Any]) -> Iterable[str]:
        yield self.separator.join(map(str, values))


def numbers(parallelism: int = 1) -> DataStream[int]:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)
    return env.from_collection([3, 1, 2, 5, 4])


def rows(stream: DataStream[Any]) -> list[Any]:
    with stream.execute_and_collect() as results:
        return list(results)


def test_without_keys_a_subtask_is_a_partition() -> None:
    assert rows(numbers().full_window_partition().map_partition(Joined())) == ["3-1-2-5-4"]
    assert rows(numbers().full_window_partition().sort_partition(lambda x: x)) == [1, 2, 3, 4, 5]
    assert rows(numbers().full_window_partition().sort_partition(lambda x: x, Order.DESCENDING)) == [
        5,
        4,
        3,
        2,
        1,
    ]
    assert rows(numbers().full_window_partition().reduce(lambda a, b: a + b)) == [15]
    assert rows(numbers().full_window_partition().aggregate(Mean())) == [3.0]


def test_the_partitions_are_those_of_the_operator_above() -> None:
    spread = numbers(2).rebalance().map(lambda x: x).full_window_partition()
    counts = rows(spread.map_partition(lambda values: [len(list(values))]))
    assert sorted(counts) == [2, 3]


@pytest.mark.parametrize("parallelism", [1, 2])
@pytest.mark.parametrize("mode", [RuntimeExecutionMode.STREAMING, RuntimeExecutionMode.BATCH])
def test_with_keys_a_key_is_a_partition(parallelism: int, mode: RuntimeExecutionMode) -> None:
    def partitions() -> Any:
        stream = numbers(parallelism)
        stream.get_execution_environment().set_runtime_mode(mode)
        return stream.key_by(lambda x: x % 2).full_window_partition()

    sorted_rows = rows(partitions().sort_partition(lambda x: x))
    assert ([x for x in sorted_rows if x % 2], [x for x in sorted_rows if not x % 2]) == ([1, 3, 5], [2, 4])
    assert sorted(rows(partitions().map_partition(Joined()))) == ["2-4", "3-1-5"]
    assert sorted(rows(partitions().reduce(lambda a, b: a + b))) == [6, 9]
    assert sorted(rows(partitions().aggregate(Mean()))) == [3.0, 3.0]


def test_what_a_subtask_had_kept_is_merged_when_it_goes_on_elsewhere() -> None:
    for over, function, expected in (
        (Over.REDUCE, lambda a, b: a + b, [10]),
        (Over.AGGREGATE, Mean(), [2.5]),
        (Over.SORT, lambda x: x, [1, 2, 3, 4]),
    ):
        with (
            OperatorHarness(FullWindowSpec(over, function)) as one,
            OperatorHarness(FullWindowSpec(over, function)) as other,
        ):
            one.process_elements([4, 1])
            other.process_elements([3])
            kept = [*one.operator.snapshot(1), *other.operator.snapshot(1)]
            with OperatorHarness(FullWindowSpec(over, function)) as later:
                later.operator.restore(kept)
                later.process_elements([2])
                later.end_input()
                assert later.extract_output_values() == expected


def test_an_empty_input_gives_nothing_and_an_error_says_where() -> None:
    nothing = numbers().filter(lambda x: x > 9).full_window_partition()
    assert rows(nothing.map_partition(lambda values: ["never"])) == []
    with pytest.raises(JobFailed, match=r"ZeroDivisionError.*test_full_window_partition\.py"):
        rows(numbers().full_window_partition().map_partition(lambda values: [1 // 0]))
    with pytest.raises(ProgramError, match=r"takes Order\.ASCENDING or Order\.DESCENDING, not 'up'"):
        numbers().full_window_partition().sort_partition(0, "up")  # type: ignore[arg-type]


def test_streams_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    stream = numbers(2).rebalance().map(lambda x: x)
    assert (stream.get_parallelism(), numbers().get_parallelism()) == (2, 1)
    assert stream.get_id() == stream.map(str).get_id() - 1
    both = stream.connect(stream.map(str))
    assert both.get_first_input() is stream
    assert both.get_second_input().get_execution_environment() is both.get_execution_environment()
    assert str(both.get_type1()) == str(both.get_type2())
    printed = numbers()
    printed.print_to_err("seen")
    printed.get_execution_environment().execute()
    assert capsys.readouterr().err.splitlines()[0] == "seen> 3"
