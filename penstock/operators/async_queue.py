"""In which order records that are waited for leave: as they came, or as they are done between two watermarks."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from penstock.data.elements import StreamStatus
from penstock.operators.contract import Output

if TYPE_CHECKING:
    import asyncio


class Entry:
    """One record that was taken in. ``results`` is None as long as it is waited for."""

    __slots__ = ("attempts", "deadline", "forget_retry", "results", "segment", "task", "timestamp", "value")

    segment: "_Segment"

    def __init__(self, value: Any, timestamp: int, deadline: int, task: "asyncio.Task[Any]") -> None:
        self.value = value
        self.timestamp = timestamp
        self.deadline = deadline
        self.attempts = 1
        self.results: list[Any] | None = None
        self.task: asyncio.Task[Any] | None = task
        self.forget_retry: Callable[[], None] | None = None


class Signal:
    """A watermark, or a status, that records must not cross."""

    __slots__ = ("_element",)

    def __init__(self, element: int | StreamStatus) -> None:
        self._element = element

    def send(self, output: Output) -> None:
        """Pass it on."""
        if isinstance(self._element, StreamStatus):
            output.status(self._element)
        else:
            output.watermark(self._element)


class Queue(Protocol):
    """Gives back what is added, in some order."""

    def add(self, entry: Entry) -> None:
        """A record, not done yet."""

    def signal(self, signal: Signal) -> None:
        """A signal behind everything added so far."""

    def complete(self, entry: Entry) -> None:
        """The entry has its results now; to be called once."""

    def take(self) -> Iterator[list[Entry] | Signal]:
        """What may leave now."""


class OrderedQueue:
    """First in, first out."""

    __slots__ = ("_queue", "add", "signal")

    def __init__(self) -> None:
        self._queue: deque[Entry | Signal] = deque()
        self.add: Callable[[Entry], None] = self._queue.append
        self.signal: Callable[[Signal], None] = self._queue.append

    def complete(self, entry: Entry) -> None:
        """Nothing to do: the head of the queue is looked at."""

    def take(self) -> Iterator[list[Entry] | Signal]:
        """Everything before the first record that is not done."""
        queue = self._queue
        ready: list[Entry] = []
        while queue:
            head = queue[0]
            if isinstance(head, Signal):
                if ready:
                    yield ready
                    ready = []
                queue.popleft()
                yield head
            elif head.results is None:
                break
            else:
                queue.popleft()
                ready.append(head)
        if ready:
            yield ready


class _Segment:
    """Records between two signals; ``end`` is the second."""

    __slots__ = ("done", "end", "waited_for")

    def __init__(self) -> None:
        self.waited_for = 0
        self.done: list[Entry] = []
        self.end: Signal | None = None


class UnorderedQueue:
    """Records leave as they are done, but none crosses a signal."""

    __slots__ = ("_segments",)

    def __init__(self) -> None:
        self._segments = deque([_Segment()])

    def add(self, entry: Entry) -> None:
        """Into the last segment."""
        entry.segment = segment = self._segments[-1]
        segment.waited_for += 1

    def signal(self, signal: Signal) -> None:
        """Ends a segment."""
        self._segments[-1].end = signal
        self._segments.append(_Segment())

    def complete(self, entry: Entry) -> None:
        """May leave, as soon as the segment is the first one."""
        segment = entry.segment
        segment.waited_for -= 1
        segment.done.append(entry)

    def take(self) -> Iterator[list[Entry] | Signal]:
        """What is done in the first segment, and in those behind it as far as each is done entirely."""
        segments = self._segments
        while True:
            head = segments[0]
            if head.done:
                ready, head.done = head.done, []
                yield ready
            if head.waited_for or head.end is None:
                return
            segments.popleft()
            yield head.end
