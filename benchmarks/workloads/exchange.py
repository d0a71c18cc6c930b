"""Two workers: rows through a keyed exchange, and what a keyed sum over CSV lines gains by the second worker."""

from collections.abc import Callable
from typing import Any


def rows(numbers: int) -> Callable[[], dict[str, Any]]:
    """Pairs that are made in two workers and go to the worker that their key says, half of them to the other."""
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment(2)
    pairs = env.from_sequence(0, numbers - 1).map(lambda x: (x & 1023, x))
    pairs.key_by(lambda pair: pair[0]).map(lambda pair: pair).sink_to(DiscardingSink())
    return _timed(env, numbers)


def keyed_sum(path: str, lines: int, parallelism: int) -> Callable[[], dict[str, Any]]:
    """Lines split in Python, by every reader its part of the file."""
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    def parse(line: str) -> tuple[str, int]:
        key, _, value = line.split(",")
        return key, int(value)

    env = environment(parallelism)
    env.read_text_file(path).map(parse).key_by(lambda pair: pair[0]).sum(1).sink_to(DiscardingSink())
    return _timed(env, lines)


def one_worker(path: str, lines: int) -> Callable[[], dict[str, Any]]:
    return keyed_sum(path, lines, 1)


def two_workers(path: str, lines: int) -> Callable[[], dict[str, Any]]:
    return keyed_sum(path, lines, 2)


def _timed(env: Any, records: int) -> Callable[[], dict[str, Any]]:
    """The time from when all workers run, without their start."""

    def work() -> dict[str, Any]:
        result = env.execute()
        return {"records": records, "seconds": result.get_net_runtime() / 1000}

    return work
