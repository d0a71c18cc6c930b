"""A socket that carries frames, never blocks and has no thread."""

import socket
from collections import deque
from itertools import islice

from penstock.errors import ProtocolError
from penstock.network.framing import HEADER, Payload
from penstock.network.tls import TlsSocket

DEFAULT_MAX_FRAME_BYTES = 512 * 1024 * 1024

_BUFFER_BYTES = 256 * 1024
_READ_BYTES_PER_CALL = 2 * 1024 * 1024
# Below this copying a payload behind its header is cheaper than another entry in sendmsg.
_JOIN_BYTES = 16 * 1024
_BUFFERS_PER_SEND = 64

Frame = tuple[int, int, Payload]


class Connection:
    """Frames over an authenticated stream socket.

    ``send`` only queues; ``on_writable`` writes what the socket takes, and is safe to call at any time. ``on_readable``
    yields the complete frames that arrived, at most a few MiB at once so that one peer does not starve the others. Once the
    peer has closed or the connection broke, and all that had arrived before was read, ``lost`` says why and all of them
    do nothing. Breaking the protocol raises ``ProtocolError``.
    """

    def __init__(
        self, sock: socket.socket | TlsSocket, max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES
    ) -> None:
        sock.setblocking(False)
        self._tls = sock if isinstance(sock, TlsSocket) else None
        if self._tls is not None:
            self._tls.read_ahead()
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._max_frame_bytes = max_frame_bytes
        self._outgoing: deque[memoryview] = deque()
        self.pending_bytes = 0
        self.bytes_sent = 0
        self.bytes_received = 0
        self.lost: str | None = None
        self._write_failure: str | None = None
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0
        # A payload that does not fit into the buffer is received where it will stay.
        self._large: tuple[int, int, bytearray] | None = None
        self._large_filled = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something is queued that the socket has not taken yet."""
        return bool(self._outgoing)

    def send(self, channel: int, kind: int, payload: Payload = b"") -> None:
        """Queue a frame. The payload must not change any more; a large one is not copied."""
        view = memoryview(payload).cast("B")
        size = view.nbytes
        if size > self._max_frame_bytes:
            raise ProtocolError(_too_large(size, self._max_frame_bytes))
        if self.lost is not None or self._write_failure is not None:
            return
        header = HEADER.pack(channel, kind, size)
        if size <= _JOIN_BYTES:
            self._outgoing.append(memoryview(header + view))
        else:
            self._outgoing.append(memoryview(header))
            self._outgoing.append(view)
        self.pending_bytes += HEADER.size + size

    def on_writable(self) -> None:
        """Write as much as the socket takes."""
        outgoing = self._outgoing
        while outgoing:
            try:
                sent = self._socket.sendmsg(list(islice(outgoing, _BUFFERS_PER_SEND)))
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                # What the peer sent before it went is still to be read; reading finds the end.
                self._write_failure = f"writing failed: {error}"
                self._drop_outgoing()
                return
            self.pending_bytes -= sent
            self.bytes_sent += sent
            while sent:
                first = outgoing[0]
                if sent < first.nbytes:
                    outgoing[0] = first[sent:]
                    break
                sent -= first.nbytes
                outgoing.popleft()

    def on_readable(self) -> list[Frame]:
        """The frames that arrived."""
        frames: list[Frame] = []
        taken = 0
        while self.lost is None and (taken < _READ_BYTES_PER_CALL or self._holds_bytes):
            target = self._view[self._filled :]
            if self._large is not None:
                target = memoryview(self._large[2])[self._large_filled :]
            room = target.nbytes
            try:
                received = self._socket.recv_into(target)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                self._lose(f"reading failed: {error}")
                break
            if not received:
                self._lose("it closed the connection")
                break
            taken += received
            if self._large is None:
                self._filled += received
                self._parse(frames)
            else:
                self._large_filled += received
                self._finish_large(frames)
            if received < room:
                break  # the socket is empty; the selector says when it is not
        self.bytes_received += taken
        return frames

    @property
    def _holds_bytes(self) -> bool:
        """Whether something was taken from the socket that no selector will tell of."""
        return self._tls is not None and self._tls.holds_bytes

    def _parse(self, frames: list[Frame]) -> None:
        """Cut the buffer into frames and move the incomplete rest to its start."""
        view, end, start = self._view, self._filled, 0
        header_size = HEADER.size
        while end - start >= header_size:
            channel, kind, size = HEADER.unpack_from(view, start)
            if size > self._max_frame_bytes:
                raise ProtocolError(_too_large(size, self._max_frame_bytes))
            payload = start + header_size
            if payload + size <= end:
                frames.append((channel, kind, bytes(view[payload : payload + size])))
                start = payload + size
            elif header_size + size > _BUFFER_BYTES:
                self._large = channel, kind, bytearray(size)
                self._large_filled = end - payload
                self._large[2][: end - payload] = view[payload:end]
                start = end
            else:
                break
        if start:
            rest = end - start
            view[:rest] = bytes(view[start:end])
            self._filled = rest

    def _finish_large(self, frames: list[Frame]) -> None:
        assert self._large is not None
        if self._large_filled == len(self._large[2]):
            frames.append(self._large)
            self._large = None

    def _lose(self, reason: str) -> None:
        self.lost = self._write_failure or reason
        self._drop_outgoing()

    def _drop_outgoing(self) -> None:
        self._outgoing.clear()
        self.pending_bytes = 0

    def close(self) -> None:
        """Close the socket; what was queued and not written is gone."""
        if self.lost is None:
            self._lose("this side closed the connection")
        self._socket.close()
        # Who remembers a job that has ended remembers its connections, too.
        self._large, self._filled = None, 0
        self._buffer, self._view = bytearray(), memoryview(b"")


def _too_large(size: int, limit: int) -> str:
    return (
        f"a frame of {size} bytes is over the limit of {limit} bytes (max_frame_bytes); "
        "emit smaller values or raise the limit on all workers"
    )
