"""Clusters of real processes on free ports, with a home of their own, that are gone at the end."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from penstock.deploy.remote.client import ClusterClient
from penstock.errors import PenstockError
from tests.services.kafka_broker import free_ports

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120


@dataclass
class Cluster:
    """A home with its options; ``penstock(...)`` runs a command on it."""

    home: Path
    rest_port: int
    rpc_port: int

    def __post_init__(self) -> None:
        conf = self.home / "conf"
        conf.mkdir(parents=True)
        (conf / "config.yaml").write_text(
            f"rest:\n  port: {self.rest_port}\njobmanager:\n  rpc:\n    port: {self.rpc_port}\n"
            "heartbeat.interval: 200 ms\nheartbeat.timeout: 3 s\n"
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.rest_port}"

    @property
    def client(self) -> ClusterClient:
        return ClusterClient("127.0.0.1", self.rest_port)

    def penstock(self, *words: str, check: bool = True, directory: Path | None = None) -> str:
        python_path = str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")
        environment = {**os.environ, "PENSTOCK_HOME": str(self.home), "PYTHONPATH": python_path}
        environment.pop("PENSTOCK_CONF_DIR", None)
        done = subprocess.run(
            [sys.executable, "-m", "penstock", *words],
            capture_output=True,
            text=True,
            env=environment,
            timeout=PATIENCE_S,
            check=False,
            cwd=directory,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}\n{self.logs()}"
        return done.stdout + done.stderr

    def submit(self, program: Path, *options: str) -> str:
        split = options.index("--") if "--" in options else len(options)
        words = [*options[:split], str(program), *options[split + 1 :]]
        said = self.penstock("run", "-d", "-m", self.address, *words)
        return said.split("JobID ")[1].split()[0]

    def job(self, job_id: str) -> Any:
        return self.client.get(f"/jobs/{job_id}")

    def pids(self, role: str) -> list[int]:
        return [int(word) for word in (self.home / "run" / f"penstock-{role}.pid").read_text().split()]

    def output(self) -> list[str]:
        """What the program has printed: lines such as ``1:7:3``."""
        files = sorted((self.home / "log").glob("*taskmanager*.out"))
        texts = [file.read_text() for file in files]
        return [line for text in texts for line in re.findall(r"\d+:\d+:\d+$", text, re.MULTILINE)]

    def logs(self) -> str:
        return "\n".join(path.read_text()[-1500:] for path in sorted((self.home / "log").glob("*.*")))

    def all_logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted((self.home / "log").glob("*.log")))

    def wait_for(self, condition: Any) -> Any:
        for _ in range(int(PATIENCE_S / 0.05)):
            try:
                found = condition()
            except PenstockError:
                found = None
            if found:
                return found
            Event().wait(0.05)
        raise AssertionError(
            f"it did not come\n{self.logs()}\n{json.dumps(self.client.get('/jobs/overview'))}"
        )

    def wait_for_files(self, condition: Any) -> None:
        """The same where no API is there to be asked for more."""
        for _ in range(int(PATIENCE_S / 0.05)):
            if condition():
                return
            Event().wait(0.05)
        raise AssertionError("it did not come")

    def wait_for_state(self, job_id: str, state: str) -> Any:
        return self.wait_for(lambda: self.job(job_id)["state"] == state and self.job(job_id))


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended, and that nobody has asked about yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that a test starts."""
    made = Cluster(tmp_path / "home", *free_ports(2))
    yield made
    made.penstock("stop-cluster", check=False)


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with two slots for the tests of a file."""
    made = Cluster(tmp_path_factory.mktemp("cluster") / "home", *free_ports(2))
    made.penstock("start-cluster", "-n", "1", "-s", "2")
    yield made
    made.penstock("stop-cluster", check=False)
