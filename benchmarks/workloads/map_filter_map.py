"""Three functions over integers: ``x -> 3x + 1``, keep the even, ``y -> y // 2 + 7``."""

from collections.abc import Callable
from typing import Any


def plain(numbers: int) -> Callable[[], dict[str, Any]]:
    """A loop that calls the same three functions."""

    def triple(x: int) -> int:
        return 3 * x + 1

    def is_even(x: int) -> bool:
        return x % 2 == 0

    def halve(y: int) -> int:
        return y // 2 + 7

    def work() -> dict[str, Any]:
        for x in range(numbers):
            y = triple(x)
            if is_even(y):
                _last = halve(y)
        return {"records": numbers}

    return work


def inlined(numbers: int) -> Callable[[], dict[str, Any]]:
    """A loop without any call."""

    def work() -> dict[str, Any]:
        for x in range(numbers):
            y = 3 * x + 1
            if y % 2 == 0:
                _last = y // 2 + 7
        return {"records": numbers}

    return work


def penstock(numbers: int) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment()
    stream = env.from_sequence(0, numbers - 1).map(lambda x: 3 * x + 1)
    stream.filter(lambda x: x % 2 == 0).map(lambda y: y // 2 + 7).sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        env.execute()
        return {"records": numbers}

    return work


def bytewax(numbers: int) -> Callable[[], dict[str, Any]]:
    import bytewax.operators as op
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSource, run_main

    from benchmarks.workloads.bytewax_sink import Discard

    flow = Dataflow("steps")
    stream = op.input("numbers", flow, TestingSource(range(numbers), batch_size=4096))
    stream = op.map("triple", stream, lambda x: 3 * x + 1)
    stream = op.filter("even", stream, lambda x: x % 2 == 0)
    op.output("out", op.map("halve", stream, lambda y: y // 2 + 7), Discard())
    return lambda: run_main(flow)


def pyflink(numbers: int) -> Callable[[], dict[str, Any]]:
    from pyflink.common import Types, WatermarkStrategy
    from pyflink.datastream.connectors.number_seq import NumberSequenceSource

    from benchmarks.workloads.pyflink_job import environment, run

    env = environment()
    source = NumberSequenceSource(0, numbers - 1)
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers", Types.LONG())
    evens = stream.map(lambda x: 3 * x + 1, Types.LONG()).filter(lambda x: x % 2 == 0)
    return run(evens.map(lambda y: y // 2 + 7, Types.LONG()))
