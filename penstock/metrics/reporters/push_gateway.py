"""Sends metrics to a Pushgateway of Prometheus, for what lives too short to be scraped."""

import http.client
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from penstock.chance import secret_token
from penstock.errors import OutsideError, ProgramError
from penstock.metrics.readings import Reading
from penstock.metrics.reporters.contract import Read
from penstock.metrics.reporters.prometheus_text import CONTENT_TYPE, exposition
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import ReporterSettings

TIMEOUT_S = 10.0


class PushGatewayReporter:
    """``hostUrl``, ``jobName``, ``randomJobNameSuffix``, ``groupingKey`` and ``deleteOnShutdown`` are Flink's options."""

    def __init__(self, settings: ReporterSettings, names: ScopeNames) -> None:
        del names  # Prometheus has labels instead
        self._settings = settings
        url = settings.given.get("hostUrl")
        if url is None:
            url = f"http://{settings.text('host')}:{settings.port('port')}"
        self._url = urlsplit(url)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ProgramError(f"metrics.reporter.{settings.name}.hostUrl is an HTTP address, not {url!r}")
        suffix = secret_token(16).hex() if settings.flag("randomJobNameSuffix", True) else ""
        job = settings.given.get("jobName", "") + suffix
        if not job:
            raise ProgramError(
                f"metrics.reporter.{settings.name}: set jobName, or leave randomJobNameSuffix true"
            )
        self._path = f"{self._url.path.rstrip('/')}/metrics/job/{quote(job, safe='')}"
        for pair in settings.given.get("groupingKey", "").split(";"):
            key, equals, value = pair.partition("=")
            if pair and not equals:
                raise ProgramError(
                    f"metrics.reporter.{settings.name}.groupingKey is k1=v1;k2=v2, not {pair!r}"
                )
            if pair:
                self._path += f"/{quote(key.strip(), safe='')}/{quote(value.strip(), safe='')}"
        self._deletes = settings.flag("deleteOnShutdown", True)

    def open(self, read: Read) -> None:
        """Nothing is held open."""

    def report(self, readings: Sequence[Reading]) -> None:
        self._ask("PUT", exposition(readings, self._settings).encode())

    def close(self) -> None:
        if self._deletes:
            self._ask("DELETE", None)

    def _ask(self, method: str, content: bytes | None) -> None:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, self._path, content, {"Content-Type": CONTENT_TYPE})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise OutsideError(f"the Pushgateway at {self._url.netloc} cannot be told: {error}") from error
        finally:
            connection.close()
        if status >= 300:
            raise OutsideError(f"the Pushgateway at {self._url.netloc} answers {status} to {self._path}")
