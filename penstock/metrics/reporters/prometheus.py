"""An endpoint that Prometheus scrapes: ``GET /metrics`` on the loopback interface, or where ``bind-host`` says."""

import logging
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from penstock.errors import OutsideError
from penstock.metrics.readings import Reading
from penstock.metrics.reporters.contract import Read
from penstock.metrics.reporters.prometheus_text import CONTENT_TYPE, exposition
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import ReporterSettings

_log = logging.getLogger(__name__)


class PrometheusReporter:
    """Answers with what is measured at the moment of the question, so that there is nothing to report by the clock."""

    def __init__(self, settings: ReporterSettings, names: ScopeNames) -> None:
        del names  # Prometheus has labels instead
        self._settings = settings
        self._host = settings.given.get("bind-host") or "127.0.0.1"
        self._ports = settings.ports("port", "9249")
        self._server: ThreadingHTTPServer | None = None

    def open(self, read: Read) -> None:
        settings = self._settings

        class Scrape(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                if self.path.partition("?")[0] not in ("/", "/metrics"):
                    self.send_error(404)
                    return
                content = exposition(read(), settings).encode()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                _log.debug(format, *args)

        self._server = self._listen(Scrape)
        threading.Thread(
            target=self._server.serve_forever, daemon=True, name=f"reporter {settings.name}"
        ).start()
        _log.info("metrics for Prometheus are at http://%s:%d/metrics", self._host, self.port)

    def _listen(self, scrape: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
        for port in self._ports:
            try:
                return ThreadingHTTPServer((self._host, port), scrape)
            except OSError as error:
                failure = error
        raise OutsideError(
            f"metrics.reporter.{self._settings.name}: nothing can listen on {self._host}:{self._ports[0]} to "
            f"{self._ports[-1]}: {failure.strerror or failure}; set its port to a free one, or to a range"
        ) from failure

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return self._server.server_port

    def report(self, readings: Sequence[Reading]) -> None:
        """Nothing: whoever wants to know asks."""

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
