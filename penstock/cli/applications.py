"""``penstock run-application``: a cluster for one program, which ends with it."""

import os
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from penstock.chance import secret_token
from penstock.cli.carrying_out import report
from penstock.cli.cluster_settings import DEFAULTS, ClusterSettings
from penstock.cli.clusters import client_of, start_local_cluster, stop_local_cluster
from penstock.cli.daemons import running, start_daemon
from penstock.cli.program import Program
from penstock.cli.running import run_program
from penstock.cli.settings import Settings
from penstock.errors import OutsideError
from penstock.logs.roles import Role

LOOK_S = 1.0
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Application:
    """A program and the cluster that it is to have; ``arguments`` are what the cluster's processes are told besides."""

    program: Program
    settings: Settings
    taskmanagers: int
    arguments: tuple[str, ...] = ()


class Supervision:
    """Starts again what dies of a cluster, until :meth:`close`."""

    def __init__(self, settings: ClusterSettings, taskmanagers: int, arguments: list[str]) -> None:
        self._settings = settings
        self._wanted = {Role.JOBMANAGER: 1, Role.TASKMANAGER: taskmanagers}
        self._arguments = arguments
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="supervision")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; what dies from now on stays dead."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            for role, wanted in self._wanted.items():
                for _ in range(wanted - len(running(role, self._settings))):
                    report(f"A {role.value} of the application has ended, and is started again.")
                    with suppress(OutsideError):  # the next look tries again
                        start_daemon(role, self._settings, self._arguments)


def run_application(application: Application, cluster: ClusterSettings) -> int:
    """Start a cluster of its own for a program, run it there, wait for its jobs, end the cluster; gives the exit code.

    The cluster's home is a directory below ``applications/`` of the home; logs and outputs stay there. What dies of the
    cluster is started again.
    """
    home = cluster.home / "applications" / secret_token(4).hex()
    options = {**cluster.options, "jobmanager.rpc.port": "0"}
    if options["rest.port"] == DEFAULTS["rest.port"]:
        options["rest.port"] = "0"
    options.setdefault(
        "high-availability.storageDir", str(home / "leading")
    )  # TaskManagers find the port there
    own = replace(cluster, home=home, options=options)
    os.environ["PENSTOCK_HOME"] = str(home)  # what this process submits is for the application's cluster
    told = [
        *application.arguments,
        *_as_flags(options, "jobmanager.rpc.port", "high-availability.storageDir"),
    ]
    supervision: Supervision | None = None
    for number in ENDING_SIGNALS:
        signal.signal(number, _end_by_signal)
    try:
        exit_code = start_local_cluster(
            own, application.taskmanagers, [*told, *_as_flags(options, "rest.port")]
        )
        if exit_code:
            return exit_code
        client = client_of(own)
        # A JobManager that is started again answers where the one before it did.
        again = [*told, *_as_flags({"rest.port": str(client.port)}, "rest.port")]
        supervision = Supervision(own, application.taskmanagers, again)
        supervision.start()
        configuration = application.settings.configuration
        configuration.set_string("execution.target", "remote")
        configuration.set_string("rest.address", client.host)
        configuration.set_string("rest.port", str(client.port))
        return run_program(application.program, application.settings)
    finally:
        for number in (*ENDING_SIGNALS, signal.SIGINT):  # it ends already, and is not to leave half of it
            signal.signal(number, signal.SIG_IGN)
        if supervision is not None:
            supervision.close()
        if any(running(role, own) for role in (Role.JOBMANAGER, Role.TASKMANAGER)):
            stop_local_cluster(own)
        report(f"Logs and outputs of the application are in {own.log_dir}.")


def _end_by_signal(number: int, _frame: object) -> None:
    report(f"{signal.Signals(number).name}: the application is ended.")
    raise SystemExit(128 + number)


def _as_flags(options: Mapping[str, str], *keys: str) -> list[str]:
    return [word for key in keys for word in ("-D", f"{key}={options[key]}")]
