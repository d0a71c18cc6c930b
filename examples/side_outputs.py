"""Side outputs: a stream is split, here into numbers and what is none.

Run it with ``python examples/side_outputs.py``. It prints::

    sum: 47
    rejected: ['tree', '']
"""

from collections.abc import Iterator
from typing import Any

from penstock.datastream import OutputTag, ProcessFunction, StreamExecutionEnvironment
from penstock.testing import CollectingSink

REJECTED = OutputTag("rejected")


class ToNumbers(ProcessFunction):
    """Texts become numbers; others go to the side output."""

    def process_element(self, value: str, ctx: Any) -> Iterator[Any]:
        """What is yielded with a tag goes to that tag's stream, the rest to the main one."""
        try:
            yield int(value)
        except ValueError:
            yield REJECTED, value


def main() -> None:
    """Run one job with two ends."""
    env = StreamExecutionEnvironment.get_execution_environment()
    numbers = env.from_collection(["40", "tree", "5", "", "2"]).process(ToNumbers())
    accepted, rejected = CollectingSink(), CollectingSink()
    numbers.sink_to(accepted)
    numbers.get_side_output(REJECTED).sink_to(rejected)
    env.execute("numbers")
    print(f"sum: {sum(accepted.records)}")
    print(f"rejected: {rejected.records}")


if __name__ == "__main__":
    main()
