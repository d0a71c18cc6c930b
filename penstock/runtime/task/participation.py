"""To whom a task gives its part of a checkpoint."""

from typing import TYPE_CHECKING, Protocol

from penstock.errors import PenstockError, ProtocolError
from penstock.ids import SubtaskId
from penstock.operators.contract import OperatorSnapshot

if TYPE_CHECKING:
    from penstock.runtime.task.tasklet import Tasklet


class Participation(Protocol):
    """Takes what tasks have to say of checkpoints; called by the task's thread, and returns at once."""

    def stands(self, subtask: SubtaskId, checkpoint_id: int) -> None:
        """The task stands at the barrier: what it sent before belongs to the checkpoint."""

    def taken(self, task: "Tasklet", checkpoint_id: int, snapshots: dict[str, OperatorSnapshot]) -> None:
        """The snapshots of all operators, frozen: to be written, and then acknowledged."""

    def declined(self, subtask: SubtaskId, checkpoint_id: int, error: PenstockError) -> None:
        """The snapshot could not be taken."""

    def waits(self, subtask: SubtaskId) -> None:
        """All work is done, and a last checkpoint is waited for."""


class NoParticipation:
    """Of a job that takes no checkpoints."""

    def stands(self, subtask: SubtaskId, checkpoint_id: int) -> None:
        raise ProtocolError(f"subtask {subtask} stands at a barrier, but this job takes no checkpoints")

    def taken(self, task: "Tasklet", checkpoint_id: int, snapshots: dict[str, OperatorSnapshot]) -> None:
        raise ProtocolError("a checkpoint barrier arrived, but this job takes no checkpoints")

    def declined(self, subtask: SubtaskId, checkpoint_id: int, error: PenstockError) -> None:
        raise error

    def waits(self, subtask: SubtaskId) -> None:
        raise ProtocolError(f"subtask {subtask} waits for a checkpoint, but this job takes none")


NO_PART = NoParticipation()


def release(snapshots: dict[str, OperatorSnapshot]) -> None:
    """The snapshots are written, or given up: the backends need not keep what they show."""
    for snapshot in snapshots.values():
        if snapshot.keyed is not None:
            snapshot.keyed.release()
