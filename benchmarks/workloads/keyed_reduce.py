"""Running sum by key over CSV rows ``key,ts,value``, one update for each row."""

from collections.abc import Callable
from typing import Any


def plain(path: str) -> Callable[[], dict[str, Any]]:
    """``line.split``, which is faster than the csv module for lines without quotes."""

    def work() -> dict[str, Any]:
        sums: dict[str, int] = {}
        get = sums.get
        updates = 0
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                key, _, value = line.split(",")
                total = get(key, 0) + int(value)
                sums[key] = total
                _update = (key, total)
                updates += 1
        return {"records": updates}

    return work


def penstock(path: str, parallelism: int = 1) -> Callable[[], dict[str, Any]]:
    """Parsed natively as columns, then rows."""
    from benchmarks.workloads.penstock_job import environment, events
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment(parallelism, columns=True)
    pairs = events(env, path, ("key", "value"))
    updates = pairs.key_by(lambda pair: pair[0]).sum(1).name("sums")
    updates.sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        metrics = env.execute().get_metrics()
        return {"records": sum(metrics[f"sums.{subtask}.numRecordsOut"] for subtask in range(parallelism))}

    return work


def bytewax(path: str) -> Callable[[], dict[str, Any]]:
    import bytewax.operators as op
    from bytewax.connectors.files import FileSource
    from bytewax.dataflow import Dataflow
    from bytewax.testing import run_main

    from benchmarks.workloads.bytewax_sink import Discard

    def parse(line: str) -> tuple[str, int]:
        key, _, value = line.split(",")
        return key, int(value)

    def add(before: int | None, value: int) -> tuple[int, int]:
        after = (before or 0) + value
        return after, after

    flow = Dataflow("reduce")
    lines = op.input("lines", flow, FileSource(path, batch_size=4096))
    updates = op.stateful_map("sum", op.map("parse", lines, parse), add)
    op.output("out", updates, Discard())
    return lambda: run_main(flow)


def pyflink(path: str) -> Callable[[], dict[str, Any]]:
    from pyflink.common import Types

    from benchmarks.workloads.pyflink_job import environment, lines, run

    def parse(line: str) -> tuple[str, int]:
        key, _, value = line.split(",")
        return key, int(value)

    pairs = lines(environment(), path).map(parse, Types.TUPLE([Types.STRING(), Types.LONG()]))
    return run(pairs.key_by(lambda pair: pair[0], Types.STRING()).sum(1))
