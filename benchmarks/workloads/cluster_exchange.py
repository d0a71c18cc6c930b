"""Two TaskManagers with a slot each: what goes from one to the other, and back, at once."""

from collections.abc import Callable
from typing import Any

from benchmarks.workloads import local_cluster


def rows(numbers: int) -> Callable[[], dict[str, Any]]:
    """Pairs of numbers to the subtask that their key says; half of them cross."""

    def build(env: Any) -> None:
        from penstock.connectors.discard.sink import DiscardingSink

        pairs = env.from_sequence(0, numbers - 1).map(lambda x: (x & 1023, x))
        pairs.key_by(lambda pair: pair[0]).map(lambda pair: pair).sink_to(DiscardingSink())

    return _on_two(build, numbers)


def columns(batches: int) -> Callable[[], dict[str, Any]]:
    """Columns of numbers to both subtasks in turn; half of the rows cross."""
    from benchmarks.workloads.repeated_columns import ROWS_IN_BATCH

    def build(env: Any) -> None:
        from benchmarks.workloads.counting_sink import CountingColumnsSink
        from benchmarks.workloads.repeated_columns import RepeatedColumns
        from penstock.contracts.watermarks import WatermarkStrategy

        stream = env.from_source(RepeatedColumns(batches), WatermarkStrategy.no_watermarks(), "columns")
        stream.rebalance().sink_to(CountingColumnsSink())

    return _on_two(build, batches * ROWS_IN_BATCH)


def _on_two(build: Callable[[Any], None], records: int) -> Callable[[], dict[str, Any]]:
    """The time from when all tasks run, as the job's result tells it; half of the records cross."""

    def work() -> dict[str, Any]:
        with local_cluster.running("-n", "2", "-s", "1") as (_, client):
            env = local_cluster.environment(client)
            env.set_parallelism(2)
            build(env)
            seconds = env.execute("exchange").get_net_runtime() / 1000
        return {"records": records, "seconds": seconds, "ns_per_crossing": seconds * 1e9 / (records / 2)}

    return work
