"""Signs of a command's life: a job hears of it again, however long no JobManager has answered."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from penstock.cli.attached_jobs import Expiry, keep_alive
from penstock.dataflow.job import JobGraph
from penstock.deploy.remote.client import ClusterClient
from penstock.deploy.remote.executor import RemoteJob
from penstock.ids import JobID


class Answering(ThreadingHTTPServer):
    """Answers one request after the other with these, and the last for ever."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.given: list[int] = []
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Answering

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses[min(len(self.server.given), len(self.server.statuses) - 1)]
        self.server.given.append(status)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[Answering]:
    server = Answering([200, 503, 503, 503, 200, 404])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_command_that_was_cut_off_for_long_is_heard_again_until_its_job_is_no_longer_known(
    answering: Answering,
) -> None:
    port = str(answering.server_address[1])
    settings = {"rest.address": "127.0.0.1", "rest.port": port, "rest.retry.max-attempts": "0"}
    job = RemoteJob(ClusterClient.of(settings), JobID.random(), JobGraph("attached", (), (), False, settings))
    keep_alive(job, Expiry(interval_ms=1, timeout_ms=60_000))
    [signs] = [each for each in threading.enumerate() if each.name == f"signs of life for {job.job_id}"]
    signs.join(120)
    assert not signs.is_alive()
    assert answering.given == [200, 503, 503, 503, 200, 404]
