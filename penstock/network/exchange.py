"""The data plane of one worker: one connection to each other worker, and all channels on them.

A channel costs no socket: the frames of all channels between two workers share their connection, and the worker always
reads whatever arrives into the queue of its channel. What keeps those queues short is credit per channel, so that a channel
nobody reads stops its own sender and nobody else.
"""

import logging
import selectors
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from penstock.clock import monotonic, pause
from penstock.errors import OutsideError, ProgramError, ProtocolError
from penstock.network.channel import InputChannel, OutputChannel
from penstock.network.connection import DEFAULT_MAX_FRAME_BYTES
from penstock.network.handshake import Handshake, Role
from penstock.network.peer import Peer
from penstock.network.plane import Address
from penstock.network.spilled import SpoolChannel
from penstock.network.tls import TlsFiles, TlsSocket, secured

_log = logging.getLogger(__name__)

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_MAX_STRANGERS = 64


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How a worker talks to the others. It listens on ``host``, and others find it at ``known_as``, where that is another."""

    host: str = "127.0.0.1"
    known_as: str = ""
    tls: TlsFiles | None = None
    window_batches: int = 8
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES
    handshake_timeout_s: float = 10.0
    connect_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class PeerLost:
    """A worker vanished, or never came."""

    peer: int
    reason: str


class DataPlane:
    """All channels of one worker to the others.

    The sockets are registered in ``selector`` with a callback as their data; the worker's loop is::

        for key, mask in selector.select(timeout):
            key.data(mask)
        ...  # step the tasks
        data_plane.flush()

    ``flush`` after each round writes what the tasks put and the credit they gave back. Of two workers the one with the
    smaller index calls the other. ``on_lost`` is called once for each peer that vanishes without saying goodbye, or does
    not come within the connect timeout; the plane itself goes on. Not thread safe; nothing blocks, except :meth:`close`.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        index: int,
        secret: bytes,
        on_lost: Callable[[PeerLost], None],
        options: NetworkOptions | None = None,
    ) -> None:
        self._selector = selector
        self.index = index
        self._secret = secret
        self._on_lost = on_lost
        self.options = options or NetworkOptions()
        self._peers: dict[int, Peer] = {}
        self._strangers: set[_Stranger] = set()
        self._connect_deadline: float | None = None
        self._listener = self._listen()
        self._closed = False

    @property
    def address(self) -> Address:
        """Where this worker listens; the others need it."""
        host, port = self._listener.getsockname()[:2]
        return self.options.known_as or host, port

    @property
    def connected(self) -> bool:
        """Whether every peer named by :meth:`connect` is connected."""
        return all(peer.connection is not None for peer in self._peers.values())

    def connect(self, addresses: Mapping[int, Address]) -> None:
        """Begin to connect to the workers at ``addresses`` (by index); those that are known already are passed over."""
        for index, address in addresses.items():
            if index == self.index or index in self._peers:
                continue
            self._connect_deadline = monotonic() + self.options.connect_timeout_s
            self._peer(index)
            if self.index < index:
                self._call(index, address)

    def forget(self, channels: Iterable[tuple[int, int]], peers: Iterable[int]) -> None:
        """Drop channels, with what of them still comes, and workers that have died: another may come in their place."""
        for channel, index in channels:
            if index in self._peers:
                self._peers[index].forget(channel)
        for index in peers:
            peer = self._peers.pop(index, None)
            if peer is not None and not peer.gone:
                peer.disconnect()

    def output(self, channel: int, peer: int) -> OutputChannel:
        """The sending end of a channel to a subtask on ``peer``; channel ids are unique per receiving worker."""
        return self._peer(peer).output(channel)

    def input(self, channel: int, peer: int, spool: SpoolChannel | None = None) -> InputChannel:
        """The receiving end of a channel from a subtask on ``peer``.

        With ``spool`` everything that arrives goes there at once, without being unpickled, and the spool is the channel.
        """
        return self._peer(peer).input(channel, spool)

    def flush(self) -> None:
        """Write what can be written now, and give up on who did not come in time."""
        for peer in self._peers.values():
            if peer.dirty:
                peer.write()
        if self._strangers or self._connect_deadline is not None:
            self._check_deadlines()

    def timeout_s(self) -> float | None:
        """How long the loop may sleep before :meth:`flush` has to look at a deadline; None for ever."""
        deadlines = [stranger.deadline for stranger in self._strangers]
        if self._connect_deadline is not None:
            deadlines.append(self._connect_deadline)
        return max(0.0, min(deadlines) - monotonic()) if deadlines else None

    def close(self, timeout_s: float = 5.0) -> None:
        """Say goodbye, write what is pending for at most ``timeout_s``, and close every socket.

        For the end of the job, finished or not: when all tasks of all workers have ended, nothing is lost.
        """
        if self._closed:
            return
        self._closed = True
        self._selector.unregister(self._listener)
        self._listener.close()
        for stranger in list(self._strangers):
            self._forget(stranger)
        for peer in self._peers.values():
            peer.say_goodbye()
        deadline = monotonic() + timeout_s
        while any([peer.is_leaving() for peer in self._peers.values()]):  # noqa: C419 - each of them has to make progress
            if monotonic() >= deadline:
                break
            pause(0.001)
        for peer in self._peers.values():
            peer.disconnect()

    # Peers

    def _peer(self, index: int) -> Peer:
        peer = self._peers.get(index)
        if peer is None:
            if index == self.index:
                raise ProgramError(f"worker {index} needs no socket to itself; use an InProcessChannel")
            options = self.options
            peer = self._peers[index] = Peer(
                self._selector,
                options.window_batches,
                options.max_frame_bytes,
                lambda reason: self._lost(index, reason),
            )
        return peer

    def _lost(self, index: int, reason: str) -> None:
        if not self._closed:
            _log.info("worker %d lost worker %d: %s", self.index, index, reason)
            self._on_lost(PeerLost(index, reason))

    def _check_deadlines(self) -> None:
        now = monotonic()
        for stranger in [stranger for stranger in self._strangers if stranger.deadline <= now]:
            self._refuse(
                stranger, f"it did not finish the handshake within {self.options.handshake_timeout_s:g} s"
            )
        if self._connect_deadline is not None and self._connect_deadline <= now:
            self._connect_deadline = None
            for peer in list(self._peers.values()):
                if peer.connection is None and not peer.gone:
                    peer.lose(f"it did not connect within {self.options.connect_timeout_s:g} s")

    # Connecting and accepting: nobody is a peer before the handshake

    def _listen(self) -> socket.socket:
        try:
            listener = socket.create_server((self.options.host, 0), backlog=128)
        except OSError as error:
            raise OutsideError(
                f"worker {self.index} cannot listen on {self.options.host}: {error}"
            ) from error
        listener.setblocking(False)
        self._selector.register(listener, _READ, self._accept)
        return listener

    def _accept(self, _mask: int) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError:  # it went away between the event and now
            return
        sock.setblocking(False)
        secure = secured(sock, self.options.tls, server=True)
        stranger = self._meet(secure, f"{address[0]}:{address[1]}", Role.LISTENER, None)
        if len(self._strangers) > _MAX_STRANGERS:
            self._refuse(stranger, f"{_MAX_STRANGERS} others are in their handshake")
            return
        self._selector.register(secure, _READ, lambda _mask: self._converse(stranger))
        self._say(stranger, stranger.handshake.opening)

    def _call(self, index: int, address: Address) -> None:
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            self._peer(index).lose(f"its address {address[0]}:{address[1]} cannot be used: {error}")
            return
        sock.setblocking(False)
        sock.connect_ex(target)  # how it ended is seen when the socket becomes writable
        secure = secured(sock, self.options.tls, server=False)
        stranger = self._meet(secure, f"{address[0]}:{address[1]}", Role.CALLER, index)
        self._selector.register(secure, _WRITE, lambda _mask: self._called(stranger))

    def _called(self, stranger: "_Stranger") -> None:
        number = stranger.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._refuse(stranger, str(OSError(number, "connecting failed")))
            return
        self._selector.modify(stranger.sock, _READ, lambda _mask: self._converse(stranger))
        self._say(stranger, stranger.handshake.opening)

    def _meet(
        self, sock: socket.socket | TlsSocket, address: str, role: Role, calls: int | None
    ) -> "_Stranger":
        handshake = Handshake(role, self._secret, self.index)
        deadline = monotonic() + self.options.handshake_timeout_s
        stranger = _Stranger(sock, address, handshake, deadline, calls)
        self._strangers.add(stranger)
        return stranger

    def _say(self, stranger: "_Stranger", message: bytes) -> None:
        try:
            # Shorter than any socket's buffer, so it goes out whole or not at all.
            stranger.sock.send(message)
        except OSError as error:
            self._refuse(stranger, f"the connection broke during the handshake: {error}")

    def _converse(self, stranger: "_Stranger") -> None:
        try:
            chunk = stranger.sock.recv(stranger.handshake.needed)
            if not chunk:
                raise ProtocolError("it closed the connection during the handshake")
            answer = stranger.handshake.feed(chunk)
            if stranger.handshake.done:
                self._check_index(stranger)
        except BlockingIOError:
            return
        except ProtocolError as error:
            self._refuse(stranger, error.message)
            return
        except OSError as error:
            self._refuse(stranger, f"the connection broke during the handshake: {error}")
            return
        if answer:
            self._say(stranger, answer)
        if stranger.handshake.done:
            self._strangers.discard(stranger)
            self._peer(stranger.handshake.peer_index).attach(stranger.sock)
            if self.connected:
                self._connect_deadline = None

    def _check_index(self, stranger: "_Stranger") -> None:
        index = stranger.handshake.peer_index
        if stranger.calls is not None and index != stranger.calls:
            raise ProtocolError(f"worker {index} answered where worker {stranger.calls} was called")
        if stranger.calls is None and index >= self.index:
            raise ProtocolError(f"worker {index} called worker {self.index}; the smaller index calls")
        peer = self._peer(index)
        if peer.connection is not None or peer.gone:
            raise ProtocolError(f"worker {index} was connected before")

    def _refuse(self, stranger: "_Stranger", reason: str) -> None:
        if stranger not in self._strangers:
            return
        self._forget(stranger)
        if stranger.calls is not None:
            self._peer(stranger.calls).lose(f"{stranger.address} refused or was refused: {reason}")
        else:
            _log.warning("worker %d refused a connection from %s: %s", self.index, stranger.address, reason)

    def _forget(self, stranger: "_Stranger") -> None:
        self._strangers.discard(stranger)
        if stranger.sock in self._selector.get_map():
            self._selector.unregister(stranger.sock)
        stranger.sock.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Stranger:
    """Somebody in the handshake; ``calls`` is the peer that this side called."""

    sock: socket.socket | TlsSocket
    address: str
    handshake: Handshake
    deadline: float
    calls: int | None
