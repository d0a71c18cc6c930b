"""Where the files of checkpoints lie: ``<dir>/<job id>/chk-<n>/``, ``shared/``, ``taskowned/``; or in memory."""

from dataclasses import dataclass
from typing import Final

SHARED_PREFIX: Final = "../shared/"
"""How the names of files begin that several checkpoints refer to."""


@dataclass(frozen=True, slots=True)
class CheckpointPlace:
    """Where one checkpoint is written; travels to the workers.

    ``directory`` None: the files are kept in their handles, each with ``memory_limit_bytes`` at most. ``shared``: where files
    lie that several checkpoints refer to, None for a savepoint, which has to be whole in itself. ``local``: where a worker
    has copies of its job's files, which no other machine sees.
    """

    directory: str | None
    shared: str | None = None
    memory_limit_bytes: int | None = None
    local: str | None = None

    def path_of(self, name: str) -> str:
        """The path of a file of the checkpoint, or of one that it shares with others."""
        if name.startswith(SHARED_PREFIX):
            shared = self.shared or f"{(self.directory or '').rpartition('/')[0]}/shared"
            return f"{shared}/{name.removeprefix(SHARED_PREFIX)}"
        return f"{self.directory}/{name}"


@dataclass(frozen=True, slots=True)
class CheckpointPlaces:
    """The places of all checkpoints of a job. ``directory`` is that of the job, None for none."""

    directory: str | None
    in_memory: bool
    memory_limit_bytes: int

    def of_checkpoint(self, checkpoint_id: int) -> CheckpointPlace:
        """The place of a checkpoint.

        >>> CheckpointPlaces("/c/job", False, 1).of_checkpoint(7).directory
        '/c/job/chk-7'
        """
        if self.in_memory or self.directory is None:
            return CheckpointPlace(None, None, self.memory_limit_bytes)
        return CheckpointPlace(f"{self.directory}/chk-{checkpoint_id}", f"{self.directory}/shared")

    def manifest_directory(self, checkpoint_id: int) -> str | None:
        """Where the manifest of a checkpoint lies; None where it stays in memory, too."""
        return None if self.directory is None else f"{self.directory}/chk-{checkpoint_id}"
