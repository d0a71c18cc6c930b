"""A registry of schemas over HTTP, as much of Confluent's API as clients of Avro need; it keeps everything in memory."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class Registry:
    """What is registered, and what was asked."""

    url: str = ""
    login: str | None = None
    schemas: list[str] = field(default_factory=list)
    references: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of a schema, those that it uses by name."""
    subjects: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match method, parts:
            case "GET", ["schemas", "ids", number]:
                if not 0 < int(number) <= len(self.schemas):
                    return 404, {"error_code": 40403, "message": "Schema not found"}
                return 200, self._told(int(number))
            case "GET", ["subjects", subject, "versions", version]:
                return 200, self._told(self.subjects[subject][int(version) - 1])
            case "POST", ["subjects", subject, "versions"]:
                return 200, {"id": self.register(subject, json.loads(body)["schema"])}
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _told(self, number: int) -> dict[str, Any]:
        schema = self.schemas[number - 1]
        references = self.references.get(schema)
        return {"schema": schema} if references is None else {"schema": schema, "references": references}

    def register(self, subject: str, schema: str) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        number = self.schemas.index(schema) + 1
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number


@contextmanager
def running_registry(
    login: str | None = None, port: int = 0, keystore: str | None = None
) -> Iterator[Registry]:
    """A registry on this machine, on a free port if none is given, which ends with the block; ``login``: the header that it
    wants, ``keystore``: certificate and key, for https."""
    registry = Registry(login=login)

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            registry.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if registry.login is not None and self.headers.get("Authorization") != registry.login:
                status, answer = 401, {"error_code": 401, "message": "Unauthorized"}
            else:
                status, answer = registry.answer(self.command, self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
    if keystore is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keystore)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    registry.url = f"http{'' if keystore is None else 's'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
