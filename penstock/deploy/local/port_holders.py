"""Who has a port of this machine, as far as the system tells this user."""

import os
from contextlib import suppress
from pathlib import Path

_LISTENS = "0A"  # TCP_LISTEN of include/net/tcp_states.h
LONGEST_COMMAND = 120


def holder_of(port: int) -> str | None:
    """The process that listens on a port, for people: ``process 12 (python job.py)``; None where that cannot be told."""
    inodes = _inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if os.readlink(descriptor) in inodes:
                        words = (process / "cmdline").read_bytes().split(b"\0")
                        command = b" ".join(words).decode(errors="replace").strip()
                        return f"process {process.name} ({command[:LONGEST_COMMAND]})"
    return None


def _inodes(port: int) -> set[str]:
    """The sockets that listen on a port, as links below ``/proc/*/fd`` name them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found
