"""Running count by key in RocksDB: batches of random keys, and a snapshot after each million of updates.

The snapshot is walked by a thread of its own, as the writer of checkpoints does, while updates go on. What is timed is the
task's thread by its own clock, and the longest pause by the clock on the wall.
"""

import operator
import random
import resource
import threading
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Any

BATCH = 4096
UPDATES_PER_SNAPSHOT = 1_000_000
OBJECT_CACHE_BYTES = 1 << 30
MEMORY_BYTES = 256 << 20


def penstock(
    updates: int, keys: int, cache_bytes: int = OBJECT_CACHE_BYTES, memory_bytes: int = MEMORY_BYTES
) -> Callable[[], dict[str, Any]]:
    """The table that ``key_by`` and ``reduce`` use."""
    from penstock.contracts.state import ReducingStateDescriptor
    from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
    from penstock.state.rocksdb.settings import RocksDBSettings

    settings = RocksDBSettings(memory_bytes=memory_bytes, object_cache_bytes=cache_bytes)
    chosen = random.Random(1)
    all_keys = range(keys)
    ones = [1] * BATCH

    def work() -> dict[str, Any]:
        backend = RocksDBKeyedStateBackend(128, settings=settings)
        table = backend.table(ReducingStateDescriptor("count", operator.add))
        done, since, seconds, longest = 0, 0, 0.0, 0.0
        writers: list[threading.Thread] = []
        while done < updates:
            batch = chosen.choices(all_keys, k=BATCH)
            start = thread_time()
            table.fold(batch, ones, operator.add)
            backend.after_records(BATCH)
            done += BATCH
            since += BATCH
            if since >= UPDATES_PER_SNAPSHOT:
                since = 0
                before = perf_counter()
                snapshot = backend.snapshot()
                longest = max(longest, perf_counter() - before)
                writers.append(threading.Thread(target=_write, args=(snapshot,)))
                writers[-1].start()
            seconds += thread_time() - start
        for writer in writers:
            writer.join()
        backend.close()
        return {
            "records": done,
            "microseconds_per_update": seconds / done * 1e6,
            "longest_pause_ms": longest * 1000,
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        }

    return work


def _write(snapshot: Any) -> None:
    for entries in snapshot.states.values():
        for _ in entries.chunks():
            pass
    snapshot.release()
