"""Where worker processes call the coordinator; nobody is listened to before the handshake."""

import errno
import logging
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.clock import monotonic
from penstock.deploy.local.control_link import COORDINATOR_INDEX
from penstock.deploy.local.port_holders import holder_of
from penstock.errors import OutsideError, ProtocolError
from penstock.network.handshake import Handshake, Role
from penstock.network.tls import TlsFiles, TlsSocket, secured

_log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S = 10.0
MAX_CALLERS = 1024
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, eq=False)
class _Caller:
    sock: socket.socket | TlsSocket
    handshake: Handshake
    deadline: float


class ControlListener:
    """Listens on a port, of the loopback interface unless told otherwise.

    ``on_worker(index, sock)`` is called for each caller that knows the secret.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        secret: bytes,
        on_worker: Callable[[int, Any], None],
        host: str = HOST,
        port: int = 0,
        *,
        tls: TlsFiles | None = None,
    ) -> None:
        self._selector = selector
        self._tls = tls
        self._secret = secret
        self._on_worker = on_worker
        self._callers: set[_Caller] = set()
        try:
            self._listener = socket.create_server((host, port), backlog=128)
        except OSError as error:
            where = f"{host}:{port}" if port else host
            who = holder_of(port) if port and error.errno == errno.EADDRINUSE else None
            hint = (
                "" if who is None else f"; {who} has the port: stop it, or set jobmanager.rpc.port to another"
            )
            raise OutsideError(f"cannot listen on {where} for worker processes: {error}{hint}") from error
        self._listener.setblocking(False)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def port(self) -> int:
        """Where the workers call."""
        port: int = self._listener.getsockname()[1]
        return port

    def give_up_late(self) -> None:
        """Refuse callers that did not finish the handshake in time."""
        now = monotonic()
        for caller in [caller for caller in self._callers if caller.deadline <= now]:
            self._refuse(caller, f"it did not finish the handshake within {HANDSHAKE_TIMEOUT_S:g} s")

    def close(self) -> None:
        """Close the port and everybody who has not proven himself."""
        for caller in list(self._callers):
            self._forget(caller)
            caller.sock.close()
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self, _mask: int) -> None:
        try:
            plain, _ = self._listener.accept()
        except OSError:  # it went away between the event and now
            return
        plain.setblocking(False)
        sock = secured(plain, self._tls, server=True)
        handshake = Handshake(Role.LISTENER, self._secret, COORDINATOR_INDEX)
        caller = _Caller(sock, handshake, monotonic() + HANDSHAKE_TIMEOUT_S)
        if len(self._callers) >= MAX_CALLERS:
            sock.close()
            return
        self._callers.add(caller)
        self._selector.register(sock, selectors.EVENT_READ, lambda _mask: self._converse(caller))
        self._say(caller, handshake.opening)

    def _converse(self, caller: _Caller) -> None:
        try:
            chunk = caller.sock.recv(caller.handshake.needed)
            if not chunk:
                raise ProtocolError("it closed the connection during the handshake")
            answer = caller.handshake.feed(chunk)
        except BlockingIOError:
            return
        except ProtocolError as error:
            self._refuse(caller, error.message)
            return
        except OSError as error:
            self._refuse(caller, f"the connection broke during the handshake: {error}")
            return
        if answer:
            self._say(caller, answer)
        if caller.handshake.done and caller in self._callers:
            self._forget(caller)
            self._on_worker(caller.handshake.peer_index, caller.sock)

    def _say(self, caller: _Caller, message: bytes) -> None:
        try:
            caller.sock.send(message)  # shorter than any socket's buffer, so it goes out whole or not at all
        except OSError as error:
            self._refuse(caller, f"the connection broke during the handshake: {error}")

    def _refuse(self, caller: _Caller, reason: str) -> None:
        if caller in self._callers:
            self._forget(caller)
            caller.sock.close()
            _log.warning("a caller of the control port was refused: %s", reason)

    def _forget(self, caller: _Caller) -> None:
        self._callers.discard(caller)
        self._selector.unregister(caller.sock)
