"""One other worker: its connection and the channels that share it."""

import selectors
import socket
import struct
from collections.abc import Callable

from penstock.errors import ProtocolError
from penstock.network.channel import ForgottenChannels, InputChannel
from penstock.network.connection import Connection
from penstock.network.framing import Encoder, Kind, Payload, class_frame, learn_class
from penstock.network.remote import RemoteInput, RemoteOutput, SpooledInput
from penstock.network.spilled import SpoolChannel
from penstock.network.tls import TlsSocket

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_COUNT = struct.Struct("!I")
_NO_CHANNEL = 0
# More than this is written before the loop comes round to flush(), so that the peer can start on it.
_EARLY_WRITE_BYTES = 64 * 1024


class Peer:
    """What this worker knows of another one; made before the two are connected.

    Frames that are sent before there is a connection wait for it; they are few, as there is no credit yet.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        window_batches: int,
        max_frame_bytes: int,
        on_lost: Callable[[str], None],
    ) -> None:
        self._selector = selector
        self._window_batches = window_batches
        self._max_frame_bytes = max_frame_bytes
        self._on_lost = on_lost
        self._outputs: dict[int, RemoteOutput] = {}
        self._inputs: dict[int, RemoteInput | SpooledInput] = {}
        self._forgotten = ForgottenChannels()
        self._told: set[str] = set()
        self._waiting: list[tuple[int, int, Payload]] = []
        self._watching_writes = False
        self._said_goodbye = False
        self._heard_farewell = False
        self.connection: Connection | None = None
        self.gone = False
        self.dirty = False

    # Channels

    def output(self, channel: int) -> RemoteOutput:
        """The sending end of a channel; the same object each time."""
        output = self._outputs.get(channel)
        if output is None:
            encoder = Encoder(self._announce_class)
            output = RemoteOutput(channel, self.send, encoder, self._max_frame_bytes)
            output.lost = self.gone
            self._outputs[channel] = output
        return output

    def input(self, channel: int, spool: SpoolChannel | None) -> InputChannel:
        """Open the receiving end of a channel, which lets its sender begin."""
        early = self._inputs.get(channel)
        if spool is None:
            queue = early if isinstance(early, RemoteInput) else self._queue(channel)
            queue.open()
            return queue
        spooled = SpooledInput(self._granter(channel), self._window_batches, spool)
        self._inputs[channel] = spooled
        spooled.open()
        if isinstance(early, RemoteInput):
            early.move_to(spooled)
        return spool

    def forget(self, channel: int) -> None:
        """Nobody is at this end of the channel any more."""
        self._outputs.pop(channel, None)
        self._inputs.pop(channel, None)
        self._forgotten.add(channel)

    def _queue(self, channel: int) -> RemoteInput:
        queue = self._inputs[channel] = RemoteInput(self._granter(channel), self._window_batches)
        return queue

    def _granter(self, channel: int) -> Callable[[int], None]:
        return lambda batches: self.send(channel, Kind.CREDIT, _COUNT.pack(batches))

    def _announce_class(self, token: str) -> None:
        if token not in self._told:
            self.send(_NO_CHANNEL, Kind.CLASS, class_frame(token))
            self._told.add(token)

    # The connection

    def attach(self, sock: socket.socket | TlsSocket) -> None:
        """Go on over a socket whose other end has authenticated itself; it is registered in the selector."""
        self.connection = Connection(sock, self._max_frame_bytes)
        self._selector.modify(self.connection, _READ, self._on_event)
        for frame in self._waiting:
            self.connection.send(*frame)
        self._waiting.clear()
        self.write()

    def send(self, channel: int, kind: int, payload: Payload) -> None:
        """Queue a frame."""
        connection = self.connection
        if connection is None:
            if not self.gone:
                self._waiting.append((channel, kind, payload))
            return
        connection.send(channel, kind, payload)
        self.dirty = True
        if connection.pending_bytes > _EARLY_WRITE_BYTES and not self._watching_writes:
            self.write()

    def write(self) -> bool:
        """Write what the socket takes; whether something is left, which then goes out when the socket is ready."""
        connection = self.connection
        self.dirty = False
        if connection is None:
            return False
        connection.on_writable()
        left = connection.wants_write
        if left != self._watching_writes:
            self._watching_writes = left
            self._selector.modify(connection, _READ | _WRITE if left else _READ, self._on_event)
        return left

    def read(self) -> None:
        """Take in what arrived."""
        connection = self.connection
        if connection is None:
            return
        try:
            for channel, kind, payload in connection.on_readable():
                self._take(channel, kind, payload)
        except ProtocolError as error:
            self.lose(error.message)
            return
        if connection.lost is not None:
            self.lose(connection.lost)

    def _on_event(self, mask: int) -> None:
        if mask & _READ:
            self.read()
        if mask & _WRITE:
            self.write()

    def _take(self, channel: int, kind: int, payload: Payload) -> None:
        if kind == Kind.CREDIT:
            if channel in self._outputs or channel not in self._forgotten:
                self.output(channel).credit.grant(_COUNT.unpack(payload)[0])
        elif kind == Kind.CLASS:
            learn_class(payload)
        elif kind == Kind.GOODBYE:
            self._said_goodbye = True
            self.send(_NO_CHANNEL, Kind.FAREWELL, b"")
            self.write()  # the other side waits for it
        elif kind == Kind.FAREWELL:
            self._heard_farewell = True
        elif channel in self._inputs or channel not in self._forgotten:
            (self._inputs.get(channel) or self._queue(channel)).receive(kind, payload)

    # The end

    def say_goodbye(self) -> None:
        """Announce that the connection will be closed; what was sent before still has to arrive."""
        self.send(_NO_CHANNEL, Kind.GOODBYE, b"")

    def is_leaving(self) -> bool:
        """Push what is left; whether the peer has yet to confirm that it read all up to the goodbye.

        Closing earlier could reset the connection and take with it what the peer has not read.
        """
        self.write()
        self.read()  # two workers that leave at once must not wait for each other to read
        return self.connection is not None and not self._heard_farewell

    def lose(self, reason: str) -> None:
        """Give the peer up; told to ``on_lost`` unless the peer had said goodbye."""
        if self.gone:
            return
        self.disconnect()
        if not self._said_goodbye:
            self._on_lost(reason)

    def disconnect(self) -> None:
        """Close the connection and drop what was not written."""
        self.gone = True
        self._waiting.clear()
        for output in self._outputs.values():
            output.lost = True
        if self.connection is not None:
            self._selector.unregister(self.connection)
            self.connection.close()
            self.connection = None
