"""How one driver of a job follows another: in the JobManager that takes a job up again, or at another parallelism."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.checkpoint.events import CompletedCheckpoint


@dataclass(frozen=True, slots=True)
class KeptCheckpoints:
    """The completed checkpoints of a job that are kept, the oldest first, and the highest number that was ever used, by a
    complete one or not."""

    completed: "tuple[CompletedCheckpoint, ...]" = ()
    numbers_used: int = 0

    @property
    def latest(self) -> "CompletedCheckpoint | None":
        """What the job goes on from."""
        return self.completed[-1] if self.completed else None


def note_nothing(latest: "CompletedCheckpoint | None") -> None:
    """Nobody takes the job over."""


@dataclass(frozen=True, slots=True)
class Succession:
    """What a driver has from the one before it, and what it leaves to the one after it.

    It goes on from the latest of the checkpoints that are ``kept``. ``note`` is given the latest one before anybody is told
    that it is complete, and whenever another becomes the latest; it may block, is called by no driver's thread, and raises
    what makes the checkpoint fail. ``is_trial``: should the job fail before it runs, all checkpoints stay as they are.
    """

    kept: KeptCheckpoints = KeptCheckpoints()
    note: "Callable[[CompletedCheckpoint | None], None]" = note_nothing
    is_trial: bool = False


def from_start(checkpoint: "CompletedCheckpoint | None") -> Succession:
    """Of a job that has just been submitted, and that goes on from what its options name."""
    return Succession() if checkpoint is None else Succession(KeptCheckpoints((checkpoint,)))
