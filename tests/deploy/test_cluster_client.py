"""The client of a cluster's API, as options have it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_server

import pytest

from penstock.deploy.remote.client import ATTEMPTS, CONNECTION_S, DELAY_S, ClusterClient
from penstock.errors import OptionError, OutsideError
from tests.services.kafka_broker import free_ports


class Starting(ThreadingHTTPServer):
    """One that cannot tell the first times it is asked."""

    def __init__(self, port: int, refusals: int) -> None:
        self.left = refusals
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", port), Starting.Answer)

    class Answer(BaseHTTPRequestHandler):
        server: "Starting"

        def do_GET(self) -> None:
            self.server.asked.append(self.command)
            self.server.left -= 1
            body = b'{"errors": ["not now"]}' if self.server.left >= 0 else b"{}"
            self.send_response(503 if self.server.left >= 0 else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass


@contextmanager
def serving(server: Starting) -> Iterator[Starting]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_how_long_a_connection_may_take_is_an_option() -> None:
    assert ClusterClient.of({}).connection_s == CONNECTION_S
    assert ClusterClient.of({"rest.connection-timeout": "1500 ms"}).connection_s == 1.5
    with pytest.raises(OptionError, match=r"rest\.connection-timeout"):
        ClusterClient.of({"rest.connection-timeout": "soon"})


def test_a_connection_may_be_had_and_the_answer_not_come() -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        client = ClusterClient("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(OutsideError, match="timed out"):
            replace(client, timeout_s=0.05).get("/overview")


def at(port: int, **options: str) -> ClusterClient:
    named = {f"rest.retry.{name.replace('_', '-')}": value for name, value in options.items()}
    return ClusterClient.of({"rest.address": "127.0.0.1", "rest.port": str(port), **named})


def test_how_often_it_is_asked_again_is_an_option() -> None:
    once = at(1)
    assert (once.attempts, once.patience_s) == (0, ATTEMPTS * DELAY_S), "a command asks once, a program waits"
    often = at(1, max_attempts="4", delay="500 ms")
    assert (often.attempts, often.delay_s, often.patience_s) == (4, 0.5, 2.0)
    assert at(1, delay="1 s").patience_s == ATTEMPTS
    with pytest.raises(OptionError, match=r"rest\.retry\.max-attempts"):
        at(1, max_attempts="often")


def test_what_is_only_told_is_asked_again_and_what_does_something_is_not() -> None:
    with serving(Starting(0, refusals=2)) as server:
        client = at(server.server_address[1], max_attempts="2", delay="1 ms")
        assert client.get("/overview") == {}
        assert server.asked == ["GET"] * 3
        server.left = 1
        with pytest.raises(OutsideError, match="not now"):
            client.ask("POST", "/jobs/1/stop")
        server.left = 3
        with pytest.raises(OutsideError, match="not now"):
            client.get("/overview")
        assert server.asked == ["GET"] * 3 + ["POST"] + ["GET"] * 3


def test_whoever_is_not_there_yet_is_asked_whatever_it_is_once_he_is() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OutsideError, match=f"no JobManager answers at 127.0.0.1:{port}"):
        at(port, max_attempts="1", delay="1 ms").ask("POST", "/jobs")
    answers: list[object] = []
    client = at(port, max_attempts="120000", delay="1 ms")
    asking = threading.Thread(target=lambda: answers.append(client.ask("POST", "/jobs")))
    asking.start()
    with serving(Starting(port, refusals=0)) as server:
        asking.join()
    assert (answers, server.asked) == ([{}], ["POST"])
