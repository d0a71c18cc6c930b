"""Keyed state in files of RocksDB, as incremental checkpoints have it, for whoever reads it."""

from collections.abc import Callable, Mapping

from penstock.contracts.state import NativeEntries


def open_rocksdb_files(
    settings: Mapping[str, str], max_parallelism: int, reads: Mapping[str, Callable[[], bytes]]
) -> list[NativeEntries]:
    """The entries in the files that ``reads`` give, of each state and each set of timers.

    ``settings`` say where working files may lie.

    :raises StateError: when the files are of a newer version.
    """
    from penstock.state.rocksdb.native import open_native
    from penstock.state.rocksdb.settings import RocksDBSettings

    return open_native(RocksDBSettings.of(settings).directories[0], max_parallelism, reads)
