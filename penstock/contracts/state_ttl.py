"""Time to live: when state expires, who may still see it, and how it is removed.

Source: Flink's documentation, "State Time-To-Live (TTL)".
"""

from abc import ABC
from datetime import timedelta
from enum import Enum
from typing import Any

from penstock.data.time import Duration, Time
from penstock.errors import OptionError

_DEFAULT_CLEANUP_SIZE = 5
_DEFAULT_QUERY_TIME_AFTER_NUM_ENTRIES = 1000


class StateTtlConfig:
    """When and how state expires; made by :meth:`new_builder`.

    >>> config = StateTtlConfig.new_builder(Time.seconds(10)).never_return_expired().build()
    >>> config.get_ttl(), config.is_enabled()
    (Time(10000 ms), True)
    """

    class UpdateType(Enum):
        """What makes state young again."""

        Disabled = 0
        OnCreateAndWrite = 1
        OnReadAndWrite = 2

    class StateVisibility(Enum):
        """Whether expired state is still returned while it has not been removed."""

        ReturnExpiredIfNotCleanedUp = 0
        NeverReturnExpired = 1

    class TtlTimeCharacteristic(Enum):
        """Which time counts; as in Flink, only the clock's."""

        ProcessingTime = 0

    class CleanupStrategies:
        """How expired state is removed besides being removed when it is found expired on access."""

        class Strategies(Enum):
            """The strategies there are."""

            FULL_STATE_SCAN_SNAPSHOT = 0
            INCREMENTAL_CLEANUP = 1
            ROCKSDB_COMPACTION_FILTER = 2

        class CleanupStrategy(ABC):  # noqa: B024  (as in PyFlink: what the strategies have in common is nothing)
            """The settings of one strategy."""

        class EmptyCleanupStrategy(CleanupStrategy):
            """A strategy without settings."""

        class IncrementalCleanupStrategy(CleanupStrategy):
            """Look at a few entries whenever state is used."""

            def __init__(self, cleanup_size: int, run_cleanup_for_every_record: bool) -> None:
                self._cleanup_size = cleanup_size
                self._run_cleanup_for_every_record = run_cleanup_for_every_record

            def get_cleanup_size(self) -> int:
                """How many entries are looked at each time."""
                return self._cleanup_size

            def run_cleanup_for_every_record(self) -> bool:
                """Whether that happens for every record too, not only when this state is used."""
                return self._run_cleanup_for_every_record

        class RocksdbCompactFilterCleanupStrategy(CleanupStrategy):
            """Remove expired entries while RocksDB compacts its files."""

            def __init__(
                self, query_time_after_num_entries: int, periodic_compaction_time: Any = None
            ) -> None:
                self._query_time_after_num_entries = query_time_after_num_entries
                self._periodic_compaction_time = Duration.of(periodic_compaction_time or Duration.of_days(30))

            def get_query_time_after_num_entries(self) -> int:
                """After how many entries the filter reads the clock again."""
                return self._query_time_after_num_entries

            def get_periodic_compaction_time(self) -> Duration:
                """Files older than this are compacted even when nothing else asks for it."""
                return self._periodic_compaction_time

        EMPTY_STRATEGY = EmptyCleanupStrategy()

        def __init__(
            self,
            strategies: "dict[StateTtlConfig.CleanupStrategies.Strategies, CleanupStrategy]",
            is_cleanup_in_background: bool,
        ) -> None:
            self._strategies = strategies
            self._is_cleanup_in_background = is_cleanup_in_background

        def is_cleanup_in_background(self) -> bool:
            """Whether the backend's own default strategy runs when none was chosen."""
            return self._is_cleanup_in_background

        def in_full_snapshot(self) -> bool:
            """Whether expired entries are left out of snapshots."""
            return self.Strategies.FULL_STATE_SCAN_SNAPSHOT in self._strategies

        def get_incremental_cleanup_strategy(self) -> IncrementalCleanupStrategy | None:
            """The settings of incremental cleanup; None when it does not run."""
            chosen = self._strategies.get(self.Strategies.INCREMENTAL_CLEANUP)
            if isinstance(chosen, self.IncrementalCleanupStrategy):
                return chosen
            if not self._is_cleanup_in_background:
                return None
            return self.IncrementalCleanupStrategy(_DEFAULT_CLEANUP_SIZE, False)

        def get_rocksdb_compact_filter_cleanup_strategy(self) -> RocksdbCompactFilterCleanupStrategy | None:
            """The settings of RocksDB's compaction filter; None when it does not run."""
            chosen = self._strategies.get(self.Strategies.ROCKSDB_COMPACTION_FILTER)
            if isinstance(chosen, self.RocksdbCompactFilterCleanupStrategy):
                return chosen
            if not self._is_cleanup_in_background:
                return None
            return self.RocksdbCompactFilterCleanupStrategy(_DEFAULT_QUERY_TIME_AFTER_NUM_ENTRIES)

    class Builder:
        """Collects the settings of a :class:`StateTtlConfig`."""

        def __init__(self, ttl: "Duration | Time | timedelta | int | str") -> None:
            self._ttl = _positive(ttl)
            self._update_type = StateTtlConfig.UpdateType.OnCreateAndWrite
            self._visibility = StateTtlConfig.StateVisibility.NeverReturnExpired
            self._characteristic = StateTtlConfig.TtlTimeCharacteristic.ProcessingTime
            self._is_cleanup_in_background = True
            self._strategies: dict[
                StateTtlConfig.CleanupStrategies.Strategies, StateTtlConfig.CleanupStrategies.CleanupStrategy
            ] = {}

        def set_update_type(self, update_type: "StateTtlConfig.UpdateType") -> "StateTtlConfig.Builder":
            """Say what makes state young again."""
            self._update_type = update_type
            return self

        def update_ttl_on_create_and_write(self) -> "StateTtlConfig.Builder":
            """Writing makes state young again; the default."""
            return self.set_update_type(StateTtlConfig.UpdateType.OnCreateAndWrite)

        def update_ttl_on_read_and_write(self) -> "StateTtlConfig.Builder":
            """Reading and writing make state young again."""
            return self.set_update_type(StateTtlConfig.UpdateType.OnReadAndWrite)

        def set_state_visibility(
            self, state_visibility: "StateTtlConfig.StateVisibility"
        ) -> "StateTtlConfig.Builder":
            """Say whether expired state may still be seen."""
            self._visibility = state_visibility
            return self

        def return_expired_if_not_cleaned_up(self) -> "StateTtlConfig.Builder":
            """Expired state is returned while it has not been removed."""
            return self.set_state_visibility(StateTtlConfig.StateVisibility.ReturnExpiredIfNotCleanedUp)

        def never_return_expired(self) -> "StateTtlConfig.Builder":
            """Expired state is as good as gone; the default."""
            return self.set_state_visibility(StateTtlConfig.StateVisibility.NeverReturnExpired)

        def set_ttl_time_characteristic(
            self, ttl_time_characteristic: "StateTtlConfig.TtlTimeCharacteristic"
        ) -> "StateTtlConfig.Builder":
            """Say which time counts."""
            self._characteristic = ttl_time_characteristic
            return self

        def use_processing_time(self) -> "StateTtlConfig.Builder":
            """The clock's time counts; the default, and all there is."""
            return self.set_ttl_time_characteristic(StateTtlConfig.TtlTimeCharacteristic.ProcessingTime)

        def cleanup_full_snapshot(self) -> "StateTtlConfig.Builder":
            """Leave expired entries out of snapshots."""
            strategies = StateTtlConfig.CleanupStrategies
            self._strategies[strategies.Strategies.FULL_STATE_SCAN_SNAPSHOT] = strategies.EMPTY_STRATEGY
            return self

        def cleanup_incrementally(
            self, cleanup_size: int, run_cleanup_for_every_record: bool
        ) -> "StateTtlConfig.Builder":
            """Look at ``cleanup_size`` entries whenever this state is used, or for every record."""
            if cleanup_size <= 0:
                raise OptionError(
                    f"the number of entries to clean up at a time is {cleanup_size}: it must be above 0"
                )
            strategies = StateTtlConfig.CleanupStrategies
            self._strategies[strategies.Strategies.INCREMENTAL_CLEANUP] = (
                strategies.IncrementalCleanupStrategy(cleanup_size, run_cleanup_for_every_record)
            )
            return self

        def cleanup_in_rocksdb_compact_filter(
            self, query_time_after_num_entries: int, periodic_compaction_time: Any = None
        ) -> "StateTtlConfig.Builder":
            """Remove expired entries while RocksDB compacts; means nothing to the other backends."""
            strategies = StateTtlConfig.CleanupStrategies
            self._strategies[strategies.Strategies.ROCKSDB_COMPACTION_FILTER] = (
                strategies.RocksdbCompactFilterCleanupStrategy(
                    query_time_after_num_entries, periodic_compaction_time
                )
            )
            return self

        def disable_cleanup_in_background(self) -> "StateTtlConfig.Builder":
            """Run only the strategies chosen here."""
            self._is_cleanup_in_background = False
            return self

        def set_ttl(self, ttl: "Duration | Time | timedelta | int | str") -> "StateTtlConfig.Builder":
            """How long state lives."""
            self._ttl = _positive(ttl)
            return self

        def build(self) -> "StateTtlConfig":
            """The settings, complete."""
            return StateTtlConfig(
                self._update_type,
                self._visibility,
                self._characteristic,
                self._ttl,
                StateTtlConfig.CleanupStrategies(dict(self._strategies), self._is_cleanup_in_background),
            )

    def __init__(
        self,
        update_type: UpdateType,
        state_visibility: StateVisibility,
        ttl_time_characteristic: TtlTimeCharacteristic,
        ttl: "Duration | Time | timedelta | int | str",
        cleanup_strategies: CleanupStrategies,
    ) -> None:
        self._update_type = update_type
        self._state_visibility = state_visibility
        self._ttl_time_characteristic = ttl_time_characteristic
        self._ttl = _positive(ttl)
        self._cleanup_strategies = cleanup_strategies

    @staticmethod
    def new_builder(ttl: "Duration | Time | timedelta | int | str") -> Builder:
        """Start from the defaults; ``ttl`` as a number counts milliseconds."""
        return StateTtlConfig.Builder(ttl)

    def get_update_type(self) -> UpdateType:
        """What makes state young again."""
        return self._update_type

    def get_state_visibility(self) -> StateVisibility:
        """Whether expired state may still be seen."""
        return self._state_visibility

    def get_ttl(self) -> Time:
        """How long state lives."""
        return Time.of(self._ttl)

    def get_ttl_time_characteristic(self) -> TtlTimeCharacteristic:
        """Which time counts."""
        return self._ttl_time_characteristic

    def is_enabled(self) -> bool:
        """Whether state expires at all."""
        return self._update_type is not StateTtlConfig.UpdateType.Disabled

    def get_cleanup_strategies(self) -> CleanupStrategies:
        """How expired state is removed."""
        return self._cleanup_strategies

    def __repr__(self) -> str:
        # As PyFlink writes it, with its spaces.
        return (
            f"StateTtlConfig<update_type={self._update_type}, state_visibility={self._state_visibility},"
            f"ttl_time_characteristic ={self._ttl_time_characteristic},ttl={self.get_ttl()}>"
        )


def _positive(ttl: "Duration | Time | timedelta | int | str") -> Duration:
    duration = Duration.of(ttl)
    if duration.to_millis() <= 0:
        raise OptionError(f"the time to live of state is {duration}: it has to be at least a millisecond")
    return duration
