"""When a task has got the barrier of a checkpoint on all its channels: the decision alone."""

from penstock.data.elements import Barrier


class BarrierAlignment:
    """Counts barriers. ``blocks``: whether a channel that has brought its barrier waits for the others.

    Exactly-once blocks, so one checkpoint is waited for at a time: a barrier of a newer one gives it up, as some sender never
    saw it. At-least-once reads on, so that records behind a barrier may be in the snapshot and come again after a failure; a
    channel that is ahead brings barriers of several checkpoints before another brings the first, and each is waited for.
    Channels that have ended count as having brought every barrier.

    >>> alignment = BarrierAlignment()
    >>> alignment.arrived(0, Barrier(1, 0), {0, 1}), alignment.is_under_way
    (None, True)
    >>> alignment.arrived(1, Barrier(1, 0), {0, 1})
    Barrier(checkpoint_id=1, timestamp=0, unaligned=False, savepoint=False)
    """

    __slots__ = ("_brought", "_done_up_to", "_given_up", "blocks")

    def __init__(self, blocks: bool = True) -> None:
        self.blocks = blocks
        self._brought: dict[Barrier, set[int]] = {}  # the oldest first
        self._done_up_to = 0
        self._given_up: set[int] = set()  # of those behind

    @property
    def barrier(self) -> Barrier | None:
        """The oldest barrier that some channels have brought and others have not."""
        return next(iter(self._brought), None)

    @property
    def is_under_way(self) -> bool:
        """Whether some channels have brought a barrier that others have not."""
        return bool(self._brought)

    def is_done(self, checkpoint_id: int) -> bool:
        """Whether a checkpoint was taken part in, or given up."""
        return checkpoint_id <= self._done_up_to or checkpoint_id in self._given_up

    def brought(self, barrier: Barrier) -> set[int]:
        """The channels that have brought a barrier."""
        return set(self._brought.get(barrier, ()))

    def holds(self, channel: int) -> bool:
        """Whether a channel is not to be read for now."""
        return self.blocks and any(channel in brought for brought in self._brought.values())

    def begins_anew(self, barrier: Barrier) -> bool:
        """Whether this barrier gives up an older checkpoint that was being waited for."""
        waited_for = self.barrier
        return self.blocks and waited_for is not None and barrier.checkpoint_id > waited_for.checkpoint_id

    def arrived(self, channel: int, barrier: Barrier, open_channels: set[int]) -> Barrier | None:
        """A channel brought a barrier; the barrier when it is the last one missing."""
        if self.is_done(barrier.checkpoint_id):
            return None
        if self.begins_anew(barrier):
            self._brought.clear()
        waited_for = self.barrier
        if self.blocks and waited_for is not None and barrier.checkpoint_id < waited_for.checkpoint_id:
            return None
        if barrier not in self._brought:
            self._brought[barrier] = set()
            self._brought = dict(sorted(self._brought.items(), key=lambda each: each[0].checkpoint_id))
        self._brought[barrier].add(channel)
        return self._done(barrier) if open_channels <= self._brought[barrier] else None

    def ended(self, open_channels: set[int]) -> list[Barrier]:
        """A channel has ended; the barriers for which that was what it was waiting for, the oldest first."""
        return [self._done(each) for each, brought in list(self._brought.items()) if open_channels <= brought]

    def abort(self, checkpoint_id: int) -> bool:
        """Give a checkpoint up, and no other; says whether its barrier was being waited for."""
        if self.is_done(checkpoint_id):
            return False
        self._given_up.add(checkpoint_id)
        waited_for = [barrier for barrier in self._brought if barrier.checkpoint_id == checkpoint_id]
        for barrier in waited_for:
            del self._brought[barrier]
        return bool(waited_for)

    def overtakes(self, barrier: Barrier) -> bool:
        """The task takes part before a barrier has come on all channels; says whether some had brought it."""
        was_brought = barrier in self._brought
        self._done(barrier)
        return was_brought

    def _done(self, barrier: Barrier) -> Barrier:
        number = self._done_up_to = barrier.checkpoint_id
        self._brought = {b: brought for b, brought in self._brought.items() if b.checkpoint_id > number}
        self._given_up = {each for each in self._given_up if each > number}
        return barrier
