"""Words of a text, one update ``(word, count so far)`` for each."""

from collections.abc import Callable
from typing import Any


def plain(path: str) -> Callable[[], dict[str, Any]]:
    def work() -> dict[str, Any]:
        counts: dict[str, int] = {}
        get = counts.get
        updates = 0
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                for word in line.split():
                    count = get(word, 0) + 1
                    counts[word] = count
                    _update = (word, count)
                    updates += 1
        return {"records": updates}

    return work


def penstock(path: str) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment()
    words = env.read_text_file(path).flat_map(lambda line: line.split()).map(lambda word: (word, 1))
    words.key_by(lambda pair: pair[0]).sum(1).name("count").sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        metrics = env.execute().get_metrics()
        return {"records": metrics["count.0.numRecordsOut"]}

    return work


def bytewax(path: str) -> Callable[[], dict[str, Any]]:
    import bytewax.operators as op
    from bytewax.connectors.files import FileSource
    from bytewax.dataflow import Dataflow
    from bytewax.testing import run_main

    from benchmarks.workloads.bytewax_sink import Discard

    flow = Dataflow("words")
    lines = op.input("lines", flow, FileSource(path, batch_size=4096))
    words = op.flat_map("split", lines, lambda line: line.split())
    keyed = op.key_on("key", words, lambda word: word)

    def count(before: int | None, word: str) -> tuple[int, tuple[str, int]]:
        after = (before or 0) + 1
        return after, (word, after)

    updates = op.stateful_map("count", keyed, count)
    op.output("out", updates, Discard())
    return lambda: run_main(flow)


def pyflink(path: str) -> Callable[[], dict[str, Any]]:
    from pyflink.common import Types

    from benchmarks.workloads.pyflink_job import environment, lines, run

    words = lines(environment(), path).flat_map(lambda line: line.split(), Types.STRING())
    pairs = words.map(lambda word: (word, 1), Types.TUPLE([Types.STRING(), Types.INT()]))
    return run(pairs.key_by(lambda pair: pair[0], Types.STRING()).sum(1))
