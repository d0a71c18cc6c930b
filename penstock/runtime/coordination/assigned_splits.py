"""Which splits a reader was given that no checkpoint holds yet, so that they can be given out anew when it starts again."""

from typing import Any

_SINCE_THE_LAST = 2**63


class AssignedSplits:
    """Of one enumerator, by the checkpoint that holds them as soon as it is complete.

    >>> assigned = AssignedSplits()
    >>> assigned.add(0, "a"); assigned.triggered(1); assigned.add(0, "b"); assigned.add(1, "c")
    >>> assigned.take_back(0, 1)
    ['b']
    >>> assigned.triggered(2); assigned.completed(2)
    >>> assigned.take_back(1, 2)
    []
    """

    def __init__(self) -> None:
        self._by_checkpoint: dict[int, dict[int, list[Any]]] = {}

    def add(self, subtask: int, split: Any) -> None:
        """A split was given to a reader."""
        self._by_checkpoint.setdefault(_SINCE_THE_LAST, {}).setdefault(subtask, []).append(split)

    def triggered(self, checkpoint_id: int) -> None:
        """What was given out up to now is in the readers' part of a checkpoint, should that become complete."""
        since = self._by_checkpoint.pop(_SINCE_THE_LAST, None)
        if since is not None:
            self._by_checkpoint[checkpoint_id] = since

    def completed(self, checkpoint_id: int) -> None:
        """What this checkpoint holds need not be known any more."""
        for held in [each for each in self._by_checkpoint if each <= checkpoint_id]:
            del self._by_checkpoint[held]

    def take_back(self, subtask: int, checkpoint_id: int) -> list[Any]:
        """What a reader that goes on from a checkpoint, 0 for none, does not have, in the order in which it was given."""
        splits: list[Any] = []
        for held in sorted(each for each in self._by_checkpoint if each > checkpoint_id):
            splits += self._by_checkpoint[held].pop(subtask, [])
        return splits
