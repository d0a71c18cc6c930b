"""How much memory a keyed count takes in RocksDB when its state is many times larger than what it may use.

Each key is counted once, in no order, and a tenth of them again. What is measured is by how much the resident memory of the
process has grown at its largest, with all that compactions, batches on their way and allocators take, beside what its
settings give to blocks, write buffers and objects: 192 MiB. It is counted from where a small database has been used, so that
what the libraries take is not in it. In dictionaries the keys would take 2 GiB.
"""

import operator
import resource
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
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

    def count(backend: Any, numbers: Iterator[int]) -> int:
        table = backend.table(ReducingStateDescriptor("count", operator.add))
        twice = 0
        while batch := list(islice(numbers, BATCH)):
            twice += table.fold(batch, [1] * len(batch), operator.add).count(2)
            backend.after_records(len(batch))
        return twice

    small = RocksDBKeyedStateBackend(128)
    count(small, iter(range(10 * BATCH)))
    small.close()

    def work() -> dict[str, Any]:
        with folder:
            backend = RocksDBKeyedStateBackend(128, settings=settings)
            before = _mib_now()
            twice = count(backend, (number * SPREAD % keys for number in range(updates)))
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
            backend.close()
        assert twice == updates - keys
        allowed = (MEMORY_BYTES + OBJECT_CACHE_BYTES) >> 20
        return {"records": updates, "grown_mib": grown, "allowed_mib": allowed}

    return work


def _mib_now() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)
