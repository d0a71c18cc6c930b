"""Starts one worker process and watches over it."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import penstock
from penstock.clock import monotonic, pause
from penstock.deploy.local.lifeline import Birth, tell
from penstock.errors import OutsideError, ProgramError

MODULE = "penstock.deploy.local.worker_process"


@dataclass(slots=True, eq=False)
class StartedProcess:
    """A worker process, the leader of a session of its own. ``exit_descriptor`` becomes readable when it ends."""

    process: subprocess.Popen[bytes]
    exit_descriptor: int | None
    parent: int = field(default_factory=os.getpid)

    @property
    def stdout(self) -> IO[bytes]:
        """What it prints."""
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """What it complains about."""
        assert self.process.stderr is not None
        return self.process.stderr

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


def start_process(index: int, port: int, secret: bytes) -> StartedProcess:
    """Start a worker process that calls ``port``.

    It runs in a session of its own, where Ctrl-C of the terminal does not reach it: the program decides what that means.
    """
    if not sys.executable:
        raise ProgramError(
            "there is no sys.executable to start worker processes with; run with parallelism 1"
        )
    root = str(Path(penstock.__file__).resolve().parent.parent)
    python_path = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
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
        )
    except OSError as error:
        raise OutsideError(f"worker process {index} cannot be started: {error}") from error
    assert process.stdin is not None
    birth = Birth(index, port, secret, os.getpid(), list(sys.path), list(sys.argv), python_path)
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
