"""Every line of a text file, plain or compressed, given to nobody."""

from collections.abc import Callable
from typing import Any


def plain(path: str, lines: int) -> Callable[[], dict[str, Any]]:
    """``for line in open(...)``."""

    def work() -> dict[str, Any]:
        import gzip

        count = 0
        opener: Any = gzip.open if path.endswith(".gz") else open
        with opener(path, "rt", encoding="utf-8") as file:
            for _ in file:
                count += 1
        return {"records": count, "check": count}

    return work


def penstock(path: str, lines: int) -> Callable[[], dict[str, Any]]:
    """The file source into a sink that discards."""
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment(1)
    env.read_text_file(path).name("lines").sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        metrics = env.execute().get_metrics()
        count = next(value for key, value in metrics.items() if key.endswith("numRecordsOut"))
        return {"records": count, "check": count}

    return work
