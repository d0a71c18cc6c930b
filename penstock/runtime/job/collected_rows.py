"""The rows of collecting sinks on their way to whoever reads them."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from penstock.errors import ProgramError
from penstock.ids import SubtaskId, WorkerIndex

Batch = tuple[WorkerIndex, list[Any]]
MOST_RELEASED_BATCHES = 64


def rows_would_come_twice() -> ProgramError:
    """Why a job whose rows were given out cannot start again."""
    return ProgramError(
        "the job cannot start again, as rows were given to the program that would come a second time; enable "
        "checkpointing to have each of them once, or write to a sink instead of execute_and_collect"
    )


class CollectedRows:
    """Keeps batches by collector. ``add`` and all the rest are called by the driver's thread, :meth:`take` by any one other.

    ``holds_back``: rows are given out only once a checkpoint holds them, so that none is seen twice when the job starts
    again. A batch that is held back is paid for at once, as the barrier that it waits for comes behind it on the same way;
    only when many are there that nobody takes is the sink left waiting. ``may_repeat``: rows may be seen twice, as
    at-least-once allows.
    """

    def __init__(self, holds_back: bool, may_repeat: bool = False) -> None:
        self._holds_back = holds_back
        self._may_repeat = may_repeat
        self._released: dict[str, deque[Batch]] = {}
        self._held: dict[SubtaskId, deque[tuple[str, Batch]]] = {}
        self._given: dict[SubtaskId, int] = {}
        self._marks: dict[int, dict[SubtaskId, int]] = {}
        self._unpaid: dict[str, int] = {}
        self._came_through: set[SubtaskId | None] = set()
        # What was taken by whoever reads: the thread that steps tells the workers.
        self.paid: deque[tuple[WorkerIndex, str]] = deque()

    def cannot_start_again(self, subtasks: frozenset[SubtaskId] | None = None) -> bool:
        """Whether rows were given out that another attempt of these subtasks, None for all, would give out again."""
        if self._holds_back or self._may_repeat:
            return False
        if subtasks is None or None in self._came_through:
            return bool(self._came_through)
        return not subtasks.isdisjoint(self._came_through)

    @property
    def go_with_checkpoints(self) -> bool:
        """Whether an attempt that goes on from a checkpoint gives out what belongs to it, and nothing before."""
        return self._holds_back or self._may_repeat

    def add(self, worker: WorkerIndex, collector: str, rows: list[Any], subtask: SubtaskId | None) -> None:
        """A batch has arrived."""
        if not self._holds_back or subtask is None:
            self._came_through.add(subtask)
            self._released.setdefault(collector, deque()).append((worker, rows))
            return
        self._held.setdefault(subtask, deque()).append((collector, (worker, rows)))
        if len(self._released.setdefault(collector, deque())) < MOST_RELEASED_BATCHES:
            self.paid.append((worker, collector))
        else:
            self._unpaid[collector] = self._unpaid.get(collector, 0) + 1

    def mark(self, subtask: SubtaskId, checkpoint_id: int) -> None:
        """Everything that came from a subtask so far belongs to the checkpoint."""
        if subtask in self._held:
            self._marks.setdefault(checkpoint_id, {})[subtask] = self._given.get(subtask, 0) + len(
                self._held[subtask]
            )

    def complete(self, checkpoint_id: int) -> None:
        """The checkpoint is complete: give out what it holds."""
        for subtask, up_to in self._marks.pop(checkpoint_id, {}).items():
            self._release(subtask, up_to - self._given.get(subtask, 0))
        for older in [each for each in self._marks if each < checkpoint_id]:
            del self._marks[older]

    def finished(self) -> None:
        """The job has finished: give out everything."""
        for subtask in list(self._held):
            self._release(subtask, len(self._held[subtask]))

    def restarted(self, subtasks: frozenset[SubtaskId] | None = None) -> None:
        """Another attempt of these subtasks, None for all, begins: what no checkpoint holds will come again."""
        if subtasks is not None:
            for subtask in subtasks:
                self._held.pop(subtask, None)
                self._given.pop(subtask, None)
                for marked in self._marks.values():
                    marked.pop(subtask, None)
            return
        self._held.clear()
        self._given.clear()
        self._marks.clear()
        self._unpaid.clear()

    def take(self, collector: str) -> Iterator[list[Any]]:
        """What can be given out now."""
        waiting = self._released.get(collector)
        while waiting:
            worker, rows = waiting.popleft()
            if not self._holds_back:
                self.paid.append((worker, collector))
            elif self._unpaid.get(collector, 0) > 0:
                self._unpaid[collector] -= 1
                self.paid.append((worker, collector))
            yield rows

    def _release(self, subtask: SubtaskId, count: int) -> None:
        held = self._held[subtask]
        for _ in range(min(count, len(held))):
            collector, batch = held.popleft()
            self._given[subtask] = self._given.get(subtask, 0) + 1
            self._released.setdefault(collector, deque()).append(batch)
