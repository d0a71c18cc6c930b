"""When a task has got the barrier of a checkpoint on all its channels: the decision alone."""

from penstock.data.elements import Barrier


class BarrierAlignment:
    """Counts barriers. ``blocks``: whether a channel that has brought its barrier waits for the others.

    Exactly-once blocks; at-least-once reads on, so that records behind a barrier may be in the snapshot and come again after
    a failure. Channels that have ended count as having brought every barrier. A barrier of a newer checkpoint gives the older
    one up: some sender never saw it.

    >>> alignment = BarrierAlignment()
    >>> alignment.arrived(0, Barrier(1, 0), {0, 1}), alignment.is_under_way
    (None, True)
    >>> alignment.arrived(1, Barrier(1, 0), {0, 1})
    Barrier(checkpoint_id=1, timestamp=0, unaligned=False, savepoint=False)
    """

    __slots__ = ("_brought", "_done_up_to", "barrier", "blocks")

    def __init__(self, blocks: bool = True) -> None:
        self.blocks = blocks
        self.barrier: Barrier | None = None
        self._brought: set[int] = set()
        self._done_up_to = 0

    @property
    def is_under_way(self) -> bool:
        """Whether some channels have brought a barrier that others have not."""
        return self.barrier is not None

    def is_done(self, checkpoint_id: int) -> bool:
        """Whether a checkpoint was taken part in, or given up."""
        return checkpoint_id <= self._done_up_to

    def brought(self, barrier: Barrier) -> set[int]:
        """The channels that have brought a barrier."""
        return set(self._brought) if self.barrier == barrier else set()

    def holds(self, channel: int) -> bool:
        """Whether a channel is not to be read for now."""
        return self.blocks and self.barrier is not None and channel in self._brought

    def begins_anew(self, barrier: Barrier) -> bool:
        """Whether this barrier gives up an older checkpoint that was being waited for."""
        return self.barrier is not None and barrier.checkpoint_id > self.barrier.checkpoint_id

    def arrived(self, channel: int, barrier: Barrier, open_channels: set[int]) -> Barrier | None:
        """A channel brought a barrier; the barrier when it is the last one missing."""
        if barrier.checkpoint_id <= self._done_up_to:
            return None
        if self.barrier is None or self.begins_anew(barrier):
            self.barrier = barrier
            self._brought = set()
        if barrier.checkpoint_id < self.barrier.checkpoint_id:
            return None
        self._brought.add(channel)
        return self._complete(open_channels)

    def ended(self, open_channels: set[int]) -> Barrier | None:
        """A channel has ended; the barrier when that was what it was waiting for."""
        return self._complete(open_channels)

    def abort(self, checkpoint_id: int) -> bool:
        """Give a checkpoint up, and all before it; says whether its barrier was being waited for."""
        was_under_way = self.barrier is not None and self.barrier.checkpoint_id <= checkpoint_id
        if was_under_way:
            self.barrier = None
        self._done_up_to = max(self._done_up_to, checkpoint_id)
        return was_under_way

    def _complete(self, open_channels: set[int]) -> Barrier | None:
        barrier = self.barrier
        if barrier is None or not open_channels <= self._brought:
            return None
        self.barrier = None
        self._done_up_to = barrier.checkpoint_id
        return barrier
