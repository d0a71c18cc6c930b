"""Full-window partitions give the rows of Flink 2.3, which were recorded: see tests/results/java/README.md."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Types
from penstock.datastream import AggregateFunction, DataStream, Order, StreamExecutionEnvironment

ROWS = Path(__file__).parents[1] / "results" / "java" / "partitions-rows.txt"
PAIRS = list(zip("bacabadcba", [5, 3, 9, 1, 5, 2, 7, 4, 1, 8], strict=True))
PAIR = Types.TUPLE([Types.STRING(), Types.INT()])


class Mean(AggregateFunction):
    def create_accumulator(self) -> Any:
        return [0, 0]

    def add(self, value: Any, accumulator: Any) -> Any:
        return [accumulator[0] + value[1], accumulator[1] + 1]

    def get_result(self, accumulator: Any) -> str:
        return f"{accumulator[0]}/{accumulator[1]}"

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        raise AssertionError("partitions are not merged")


def joined(pairs: Iterable[Any]) -> Iterator[str]:
    yield " ".join(f"{word}{number}" for word, number in pairs)


def applied(partitions: Any, what: str) -> DataStream[Any]:
    match what:
        case "map":
            return partitions.map_partition(joined)
        case "sort 1 up":
            return partitions.sort_partition(1, Order.ASCENDING)
        case "sort 1 down":
            return partitions.sort_partition(1, Order.DESCENDING)
        case "sort key down":
            return partitions.sort_partition(lambda pair: pair[1] % 2, Order.DESCENDING)
        case "reduce":
            return partitions.reduce(lambda a, b: (a[0] + b[0], a[1] + b[1]))
        case _:
            return partitions.aggregate(Mean())


def text_of(row: Any) -> str:
    return row if isinstance(row, str) else f"({row[0]},{row[1]})"


def recorded() -> list[tuple[str, list[str]]]:
    parts = [part.splitlines() for part in ROWS.read_text().split("# ")[1:]]
    return [(lines[0], lines[1:]) for lines in parts]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param(title, rows, marks=[pytest.mark.slow] if title.endswith("2") else [], id=title)
        for title, rows in recorded()
    ],
)
def test_the_rows_are_those_of_flink(title: str, expected: list[str]) -> None:
    kind, _, rest = title.partition(" ")
    what, _, parallelism = rest.partition(" parallelism ")
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(int(parallelism))
    pairs = env.from_collection(PAIRS, PAIR).rebalance().map(lambda pair: pair, PAIR)
    partitions = (pairs.key_by(lambda pair: pair[0]) if kind == "keyed" else pairs).full_window_partition()
    with applied(partitions, what).execute_and_collect() as results:
        found = [text_of(row) for row in results]
    if kind == "unkeyed" and parallelism == "1":
        assert found == expected
    elif parallelism == "1" and what.startswith("sort"):
        # Which key comes first is nobody's promise; within a key the order is.
        assert by_key(found) == by_key(expected)
    elif what == "map":
        # Which sender's records come first is open at parallelism 2, where a key has records of two.
        assert sorted(map(sorted, map(str.split, found))) == sorted(map(sorted, map(str.split, expected)))
    elif what == "reduce":
        assert sorted(map(letters_sorted, found)) == sorted(map(letters_sorted, expected))
    else:
        assert sorted(found) == sorted(expected)


def by_key(rows: list[str]) -> dict[str, list[str]]:
    """The rows of each key in their order."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(row)
    return found


def letters_sorted(row: str) -> str:
    word, _, rest = row.strip("()").partition(",")
    return f"{''.join(sorted(word))},{rest}"
