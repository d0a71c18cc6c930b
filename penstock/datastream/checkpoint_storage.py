"""Where checkpoints are kept, as objects. Since Flink 2.0 options say it; ``apply_to`` sets those that say the same."""

from abc import ABC, abstractmethod

from penstock.config.configuration import Configuration
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller

_DEFAULT_THRESHOLD = 20 * 1024
_DEFAULT_BUFFER = 4096


class CheckpointStorage(ABC):
    """Where checkpoints are kept."""

    @abstractmethod
    def apply_to(self, configuration: Configuration) -> None:
        """Set the options that stand for it."""


class JobManagerCheckpointStorage(CheckpointStorage):
    """Checkpoints in the memory of the coordinator; they end with it.

    >>> str(JobManagerCheckpointStorage())
    'JobManagerCheckpointStorage (checkpoints to JobManager) ( maxStateSize: 5242880)'
    """

    DEFAULT_MAX_STATE_SIZE = 5 * 1024 * 1024

    def __init__(self, checkpoint_path: str | None = None, max_state_size: int | None = None) -> None:
        self._checkpoint_path = None if checkpoint_path is None else with_scheme(checkpoint_path)
        self._max_state_size = self.DEFAULT_MAX_STATE_SIZE if max_state_size is None else max_state_size
        if self._max_state_size <= 0:
            raise ProgramError(f"max_state_size must be above 0, not {max_state_size} ({origin_of_caller()})")

    def get_checkpoint_path(self) -> str | None:
        """Where the metadata of checkpoints is kept."""
        return self._checkpoint_path

    def get_max_state_size(self) -> int:
        """The most bytes that one state may have."""
        return self._max_state_size

    def get_savepoint_path(self) -> str | None:
        """Where savepoints go that do not say; None leaves it to the options."""
        return None

    def apply_to(self, configuration: Configuration) -> None:
        configuration.set("execution.checkpointing.storage", "jobmanager")
        if self._checkpoint_path is not None:
            configuration.set("execution.checkpointing.dir", self._checkpoint_path)

    def __str__(self) -> str:
        return (
            f"JobManagerCheckpointStorage (checkpoints to JobManager) ( maxStateSize: {self._max_state_size})"
        )


class FileSystemCheckpointStorage(CheckpointStorage):
    """Checkpoints as files under a URL.

    >>> FileSystemCheckpointStorage("file:///tmp/checkpoints").get_checkpoint_path()
    'file:/tmp/checkpoints'
    """

    MAX_FILE_STATE_THRESHOLD = 1024 * 1024

    def __init__(
        self,
        checkpoint_path: str,
        file_state_size_threshold: int | None = None,
        write_buffer_size: int = -1,
    ) -> None:
        if checkpoint_path is None:
            raise ProgramError(f"checkpoint_path must not be None ({origin_of_caller()})")
        threshold = -1 if file_state_size_threshold is None else file_state_size_threshold
        if not -1 <= threshold <= self.MAX_FILE_STATE_THRESHOLD:
            raise ProgramError(
                f"the size from which state goes into files of its own is {threshold} bytes; it must lie between "
                f"0 and {self.MAX_FILE_STATE_THRESHOLD}, or be -1 for the default ({origin_of_caller()})"
            )
        self._checkpoint_path = with_scheme(checkpoint_path)
        if self._checkpoint_path.endswith(":/"):
            raise ProgramError(f"checkpoints cannot lie in the root directory ({origin_of_caller()})")
        self._threshold = _DEFAULT_THRESHOLD if threshold == -1 else threshold
        self._write_buffer_size = _DEFAULT_BUFFER if write_buffer_size < 0 else write_buffer_size

    def get_checkpoint_path(self) -> str:
        """Where checkpoints are kept."""
        return self._checkpoint_path

    def get_savepoint_path(self) -> str | None:
        """Where savepoints go that do not say; None leaves it to the options."""
        return None

    def get_min_file_size_threshold(self) -> int:
        """State below so many bytes stands in the metadata itself."""
        return self._threshold

    def get_write_buffer_size(self) -> int:
        """How many bytes are buffered before they are written."""
        return self._write_buffer_size

    def apply_to(self, configuration: Configuration) -> None:
        configuration.set("execution.checkpointing.storage", "filesystem")
        configuration.set("execution.checkpointing.dir", self._checkpoint_path)
        configuration.set("execution.checkpointing.data-inline-threshold", f"{self._threshold} bytes")
        configuration.set("execution.checkpointing.write-buffer-size", self._write_buffer_size)


class CustomCheckpointStorage(CheckpointStorage):
    """A storage named by its class. There is no Java here, so that a job cannot run with it."""

    def __init__(self, class_name: str) -> None:
        self._class_name = str(class_name)

    def apply_to(self, configuration: Configuration) -> None:
        raise ProgramError(
            f"the checkpoint storage {self._class_name!r} is a class of Java, and there is no Java here; use "
            "FileSystemCheckpointStorage"
        )


def with_scheme(url: str) -> str:
    """A URL as Flink keeps it: a scheme is needed, and of no host nothing is left.

    :raises ProgramError: when there is no scheme.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or "/" in scheme or not rest:
        raise ProgramError(
            f"{url!r} has no scheme; write it out, as in file:///checkpoints ({origin_of_caller()})"
        )
    if rest.startswith("///"):
        rest = rest[2:]
    return f"{scheme}:{rest.rstrip('/') or '/'}"


__all__ = [
    "CheckpointStorage",
    "CustomCheckpointStorage",
    "FileSystemCheckpointStorage",
    "JobManagerCheckpointStorage",
]
