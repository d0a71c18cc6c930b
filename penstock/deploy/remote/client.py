"""Talks to the REST API of a JobManager."""

import http.client
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from penstock.clock import monotonic, pause
from penstock.config.configuration import Configuration
from penstock.deploy.cluster.addresses import rest_address
from penstock.deploy.cluster.leadership import Epochs, Leader, storage_directory
from penstock.deploy.cluster.secret import SUBMISSION_HEADER, own_submission_proof
from penstock.deploy.cluster.security import RestTrust, rest_trust
from penstock.errors import OutsideError, ProgramError

TIMEOUT_S = 30.0
CONNECTION_S = 15.0
ATTEMPTS = 20
DELAY_S = 3.0
_CONNECTION = "rest.connection-timeout"
_ATTEMPTS = "rest.retry.max-attempts"
_DELAY = "rest.retry.delay"
UNAVAILABLE = 503

_log = logging.getLogger(__name__)


class NotReached(OutsideError):
    """Nobody takes a connection, so nothing was asked."""


@dataclass(frozen=True, slots=True)
class ClusterClient:
    """Where the API is; ``token`` is sent where it is set; ``tls``: it answers to https. ``timeout_s``: how long an
    answer may take, and ``connection_s`` a connection. ``attempts``: how often it is asked again, every ``delay_s``, where it
    is not there. ``patience_s``: how long whoever waits for a job waits for its JobManager."""

    host: str
    port: int
    token: str | None = None
    tls: RestTrust | None = None
    timeout_s: float = TIMEOUT_S
    connection_s: float = CONNECTION_S
    attempts: int = 0
    delay_s: float = DELAY_S
    patience_s: float = ATTEMPTS * DELAY_S

    @staticmethod
    def of(settings: dict[str, str]) -> "ClusterClient":
        """The cluster that options name: at ``rest.address``, or the newest in ``high-availability.storageDir``.

        :raises ProgramError: where the port is none.
        """
        given = Configuration.from_dict(
            {key: settings[key] for key in (_CONNECTION, _ATTEMPTS, _DELAY) if key in settings}
        )
        attempts = given.get_integer(_ATTEMPTS, ATTEMPTS)
        delay_s = _seconds(given, _DELAY, DELAY_S)
        host, port = _address(settings)
        return ClusterClient(
            host,
            port,
            settings.get("rest.token"),
            rest_trust(settings),
            connection_s=_seconds(given, _CONNECTION, CONNECTION_S),
            attempts=attempts if _ATTEMPTS in settings else 0,
            delay_s=delay_s,
            patience_s=attempts * delay_s,
        )

    def get(self, path: str) -> Any:
        """What is at a path."""
        return self.ask("GET", path)

    def submit(self, body: bytes) -> Any:
        """Hand over a job, with the proof that this user may."""
        proof = own_submission_proof()
        return self.ask("POST", "/v1/jobs", body, {} if proof is None else {SUBMISSION_HEADER: proof})

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        extra_headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON of an answer.

        :raises OutsideError: where no JobManager answers, or it cannot now.
        :raises ProgramError: with the JobManager's words, where it refuses.
        """
        headers = {"Accept": "application/json", **(extra_headers or {})}
        data: bytes | None
        if isinstance(body, dict):
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        else:
            data = body
        answer, content = self._exchange(method, path, data, headers)
        return self._understood(answer.status, content)

    def values(self, path: str) -> bytes:
        """Python values, as they are on their way."""
        proof = own_submission_proof()
        answer, content = self._exchange(
            "GET", path, None, {} if proof is None else {SUBMISSION_HEADER: proof}
        )
        if answer.status >= 400:
            self._understood(answer.status, content)
        return content

    def file(self, path: str, start: int = 0) -> tuple[bytes, int]:
        """The content of a file, and from which byte on it is, which is ``start`` unless the file was begun anew."""
        answer, content = self._exchange("GET", f"{path}?start={start}", None, {})
        if answer.status >= 400:
            self._understood(answer.status, content)
        return content, int(answer.headers.get("X-File-Start") or 0)

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask, and ask again where nobody was there, or somebody who cannot tell now what was only to be told."""
        for left in range(self.attempts, 0, -1):
            with suppress(NotReached):
                answer, content = self._exchange_once(method, path, data, headers)
                if method != "GET" or answer.status != UNAVAILABLE:
                    return answer, content
            _log.debug("%s %s is asked again in %g s, at most %d times", method, path, self.delay_s, left)
            pause(self.delay_s)
        return self._exchange_once(method, path, data, headers)

    def _exchange_once(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self.token is not None:
            headers = {**headers, "Authorization": f"Bearer {self.token}"}
        connection = self._connection()
        kind: type[OutsideError] = NotReached
        try:
            connection.connect()
            kind = OutsideError
            connection.sock.settimeout(self.timeout_s)
            connection.request(method, quote(path, safe="/?=&-_.~"), data, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise kind(
                f"no JobManager answers at {self.host}:{self.port} ({error}); start one with `penstock start-cluster`, or "
                "name it with -m HOST:PORT"
            ) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=self.connection_s)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=self.connection_s, context=self.tls.context()
        )

    def _understood(self, status: int, content: bytes) -> Any:
        try:
            made = json.loads(content) if content else {}
        except ValueError as error:
            raise OutsideError(
                f"what answers at {self.host}:{self.port} is no JobManager: {content[:80]!r}"
            ) from error
        if status >= 400:
            kind = OutsideError if status == UNAVAILABLE else ProgramError
            texts = (
                made.get("errors", [content.decode(errors="replace")])
                if isinstance(made, dict)
                else [str(made)]
            )
            raise kind("\n".join(texts))
        return made

    def wait_for(self, path: str, timeout_s: float = 600.0, success: str = "location") -> Any:
        """The outcome of an operation that was triggered; raises ``ProgramError`` with what made it fail."""
        deadline = monotonic() + timeout_s
        while monotonic() < deadline:
            answer = self.get(path)
            if answer["status"]["id"] == "COMPLETED":
                operation = answer.get("operation") or {}
                cause = operation.get("failure-cause") or operation.get("failureCause")
                if cause:
                    raise ProgramError(cause["stack-trace"])
                return operation.get(success)
            pause(0.05)
        raise OutsideError(f"the operation at {path} did not end within {timeout_s:g} s")


def _address(settings: dict[str, str]) -> tuple[str, int]:
    leader = _leader(settings)
    if leader is not None:
        return leader.rest_host, leader.rest_port
    port = settings.get("rest.port") or "8081"
    if not port.isdigit():
        raise ProgramError(f"rest.port is a number, not {port!r}")
    return rest_address(settings), int(port)


def _seconds(given: Configuration, key: str, default_s: float) -> float:
    millis = given.get_millis(key)
    return default_s if millis is None else millis / 1000


def _leader(settings: dict[str, str]) -> Leader | None:
    directory = storage_directory(settings)
    if directory is None or settings.get("rest.address"):
        return None
    return Epochs(directory).leader()
