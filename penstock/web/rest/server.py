"""Serves the API from a thread of the JobManager."""

import socket
import ssl
import threading

import uvicorn

from penstock.clock import monotonic, pause
from penstock.deploy.cluster.addresses import is_loopback
from penstock.deploy.local.port_holders import holder_of
from penstock.errors import OutsideError, ProgramError
from penstock.network.tls import TlsFiles
from penstock.web.rest.api import Api
from penstock.web.rest.app import application
from penstock.web.rest.patience import ImpatientProtocol

PLAIN_HTTP = "rest.allow-plain-http"


class RestServer:
    """Listens from :meth:`start` to :meth:`close`. ``ports``: the first that is free is taken. With ``tls`` it answers to
    https, and asks clients for certificates where ``asks_clients``."""

    def __init__(
        self,
        api: Api,
        host: str,
        ports: list[int],
        tls: TlsFiles | None = None,
        asks_clients: bool = False,
    ) -> None:
        if not is_loopback(host):
            _check_that_it_is_safe(host, api, tls is not None)
        self.host = host
        self._socket, self.port = _listen(host, ports)
        self.address = api.address = (api.address[0] or host, self.port)
        config = uvicorn.Config(
            application(api),
            http=ImpatientProtocol,
            ws="none",
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
            ssl_certfile=None if tls is None else tls.keystore,
            ssl_keyfile_password=None if tls is None else tls.password,
            ssl_ca_certs=None if tls is None else tls.truststore,
            ssl_cert_reqs=ssl.CERT_REQUIRED if asks_clients else ssl.CERT_NONE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True, name="rest"
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        deadline = monotonic() + 10
        while not self._server.started:
            if not self._thread.is_alive() or monotonic() > deadline:
                raise OutsideError("the REST API did not start; the log says why")
            pause(0.005)

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()


def _check_that_it_is_safe(host: str, api: Api, has_tls: bool) -> None:
    if api.token is None:
        raise ProgramError(
            f"the REST API would listen on {host}, where others can reach it, and whoever reaches it can run code: set "
            "rest.token to a secret, or rest.bind-address to localhost"
        )
    if not has_tls and api.settings.get(PLAIN_HTTP, "false").lower() != "true":
        raise ProgramError(
            f"the REST API would listen on {host} without TLS, so that whoever listens on the way reads rest.token: set "
            f"security.ssl.rest.enabled, or rest.bind-address to localhost behind a proxy that has TLS; {PLAIN_HTTP}: true "
            "is for networks that encrypt by themselves"
        )


def _listen(host: str, ports: list[int]) -> tuple[socket.socket, int]:
    for port in ports:
        try:
            made = socket.create_server((host, port), backlog=128)
        except OSError as error:
            failure = error
            continue
        # Connections have it from here: asyncio sets it only on sockets whose protocol is named, and without it every answer
        # waits 40 ms for the client's acknowledgement.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made, made.getsockname()[1]
    which = str(ports[0]) if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"
    who = holder_of(ports[-1]) or "another program, perhaps another cluster,"
    raise OutsideError(
        f"the REST API cannot listen on {host}:{which}: {failure.strerror or failure}; {who} has port {ports[-1]}: stop it, "
        "or set rest.bind-port to another port or a range such as 8081-8089"
    ) from failure
