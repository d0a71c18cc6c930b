"""The second phase of a sink in one subtask: what was prepared is committed once its checkpoint is complete.

Committables of a checkpoint that was given up are committed with the next one that completes, as they are in its snapshot
too. After a restore those of the restored checkpoint are committed again, before anything is written: commits are
idempotent. Source: Flink's documentation, "Sinks" (FLIP-143).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.clock import pause
from penstock.contracts.sink import Committer
from penstock.errors import OutsideError
from penstock.operators.contract import OperatorContext

LAST = 2**62
"""In the place of a checkpoint: prepared at the end of the input, after which the next checkpoint takes it."""

FIRST_RETRY_MS = 10
RETRY_MS = 1_000
"""What is not committed is tried again after the first time, then after twice as long each time, up to the second."""
LONGEST_STANDSTILL_S = 120.0
"""Where everything has to be committed before the task goes on, it gives up after so long without any progress."""


@dataclass(frozen=True, slots=True)
class WriterState:
    """In a snapshot: one state of the writer."""

    state: Any


@dataclass(frozen=True, slots=True)
class Committable:
    """In a snapshot: something prepared, and the checkpoint that it was prepared for."""

    checkpoint_id: int
    value: Any


class Commits:
    """What waits to be committed, in the order in which it was prepared."""

    def __init__(self, make_committer: Callable[[], Committer | None], context: OperatorContext) -> None:
        self._make_committer = make_committer
        self._context = context
        self._committer: Committer | None = None
        self._waiting: list[Committable] = []
        self._restored: list[Committable] = []
        self._complete_up_to = 0
        self._retry_ms = FIRST_RETRY_MS
        self._cancel_retry: Callable[[], None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether something is not committed yet."""
        return bool(self._waiting)

    def gather(self, checkpoint_id: int, prepared: list[Any]) -> None:
        """Keep what a writer has prepared."""
        self._waiting += [Committable(checkpoint_id, value) for value in prepared]

    def waiting(self, checkpoint_id: int) -> list[Committable]:
        """Everything that waits, for a snapshot; what was prepared at the end belongs to this checkpoint now."""
        self._waiting = [
            Committable(checkpoint_id, entry.value) if entry.checkpoint_id == LAST else entry
            for entry in self._waiting
        ]
        return list(self._waiting)

    def restore(self, entries: list[Committable]) -> None:
        """Take what waited in the restored checkpoint, which is complete."""
        self._restored = entries

    @property
    def has_restored(self) -> bool:
        """Whether something of the restored checkpoint is to be committed again."""
        return bool(self._restored)

    def commit_restored(self) -> None:
        """Commit again what the restored checkpoint holds, before anything new is written."""
        values = [entry.value for entry in self._restored]
        self._restored = []
        self._commit_all(values, self._recommit)

    def commit_last(self) -> None:
        """Commit everything now: no checkpoint will."""
        values = [entry.value for entry in self._waiting]
        self._waiting = []
        self._commit_all(values, self._commit)

    def commit_up_to(self, checkpoint_id: int) -> None:
        """A checkpoint is complete: commit what it holds; what the committer hands back is tried again."""
        self._complete_up_to = max(self._complete_up_to, checkpoint_id)
        due = [entry for entry in self._waiting if entry.checkpoint_id <= self._complete_up_to]
        if not due:
            return
        left = self._commit([entry.value for entry in due])
        later = [entry for entry in self._waiting if entry.checkpoint_id > self._complete_up_to]
        self._waiting = [Committable(self._complete_up_to, value) for value in left] + later
        if len(left) < len(due):
            self._retry_ms = FIRST_RETRY_MS
        if left:
            self._try_again_later()

    def close(self) -> None:
        """Close the committer."""
        if self._cancel_retry is not None:
            self._cancel_retry()
        if self._committer is not None:
            self._committer.close()
            self._committer = None

    def _try_again_later(self) -> None:
        def again(_: int) -> None:
            self._cancel_retry = None
            self.commit_up_to(self._complete_up_to)

        if self._cancel_retry is None:
            at_ms = self._context.clock.now_ms() + self._retry_ms
            self._retry_ms = min(2 * self._retry_ms, RETRY_MS)
            self._cancel_retry = self._context.processing_time.schedule(at_ms, again)

    def _commit_all(self, values: list[Any], commit: Callable[[list[Any]], list[Any]]) -> None:
        """Commit before anything else is done, for as long as it gets on."""
        clock = self._context.clock
        left, retry_ms = commit(values), FIRST_RETRY_MS
        fewest, furthest, moved_at_s = len(left), self._progress(), clock.monotonic_s()
        while left:
            pause(retry_ms / 1_000)
            left = commit(left)
            if len(left) < fewest or self._progress() > furthest:
                fewest, furthest = min(len(left), fewest), max(self._progress(), furthest)
                retry_ms, moved_at_s = FIRST_RETRY_MS, clock.monotonic_s()
                continue
            retry_ms = min(2 * retry_ms, RETRY_MS)
            if clock.monotonic_s() - moved_at_s >= LONGEST_STANDSTILL_S:
                raise OutsideError(
                    f"{len(left)} of {len(values)} committables could not be committed: nothing has moved for "
                    f"{LONGEST_STANDSTILL_S:g} s"
                )

    def _progress(self) -> int:
        return 0 if self._committer is None else self._committer.progress()

    def _commit(self, values: list[Any]) -> list[Any]:
        committer = self._find_committer()
        return [] if committer is None or not values else committer.commit(values)

    def _recommit(self, values: list[Any]) -> list[Any]:
        committer = self._find_committer()
        return [] if committer is None or not values else committer.recommit(values)

    def _find_committer(self) -> Committer | None:
        if self._committer is None:
            self._committer = self._make_committer()
        return self._committer
