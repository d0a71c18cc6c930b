"""What is on its way to a task when a barrier overtakes it: recorded for a checkpoint, and given again after a restore.

Source: Flink's documentation, "Checkpointing under Backpressure"; Chandy and Lamport, "Distributed Snapshots".
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from penstock.data.elements import Barrier, Element, EndOfInput


@dataclass(frozen=True, slots=True)
class InFlight:
    """In a snapshot: for each channel of a task's gate, in its order, what had not been read before the barrier."""

    channels: tuple[tuple[Element, ...], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was on its way."""
        return not any(self.channels)


class Recording:
    """Gathers what belongs to a checkpoint whose barrier has overtaken it.

    ``open_channels`` are those whose barrier the task has not read. The recording is whole once the barrier has arrived on
    each of them, read or not: what was read meanwhile was recorded then, what waits in front of the barrier is recorded at
    the end. The end of a channel is not recorded: whoever has ended says so again after a restore.

    >>> recording = Recording(Barrier(1, 0), 2, {0})
    >>> recording.read(0, "a batch")
    >>> recording.whole([["another batch", Barrier(1, 0), "later"], []])
    InFlight(channels=(('a batch', 'another batch'), ()))
    """

    __slots__ = ("_open", "_read", "barrier")

    def __init__(self, barrier: Barrier, channels: int, open_channels: Iterable[int]) -> None:
        self.barrier = barrier
        self._open = set(open_channels)
        self._read: list[list[Element]] = [[] for _ in range(channels)]

    def read(self, channel: int, element: Element) -> None:
        """The task has read an element of a channel."""
        if channel not in self._open:
            return
        if isinstance(element, EndOfInput) or is_barrier_of(element, self.barrier.checkpoint_id):
            self._open.discard(channel)
        elif not isinstance(element, Barrier):
            self._read[channel].append(element)

    def may_be_whole(self, channel: int, barriers: list[Barrier], has_end: bool) -> bool:
        """Whether a channel may have all that belongs to the checkpoint: its barrier waits in it, or its end has come."""
        return (
            channel not in self._open
            or has_end
            or any(is_barrier_of(barrier, self.barrier.checkpoint_id) for barrier in barriers)
        )

    def whole(self, queues: list[list[Element]]) -> InFlight | None:
        """Everything, if the barrier has come on every channel; ``queues``: what waits in each."""
        waiting: list[list[Element]] = [[] for _ in queues]
        for channel in self._open:
            in_front = _in_front(queues[channel], self.barrier.checkpoint_id)
            if in_front is None:
                return None
            waiting[channel] = in_front
        return InFlight(tuple((*read, *rest) for read, rest in zip(self._read, waiting, strict=True)))


def is_barrier_of(element: Element, checkpoint_id: int) -> bool:
    """Whether an element is the barrier of a checkpoint, or of a later one."""
    return isinstance(element, Barrier) and element.checkpoint_id >= checkpoint_id


def _in_front(queue: list[Element], checkpoint_id: int) -> list[Element] | None:
    """What waits in front of the barrier or of the end; None when neither has arrived."""
    found: deque[Element] = deque()
    for element in queue:
        if isinstance(element, EndOfInput) or is_barrier_of(element, checkpoint_id):
            return list(found)
        if not isinstance(element, Barrier):
            found.append(element)
    return None
