"""The job whose submission is kept: operators of many kinds, with functions that any version of Python finds by name.

Operators may be added here for new format versions; what is here is never changed, as old files hold it.
"""

from collections.abc import Iterable
from typing import Any

from penstock.common import Types
from penstock.dataflow.job import JobGraph
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.functions import KeyedProcessFunction, ProcessWindowFunction, RuntimeContext
from penstock.datastream.state import ValueStateDescriptor
from penstock.plan.compile import compile_graph

JOB_ID = "c" * 32
NAME = "kept"
LATEST = 7
# The lines of the program are in the graph; so it is a text, of a file that is nowhere.
PROGRAM = """
from penstock.common import Duration, WatermarkStrategy
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.common.time import Time
from tests.compatibility.kept_job import Counting, Sums, amount, is_large, key, pair, place, stamp

timed = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1)).with_timestamp_assigner(stamp)
numbers = env.from_sequence(0, 9).assign_timestamps_and_watermarks(timed).set_parallelism(1)
pairs = numbers.map(pair).name("pairs").uid("pairs")
large = pairs.filter(is_large).union(env.from_collection([("x", 100)]))
counted = pairs.key_by(key).process(Counting()).uid("counting").set_parallelism(2)
sums = pairs.key_by(key).window(TumblingEventTimeWindows.of(Time.seconds(5))).process(Sums()).uid("sums")
totals = pairs.key_by(key).reduce(place).uid("totals")
found = counted.union(sums, totals.map(str), large.map(str))
found.partition_custom(amount, len).map(str).print()
"""


def stamp(value: int, _: int) -> int:
    """The time of a number."""
    return value * 1000


def pair(value: int) -> tuple[str, int]:
    """A number with its key."""
    return ("even" if value % 2 == 0 else "odd", value)


def is_large(value: tuple[str, int]) -> bool:
    """Whether the number is one of the upper half."""
    return value[1] > 4


def key(value: tuple[str, int]) -> str:
    """The key of a pair."""
    return value[0]


def amount(value: object, partitions: int) -> int:
    """A channel."""
    return len(str(value)) % partitions


def place(one: tuple[str, int], other: tuple[str, int]) -> tuple[str, int]:
    """The sum of two pairs of a key."""
    return one[0], one[1] + other[1]


class Counting(KeyedProcessFunction):
    """Numbers the pairs of each key."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterable[Any]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"{value[0]} {count}"


class Sums(ProcessWindowFunction):
    """The sum of the pairs of a window."""

    def process(self, key: Any, context: ProcessWindowFunction.Context, elements: Iterable[Any]) -> Any:
        yield f"{key} {sum(number for _, number in elements)}"


def graph() -> JobGraph:
    """The graph, as this version makes it."""
    env = StreamExecutionEnvironment.get_execution_environment(
        {"pipeline.name": NAME, "execution.checkpointing.interval": "1 h", "state.backend.type": "hashmap"}
    )
    exec(compile(PROGRAM, "kept.py", "exec"), {"env": env})
    return compile_graph(env.get_stream_graph())
