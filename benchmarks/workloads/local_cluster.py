"""A cluster of its own for a benchmark, in a home that is gone at the end."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.common import Configuration
from penstock.datastream import StreamExecutionEnvironment
from penstock.deploy.remote.client import ClusterClient


def start(home: str, *words: str) -> None:
    """Start the cluster of a home; returns when it is ready."""
    _penstock(home, "start-cluster", *words)


def stop(home: str) -> None:
    """End all its processes."""
    _penstock(home, "stop-cluster")


@contextmanager
def home_directory() -> Iterator[str]:
    """A home with free ports."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "conf").mkdir()
        rest, rpc = _free_port(), _free_port()
        (Path(home) / "conf" / "config.yaml").write_text(
            f"rest.port: {rest}\njobmanager.rpc.port: {rpc}\nheartbeat.interval: 1 s\n"
        )
        os.environ["PENSTOCK_HOME"] = home
        yield home


@contextmanager
def running(*words: str) -> Iterator[tuple[str, ClusterClient]]:
    """A cluster that runs, and its API."""
    with home_directory() as home:
        start(home, *words)
        try:
            port = int((Path(home) / "run" / "rest.port").read_text())
            yield home, ClusterClient("127.0.0.1", port)
        finally:
            stop(home)


def environment(client: ClusterClient) -> StreamExecutionEnvironment:
    """One whose jobs run on the cluster."""
    configuration = Configuration()
    configuration.set_string("execution.target", "remote")
    configuration.set_string("rest.address", client.host)
    configuration.set_string("rest.port", str(client.port))
    return StreamExecutionEnvironment.get_execution_environment(configuration)


def submit(client: ClusterClient, records: int, rate: float) -> Any:
    """A job that numbers come to at a rate, and that prints nothing."""
    from penstock.common import WatermarkStrategy
    from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy

    env = environment(client)
    source = DataGeneratorSource(lambda index: index, records, RateLimiterStrategy.per_second(rate))
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    numbers.map(lambda number: number + 1).filter(lambda number: number < 0).print()
    return env.execute_async("numbers")


def pid_of(home: str, role: str) -> int:
    """The first process of a role."""
    return int((Path(home) / "run" / f"penstock-{role}.pid").read_text().split()[0])


def resident_mib(pid: int) -> float:
    """The memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")) / 1024


def _penstock(home: str, *words: str) -> None:
    environment = {**os.environ, "PENSTOCK_HOME": home}
    subprocess.run(
        [sys.executable, "-m", "penstock", *words], check=True, capture_output=True, env=environment
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
