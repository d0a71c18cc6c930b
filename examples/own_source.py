"""A source of your own: a loop in a thread, which goes on where it was when the job is restored.

Run it with ``python examples/own_source.py``. It prints::

    1, 1, 2, 3, 5, 8, 13, 21, 34, 55
"""

from typing import Any

from penstock.datastream import SourceFunction, StreamExecutionEnvironment
from penstock.datastream.functions import ListCheckpointed


class Fibonacci(SourceFunction, ListCheckpointed):
    """The first numbers of the sequence. The pair that the loop needs is its state."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.done, self.pair = 0, (1, 1)
        self.running = True

    def run(self, ctx: Any) -> None:
        """Emit until all is said, or until cancelled."""
        while self.running and self.done < self.count:
            # Under the lock no checkpoint can come between the record and the state that says it was emitted.
            with ctx.get_checkpoint_lock():
                ctx.collect(self.pair[0])
                self.done, self.pair = self.done + 1, (self.pair[1], sum(self.pair))

    def cancel(self) -> None:
        """Called from another thread."""
        self.running = False

    def snapshot_state(self, checkpoint_id: int, timestamp: int) -> list[Any]:
        """What a checkpoint keeps."""
        return [(self.done, self.pair)]

    def restore_state(self, state: list[Any]) -> None:
        """Called before ``run`` when there is a checkpoint to go on from."""
        self.done, self.pair = state[0]


def main() -> None:
    """Print the numbers."""
    env = StreamExecutionEnvironment.get_execution_environment()
    with env.add_source(Fibonacci(10)).execute_and_collect() as numbers:
        print(", ".join(str(number) for number in numbers))


if __name__ == "__main__":
    main()
