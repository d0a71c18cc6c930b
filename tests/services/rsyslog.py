"""A real rsyslogd on a free loopback port, with rules and files of the test's own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from tests.services.attached import Attached
from tests.services.debian_packages import unpacked
from tests.services.kafka_broker import free_ports

_CONFIGURATION = """
global(workDirectory="{directory}")
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="{port}")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="plain" type="string" string="%programname%|%syslogfacility-text%|%syslogseverity-text%|%msg%\\n")
if $programname == "{program}" then {{
    action(type="omfile" file="{directory}/own.log" template="plain")
    stop
}}
action(type="omfile" file="{directory}/others.log" template="plain")
"""
PATIENCE_S = 120


@dataclass
class Rsyslog:
    """A running server. Records of the program ``program`` go into ``own.log``, all others into ``others.log``."""

    port: int
    directory: Path

    def wait_for(self, name: str, text: str) -> str:
        """The content of a file once a text is in it."""
        path = self.directory / name
        for _ in range(int(PATIENCE_S / 0.05)):
            if path.exists() and text in path.read_text():
                return path.read_text()
            Event().wait(0.05)
        raise AssertionError(f"{text!r} did not come into {name}")


@dataclass(frozen=True)
class Installed:
    """The program, where its modules are, and what it needs from its surroundings."""

    program: str
    modules: str | None
    environment: dict[str, str]


def rsyslogd() -> Installed:
    """The program of this machine, else that of Debian's package.

    :raises NoPackages: where it cannot be had either.
    """
    found = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin")
    if found:
        return Installed(found, None, {})
    root = unpacked("rsyslog")
    libraries = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")]
    modules = next(each / "rsyslog" for each in libraries if (each / "rsyslog").is_dir())
    path = ":".join(map(str, libraries))
    return Installed(str(root / "usr/sbin/rsyslogd"), str(modules), {"LD_LIBRARY_PATH": path})


@contextmanager
def running_rsyslog(directory: Path, program: str) -> Iterator[Rsyslog]:
    """A server that ends with the block."""
    found = rsyslogd()
    (port,) = free_ports(1)
    configuration = directory / "rsyslog.conf"
    configuration.write_text(_CONFIGURATION.format(directory=directory, port=port, program=program))
    command = [found.program, "-n", "-f", str(configuration), "-i", str(directory / "rsyslog.pid")]
    if found.modules is not None:
        command += ["-M", found.modules]
    surroundings = {**os.environ, **found.environment}
    process = Attached(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings)
    try:
        yield Rsyslog(port, directory)
    finally:
        process.kill()
