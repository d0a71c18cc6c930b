"""What a worker's iterations share: for each loop of each subtask the records that come back."""

from collections import deque
from dataclasses import dataclass, field

from penstock.data.batch import RowBatch
from penstock.errors import ProgramError

# A loop that adds more than it takes away grows without end; here it is stopped before memory is.
MOST_WAITING_RECORDS = 10_000_000


@dataclass(slots=True)
class FeedbackLoop:
    """The way from the tail of a loop back to its head; both are on one worker and called by its thread.

    While checkpoints are under way in the loop, ``passing`` gathers for each of them what comes back behind the head's
    snapshot and before the barrier has arrived at the tail: these records are in no operator's state. Source: Carbone et al.,
    "Lightweight Asynchronous Snapshots for Distributed Dataflows", 2015.
    """

    waiting: deque[RowBatch] = field(default_factory=deque)
    records: int = 0
    passing: dict[int, list[RowBatch]] = field(default_factory=dict)
    is_over: bool = False

    def give_back(self, batch: RowBatch) -> None:
        """The tail: records for another turn.

        :raises ProgramError: when the head does not take any more, or far too much waits.
        """
        if self.is_over:
            raise ProgramError(
                f"{len(batch)} records came back to an iteration that was over, first {batch.values[0]!r:.200}: nothing "
                "had come back for max_wait_time_millis; give iterate() a longer time"
            )
        self.records += len(batch)
        if self.records > MOST_WAITING_RECORDS:
            raise ProgramError(
                f"{self.records} records wait for another turn in an iteration: each turn adds more records than leave the "
                "loop; filter what is fed back"
            )
        self.waiting.append(batch)
        for gathered in self.passing.values():
            gathered.append(batch)

    def barrier_enters(self, checkpoint_id: int) -> None:
        """The head has taken its snapshot: from now on gather what comes back."""
        self.passing[checkpoint_id] = []

    def barrier_comes_out(self, checkpoint_id: int) -> list[RowBatch]:
        """The tail takes its snapshot: what has come back since the head took its own. Nothing older comes out any more."""
        gathered = self.passing.get(checkpoint_id, [])
        self.passing = {number: since for number, since in self.passing.items() if number > checkpoint_id}
        return gathered

    def forget(self, checkpoint_id: int) -> None:
        """The checkpoint was given up."""
        self.passing.pop(checkpoint_id, None)

    def take(self) -> list[RowBatch]:
        """The head: everything that has come back since the last call."""
        taken = list(self.waiting)
        self.waiting.clear()
        self.records = 0
        return taken


class FeedbackLoops:
    """All loops of one worker by iteration and subtask."""

    def __init__(self) -> None:
        self._loops: dict[tuple[str, int], FeedbackLoop] = {}

    def loop(self, iteration: str, subtask: int) -> FeedbackLoop:
        """The loop; head and tail get the same one, whoever asks first."""
        return self._loops.setdefault((iteration, subtask), FeedbackLoop())
