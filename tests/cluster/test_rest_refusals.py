"""Whom the REST API turns away: without the token, under a foreign name, too large, too slow, with a path for a name."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.cli.cluster_settings import cluster_settings
from penstock.cli.coordination import Coordination
from penstock.deploy.cluster.secret import SUBMISSION_HEADER, cluster_secret, submission_proof
from penstock.errors import ProgramError
from penstock.web.rest import patience

Answer = tuple[int, bytes]


class Jobmanager:
    """One in this process, on a free port."""

    def __init__(self, home: Path, *options: str) -> None:
        self.settings = cluster_settings(None, ("rest.port=0", "jobmanager.rpc.port=0", *options))
        self.coordination = Coordination(self.settings, str(home / "jobmanager"), lambda: None)
        self.port = self.coordination.server.port
        self.proof = submission_proof(cluster_secret(self.settings.run_dir))

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {SUBMISSION_HEADER: self.proof, **named})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def upload(self, filename: str, content: bytes) -> Answer:
        form = (
            f'--edge\r\nContent-Disposition: form-data; name="jarfile"; filename="{filename}"\r\n\r\n'.encode()
            + content
            + b"\r\n--edge--\r\n"
        )
        return self.ask("POST", "/jars/upload", form, Content_Type="multipart/form-data; boundary=edge")


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Jobmanager]]:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    made: list[Jobmanager] = []

    def start(*options: str) -> Jobmanager:
        made.append(Jobmanager(tmp_path, *options))
        made[-1].coordination.start()
        return made[-1]

    yield start
    for each in made:
        each.coordination.close()


@contextmanager
def connected(jobmanager: Jobmanager) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", jobmanager.port), 120) as made:
        yield made


def test_where_there_is_a_token_nothing_is_said_without_it(started: Callable[..., Jobmanager]) -> None:
    jobmanager = started("rest.token=t0ken")
    assert jobmanager.ask("GET", "/overview")[0] == 401
    for wrong in ("Bearer wrong", "t0ken2", "Bearer", "Basic t0ken", "Bearer t0ken "):
        status, said = jobmanager.ask("GET", "/overview", Authorization=wrong)
        assert (status, b"asks for a token" in said) == (
            (200, False) if wrong.strip() == "Bearer t0ken" else (401, True)
        )
    assert jobmanager.ask("DELETE", "/cluster", Authorization="Bearer wrong")[0] == 401
    assert jobmanager.ask("GET", "/overview", Authorization="Bearer t0ken")[0] == 200
    _, config = jobmanager.ask("GET", "/jobmanager/config", Authorization="Bearer t0ken")
    assert b"t0ken" not in config


def test_a_page_whose_name_points_here_learns_nothing(started: Callable[..., Jobmanager]) -> None:
    jobmanager = started()
    for own in ("localhost", "127.0.0.1:8081", "[::1]:8081"):
        assert jobmanager.ask("GET", "/overview", Host=own)[0] == 200
    for foreign in ("evil.example:8081", "[", "localhost.evil.example", ""):
        status, said = jobmanager.ask("GET", "/overview", Host=foreign)
        assert status in (400, 403) and (b"no name of this cluster" in said or status == 400), foreign
    status, said = jobmanager.ask("DELETE", "/cluster", Host="localhost", Origin="http://[")
    assert status == 403 and b"may not change anything" in said


def test_the_name_by_which_clients_reach_it_is_its_own_however_it_is_written(
    started: Callable[..., Jobmanager],
) -> None:
    jobmanager = started("rest.address=Node7.Example")
    assert jobmanager.ask("GET", "/overview", Host="node7.example:8081")[0] == 200


def test_what_is_too_large_is_not_taken(started: Callable[..., Jobmanager]) -> None:
    jobmanager = started("rest.server.max-content-length=1000")
    status, said = jobmanager.upload("a.py", b"x" * 1001)
    assert status == 413 and b"larger than 1000 bytes" in said
    assert jobmanager.upload("a.py", b"x" * 10)[0] == 200


def test_a_client_that_does_not_come_to_an_end_is_hung_up_on(
    started: Callable[..., Jobmanager], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", 0.2)
    jobmanager = started()
    with connected(jobmanager) as connection:
        assert connection.recv(100) == b"", "one that says nothing"
    with connected(jobmanager) as connection:
        connection.sendall(b"GET /overview HTTP/1.1\r\nHost: local")
        assert connection.recv(100) == b"", "one that stops within the head"
    with connected(jobmanager) as connection:
        connection.sendall(b"GET /overview HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /overview HT")
        while connection.recv(65536):
            pass  # hung up on, in its second request
    with connected(jobmanager) as connection:
        head = (
            f"POST /jars/upload HTTP/1.1\r\nHost: localhost\r\n{SUBMISSION_HEADER}: {jobmanager.proof}\r\n"
            "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 1000\r\n\r\n--ed"
        )
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 408"), "one that stops within the body"
    assert jobmanager.ask("GET", "/overview")[0] == 200


@pytest.mark.parametrize("name", ["../../evil.py", "/etc/evil.py", "..\\\\evil.py", "a/../../evil.py"])
def test_the_name_of_an_upload_is_no_path(started: Callable[..., Jobmanager], name: str) -> None:
    jobmanager = started()
    status, said = jobmanager.upload(name, b"print(1)")
    assert status == 200
    kept = Path(json.loads(said)["filename"])
    home = jobmanager.settings.home.resolve()
    assert kept.resolve().is_relative_to(home) and kept.name.endswith("_evil.py")
    assert [each.name for each in home.rglob("*evil*")] == [kept.name]


@pytest.mark.parametrize(
    "path", ["/jars/..%2f..%2fcluster.secret", "/jars/%2e%2e/run", "/jars/..%5c..%5cx.py/plan"]
)
def test_nor_is_the_id_of_a_program(started: Callable[..., Jobmanager], path: str) -> None:
    jobmanager = started()
    for method in ("DELETE", "POST", "GET"):
        assert jobmanager.ask(method, path)[0] in (404, 405)
    assert (jobmanager.settings.run_dir / "cluster.secret").exists()


def test_beyond_this_machine_it_wants_tls_or_to_be_told_that_the_network_encrypts(
    started: Callable[..., Jobmanager],
) -> None:
    open_to_all = ("rest.bind-address=0.0.0.0", "rest.token=t0ken")
    with pytest.raises(ProgramError, match=r"set security\.ssl\.rest\.enabled"):
        started(*open_to_all)
    jobmanager = started(*open_to_all, "rest.allow-plain-http=true")
    assert jobmanager.ask("GET", "/overview", Authorization="Bearer t0ken")[0] == 200
