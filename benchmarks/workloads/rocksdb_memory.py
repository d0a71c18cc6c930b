"""How much memory a keyed count takes in RocksDB when its state is many times larger than what it may use.

Each key is counted once, in no order, and a tenth of them again. What is measured is by how much the process has grown at its
largest, beside what its settings give to blocks, write buffers and objects: 192 MiB, and as much again for what they do not
count, which are compactions, batches on their way, and what allocators hold. In dictionaries they would take 2 GiB.
"""

import operator
import resource
from collections.abc import Callable
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any

BATCH = 4096
SPREAD = 7_368_787  # a prime, so that the keys come in no order
MEMORY_BYTES = 128 << 20
OBJECT_CACHE_BYTES = 64 << 20


def penstock(keys: int) -> Callable[[], dict[str, Any]]:
    """The table that ``key_by`` and ``reduce`` use."""
    from penstock.contracts.state import ReducingStateDescriptor
    from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
    from penstock.state.rocksdb.settings import RocksDBSettings

    folder = TemporaryDirectory()
    settings = RocksDBSettings(
        (folder.name,), memory_bytes=MEMORY_BYTES, object_cache_bytes=OBJECT_CACHE_BYTES
    )
    updates = keys + keys // 10

    def work() -> dict[str, Any]:
        with folder:
            backend = RocksDBKeyedStateBackend(128, settings=settings)
            table = backend.table(ReducingStateDescriptor("count", operator.add))
            before = _largest_mib()
            numbers = (number * SPREAD % keys for number in range(updates))
            twice = 0
            while batch := list(islice(numbers, BATCH)):
                twice += table.fold(batch, [1] * len(batch), operator.add).count(2)
                backend.after_records(len(batch))
            grown = _largest_mib() - before
            backend.close()
        assert twice == updates - keys
        allowed = (MEMORY_BYTES + OBJECT_CACHE_BYTES) >> 20
        return {"records": updates, "grown_mib": grown, "allowed_mib": allowed}

    return work


def _largest_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
