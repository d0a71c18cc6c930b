"""What is noted for whoever takes the job up as the checkpoint to go on from."""

from collections.abc import Callable

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.runtime.job.start import note_nothing


class LatestNoted:
    """Notes the latest checkpoint. Whoever writes and removes checkpoints calls it, in the order of what was written.

    The driver hears of that later, and has the files of a failed checkpoint removed when a newer one may be noted already: so
    a checkpoint that is given up changes the note only where it is the one that was noted.
    """

    def __init__(self, note: Callable[[CompletedCheckpoint | None], None]) -> None:
        self._note = note
        self._number = 0

    def complete(self, checkpoint: CompletedCheckpoint) -> None:
        """The manifest is written, and nobody has been told."""
        self._number = checkpoint.checkpoint_id  # although noting it may fail, and be done all the same
        self._note(checkpoint)

    def give_up(self, checkpoint_id: int, latest: CompletedCheckpoint | None) -> None:
        """A checkpoint is going to be removed, whose manifest may be there; ``latest`` is the one before it."""
        if checkpoint_id == self._number:
            self._note(latest)
            self._number = 0 if latest is None else latest.checkpoint_id

    def end(self) -> None:
        """Nobody takes the job up any more."""
        self._note = note_nothing
