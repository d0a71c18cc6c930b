"""The connection between the coordinator and one worker process: whole messages over an authenticated socket."""

import selectors
import socket
from collections.abc import Callable
from typing import Any

from penstock.deploy.local.message_encoding import decode, encode
from penstock.errors import NotSerializable, ProtocolError
from penstock.network.connection import Connection
from penstock.network.framing import Kind, Payload, class_frame, learn_class
from penstock.network.tls import TlsSocket

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_ONLY_CHANNEL = 0
_MESSAGE = 100  # beside the kinds of the data plane, whose CLASS frames are used here too

COORDINATOR_INDEX = 2**32 - 1


class ControlLink:
    """One end; registered in ``selector`` with a callback as its data, as the data plane is.

    ``on_message`` gets each message, or the ``NotSerializable`` in the place of one that cannot be read here. ``on_lost`` is
    called once when the other side is gone, after everything that it had sent.
    """

    def __init__(
        self,
        sock: socket.socket | TlsSocket,
        selector: selectors.BaseSelector,
        on_message: Callable[[Any], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._connection = Connection(sock)
        self._selector = selector
        self._on_message = on_message
        self._on_lost = on_lost
        self._told: set[str] = set()
        self._watching_writes = False
        self._open = True
        selector.register(self._connection, _READ, self._on_event)

    @property
    def pending_bytes(self) -> int:
        """What was sent and not yet taken by the socket."""
        return self._connection.pending_bytes

    def send(self, message: object) -> None:
        """Queue a message; :meth:`write` sends it. Raises ``NotSerializable``."""
        if self._open:
            self._connection.send(_ONLY_CHANNEL, _MESSAGE, encode(message, self._announce_class))

    def write(self) -> None:
        """Write what the socket takes; the rest goes out when it is ready."""
        if not self._open:
            return
        self._connection.on_writable()
        left = self._connection.wants_write
        if left != self._watching_writes:
            self._watching_writes = left
            self._selector.modify(self._connection, _READ | _WRITE if left else _READ, self._on_event)

    def read(self) -> None:
        """Take in what has arrived."""
        reason = None
        try:
            for _, kind, payload in self._connection.on_readable():
                self._take(kind, payload)
        except ProtocolError as error:
            reason = error.message
        if self._open and (reason or self._connection.lost):
            self.close()
            self._on_lost(reason or str(self._connection.lost))

    def read_rest(self) -> None:
        """Take in everything that the other side, which is dead, had sent."""
        while self._open:
            before = self._connection.bytes_received
            self.read()
            if self._connection.bytes_received == before:
                return

    def close(self) -> None:
        """Close the socket; what was not written is gone."""
        if self._open:
            self._open = False
            self._selector.unregister(self._connection)
            self._connection.close()

    def _take(self, kind: int, payload: Payload) -> None:
        if kind == Kind.CLASS:
            learn_class(payload)
            return
        if kind != _MESSAGE:
            raise ProtocolError(f"a frame of kind {kind} came over a control connection")
        try:
            message = decode(bytes(payload))
        except NotSerializable as error:
            message = error
        if self._open:
            self._on_message(message)

    def _announce_class(self, token: str) -> None:
        if token not in self._told:
            self._connection.send(_ONLY_CHANNEL, Kind.CLASS, class_frame(token))
            self._told.add(token)

    def _on_event(self, mask: int) -> None:
        if not self._open:  # another event of the same look has closed it
            return
        if mask & _READ:
            self.read()
        if mask & _WRITE:
            self.write()
