"""Random programs give the rows of a plain loop, however many subtasks run them, in STREAMING and in BATCH mode."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.datastream import DataStream, RuntimeExecutionMode, StreamExecutionEnvironment

Step = tuple[str, int]


def spread(stream: DataStream, how: str) -> DataStream:
    spreads: dict[str, Callable[[], DataStream]] = {
        "rebalance": stream.rebalance,
        "rescale": stream.rescale,
        "shuffle": stream.shuffle,
        "global": stream.global_,
    }
    return spreads[how]()


def on_penstock(stream: DataStream, steps: list[Step]) -> DataStream:
    for kind, n in steps:
        match kind:
            case "map":
                stream = stream.map(lambda x, n=n: x * 3 + n)
            case "filter":
                stream = stream.filter(lambda x, n=n: x % (n + 2) != 0)
            case "flat_map":
                stream = stream.flat_map(lambda x, n=n: [x] * (x % (n + 1)))
            case "union":
                stream = stream.union(stream.map(lambda x: -x))
            case _:
                stream = spread(stream, kind)
    return stream


def by_hand(values: list[int], steps: list[Step]) -> list[int]:
    for kind, n in steps:
        match kind:
            case "map":
                values = [x * 3 + n for x in values]
            case "filter":
                values = [x for x in values if x % (n + 2) != 0]
            case "flat_map":
                values = [x for x in values for _ in range(x % (n + 1))]
            case "union":
                values = values + [-x for x in values]
    return values


KINDS = ["map", "filter", "flat_map", "union", "rebalance", "rescale", "shuffle", "global"]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)), max_size=5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.lists(st.integers(-50, 50), max_size=40),
    steps=STEPS,
    parallelism=st.integers(1, 3),
    mode=st.sampled_from([RuntimeExecutionMode.STREAMING, RuntimeExecutionMode.BATCH]),
    modulus=st.integers(1, 5),
)
def test_sums_per_key_are_those_of_a_plain_loop(
    values: list[int], steps: list[Step], parallelism: int, mode: RuntimeExecutionMode, modulus: int
) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism).set_runtime_mode(mode)
    stream = on_penstock(env.from_collection(values), steps)
    sums = stream.map(lambda x: (x % modulus, x)).key_by(lambda pair: pair[0]).sum(1)
    with sums.execute_and_collect() as results:
        rows: list[Any] = list(results)

    expected: dict[int, int] = {}
    for x in by_hand(values, steps):
        expected[x % modulus] = expected.get(x % modulus, 0) + x
    assert dict(rows) == expected
    if mode is RuntimeExecutionMode.BATCH:
        assert len(rows) == len(expected)
    else:
        assert len(rows) == len(by_hand(values, steps))
