"""TLS under the frames: a socket that encrypts, with the few methods that connections use.

``ssl.SSLSocket`` knows no ``sendmsg``, and hides from selectors what it has read and not given yet; so the bytes go through
``ssl.MemoryBIO`` here. Both sides show a certificate that the other's truststore knows, as Flink's internal connections do;
names in certificates are not looked at, as worker processes have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from socket import socket as Socket
from typing import TYPE_CHECKING, Any

from penstock.errors import OptionError

if TYPE_CHECKING:
    import ssl

_HEADER_BYTES = 5
_BULK_BYTES = 256 * 1024
_MOST_PLAIN_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: ``keystore`` holds the own certificate with its chain and its key, ``truststore`` the certificates of those
    who may connect."""

    keystore: str
    truststore: str
    password: str | None = None


@lru_cache(maxsize=8)
def _context(files: TlsFiles, server: bool) -> "ssl.SSLContext":
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(files.keystore, password=files.password or "")
        context.load_verify_locations(files.truststore)
    except (OSError, ssl.SSLError) as error:
        raise OptionError(
            f"the keystore {files.keystore} and the truststore {files.truststore} cannot be used: {error}; both are PEM "
            "files here, the keystore with the certificates first and the key behind them"
        ) from error
    return context


def check_files(files: TlsFiles) -> None:
    """See whether the files can be used.

    :raises OptionError: naming them.
    """
    _context(files, True)


def secured(sock: Socket, files: TlsFiles | None, server: bool) -> Any:
    """The socket itself, or one that encrypts what goes through it."""
    return sock if files is None else TlsSocket(sock, files, server)


class TlsSocket:
    """Looks like a stream socket, blocking or not. Who writes and is told ``BlockingIOError`` writes the same bytes again.
    What TLS has to complain of is an ``ssl.SSLError``, which is an ``OSError``."""

    def __init__(self, sock: Socket, files: TlsFiles, server: bool) -> None:
        import ssl

        self._socket = sock
        self._wants_more, self._at_end = ssl.SSLWantReadError, ssl.SSLZeroReturnError
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = _context(files, server).wrap_bio(self._incoming, self._outgoing, server_side=server)
        self._shaken = False
        self._early = bytearray()
        self._cipher = memoryview(b"")
        self._owed = 0
        self._record = b""
        self._bulk = False
        self.family = sock.family

    # What connections ask of sockets ------------------------------------------------------------------------------------

    def fileno(self) -> int:
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """Not blocking: what comes next are frames, which are read as many as there are."""
        self._socket.setblocking(flag)

    def settimeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def setsockopt(self, *arguments: Any) -> None:
        self._socket.setsockopt(*arguments)

    def getsockopt(self, *arguments: Any) -> Any:
        return self._socket.getsockopt(*arguments)

    def close(self) -> None:
        self._socket.close()

    def read_ahead(self) -> None:
        """From now on read what there is, and not one record at a time; :attr:`holds_bytes` says what is left then."""
        self._bulk = True

    @property
    def holds_bytes(self) -> bool:
        """Whether there is something to read of which no selector knows."""
        return self._shaken and bool(self._tls.pending() or self._incoming.pending)

    def recv(self, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(buffer)])

    def recv_into(self, target: bytearray | memoryview) -> int:
        """Fill ``target`` as far as there is something; where there is nothing at all, wait or raise ``BlockingIOError``."""
        view = memoryview(target)
        filled = 0
        while filled < len(view):
            try:
                read = self._read(view[filled:]) if self._shake_hands() else -1
            except self._wants_more:
                read = -1
            except self._at_end:
                return filled
            if read > 0:
                filled += read
                continue
            if read == 0:
                return filled
            self._flush()
            if filled and not self._bulk:
                return filled
            try:
                if not self._feed():
                    return filled
            except BlockingIOError:
                if filled:
                    return filled
                raise
        return filled

    def send(self, data: bytes) -> int:
        """Take small messages whole; before the handshake they wait for its end."""
        if self._shake_hands():
            self._tls.write(data)
        else:
            self._early += data
        self._flush()
        return len(data)

    def sendall(self, data: bytes) -> None:
        while not self._shake_hands():
            self._flush()
            if not self._feed():
                raise ConnectionResetError("it closed the connection during the handshake of TLS")
        self._tls.write(data)
        self._flush()

    def sendmsg(self, buffers: Sequence[memoryview]) -> int:
        """Encrypt and write; what was encrypted and could not be written counts once it has been."""
        if not self._owed:
            if not self._shake_hands():
                self._flush()
                raise BlockingIOError
            for buffer in buffers:
                part = buffer[: _MOST_PLAIN_BYTES - self._owed]
                if part.nbytes:
                    self._owed += self._tls.write(part)
                if self._owed >= _MOST_PLAIN_BYTES:
                    break
        if not self._flush():
            raise BlockingIOError
        written, self._owed = self._owed, 0
        return written

    # Inside -------------------------------------------------------------------------------------------------------------

    def _read(self, target: memoryview) -> int:
        read: Any = self._tls.read(len(target), target)  # its stub knows the other way to call it only
        return int(read)

    def _shake_hands(self) -> bool:
        if not self._shaken:
            try:
                self._tls.do_handshake()
            except self._wants_more:
                return False
            except OSError:
                self._flush()  # the alert, so that the other side knows, too
                raise
            self._shaken = True
            if self._early:
                self._tls.write(bytes(self._early))
                self._early.clear()
            self._flush()
        return True

    def _flush(self) -> bool:
        """Write what is encrypted; says whether all of it went out."""
        while True:
            if not self._cipher.nbytes:
                self._cipher = memoryview(self._outgoing.read())
                if not self._cipher.nbytes:
                    return True
            try:
                sent = self._socket.send(self._cipher)
            except (BlockingIOError, InterruptedError):
                return False
            self._cipher = self._cipher[sent:]

    def _feed(self) -> bool:
        """Take what the socket has; false at its end. One record at most, unless this side reads ahead: what comes behind the
        handshake is then still seen by a selector."""
        if self._bulk:
            chunk = self._socket.recv(_BULK_BYTES)
        else:
            wanted = _HEADER_BYTES
            if len(self._record) >= _HEADER_BYTES:
                wanted += int.from_bytes(self._record[3:5], "big")
            chunk = self._socket.recv(wanted - len(self._record))
            self._record += chunk
            if len(self._record) == wanted > _HEADER_BYTES:
                self._record = b""
        if not chunk:
            self._incoming.write_eof()
            return False
        self._incoming.write(chunk)
        return True
