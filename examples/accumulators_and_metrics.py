"""Accumulators and metrics: numbers about a job, next to its results.

Run it with ``python examples/accumulators_and_metrics.py``. It prints::

    4 lines, 1 of them empty, the longest has 11 letters
    records out of 'lengths': 3
"""

from collections.abc import Iterator
from typing import Any

from penstock.common import IntCounter, IntMaximum
from penstock.datastream import FlatMapFunction, StreamExecutionEnvironment


class Lengths(FlatMapFunction):
    """The lengths of lines that are not empty."""

    def open(self, runtime_context: Any) -> None:
        """Each subtask adds to its own part; the parts are merged at the end of the job."""
        self.lines, self.longest = IntCounter(), IntMaximum()
        runtime_context.add_accumulator("lines", self.lines)
        runtime_context.add_accumulator("longest", self.longest)
        # A metric is for watching the job while it runs.
        self.empty = runtime_context.get_metrics_group().counter("emptyLines")

    def flat_map(self, value: str) -> Iterator[int]:
        """Called for each line."""
        self.lines.add(1)
        self.longest.add(len(value))
        if value:
            yield len(value)
        else:
            self.empty.inc()


def main() -> None:
    """Run the job, and print what is known about it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    lines = env.from_collection(["to be", "or not", "", "to be again"])
    lines.flat_map(Lengths()).name("lengths").add_sink(lambda length: None)
    result = env.execute("lengths")
    metrics = result.get_metrics()
    count, longest = result.get_accumulator_result("lines"), result.get_accumulator_result("longest")
    print(
        f"{count} lines, {metrics['lengths.0.emptyLines']} of them empty, the longest has {longest} letters"
    )
    print(f"records out of 'lengths': {metrics['lengths.0.numRecordsOut']}")


if __name__ == "__main__":
    main()
