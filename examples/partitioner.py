"""A partitioner of your own says which subtask a record goes to; subtasks are worker processes here.

Run it with ``python examples/partitioner.py``. It prints::

    subtask 0: apple, banana
    subtask 1: quince, zucchini
"""

from typing import Any

from penstock.datastream import MapFunction, Partitioner, StreamExecutionEnvironment


class ByAlphabet(Partitioner):
    """The first half of the alphabet goes to the first subtask."""

    def partition(self, key: str, num_partitions: int) -> int:
        """A number from 0 to below ``num_partitions``."""
        return (ord(key[0]) - ord("a")) * num_partitions // 26


class WithSubtask(MapFunction):
    """Adds the number of the subtask."""

    def open(self, runtime_context: Any) -> None:
        """Called once in each subtask."""
        self.subtask = runtime_context.get_index_of_this_subtask()

    def map(self, value: str) -> tuple[int, str]:
        """Called for each record."""
        return self.subtask, value


def main() -> None:
    """Print which subtask has seen which fruits."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    fruits = env.from_collection(["quince", "apple", "zucchini", "banana"])
    spread = fruits.partition_custom(ByAlphabet(), lambda fruit: fruit).map(WithSubtask())
    with spread.execute_and_collect() as pairs:
        seen = sorted(pairs)
    for subtask in (0, 1):
        print(f"subtask {subtask}: {', '.join(fruit for where, fruit in seen if where == subtask)}")


if __name__ == "__main__":
    main()
