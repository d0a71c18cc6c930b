"""Where keyed state lives, as objects. Since Flink 2.0 options say it; ``apply_to`` sets those that say the same."""

from abc import ABC, abstractmethod
from enum import Enum

from penstock.config.configuration import Configuration
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller

_TYPE = "state.backend.type"
_INCREMENTAL = "execution.checkpointing.incremental"


class PredefinedOptions(Enum):
    """Settings of RocksDB for a kind of disk."""

    DEFAULT = 0
    SPINNING_DISK_OPTIMIZED = 1
    SPINNING_DISK_OPTIMIZED_HIGH_MEM = 2
    FLASH_SSD_OPTIMIZED = 3


class StateBackend(ABC):
    """Where keyed state lives."""

    @abstractmethod
    def apply_to(self, configuration: Configuration) -> None:
        """Set the options that stand for it."""


class HashMapStateBackend(StateBackend):
    """Keyed state in dictionaries, in memory; the default."""

    def apply_to(self, configuration: Configuration) -> None:
        configuration.set(_TYPE, "hashmap")

    def __str__(self) -> str:
        return "HashMapStateBackend"


class EmbeddedRocksDBStateBackend(StateBackend):
    """Keyed state in RocksDB, on the local disk: for state that is larger than memory. Needs the extra ``rocksdb``.

    >>> backend = EmbeddedRocksDBStateBackend(True)
    >>> backend.is_incremental_checkpoints_enabled(), backend.get_predefined_options().name
    (True, 'DEFAULT')
    """

    def __init__(self, enable_incremental_checkpointing: bool | None = None) -> None:
        if enable_incremental_checkpointing not in (None, True, False):
            raise TypeError(
                f"enable_incremental_checkpointing is True, False or None, not {enable_incremental_checkpointing!r}"
            )
        self._incremental = enable_incremental_checkpointing
        self._paths: list[str] | None = None
        self._predefined: PredefinedOptions | None = None
        self._options_factory: str | None = None
        self._transfer_threads: int | None = None

    def set_db_storage_paths(self, *paths: str) -> None:
        """Keep the working files in these local directories."""
        kept = []
        for path in paths:
            local = path.removeprefix("file:").replace("///", "/", 1)
            if not local.startswith("/"):
                raise ProgramError(
                    f"the directory {path!r} is not an absolute local path ({origin_of_caller()})"
                )
            kept.append(local)
        self._paths = kept or None

    def get_db_storage_paths(self) -> list[str] | None:
        """The directories of the working files; None leaves them to the workers."""
        return None if self._paths is None else list(self._paths)

    def is_incremental_checkpoints_enabled(self) -> bool:
        """Whether a checkpoint holds only what changed since the last."""
        return bool(self._incremental)

    def set_predefined_options(self, options: PredefinedOptions) -> None:
        """Choose settings for a kind of disk."""
        if not isinstance(options, PredefinedOptions):
            raise ProgramError(f"PredefinedOptions are expected, not {options!r} ({origin_of_caller()})")
        self._predefined = options

    def get_predefined_options(self) -> PredefinedOptions:
        """The settings for a kind of disk."""
        return self._predefined or PredefinedOptions.DEFAULT

    def set_options(self, options_factory_class_name: str) -> None:
        """Name a class that makes settings; accepted, and without influence: it is a class of Java."""
        self._options_factory = options_factory_class_name

    def get_options(self) -> str | None:
        """The class that makes settings."""
        return self._options_factory

    def get_number_of_transfer_threads(self) -> int:
        """How many files of a checkpoint are sent at a time."""
        return 4 if self._transfer_threads is None else self._transfer_threads

    def set_number_of_transfer_threads(self, number_of_transfering_threads: int) -> None:
        """Send so many files of a checkpoint at a time."""
        if number_of_transfering_threads < 1:
            raise ProgramError(
                f"the number of transfer threads must be above 0, not {number_of_transfering_threads} "
                f"({origin_of_caller()})"
            )
        self._transfer_threads = number_of_transfering_threads

    def apply_to(self, configuration: Configuration) -> None:
        configuration.set(_TYPE, "rocksdb")
        if self._incremental is not None:
            configuration.set(_INCREMENTAL, self._incremental)
        if self._paths is not None:
            configuration.set("state.backend.rocksdb.localdir", ",".join(self._paths))
        if self._predefined is not None:
            configuration.set("state.backend.rocksdb.predefined-options", self._predefined.name)
        if self._options_factory is not None:
            configuration.set("state.backend.rocksdb.options-factory", self._options_factory)
        if self._transfer_threads is not None:
            key = "state.backend.rocksdb.checkpoint.transfer.thread.num"
            configuration.set(key, self._transfer_threads)

    def __str__(self) -> str:
        return f"EmbeddedRocksDBStateBackend(incremental={self._incremental}, paths={self._paths})"


class CustomStateBackend(StateBackend):
    """A state backend named by its class. There is no Java here, so that a job cannot run with it."""

    def __init__(self, class_name: str) -> None:
        self._class_name = str(class_name)

    def apply_to(self, configuration: Configuration) -> None:
        raise ProgramError(
            f"the state backend {self._class_name!r} is a class of Java, and there is no Java here; use "
            "HashMapStateBackend"
        )


def state_backend_of(configuration: Configuration) -> StateBackend:
    """The backend that the options name.

    >>> str(state_backend_of(Configuration()))
    'HashMapStateBackend'
    """
    if configuration.get(_TYPE) != "rocksdb":
        return HashMapStateBackend()
    backend = EmbeddedRocksDBStateBackend(configuration.get(_INCREMENTAL))
    paths = configuration.get("state.backend.rocksdb.localdir")
    if paths:
        backend.set_db_storage_paths(*paths.split(","))
    return backend


__all__ = [
    "CustomStateBackend",
    "EmbeddedRocksDBStateBackend",
    "HashMapStateBackend",
    "PredefinedOptions",
    "StateBackend",
    "state_backend_of",
]
