"""Talks to the REST API of a JobManager."""

import http.client
import json
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
_CONNECTION = "rest.connection-timeout"
UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class ClusterClient:
    """Where the API is; ``token`` is sent where it is set; ``tls``: it answers to https. ``timeout_s``: how long an
    answer may take, and ``connection_s`` a connection."""

    host: str
    port: int
    token: str | None = None
    tls: RestTrust | None = None
    timeout_s: float = TIMEOUT_S
    connection_s: float = CONNECTION_S

    @staticmethod
    def of(settings: dict[str, str]) -> "ClusterClient":
        """The cluster that options name: at ``rest.address``, or the newest in ``high-availability.storageDir``.

        :raises ProgramError: where the port is none.
        """
        leader = _leader(settings)
        if leader is not None:
            return ClusterClient(
                leader.rest_host,
                leader.rest_port,
                settings.get("rest.token"),
                rest_trust(settings),
                connection_s=_connection_s(settings),
            )
        port = settings.get("rest.port") or "8081"
        if not port.isdigit():
            raise ProgramError(f"rest.port is a number, not {port!r}")
        return ClusterClient(
            rest_address(settings),
            int(port),
            settings.get("rest.token"),
            rest_trust(settings),
            connection_s=_connection_s(settings),
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
        if self.token is not None:
            headers = {**headers, "Authorization": f"Bearer {self.token}"}
        connection = self._connection()
        try:
            connection.connect()
            connection.sock.settimeout(self.timeout_s)
            connection.request(method, quote(path, safe="/?=&-_.~"), data, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise OutsideError(
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


def _connection_s(settings: dict[str, str]) -> float:
    given = Configuration.from_dict({_CONNECTION: settings[_CONNECTION]} if _CONNECTION in settings else {})
    millis = given.get_millis(_CONNECTION)
    return CONNECTION_S if millis is None else millis / 1000


def _leader(settings: dict[str, str]) -> Leader | None:
    directory = storage_directory(settings)
    if directory is None or settings.get("rest.address"):
        return None
    return Epochs(directory).leader()
