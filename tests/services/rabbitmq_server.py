"""A real RabbitMQ from Debian's packages, on free loopback ports, with everything that it writes in a folder of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tests.services.attached import Attached
from tests.services.debian_packages import NoPackages, unpacked
from tests.services.kafka_broker import free_ports

START_S = 180.0


class NoServer(Exception):
    """No server can be had on this machine; the text says why."""


@dataclass
class RabbitServer:
    """``kill`` ends it as a crash does, ``start`` brings it back with the same data and port."""

    root: Path
    folder: Path
    port: int
    ports: list[int]
    processes: list[Attached] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def start(self) -> None:
        distribution, names = self.ports
        erlang = self.root / "usr/lib/erlang"
        (program,) = (self.root / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        environment = {
            **os.environ,
            "PATH": f"{erlang / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PLUGINS_DIR": str(program / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
        }
        with open(self.folder / "output.txt", "ab") as output:
            for command in (
                [str(erlang / "bin/epmd"), "-port", str(names), "-address", "127.0.0.1"],
                [str(program / "sbin/rabbitmq-server")],
            ):
                self.processes.append(
                    Attached(
                        command,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                    )
                )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        import pika

        for _ in range(int(START_S / 0.2)):
            if self.processes[-1].poll() is not None:
                break
            with suppress(pika.exceptions.AMQPError, OSError):
                pika.BlockingConnection(pika.URLParameters(self.uri)).close()
                return
            Event().wait(0.2)
        said = (self.folder / "output.txt").read_text(errors="replace")[-2000:]
        raise NoServer(f"RabbitMQ did not start in {START_S} s: {said}")

    def kill(self) -> None:
        while self.processes:
            self.processes.pop().kill()


@contextmanager
def running_rabbitmq(folder: Path) -> Iterator[RabbitServer]:
    """A server that ends with the block.

    :raises NoServer: where its packages cannot be had, or it does not start.
    """
    try:
        root = unpacked("rabbitmq-server")
    except NoPackages as reason:
        raise NoServer(str(reason)) from reason
    _move(root)
    port, *ports = free_ports(3)
    server = RabbitServer(root, folder, port, ports)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _move(root: Path) -> None:
    """Tell Erlang where it stands: the package has the place written in a script."""
    script = root / "usr/lib/erlang/bin/erl"
    text = script.read_text()
    moved = text.replace("ROOTDIR=/usr/lib/erlang", f"ROOTDIR={root / 'usr/lib/erlang'}")
    if moved != text:
        script.write_text(moved)
