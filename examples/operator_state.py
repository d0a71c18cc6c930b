"""Operator state: a savepoint of one subtask goes on in two. A list is dealt out; a union list goes to each of them whole.

Run it with ``python examples/operator_state.py``. It prints::

    before: [1, 2, 3, 4]
    5, 6 wait for two more
    subtask 0 takes over [5], and knows of [5, 6]
    subtask 1 takes over [6], and knows of [5, 6]
"""

import tempfile
from collections.abc import Iterator
from threading import Event
from typing import Any

from penstock.common import WatermarkStrategy
from penstock.datastream import FlatMapFunction, RuntimeContext, StreamExecutionEnvironment
from penstock.datastream.functions import CheckpointedFunction
from penstock.datastream.state import ListStateDescriptor
from penstock.testing import CollectingSink, ScriptedSource

SIZE = 4


class Batches(FlatMapFunction, CheckpointedFunction):
    """Puts four records together. Those that wait for others are its state."""

    def __init__(self, all_there: Event | None = None) -> None:
        self.waiting: list[int] = []
        self.news: list[str] = []
        self.all_there = all_there  # for a job that runs in this process

    def initialize_state(self, context: Any) -> None:
        """Called before ``open``, at a new start, too."""
        store = context.get_operator_state_store()
        self.state = store.get_list_state(ListStateDescriptor("waiting"))
        self.everyones = store.get_union_list_state(ListStateDescriptor("everyone's"))
        self.waiting = list(self.state.get())
        if context.is_restored():
            self.news = [f"takes over {self.waiting}, and knows of {sorted(self.everyones.get())}"]

    def open(self, runtime_context: RuntimeContext) -> None:
        """Which subtask this is."""
        self.subtask = runtime_context.get_index_of_this_subtask()

    def snapshot_state(self, context: Any) -> None:
        """Called at each checkpoint: what is in fields goes into the states."""
        self.state.update(self.waiting)
        self.everyones.update(self.waiting)

    def flat_map(self, value: int) -> Iterator[Any]:
        """A batch, when there is one; and what a restored subtask has found."""
        for news in self.news:
            yield f"subtask {self.subtask} {news}"
        self.news = []
        self.waiting.append(value)
        if len(self.waiting) == SIZE:
            yield self.waiting
            self.waiting = []
        if self.all_there is not None and self.waiting == [5, 6]:
            self.all_there.set()


def batches_of(env: StreamExecutionEnvironment, numbers: list[int], bounded: bool, function: Batches) -> Any:
    """The batches of numbers from one source; operators find their state by their uids."""
    source = ScriptedSource(numbers, bounded)
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
    return stream.rebalance().flat_map(function).uid("batches")


def main() -> None:
    """Stop the first job with a savepoint, and go on from it with another parallelism."""
    numbers = [1, 2, 3, 4, 5, 6]
    with tempfile.TemporaryDirectory() as folder:
        env = StreamExecutionEnvironment.get_execution_environment()
        all_there, sink = Event(), CollectingSink()
        batches_of(env, numbers, False, Batches(all_there)).sink_to(sink)
        client = env.execute_async("before")
        all_there.wait()
        savepoint = client.stop_with_savepoint(False, folder).result()
        print("before:", *sink.records)
        print("5, 6 wait for two more")

        settings = {"execution.state-recovery.path": savepoint}
        env = StreamExecutionEnvironment.get_execution_environment(settings).set_parallelism(2)
        with batches_of(env, [*numbers, 7, 8], True, Batches()).execute_and_collect() as results:
            print(*sorted(results), sep="\n")


if __name__ == "__main__":
    main()
