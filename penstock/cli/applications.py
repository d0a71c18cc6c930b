"""``penstock run-application``: a cluster for one program, which ends with it."""

import os
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil

from penstock.chance import secret_token
from penstock.cli.carrying_out import report
from penstock.cli.cluster_settings import DEFAULTS, ClusterSettings
from penstock.cli.clusters import add_taskmanagers, client_of, start_local_cluster, stop_local_cluster
from penstock.cli.daemons import running, start_daemon
from penstock.cli.program import Program
from penstock.cli.running import run_program
from penstock.cli.settings import Settings
from penstock.dataflow.logical import LogicalGraph
from penstock.dataflow.slots_wanted import slots_wanted
from penstock.errors import OutsideError
from penstock.logs.roles import Role
from penstock.plan.compile import compile_graph

LOOK_S = 1.0
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Application:
    """A program and the cluster that it is to have. ``slots`` are those of each TaskManager, None for as many as its first
    job needs; ``arguments`` are what the cluster's processes are told besides."""

    program: Program
    settings: Settings
    taskmanagers: int
    slots: int | None
    arguments: tuple[str, ...] = ()


class Supervision:
    """Starts again what dies of a cluster, until :meth:`close`."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._wanted: dict[Role, tuple[int, list[str]]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="supervision")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def watch(self, role: Role, count: int, arguments: list[str]) -> None:
        """See to it that there are so many of a role; ``arguments`` are for those that are started again."""
        self._wanted = {**self._wanted, role: (count, arguments)}

    def close(self) -> None:
        """Look no more; what dies from now on stays dead."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            for role, (wanted, arguments) in self._wanted.items():
                for _ in range(wanted - len(running(role, self._settings))):
                    report(f"A {role.value} of the application has ended, and is started again.")
                    with suppress(OutsideError):  # the next look tries again
                        start_daemon(role, self._settings, arguments)


class FirstJob:
    """Starts the TaskManagers of an application as its first job is about to be submitted: only then it is known how many
    slots it needs. Where ``-p`` asks for more than that, later jobs may, and there are as many."""

    def __init__(
        self,
        application: Application,
        cluster: ClusterSettings,
        arguments: list[str],
        supervision: Supervision,
    ) -> None:
        self._application = application
        self._cluster = cluster
        self._arguments = arguments
        self._supervision = supervision
        self._lock = threading.Lock()
        self._has_come = False

    def __call__(self, graph: LogicalGraph) -> None:
        with self._lock:  # a program may submit jobs in several threads
            if not self._has_come:
                self._start_taskmanagers(graph)
                self._has_come = True

    def _start_taskmanagers(self, graph: LogicalGraph) -> None:
        application = self._application
        count, slots = application.taskmanagers, application.slots
        if slots is None:
            parallelism = application.settings.configuration.get_integer("parallelism.default", 1)
            slots = ceil(max(parallelism, slots_wanted(compile_graph(graph))) / count)
        arguments = [*self._arguments, "-D", f"taskmanager.numberOfTaskSlots={slots}"]
        add_taskmanagers(self._cluster, count, arguments)
        self._supervision.watch(Role.TASKMANAGER, count, arguments)


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
        exit_code = start_local_cluster(own, 0, [*told, *_as_flags(options, "rest.port")])
        if exit_code:
            return exit_code
        client = client_of(own)
        # A JobManager that is started again answers where the one before it did.
        again = [*told, *_as_flags({"rest.port": str(client.port)}, "rest.port")]
        supervision = Supervision(own)
        supervision.watch(Role.JOBMANAGER, 1, again)
        supervision.start()
        configuration = application.settings.configuration
        configuration.set_string("execution.target", "remote")
        configuration.set_string("rest.address", client.host)
        configuration.set_string("rest.port", str(client.port))
        first_job = FirstJob(application, own, again, supervision)
        return run_program(application.program, application.settings, before_job=first_job)
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
