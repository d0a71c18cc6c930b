"""A worker process learns who it is from its standard input, and dies when that is closed.

The pipe is closed by the operating system however the parent ends, so that no worker outlives it. The secret of the job goes
through it too: arguments and environment can be read by others.
"""

import os
import pickle
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from penstock.errors import ProtocolError
from penstock.network.tls import TlsFiles

if TYPE_CHECKING:
    from penstock.logs.shipped import ShippedLogging

# Set for a command whose standard input is a pipe of the process that it is to end with.
LIFELINE = "PENSTOCK_LIFELINE"
_LENGTH = struct.Struct("!I")
ORPHANED = 70


@dataclass(frozen=True, slots=True)
class Birth:
    """What a worker process is told first: it calls ``host`` and ``port``, and listens for other workers on ``bind_host``,
    where they find it as ``data_host``. It works in ``working_directory``, that of its parent for None. ``metrics``: the
    descriptor of a socket over which it tells its parent what it measures."""

    index: int
    port: int
    secret: bytes
    parent: int
    sys_path: list[str]
    argv: list[str]
    python_path: str | None
    host: str = "127.0.0.1"
    data_host: str = "127.0.0.1"
    bind_host: str = "127.0.0.1"
    tls: TlsFiles | None = None
    logging: "ShippedLogging | None" = None
    working_directory: str | None = None
    metrics: int | None = None

    @staticmethod
    def of_this_process(index: int, port: int, secret: bytes) -> "Birth":
        """A worker that finds modules as this process does."""
        python_path = os.environ.get("PYTHONPATH")
        return Birth(index, port, secret, os.getpid(), list(sys.path), list(sys.argv), python_path)


def tell(pipe: IO[bytes], birth: Birth) -> None:
    """Write to the standard input of a new process."""
    pickled = pickle.dumps(birth, 5)
    pipe.write(_LENGTH.pack(len(pickled)) + pickled)
    pipe.flush()


def learn() -> Birth:
    """Read what the parent tells, take over its way of finding modules, and hold on to the lifeline."""
    lifeline = _taken_input()
    birth: Birth = pickle.loads(_read(lifeline, _LENGTH.unpack(_read(lifeline, _LENGTH.size))[0]))
    _die_with_parent(lifeline, birth.parent)
    sys.path[:] = birth.sys_path
    sys.argv[:] = birth.argv
    if birth.working_directory is not None:
        os.chdir(birth.working_directory)
    if birth.python_path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = birth.python_path
    return birth


def die_with_parent_if_told() -> None:
    """Where a process has started this one for its own work, and says so in the environment, end when it does."""
    if os.environ.pop(LIFELINE, None):
        _die_with_parent(_taken_input(), os.getppid())


def _taken_input() -> int:
    """The standard input; user code and its children read nothing in its place."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return lifeline


def _read(pipe: int, size: int) -> bytes:
    read = b""
    while len(read) < size:
        chunk = os.read(pipe, size - len(read))
        if not chunk:
            raise ProtocolError("the program ended before this worker was told what to do")
        read += chunk
    return read


def _die_with_parent(lifeline: int, parent: int) -> None:
    _have_the_kernel_watch(lifeline)
    threading.Thread(target=_watch, args=(lifeline, parent), daemon=True, name="lifeline").start()


def _have_the_kernel_watch(lifeline: int) -> None:
    """On Linux the end of the pipe is also a signal that ends the process group.

    A thread of Python's cannot run while user code sits in C code that keeps the interpreter's lock; a signal without a
    handler needs no lock.
    """
    if sys.platform != "linux":
        return
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp() if os.getpgrp() == os.getpid() else os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _watch(lifeline: int, parent: int) -> None:
    """Wait for the end of the pipe or of the parent, whichever is seen first: a fork of the parent keeps the pipe open."""
    import select

    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):  # gone already, or the kernel is too old
            poll.register(os.pidfd_open(parent), select.POLLIN)
    if os.getppid() == parent:
        poll.poll()
    if os.getpgrp() == os.getpid():
        import signal

        os.killpg(0, signal.SIGKILL)
    os._exit(ORPHANED)
