"""What a job's options say of its checkpoints, read once."""

from dataclasses import dataclass
from enum import Enum

from penstock.config.configuration import Configuration
from penstock.errors import OptionError

INTERVAL = "execution.checkpointing.interval"
_PREFIX = "execution.checkpointing."
_RECOVERY = "execution.state-recovery."
JOBMANAGER_LIMIT_BYTES = 5 * 1024 * 1024


class Retention(Enum):
    """What becomes of the last checkpoints when the job ends otherwise than by finishing."""

    NO_EXTERNALIZED_CHECKPOINTS = "none"
    RETAIN_ON_CANCELLATION = "retain"
    DELETE_ON_CANCELLATION = "delete"


class ClaimMode(Enum):
    """Who owns the files that a job starts from."""

    CLAIM = "claim"
    NO_CLAIM = "no claim"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """When checkpoints are taken, where they go, and what is kept. ``interval_ms`` is None where none are taken by the clock.

    ``directory`` None keeps checkpoints in the coordinator's memory, where a state may have ``memory_limit_bytes``.
    """

    interval_ms: int | None = None
    exactly_once: bool = True
    timeout_ms: int = 600_000
    min_pause_ms: int = 0
    max_concurrent: int = 1
    tolerable_failures: int = 0
    retention: Retention = Retention.NO_EXTERNALIZED_CHECKPOINTS
    retained: int = 1
    in_memory: bool = True
    directory: str | None = None
    savepoint_directory: str | None = None
    create_subdirectory: bool = True
    after_tasks_finish: bool = True
    unaligned_after_ms: int | None = None
    memory_limit_bytes: int = JOBMANAGER_LIMIT_BYTES
    restore_path: str | None = None
    allow_non_restored_state: bool = False
    claim_mode: ClaimMode = ClaimMode.NO_CLAIM

    @property
    def enabled(self) -> bool:
        """Whether checkpoints are taken by the clock."""
        return self.interval_ms is not None


def checkpoint_settings(options: dict[str, str], batch_mode: bool = False) -> CheckpointSettings:
    """Read the options of a job; in BATCH mode no checkpoints are taken, as in Flink.

    :raises OptionError: when they contradict each other.

    >>> checkpoint_settings({"execution.checkpointing.interval": "5 s"}).interval_ms
    5000
    """
    if not any(key.startswith(("execution.", "state.", "savepoints.")) for key in options):
        return CheckpointSettings()
    given = Configuration.from_dict(options)
    interval_ms = None if batch_mode else given.get_millis(INTERVAL)
    directory = given.get(_PREFIX + "dir")
    storage = given.get(_PREFIX + "storage") or ("filesystem" if directory else "jobmanager")
    if storage == "filesystem" and not directory and interval_ms is not None:
        raise OptionError(
            f"{_PREFIX}storage is filesystem, and no directory is set; set {_PREFIX}dir to a path or URL"
        )

    def path(key: str) -> str | None:
        text = given.get(key)
        return _absolute(text) if text else None

    return CheckpointSettings(
        interval_ms=interval_ms,
        exactly_once=given.get(_PREFIX + "mode") == "EXACTLY_ONCE",
        timeout_ms=given.get_millis(_PREFIX + "timeout") or 600_000,
        min_pause_ms=given.get_millis(_PREFIX + "min-pause") or 0,
        max_concurrent=_at_least(1, given, _PREFIX + "max-concurrent-checkpoints"),
        tolerable_failures=_at_least(0, given, _PREFIX + "tolerable-failed-checkpoints"),
        retention=Retention[given.get(_PREFIX + "externalized-checkpoint-retention")],
        retained=_at_least(1, given, _PREFIX + "num-retained"),
        in_memory=storage == "jobmanager",
        directory=path(_PREFIX + "dir"),
        savepoint_directory=path(_PREFIX + "savepoint-dir"),
        create_subdirectory=bool(given.get(_PREFIX + "create-subdir")),
        after_tasks_finish=bool(given.get(_PREFIX + "checkpoints-after-tasks-finish")),
        unaligned_after_ms=_unaligned_after_ms(given),
        restore_path=path(_RECOVERY + "path"),
        allow_non_restored_state=bool(given.get(_RECOVERY + "ignore-unclaimed-state")),
        claim_mode=ClaimMode[given.get(_RECOVERY + "claim-mode")],
    )


def _absolute(path: str) -> str:
    from penstock.storage.reading import absolute_path

    return absolute_path(path).rstrip("/") or "/"


def _unaligned_after_ms(given: Configuration) -> int | None:
    """After how long a barrier overtakes what is in front of it; None for never. At-least-once waits for nothing anyway."""
    if not given.get(_PREFIX + "unaligned.enabled") or given.get(_PREFIX + "mode") != "EXACTLY_ONCE":
        return None
    return given.get_millis(_PREFIX + "aligned-checkpoint-timeout") or 0


def _at_least(least: int, given: Configuration, key: str) -> int:
    number = int(given.get(key))
    if number < least:
        raise OptionError(f"{key} is {number}; it has to be at least {least}")
    return number
