"""Starts one worker process and watches over it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import penstock
from penstock.clock import monotonic, pause
from penstock.deploy.local.lifeline import Birth, tell
from penstock.errors import OutsideError, ProgramError
from penstock.network.tls import TlsFiles

REGISTER_S = 60.0
MODULE = "penstock.deploy.local.worker_process"


class Started(Protocol):
    """A worker process, wherever it runs. ``exit_descriptor``: becomes readable when it ends; None where that is told
    otherwise, or can only be asked for."""

    @property
    def exit_descriptor(self) -> int | None: ...

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]] | None:
        """Its standard output and error, where they come here."""

    def has_exited(self) -> bool:
        """Whether it has ended."""

    def wait_for_exit(self, timeout_s: float | None) -> bool:
        """Wait until it has ended, for ever with None; says whether it has."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to the processes that user code has started in it, if it lives."""

    def kill_group(self) -> None:
        """Kill it, if it lives, and what it has started."""

    def reap(self) -> None:
        """After its end: let go of what the system keeps of it."""

    def how_it_ended(self) -> str:
        """Exit code or signal, in words."""

    def last_words(self) -> list[str] | None:
        """The last lines of its standard error, where they do not come through :attr:`pipes`."""

    def let_go(self) -> None:
        """The pool was forgotten: nothing may be left of it."""

    def close(self) -> None:
        """Let go of descriptors; its output is closed by whoever reads it."""


class Launcher(Protocol):
    """Starts worker processes for a pool."""

    @property
    def host(self) -> str:
        """The address on which the pool listens for its workers."""

    @property
    def tls(self) -> TlsFiles | None:
        """With what workers and pool show who they are; None where nothing is encrypted."""

    @property
    def patience_s(self) -> float:
        """How long a worker may wait for a place."""

    @property
    def register_s(self) -> float:
        """How long after its start a worker has to report."""

    def launch(self, index: int, port: int, secret: bytes, wake_up: Callable[[], None]) -> "Started | None":
        """Start worker ``index``, which calls ``port``; None where there is no place for it now. ``wake_up`` is called when
        there may be one, and when a worker without an exit descriptor has ended."""

    def why_not(self) -> str:
        """Why there is no place."""


class LocalLauncher:
    """Worker processes of this program, on this machine."""

    host = "127.0.0.1"
    tls: TlsFiles | None = None
    patience_s = 0.0
    register_s = REGISTER_S

    def launch(self, index: int, port: int, secret: bytes, wake_up: Callable[[], None]) -> "StartedProcess":
        return start_process(Birth.of_this_process(index, port, secret))

    def why_not(self) -> str:
        return "this machine has always a place"


@dataclass(slots=True, eq=False)
class StartedProcess:
    """A worker process, the leader of a session of its own. ``exit_descriptor`` becomes readable when it ends."""

    process: subprocess.Popen[bytes]
    exit_descriptor: int | None
    parent: int = field(default_factory=os.getpid)

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """What it prints, and what it complains about."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return self.process.stdout, self.process.stderr

    def last_words(self) -> None:
        """They come through the pipes."""

    def has_exited(self) -> bool:
        """Whether it has ended; does not reap it, so that its id stays its own, where the system can tell."""
        if self.process.returncode is not None:
            return True
        if self.exit_descriptor is not None:
            return _is_readable(self.exit_descriptor, 0.0)
        return self.process.poll() is not None

    def wait_for_exit(self, timeout_s: float | None) -> bool:
        """Wait until it has ended, for ever with None; says whether it has."""
        if self.process.returncode is None and self.exit_descriptor is not None:
            return _is_readable(self.exit_descriptor, timeout_s)
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while not self.has_exited():
            if deadline is not None and monotonic() >= deadline:
                return False
            pause(0.002)
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to the processes that user code has started in it."""
        if self.process.returncode is None:
            # The second is what macOS says of a dead one.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def kill_group(self) -> None:
        """Kill it, if it lives, and what it has started."""
        self.signal(signal.SIGKILL)

    def reap(self) -> None:
        """Take its exit code, so that the system forgets it."""
        self.process.wait()

    def let_go(self) -> None:
        """Kill it if it lives, unless this is a fork of the program that started it."""
        if self.process.returncode is None and self.parent == os.getpid():
            self.kill_group()
            self.process.wait()
        self.close()

    def how_it_ended(self) -> str:
        """Exit code or signal, in words."""
        code = self.process.returncode
        if code is None:
            return "its process runs"
        if code >= 0:
            return f"its process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = "; the operating system does that when memory runs out" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{hint}"

    def close(self) -> None:
        """Let go of the lifeline and of the descriptor; its output is closed by whoever reads it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.exit_descriptor is not None:
            os.close(self.exit_descriptor)
            self.exit_descriptor = None


def start_process(birth: Birth, environment: Mapping[str, str] | None = None) -> StartedProcess:
    """Start the worker process that ``birth`` describes.

    It runs in a session of its own, where Ctrl-C of the terminal does not reach it: the program decides what that means.
    """
    if not sys.executable:
        raise ProgramError(
            "there is no sys.executable to start worker processes with; run with parallelism 1"
        )
    root = str(Path(penstock.__file__).resolve().parent.parent)
    python_path = birth.python_path
    environment = {
        **os.environ,
        **(environment or {}),
        "PYTHONPATH": root if python_path is None else root + os.pathsep + python_path,
    }
    try:
        process = subprocess.Popen(
            [sys.executable, *_interpreter_flags(), "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            start_new_session=True,
            pass_fds=() if birth.metrics is None else (birth.metrics,),
        )
    except OSError as error:
        raise OutsideError(f"worker process {birth.index} cannot be started: {error}") from error
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it is dead already, which is noticed as every other death
        tell(process.stdin, birth)
    return StartedProcess(process, _exit_descriptor(process.pid))


def _interpreter_flags() -> list[str]:
    """The parent's own flags (-O, -W, -X dev ...), but for those that would hide PYTHONPATH from the new process."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [flag for flag in flags if flag not in ("-E", "-I", "-P")]


def _is_readable(descriptor: int, timeout_s: float | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))


def _exit_descriptor(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # a kernel that is too old, or a sandbox
        return None
