"""The two ends of a channel between processes; :mod:`penstock.network.exchange` carries their frames."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import Barrier, Element
from penstock.errors import OutsideError, ProtocolError
from penstock.network.credits import ReceiverCredit, SenderCredit, cost_of
from penstock.network.framing import BATCH_KINDS, Encoder, Kind, Payload, decode

if TYPE_CHECKING:
    from penstock.network.spilled import SpoolChannel

SendFrame = Callable[[int, int, Payload], None]


class RemoteOutput:
    """The sender's end. ``available`` while the receiver's credit lasts, and not after the peer was lost.

    What is put for a lost peer is dropped: its loss was reported, and the job starts again from a checkpoint.
    """

    __slots__ = (
        "_channel", "_closed", "_encoder", "_max_frame_bytes", "_send", "credit", "lost", "sent_bytes",
    )  # fmt: skip

    def __init__(self, channel: int, send: SendFrame, encoder: Encoder, max_frame_bytes: int) -> None:
        self._channel = channel
        self._send = send
        self._encoder = encoder
        self._max_frame_bytes = max_frame_bytes
        self.credit = SenderCredit()
        self._closed = False
        self.lost = False
        self.sent_bytes = 0

    @property
    def available(self) -> bool:
        return self.credit.left > 0 and not self.lost

    def put(self, element: Element) -> None:
        if self._closed:
            raise ProtocolError(f"{element!r:.200} was put into a channel that is closed")
        if self.lost:
            return
        kind, payload = self._encoder.encode(element)
        if isinstance(element, (RowBatch, ColumnBatch)):
            size = len(element)
            if len(payload) > self._max_frame_bytes and size > 1:
                self.put(element.slice(0, size // 2))
                self.put(element.slice(size // 2, size))
                return
            self.credit.spend(cost_of(len(payload)))
            self.sent_bytes += len(payload)
        self._send(self._channel, kind, payload)

    def close(self) -> None:
        self._closed = True


class RemoteInput:
    """The receiver's end: a queue of frames, unpickled when they are polled.

    What arrived before the peer was lost can still be polled; nothing comes after it.
    """

    __slots__ = ("_credit", "_frames", "_grant", "barriers", "has_end", "received_bytes")

    def __init__(self, grant: Callable[[int], None], window: int) -> None:
        self._grant = grant
        self.barriers = 0
        self.has_end = False
        self.received_bytes = 0
        self._credit = ReceiverCredit(window)
        self._frames: deque[tuple[int, Payload]] = deque()

    @property
    def has_data(self) -> bool:
        return bool(self._frames)

    def poll(self) -> Element | None:
        if not self._frames:
            return None
        kind, payload = self._frames.popleft()
        if kind in BATCH_KINDS:
            self.received_bytes += len(payload)
            granted = self._credit.consume(cost_of(len(payload)))
            if granted:
                self._grant(granted)
        elif kind == Kind.BARRIER:
            self.barriers -= 1
        return decode(kind, payload)

    def waiting_barriers(self) -> list[Barrier]:
        if not self.barriers:
            return []
        found = (decode(kind, payload) for kind, payload in self._frames if kind == Kind.BARRIER)
        return [barrier for barrier in found if isinstance(barrier, Barrier)]

    def queued(self) -> list[Element]:
        return [decode(kind, payload) for kind, payload in self._frames]

    def receive(self, kind: int, payload: Payload) -> None:
        """Take a frame from the connection."""
        if kind == Kind.BARRIER:
            self.barriers += 1
        elif kind == Kind.END_OF_INPUT:
            self.has_end = True
        self._frames.append((kind, payload))

    def move_to(self, other: "SpooledInput") -> None:
        """Hand over what arrived before it was known where it goes."""
        while self._frames:
            other.receive(*self._frames.popleft())

    def open(self) -> None:
        """Let the sender begin."""
        self._grant(self._credit.window)


class SpooledInput:
    """The receiver's end where a spool takes everything at once, so that the sender never waits for the consumer."""

    __slots__ = ("_grant", "_spool", "_window")

    def __init__(self, grant: Callable[[int], None], window: int, spool: "SpoolChannel") -> None:
        self._grant = grant
        self._window = window
        self._spool = spool

    def receive(self, kind: int, payload: Payload) -> None:
        """Take a frame from the connection; a full disk is the consumer's failure, raised where it polls."""
        try:
            self._spool.put_frame(kind, payload)
        except OutsideError as error:
            self._spool.fail(error)
        if kind in BATCH_KINDS:
            self._grant(cost_of(len(payload)))

    def open(self) -> None:
        """Let the sender begin."""
        self._grant(self._window)
