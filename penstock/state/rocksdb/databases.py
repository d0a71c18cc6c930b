"""The databases of one worker: opened with the settings of its job, within one bound of memory."""

from collections.abc import Mapping

from penstock.clock import Clock
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.database import SharedMemory
from penstock.state.rocksdb.settings import RocksDBSettings


class RocksDBDatabases:
    """Makes the keyed state of the operators of a worker."""

    def __init__(self, options: Mapping[str, str], clock: Clock) -> None:
        self._settings = RocksDBSettings.of(options)
        self._memory = SharedMemory(self._settings)
        self._clock = clock

    def open(self, max_parallelism: int, key_groups: range, subtask_index: int) -> RocksDBKeyedStateBackend:
        """A new and empty database for one operator of one subtask."""
        return RocksDBKeyedStateBackend(
            max_parallelism, key_groups, self._clock, self._settings, self._memory, subtask_index
        )
