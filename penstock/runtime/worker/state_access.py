"""Which state backend the operators of a job get, and how it is made."""

from typing import TYPE_CHECKING

from penstock.clock import Clock
from penstock.config.configuration import Configuration
from penstock.contracts.state import KeyedStateBackend, OperatorStateBackend
from penstock.data.key_groups import key_group_range
from penstock.operators.contract import OperatorContext

if TYPE_CHECKING:
    from penstock.network.key_grouping import KeyGrouping
    from penstock.state.rocksdb.databases import RocksDBDatabases

BACKEND = "state.backend.type"
GROUPING_MEMORY_BYTES = 256 << 20


class StateAccess:
    """Makes keyed state and operator state for the operators of one worker."""

    def __init__(self, settings: dict[str, str], clock: Clock) -> None:
        self._clock = clock
        self._settings = settings
        self._databases: RocksDBDatabases | None = None
        named = any(key.startswith("state.backend") for key in settings)
        self._is_on_disk = named and Configuration.from_dict(settings).get(BACKEND) == "rocksdb"

    def keyed(self, context: OperatorContext) -> KeyedStateBackend:
        """The keyed state of one operator of one subtask; in BATCH mode, with one key at a time, always in memory."""
        if self._is_on_disk and not context.batch_mode:
            if self._databases is None:
                from penstock.state.rocksdb.databases import RocksDBDatabases

                self._databases = RocksDBDatabases(self._settings, self._clock)
            return self._databases.open(
                context.max_parallelism, self._key_groups(context), context.subtask_index
            )
        from penstock.state.hashmap.backend import HashMapStateBackend

        return HashMapStateBackend(context.max_parallelism, self._key_groups(context), self._clock)

    def operator(self, context: OperatorContext) -> OperatorStateBackend:
        """The operator state of one operator of one subtask."""
        from penstock.state.operator_lists import InMemoryOperatorState

        return InMemoryOperatorState()

    def grouping(self) -> "KeyGrouping":
        """Where keyed input is collected in BATCH mode."""
        from penstock.network.key_grouping import KeyGrouping

        return KeyGrouping(GROUPING_MEMORY_BYTES)

    def _key_groups(self, context: OperatorContext) -> range:
        return key_group_range(context.max_parallelism, context.parallelism, context.subtask_index)
