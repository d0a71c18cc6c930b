"""Where a file sink puts its files, how it names them, and when it begins the next one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.connectors.files.date_patterns import DatePattern
from penstock.errors import ProgramError


class BucketContext(Protocol):
    """What an assigner may ask for, beside the record."""

    def current_processing_time(self) -> int:
        """The clock's time, in milliseconds."""

    def current_watermark(self) -> int:
        """The watermark."""

    def timestamp(self) -> int | None:
        """The record's event time, None where it has none."""


class BucketAssigner(ABC):
    """Says in which directory below the sink's a record goes.

    >>> class ByLetter(BucketAssigner):
    ...     def get_bucket_id(self, element, context):
    ...         return f"letter={element[0]}"
    """

    looks_at_records = True
    """Whether the answer depends on the record; otherwise it is asked once for many, with None."""

    @abstractmethod
    def get_bucket_id(self, element: Any, context: BucketContext) -> str:
        """The directory, relative to the sink's; empty for the sink's own."""

    @staticmethod
    def base_path_bucket_assigner() -> "BucketAssigner":
        """All files in the directory of the sink."""
        return _OneBucket()

    @staticmethod
    def date_time_bucket_assigner(
        format_str: str = "yyyy-MM-dd--HH", timezone_id: str | None = None
    ) -> "BucketAssigner":
        """A directory for each hour of the clock, or whatever the format tells apart, a pattern of Java's.

        >>> assigner = BucketAssigner.date_time_bucket_assigner("'day='yyyyMMdd/'hour='HH", "UTC")
        """
        return _DateTimeBuckets(DatePattern.of(format_str), timezone_id)


class _OneBucket(BucketAssigner):
    looks_at_records = False

    def get_bucket_id(self, element: Any, context: BucketContext) -> str:
        return ""


class _DateTimeBuckets(BucketAssigner):
    looks_at_records = False

    def __init__(self, pattern: DatePattern, zone: str | None) -> None:
        self._pattern = pattern
        self._step_ms = 1 if pattern.is_finer_than_seconds else 1000
        self._zone = zone
        self._last: tuple[int, str] = (-1, "")
        self._time_zone()

    def get_bucket_id(self, element: Any, context: BucketContext) -> str:
        now_ms = context.current_processing_time()
        step = now_ms // self._step_ms
        if step != self._last[0]:
            from datetime import UTC, datetime

            moment = datetime.fromtimestamp(now_ms // 1000, UTC).replace(microsecond=now_ms % 1000 * 1000)
            self._last = (step, self._pattern.text(moment.astimezone(self._time_zone())))
        return self._last[1]

    def _time_zone(self) -> Any:
        if self._zone is None:
            return None  # the system's
        from zoneinfo import ZoneInfo

        try:
            return ZoneInfo(self._zone)
        except (KeyError, ValueError) as error:
            raise ProgramError(
                f"there is no time zone {self._zone!r}; write it as in Europe/Berlin"
            ) from error


@dataclass(frozen=True, slots=True)
class OutputFileConfig:
    """What the names of files begin and end with.

    >>> OutputFileConfig.builder().with_part_suffix(".txt").build()
    OutputFileConfig(part_prefix='part', part_suffix='.txt')
    """

    part_prefix: str = "part"
    part_suffix: str = ""

    def get_part_prefix(self) -> str:
        """What the names begin with."""
        return self.part_prefix

    def get_part_suffix(self) -> str:
        """What the names end with."""
        return self.part_suffix

    @staticmethod
    def builder() -> "OutputFileConfig.OutputFileConfigBuilder":
        """Begin with ``part`` and no end."""
        return OutputFileConfig.OutputFileConfigBuilder()

    class OutputFileConfigBuilder:
        """Collects the beginning and the end."""

        def __init__(self) -> None:
            self._prefix, self._suffix = "part", ""

        def with_part_prefix(self, prefix: str) -> "OutputFileConfig.OutputFileConfigBuilder":
            """Begin names with this."""
            self._prefix = prefix
            return self

        def with_part_suffix(self, suffix: str) -> "OutputFileConfig.OutputFileConfigBuilder":
            """End names with this."""
            self._suffix = suffix
            return self

        def build(self) -> "OutputFileConfig":
            """The beginning and the end."""
            return OutputFileConfig(self._prefix, self._suffix)


@dataclass(frozen=True, slots=True)
class RollingPolicy:
    """When a file is finished and the next one begun. None stands for never."""

    part_size: int | None = None
    rollover_interval: int | None = None
    inactivity_interval: int | None = None
    at_checkpoints: bool = False

    @staticmethod
    def default_rolling_policy(
        part_size: int = 128 << 20, rollover_interval: int = 60_000, inactivity_interval: int = 60_000
    ) -> "DefaultRollingPolicy":
        """By size in bytes, by age, and by how long nothing was written, in milliseconds."""
        if min(part_size, rollover_interval, inactivity_interval) <= 0:
            raise ProgramError("the size and the intervals of a rolling policy must be above 0")
        return DefaultRollingPolicy(part_size, rollover_interval, inactivity_interval)

    @staticmethod
    def on_checkpoint_rolling_policy() -> "OnCheckpointRollingPolicy":
        """At checkpoints only."""
        return OnCheckpointRollingPolicy(at_checkpoints=True)

    def is_due(self, size_bytes: int, opened_ms: int, written_ms: int, now_ms: int) -> bool:
        """Whether a file is finished now: asked before each record, at checkpoints, and each bucket check interval."""
        return (
            (self.part_size is not None and size_bytes > self.part_size)
            or (self.rollover_interval is not None and now_ms - opened_ms >= self.rollover_interval)
            or (self.inactivity_interval is not None and now_ms - written_ms >= self.inactivity_interval)
        )


class DefaultRollingPolicy(RollingPolicy):
    """By size, age and silence."""


class OnCheckpointRollingPolicy(RollingPolicy):
    """At checkpoints only."""
