"""How two workers of a job make sure of each other before a single frame is read.

Both send a hello: a magic word, the version of the protocol, their role and index, and a nonce. Each answers with an
HMAC-SHA256 under the secret of the job over its role and both hellos, so that a proof is worth nothing on another
connection, in the other direction, or for another index. All messages have fixed lengths: a stranger decides neither how
much is read nor how long it takes, and nothing is unpickled.

:class:`Handshake` is the conversation without a socket; :func:`shake_hands` has it over a blocking one.
"""

import socket
import struct
from enum import Enum

from penstock.chance import secret_token
from penstock.clock import monotonic
from penstock.errors import ProtocolError
from penstock.network.tls import TlsSocket

PROTOCOL_VERSION = 1

_MAGIC = b"PENSTOCK"
_HELLO = struct.Struct("!8sHcI32s")
_PROOF_BYTES = 32
_NONCE_BYTES = 32


class Role(Enum):
    """Who opened the connection."""

    CALLER = b"C"
    LISTENER = b"L"


class Handshake:
    """One side of the conversation: send ``opening``, feed what arrives, send what ``feed`` returns, until ``done``.

    >>> caller, listener = Handshake(Role.CALLER, b"secret", 0), Handshake(Role.LISTENER, b"secret", 1)
    >>> proof = listener.feed(caller.opening)
    >>> caller.feed(proof) if caller.done else None
    >>> caller_proof = caller.feed(listener.opening)
    >>> listener.feed(caller_proof), caller.feed(proof)
    (b'', b'')
    >>> listener.done, listener.peer_index, caller.peer_index
    (True, 0, 1)
    """

    def __init__(self, role: Role, secret: bytes, index: int) -> None:
        self._role = role
        self._other = Role.LISTENER if role is Role.CALLER else Role.CALLER
        self._secret = secret
        self.opening = _HELLO.pack(_MAGIC, PROTOCOL_VERSION, role.value, index, secret_token(_NONCE_BYTES))
        self._their_hello = b""
        self._received = b""
        self.peer_index = -1
        self.done = False

    @property
    def needed(self) -> int:
        """How many bytes to read next; never more, as what follows the handshake belongs to the frames."""
        if self.done:
            return 0
        return (_PROOF_BYTES if self._their_hello else _HELLO.size) - len(self._received)

    def feed(self, chunk: bytes) -> bytes:
        """Take in up to ``needed`` bytes; return what to send now. Raises ``ProtocolError`` when the peer is refused."""
        self._received += chunk
        if not self._their_hello and not _MAGIC.startswith(self._received[: len(_MAGIC)]):
            raise ProtocolError(f"it does not speak this protocol: it began with {self._received[:16]!r}")
        if self.needed:
            return b""
        message, self._received = self._received, b""
        if self._their_hello:
            self._check_proof(message)
            return b""
        self._read_hello(message)
        return self._proof(self._role)

    def _read_hello(self, hello: bytes) -> None:
        _, version, role, index, _ = _HELLO.unpack(hello)
        if version != PROTOCOL_VERSION:
            raise ProtocolError(
                f"it speaks version {version} of the protocol and this worker version {PROTOCOL_VERSION}; "
                "run the same version of penstock everywhere"
            )
        if role != self._other.value:
            raise ProtocolError("it claims the role of this side")
        self._their_hello = hello
        self.peer_index = index

    def _check_proof(self, proof: bytes) -> None:
        import hmac

        if not hmac.compare_digest(proof, self._proof(self._other)):
            raise ProtocolError("it does not know the secret of this job")
        self.done = True

    def _proof(self, role: Role) -> bytes:
        import hmac

        hellos = (self.opening, self._their_hello)
        calling, listening = hellos if self._role is Role.CALLER else hellos[::-1]
        return hmac.digest(self._secret, role.value + calling + listening, "sha256")


def shake_hands(sock: socket.socket | TlsSocket, handshake: Handshake, timeout_s: float) -> None:
    """Have the conversation over a blocking socket within ``timeout_s``, whatever the peer's pace.

    Leaves the socket without a timeout. Raises ``ProtocolError`` when the peer is refused, breaks off or takes too long.
    """
    deadline = monotonic() + timeout_s
    try:
        sock.settimeout(timeout_s)
        sock.sendall(handshake.opening)
        while handshake.needed:
            remaining = deadline - monotonic()
            if remaining <= 0:
                raise TimeoutError
            sock.settimeout(remaining)
            chunk = sock.recv(handshake.needed)
            if not chunk:
                raise ProtocolError("it closed the connection during the handshake")
            answer = handshake.feed(chunk)
            if answer:
                sock.sendall(answer)
    except TimeoutError as error:
        raise ProtocolError(f"it did not finish the handshake within {timeout_s:g} s") from error
    except OSError as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError(f"the connection broke during the handshake: {error}") from error
    sock.settimeout(None)
