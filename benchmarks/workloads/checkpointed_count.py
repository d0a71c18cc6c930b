"""Running count by key over generated integers, with a checkpoint of the whole state every few seconds, or without any.

What is reported besides the speed is the longest pause of a task at a barrier. Beside it: real Flink's keyed count from a
generator, hashmap, 1 M keys 445 k/s, a checkpoint of 41 MB in 1.4 s; 5 M keys 307 k/s, 201 MB in 5.1 s.
"""

from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

SPREAD = 7_368_787  # a prime, so that the keys come in no order


def plain(keys: int, records: int, interval_ms: int) -> Callable[[], dict[str, Any]]:
    """Without checkpoints."""
    return _job(keys, records, None)


def checkpointed(keys: int, records: int, interval_ms: int) -> Callable[[], dict[str, Any]]:
    """With them, into a directory of this machine."""
    return _job(keys, records, interval_ms)


def _job(keys: int, records: int, interval_ms: int | None) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment()
    folder = TemporaryDirectory()
    if interval_ms is not None:
        env.enable_checkpointing(interval_ms)
        env.get_checkpoint_config().set_checkpoint_storage_dir(f"file://{folder.name}")
    pairs = env.from_sequence(0, records - 1).map(lambda number: (number * SPREAD % keys, 1))
    pairs.key_by(lambda pair: pair[0]).sum(1).name("counts").sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        with folder:
            result = env.execute()
        metrics = result.get_metrics()
        pauses = [value for name, value in metrics.items() if name.endswith("longestBarrierPauseMs")]
        done = [one for one in result.get_checkpoints() if one.state_bytes is not None]
        return {
            "records": records,
            "pause_ms": max(pauses, default=0),
            "checkpoints": len(done),
            "checkpoint_mib": max((one.state_bytes for one in done), default=0) / (1 << 20),
            "checkpoint_ms": max((one.duration_ms for one in done), default=0),
        }

    return work
