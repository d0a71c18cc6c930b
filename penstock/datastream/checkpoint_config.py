"""CheckpointConfig: when checkpoints are taken and what is kept of them, kept as options of a Configuration."""

from datetime import timedelta
from typing import Any

from penstock.config.configuration import Configuration
from penstock.config.formerly import formerly
from penstock.data.time import Duration
from penstock.datastream.checkpoint_storage import (
    CheckpointStorage,
    FileSystemCheckpointStorage,
    JobManagerCheckpointStorage,
)
from penstock.datastream.checkpointing_mode import CheckpointingMode
from penstock.datastream.externalized_checkpoint_retention import (
    ExternalizedCheckpointCleanup,
    ExternalizedCheckpointRetention,
)
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller

INTERVAL = "execution.checkpointing.interval"
_MODE = "execution.checkpointing.mode"
_TIMEOUT = "execution.checkpointing.timeout"
_MIN_PAUSE = "execution.checkpointing.min-pause"
_CONCURRENT = "execution.checkpointing.max-concurrent-checkpoints"
_TOLERABLE = "execution.checkpointing.tolerable-failed-checkpoints"
_RETENTION = "execution.checkpointing.externalized-checkpoint-retention"
_UNALIGNED = "execution.checkpointing.unaligned.enabled"
_UNALIGNED_FORCED = "execution.checkpointing.unaligned.forced"
_ALIGNED_TIMEOUT = "execution.checkpointing.aligned-checkpoint-timeout"
_LEAST_MS = 10
_MOST_FAILURES = 2**31 - 1


class CheckpointConfig:
    """The settings of checkpoints; ``env.get_checkpoint_config()`` gives those of an environment.

    Changes are seen in the configuration that it was made with, and the other way round.

    >>> config = CheckpointConfig().set_checkpoint_interval(5000).set_checkpoint_timeout(60_000)
    >>> config.is_checkpointing_enabled(), config.get_checkpoint_interval(), config.get_checkpoint_timeout()
    (True, 5000, 60000)
    """

    __slots__ = ("_configuration",)

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._configuration = Configuration() if configuration is None else configuration

    def is_checkpointing_enabled(self) -> bool:
        """Whether an interval was set."""
        return self.get_checkpoint_interval() > 0

    def get_checkpointing_mode(self) -> CheckpointingMode:
        """What was set last; without an interval AT_LEAST_ONCE, as in Flink."""
        if not self.is_checkpointing_enabled():
            return CheckpointingMode.AT_LEAST_ONCE
        return CheckpointingMode[self._configuration.get(_MODE)]

    def set_checkpointing_mode(self, checkpointing_mode: CheckpointingMode) -> "CheckpointConfig":
        """Say whether records count exactly once or at least once after a failure."""
        if not isinstance(checkpointing_mode, CheckpointingMode):
            raise ProgramError(
                f"a CheckpointingMode is expected, not {checkpointing_mode!r} ({origin_of_caller()})"
            )
        return self._set(_MODE, checkpointing_mode.name)

    def get_checkpoint_interval(self) -> int:
        """Milliseconds between the starts of two checkpoints; -1 where none are taken."""
        interval_ms = self._configuration.get_millis(INTERVAL)
        return -1 if interval_ms is None else interval_ms

    def set_checkpoint_interval(self, checkpoint_interval: int) -> "CheckpointConfig":
        """Take a checkpoint every so many milliseconds, 10 at least."""
        _check_at_least(_LEAST_MS, checkpoint_interval, "the interval of checkpoints")
        return self._set(INTERVAL, timedelta(milliseconds=checkpoint_interval))

    def get_checkpoint_timeout(self) -> int:
        """Milliseconds after which a checkpoint is given up."""
        return self._configuration.get_millis(_TIMEOUT) or 0

    def set_checkpoint_timeout(self, checkpoint_timeout: int) -> "CheckpointConfig":
        """Give a checkpoint up after so many milliseconds, 10 at least."""
        _check_at_least(_LEAST_MS, checkpoint_timeout, "the timeout of checkpoints")
        return self._set(_TIMEOUT, timedelta(milliseconds=checkpoint_timeout))

    def get_min_pause_between_checkpoints(self) -> int:
        """The least number of milliseconds between the end of a checkpoint and the start of the next."""
        return self._configuration.get_millis(_MIN_PAUSE) or 0

    def set_min_pause_between_checkpoints(self, min_pause_between_checkpoints: int) -> "CheckpointConfig":
        """Leave so many milliseconds between the end of a checkpoint and the start of the next."""
        _check_at_least(0, min_pause_between_checkpoints, "the pause between checkpoints")
        return self._set(_MIN_PAUSE, timedelta(milliseconds=min_pause_between_checkpoints))

    def get_max_concurrent_checkpoints(self) -> int:
        """How many checkpoints may be under way at a time."""
        return int(self._configuration.get(_CONCURRENT))

    def set_max_concurrent_checkpoints(self, max_concurrent_checkpoints: int) -> "CheckpointConfig":
        """Let so many checkpoints be under way at a time."""
        _check_at_least(1, max_concurrent_checkpoints, "the number of concurrent checkpoints")
        return self._set(_CONCURRENT, max_concurrent_checkpoints)

    def is_fail_on_checkpointing_errors(self) -> bool:
        """Whether the first failed checkpoint fails the job."""
        return self.get_tolerable_checkpoint_failure_number() == 0

    def set_fail_on_checkpointing_errors(self, fail_on_checkpointing_errors: bool) -> "CheckpointConfig":
        """Let the first failed checkpoint fail the job, or none ever."""
        return self.set_tolerable_checkpoint_failure_number(
            0 if fail_on_checkpointing_errors else _MOST_FAILURES
        )

    def get_tolerable_checkpoint_failure_number(self) -> int:
        """How many checkpoints in a row may fail before the job does."""
        return int(self._configuration.get(_TOLERABLE))

    def set_tolerable_checkpoint_failure_number(
        self, tolerable_checkpoint_failure_number: int
    ) -> "CheckpointConfig":
        """Let so many checkpoints in a row fail before the job does."""
        _check_at_least(0, tolerable_checkpoint_failure_number, "the number of tolerable failed checkpoints")
        return self._set(_TOLERABLE, tolerable_checkpoint_failure_number)

    def set_externalized_checkpoint_retention(
        self, retention_mode: ExternalizedCheckpointRetention
    ) -> "CheckpointConfig":
        """Say what becomes of the last checkpoint when the job is cancelled."""
        if not isinstance(retention_mode, ExternalizedCheckpointRetention):
            raise ProgramError(
                f"an ExternalizedCheckpointRetention is expected, not {retention_mode!r} ({origin_of_caller()})"
            )
        return self._set(_RETENTION, retention_mode.name)

    def is_externalized_checkpoints_enabled(self) -> bool:
        """Whether checkpoints outlive their job."""
        none = ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS
        return self.get_externalized_checkpoint_retention() is not none

    def get_externalized_checkpoint_retention(self) -> ExternalizedCheckpointRetention:
        """What becomes of the last checkpoint when the job is cancelled."""
        return ExternalizedCheckpointRetention[self._configuration.get(_RETENTION)]

    def is_unaligned_checkpoints_enabled(self) -> bool:
        """Whether barriers may overtake records; only in exactly-once mode, as in Flink."""
        exactly_once = self._configuration.get(_MODE) == CheckpointingMode.EXACTLY_ONCE.name
        return exactly_once and bool(self._configuration.get(_UNALIGNED))

    def enable_unaligned_checkpoints(self, enabled: bool = True) -> "CheckpointConfig":
        """Let barriers overtake records; those are part of the checkpoint then."""
        return self._set(_UNALIGNED, bool(enabled))

    def disable_unaligned_checkpoints(self) -> "CheckpointConfig":
        """Never let barriers overtake records."""
        return self.enable_unaligned_checkpoints(False)

    def set_aligned_checkpoint_timeout(self, alignment_timeout: Duration) -> "CheckpointConfig":
        """After which time a barrier that waits begins to overtake, where unaligned checkpoints are enabled."""
        return self._set(_ALIGNED_TIMEOUT, timedelta(milliseconds=Duration.of(alignment_timeout).to_millis()))

    def get_aligned_checkpoint_timeout(self) -> Duration:
        """After which time an aligned checkpoint becomes unaligned."""
        return Duration.of_millis(self._configuration.get_millis(_ALIGNED_TIMEOUT) or 0)

    def set_alignment_timeout(self, alignment_timeout: Duration) -> "CheckpointConfig":
        """The older name of ``set_aligned_checkpoint_timeout``."""
        return self.set_aligned_checkpoint_timeout(alignment_timeout)

    def get_alignment_timeout(self) -> Duration:
        """The older name of ``get_aligned_checkpoint_timeout``."""
        return self.get_aligned_checkpoint_timeout()

    def set_force_unaligned_checkpoints(self, force_unaligned_checkpoints: bool = True) -> "CheckpointConfig":
        """Let barriers overtake records where Flink would not; accepted, and without influence here."""
        return self._set(_UNALIGNED_FORCED, bool(force_unaligned_checkpoints))

    def is_force_unaligned_checkpoints(self) -> bool:
        """What was set last."""
        return bool(self._configuration.get(_UNALIGNED_FORCED))

    # Up to Flink 1.20 ---------------------------------------------------------------------------------------------------

    def enable_externalized_checkpoints(
        self, cleanup_mode: ExternalizedCheckpointRetention
    ) -> "CheckpointConfig":
        """The name of ``set_externalized_checkpoint_retention`` up to Flink 1.20."""
        formerly("enable_externalized_checkpoints", "set_externalized_checkpoint_retention")
        return self.set_externalized_checkpoint_retention(cleanup_mode)

    def set_externalized_checkpoint_cleanup(
        self, cleanup_mode: ExternalizedCheckpointRetention
    ) -> "CheckpointConfig":
        """The name of ``set_externalized_checkpoint_retention`` up to Flink 1.20."""
        formerly("set_externalized_checkpoint_cleanup", "set_externalized_checkpoint_retention")
        return self.set_externalized_checkpoint_retention(cleanup_mode)

    def get_externalized_checkpoint_cleanup(self) -> ExternalizedCheckpointRetention:
        """The name of ``get_externalized_checkpoint_retention`` up to Flink 1.20."""
        formerly("get_externalized_checkpoint_cleanup", "get_externalized_checkpoint_retention")
        return self.get_externalized_checkpoint_retention()

    def set_checkpoint_storage(self, storage: CheckpointStorage) -> "CheckpointConfig":
        """Say where checkpoints are kept, as up to Flink 1.20."""
        formerly("set_checkpoint_storage", "the options execution.checkpointing.storage and .dir")
        if not isinstance(storage, CheckpointStorage):
            raise ProgramError(f"a CheckpointStorage is expected, not {storage!r} ({origin_of_caller()})")
        storage.apply_to(self._configuration)
        return self

    def set_checkpoint_storage_dir(self, checkpoint_path: str) -> "CheckpointConfig":
        """Keep checkpoints under a path or URL, as up to Flink 1.20."""
        formerly("set_checkpoint_storage_dir", "the option execution.checkpointing.dir")
        FileSystemCheckpointStorage(checkpoint_path).apply_to(self._configuration)
        return self

    def get_checkpoint_storage(self) -> CheckpointStorage:
        """Where checkpoints are kept, as up to Flink 1.20."""
        formerly("get_checkpoint_storage", "the options execution.checkpointing.storage and .dir")
        path = self._configuration.get("execution.checkpointing.dir")
        if self._configuration.get("execution.checkpointing.storage") == "filesystem" and path:
            return FileSystemCheckpointStorage(path)
        return JobManagerCheckpointStorage(path)

    def _set(self, key: str, value: Any) -> "CheckpointConfig":
        self._configuration.set(key, value)
        return self


def _check_at_least(least: int, number: Any, what: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        unit = " milliseconds" if least != 1 and "number" not in what else ""
        raise ProgramError(
            f"{what} must be an integer of at least {least}{unit}, not {number!r} ({origin_of_caller()})"
        )


__all__ = ["CheckpointConfig", "ExternalizedCheckpointCleanup"]
