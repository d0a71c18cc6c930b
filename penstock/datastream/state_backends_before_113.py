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
        del using_asynchronous_snapshots  # they always are
        self._storage = JobManagerCheckpointStorage(checkpoint_path, max_state_size)
        self._savepoint_path = savepoint_path

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
        del using_asynchronous_snapshots  # they always are
        self._storage = FileSystemCheckpointStorage(
            checkpoint_directory_uri,
            file_state_size_threshold,
            -1 if write_buffer_size is None else write_buffer_size,
        )
        self._savepoint_path = default_savepoint_directory_uri

    def get_checkpoint_path(self) -> str:
        """Where checkpoints go."""
        return self._storage.get_checkpoint_path()

    def apply_to(self, configuration: Configuration) -> None:
        super().apply_to(configuration)
        _apply_storage(configuration, self._storage, self._savepoint_path)

    def __str__(self) -> str:
        return f"FsStateBackend({self.get_checkpoint_path()})"


class RocksDBStateBackend(EmbeddedRocksDBStateBackend):
    """State in RocksDB, and checkpoints in files."""

    def __init__(
        self, checkpoint_data_uri: str, enable_incremental_checkpointing: bool | None = None
    ) -> None:
        _warn("RocksDBStateBackend", "EmbeddedRocksDBStateBackend with FileSystemCheckpointStorage")
        super().__init__(enable_incremental_checkpointing)
        self._storage = FileSystemCheckpointStorage(checkpoint_data_uri)

    def get_checkpoint_path(self) -> str:
        """Where checkpoints go."""
        return self._storage.get_checkpoint_path()

    def apply_to(self, configuration: Configuration) -> None:
        super().apply_to(configuration)
        _apply_storage(configuration, self._storage, None)

    def __str__(self) -> str:
        return f"RocksDBStateBackend({self.get_checkpoint_path()})"


def _apply_storage(configuration: Configuration, storage: CheckpointStorage, savepoints: str | None) -> None:
    storage.apply_to(configuration)
    if savepoints is not None:
        configuration.set(_SAVEPOINT_DIR, with_scheme(savepoints))


def _warn(name: str, instead: str) -> None:
    warnings.warn(f"{name} is gone from Flink since 2.0; use {instead}", DeprecationWarning, stacklevel=3)
