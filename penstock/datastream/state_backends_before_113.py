"""State backends as they were up to Flink 1.12, when one object said where state lives and where checkpoints go.

Source: Flink's documentation, "State Backends", migrating from legacy backends.
"""

import warnings

from penstock.config.configuration import Configuration
from penstock.datastream.checkpoint_storage import (
    CheckpointStorage,
    FileSystemCheckpointStorage,
    JobManagerCheckpointStorage,
    with_scheme,
)
from penstock.datastream.state_backend import EmbeddedRocksDBStateBackend, HashMapStateBackend
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller, shorten

_SAVEPOINT_DIR = "execution.checkpointing.savepoint-dir"


class MemoryStateBackend(HashMapStateBackend):
    """State in memory, and checkpoints with the coordinator: a ``HashMapStateBackend`` and ``JobManagerCheckpointStorage``.

    >>> configuration = Configuration()
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     MemoryStateBackend().apply_to(configuration)
    >>> configuration.get("state.backend.type"), configuration.get("execution.checkpointing.storage")
    ('hashmap', 'jobmanager')
    """

    def __init__(
        self,
        checkpoint_path: str | None = None,
        savepoint_path: str | None = None,
        max_state_size: int | None = None,
        using_asynchronous_snapshots: bool | None = None,
    ) -> None:
        _warn("MemoryStateBackend", "HashMapStateBackend with JobManagerCheckpointStorage")
        self._storage = JobManagerCheckpointStorage(checkpoint_path, max_state_size)
        self._savepoint_path = None if savepoint_path is None else with_scheme(savepoint_path)
        self._asynchronous = using_asynchronous_snapshots is not False

    def get_checkpoint_path(self) -> str | None:
        """Where the metadata of checkpoints goes; None leaves it to the options."""
        return self._storage.get_checkpoint_path()

    def get_max_state_size(self) -> int:
        """The most bytes that one state may have."""
        return self._storage.get_max_state_size()

    def get_savepoint_path(self) -> str | None:
        """Where savepoints go that do not say; None leaves it to the options."""
        return self._savepoint_path

    def is_using_asynchronous_snapshots(self) -> bool:
        """What was asked for; snapshots are always written while records go on."""
        return self._asynchronous

    def apply_to(self, configuration: Configuration) -> None:
        super().apply_to(configuration)
        _apply_storage(configuration, self._storage, self._savepoint_path)

    def __str__(self) -> str:
        return "MemoryStateBackend"


class FsStateBackend(HashMapStateBackend):
    """State in memory, and checkpoints in files: a ``HashMapStateBackend`` and ``FileSystemCheckpointStorage``."""

    def __init__(
        self,
        checkpoint_directory_uri: str,
        default_savepoint_directory_uri: str | None = None,
        file_state_size_threshold: int | None = None,
        write_buffer_size: int | None = None,
        using_asynchronous_snapshots: bool | None = None,
    ) -> None:
        _warn("FsStateBackend", "HashMapStateBackend with FileSystemCheckpointStorage")
        self._storage = FileSystemCheckpointStorage(
            checkpoint_directory_uri,
            file_state_size_threshold,
            -1 if write_buffer_size is None else write_buffer_size,
        )
        saved = default_savepoint_directory_uri
        self._savepoint_path = None if saved is None else with_scheme(saved)
        self._asynchronous = using_asynchronous_snapshots is not False

    def get_checkpoint_path(self) -> str:
        """Where checkpoints go."""
        return self._storage.get_checkpoint_path()

    def get_min_file_size_threshold(self) -> int:
        """State below so many bytes stands in the metadata itself."""
        return self._storage.get_min_file_size_threshold()

    def get_write_buffer_size(self) -> int:
        """How many bytes are buffered before they are written."""
        return self._storage.get_write_buffer_size()

    def get_savepoint_path(self) -> str | None:
        """Where savepoints go that do not say; None leaves it to the options."""
        return self._savepoint_path

    def is_using_asynchronous_snapshots(self) -> bool:
        """What was asked for; snapshots are always written while records go on."""
        return self._asynchronous

    def apply_to(self, configuration: Configuration) -> None:
        super().apply_to(configuration)
        _apply_storage(configuration, self._storage, self._savepoint_path)

    def __str__(self) -> str:
        return f"FsStateBackend({self.get_checkpoint_path()})"


class RocksDBStateBackend(EmbeddedRocksDBStateBackend):
    """State in RocksDB, and checkpoints in files: those under a URL, or those of another backend."""

    def __init__(
        self,
        checkpoint_data_uri: str | None = None,
        enable_incremental_checkpointing: bool | None = None,
        checkpoint_stream_backend: FsStateBackend | MemoryStateBackend | None = None,
    ) -> None:
        _warn("RocksDBStateBackend", "EmbeddedRocksDBStateBackend with FileSystemCheckpointStorage")
        super().__init__(enable_incremental_checkpointing)
        self._storage: FileSystemCheckpointStorage | JobManagerCheckpointStorage
        beside = checkpoint_stream_backend
        self._beside = beside
        if checkpoint_data_uri is not None and beside is None:
            self._storage = FileSystemCheckpointStorage(checkpoint_data_uri)
        elif checkpoint_data_uri is None and isinstance(beside, (FsStateBackend, MemoryStateBackend)):
            self._storage = beside._storage
        else:
            raise ProgramError(
                "RocksDBStateBackend takes either checkpoint_data_uri, or as checkpoint_stream_backend an FsStateBackend or "
                f"a MemoryStateBackend, and got {checkpoint_data_uri!r} and {shorten(beside)} ({origin_of_caller()})"
            )

    def get_checkpoint_backend(self) -> FsStateBackend | MemoryStateBackend | None:
        """The backend whose place checkpoints share; None where a URL was given."""
        return self._beside

    def get_checkpoint_path(self) -> str | None:
        """Where checkpoints go."""
        return self._storage.get_checkpoint_path()

    def get_number_of_transfering_threads(self) -> int:
        """The same as ``get_number_of_transfer_threads``."""
        return self.get_number_of_transfer_threads()

    def set_number_of_transfering_threads(self, number_of_transfering_threads: int) -> None:
        """The same as ``set_number_of_transfer_threads``."""
        self.set_number_of_transfer_threads(number_of_transfering_threads)

    def apply_to(self, configuration: Configuration) -> None:
        super().apply_to(configuration)
        saved = None if self._beside is None else self._beside.get_savepoint_path()
        _apply_storage(configuration, self._storage, saved)

    def __str__(self) -> str:
        return f"RocksDBStateBackend({self.get_checkpoint_path()})"


def _apply_storage(configuration: Configuration, storage: CheckpointStorage, savepoints: str | None) -> None:
    storage.apply_to(configuration)
    if savepoints is not None:
        configuration.set(_SAVEPOINT_DIR, savepoints)


def _warn(name: str, instead: str) -> None:
    warnings.warn(f"{name} is gone from Flink since 2.0; use {instead}", DeprecationWarning, stacklevel=3)
