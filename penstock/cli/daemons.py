"""Starts and stops processes that stay: pid files, logs and outputs, one after the other."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from penstock.cli.cluster_settings import PROPERTIES, ClusterSettings
from penstock.clock import monotonic, pause
from penstock.errors import OutsideError
from penstock.logs.roles import MOST_FILES_VARIABLE, Role, next_log

STOP_S = 10.0


def start_daemon(role: Role, settings: ClusterSettings, arguments: list[str]) -> int:
    """Start a process of a role with its output in a file of its own; gives its id. Options of ``-D`` go to it where others
    do not see them: they hold secrets, and the words of a command are seen by everybody on the machine.

    :raises OutsideError: where the files cannot be written.
    """
    try:
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        settings.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = next_log(settings.log_dir, role)
        out = Path(f"{log}.out")
        most_files = settings.options.get("env.log.max")
        words, properties = _apart(arguments)
        with open(out, "ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "penstock", role.value, "start-foreground", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    **os.environ,
                    **({MOST_FILES_VARIABLE: most_files} if most_files else {}),
                    "PENSTOCK_HOME": str(settings.home),
                    PROPERTIES: json.dumps(properties),
                    "PENSTOCK_LOG_PREFIX": str(log),
                },
            )
        with open(_pid_file(role, settings), "a", encoding="ascii") as file:
            file.write(f"{process.pid}\n")
    except OSError as error:
        raise OutsideError(f"the {role.value} cannot be started: {error}") from error
    return process.pid


def _apart(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Words, and what follows ``-D`` among them."""
    words: list[str] = []
    properties: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "-D":
            properties.append(next(rest))
        else:
            words.append(word)
    return words, properties


def running(role: Role, settings: ClusterSettings) -> list[int]:
    """The processes of a role that live, the oldest first; others are struck off."""
    path = _pid_file(role, settings)
    try:
        known = [int(line) for line in path.read_text(encoding="ascii").split() if line.isdigit()]
    except OSError:
        return []
    alive = [pid for pid in known if _is_ours(pid, role)]
    if alive != known:
        path.write_text("".join(f"{pid}\n" for pid in alive), encoding="ascii")
    return alive


def stop(pids: list[int], role: Role, settings: ClusterSettings) -> None:
    """End processes, and wait until they are gone; what does not end is killed."""
    for number, seconds in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = monotonic() + seconds
        while monotonic() < deadline and any(_is_ours(pid, role) for pid in pids):
            pause(0.02)
        if not any(_is_ours(pid, role) for pid in pids):
            break
    running(role, settings)


def _pid_file(role: Role, settings: ClusterSettings) -> Path:
    return settings.run_dir / f"penstock-{role.value}.pid"


def _is_ours(pid: int, role: Role) -> bool:
    """Whether a process lives and is what the pid file says: numbers are given to others in time."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # where it is a child of this process
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()[0]
        )
    except (OSError, IndexError):
        return sys.platform != "linux"
    # A process has no command line for a moment while it starts, and when it is dead and not yet taken note of.
    return state != "Z" if command == [b""] else role.value.encode() in command
