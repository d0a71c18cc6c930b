"""The channel between two subtasks of one process."""

from collections import deque

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import Barrier, Element, EndOfInput
from penstock.errors import ProgramError, ProtocolError

# Signals do not count against the bound, but a sender that produces nothing else has to wait at some point, too.
_MAX_QUEUED_ELEMENTS = 1024


class InProcessChannel:
    """Both sides of a channel that stays in one process; elements are handed over as they are, without a copy.

    >>> channel = InProcessChannel(capacity_batches=1)
    >>> channel.put(RowBatch([1, 2]))
    >>> channel.available, channel.has_data
    (False, True)
    >>> channel.poll(), channel.available
    (RowBatch([1, 2], None, None), True)
    """

    sent_bytes = received_bytes = 0

    __slots__ = ("_batches", "_capacity", "_closed", "_elements", "barriers", "has_end")

    def __init__(self, capacity_batches: int) -> None:
        if capacity_batches < 1:
            raise ProgramError(f"a channel holds at least one batch; capacity_batches is {capacity_batches}")
        self._capacity = capacity_batches
        self._elements: deque[Element] = deque()
        self._batches = 0
        self._closed = False
        self.barriers = 0
        self.has_end = False

    @property
    def available(self) -> bool:
        return self._batches < self._capacity and len(self._elements) < _MAX_QUEUED_ELEMENTS

    @property
    def has_data(self) -> bool:
        return bool(self._elements)

    def put(self, element: Element) -> None:
        if self._closed:
            raise ProtocolError(f"{element!r:.200} was put into a channel that is closed")
        if type(element) is RowBatch or type(element) is ColumnBatch:
            self._batches += 1
        elif type(element) is Barrier:
            self.barriers += 1
        elif type(element) is EndOfInput:
            self.has_end = True
        self._elements.append(element)

    def poll(self) -> Element | None:
        if not self._elements:
            return None
        element = self._elements.popleft()
        if type(element) is RowBatch or type(element) is ColumnBatch:
            self._batches -= 1
        elif type(element) is Barrier:
            self.barriers -= 1
        return element

    def waiting_barriers(self) -> list[Barrier]:
        return [element for element in self._elements if type(element) is Barrier] if self.barriers else []

    def queued(self) -> list[Element]:
        return list(self._elements)

    def close(self) -> None:
        self._closed = True
