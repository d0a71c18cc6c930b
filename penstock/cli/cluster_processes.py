"""What the processes of a cluster do: the JobManager and the TaskManager, in the foreground."""

import logging
import os
import re
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

from penstock.cli.cluster_settings import RESOURCE_ID, ClusterSettings
from penstock.cli.coordination import Coordination
from penstock.clock import pause
from penstock.deploy.cluster.addresses import address_of, is_loopback
from penstock.deploy.cluster.memory import planned_memory
from penstock.deploy.cluster.secret import cluster_secret, known_secret
from penstock.deploy.cluster.security import internal_tls
from penstock.deploy.cluster.taskmanager import TaskManager, TaskManagerSettings
from penstock.errors import OptionError, PenstockError
from penstock.logs.roles import Role, configure
from penstock.logs.shipped import ShippedLogging, shipped_logging

LOOK_FOR_LEADER_S = 1.0
NO_LONGER_LEADING = 3

_log = logging.getLogger("penstock")


def run_jobmanager(settings: ClusterSettings) -> int:
    """Serve until a signal ends the process."""
    log = _configure_logs(Role.JOBMANAGER, settings)
    ended = threading.Event()
    _end_on_signal(ended)
    try:
        jobmanager = Coordination(settings, log, ended.set)
        jobmanager.start()
    except PenstockError as error:
        _log.error("the JobManager cannot start: %s", error)
        print(f"the JobManager cannot start: {error}", file=sys.stderr)
        return 1
    serve_jobmanager(jobmanager, ended)
    sys.stdout.flush()
    os._exit(0)  # the threads of jobs are not waited for: the jobs are taken up again


def serve_jobmanager(jobmanager: Coordination, ended: threading.Event) -> None:
    """Be a JobManager until ``ended`` is set; the process ends as it stands when another leads."""
    while not ended.wait(LOOK_FOR_LEADER_S):
        if not jobmanager.leads():
            os._exit(NO_LONGER_LEADING)
    jobmanager.close()


def run_history_server(settings: ClusterSettings) -> int:
    """Serve until a signal ends the process."""
    from penstock.cli.history import serve_history

    _configure_logs(Role.HISTORY_SERVER, settings)
    return serve_history(settings)


def run_taskmanager(settings: ClusterSettings) -> int:
    """Serve until a signal or the JobManager ends the process."""
    log = _configure_logs(Role.TASKMANAGER, settings)
    try:
        manager = taskmanager_of(settings, log)
    except PenstockError as error:
        print(f"the TaskManager cannot start: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: manager.stop())
    manager.run()
    if manager.failure:
        print(f"the TaskManager has ended: {manager.failure}", file=sys.stderr)
        return 1
    return 0


def taskmanager_of(settings: ClusterSettings, log: str) -> TaskManager:
    """A TaskManager that has yet to run.

    :raises PenstockError: where it knows no secret that the JobManager could know, or an option makes no sense.
    """
    options = settings.options
    jobmanager = options["jobmanager.rpc.address"]
    if not is_loopback(jobmanager):
        known_secret(settings.run_dir, jobmanager)
    return TaskManager(
        TaskManagerSettings(
            address_of(jobmanager),
            settings.number("jobmanager.rpc.port"),
            cluster_secret(settings.run_dir),
            settings.number("taskmanager.numberOfTaskSlots"),
            address_of(options.get("taskmanager.host", "localhost")),
            address_of(options.get("taskmanager.bind-host", "")),
            settings.seconds("heartbeat.interval", 10.0),
            settings.seconds("heartbeat.timeout", 50.0),
            settings.storage_dir,
            internal_tls(options),
            options.get("taskmanager.log.path") or f"{log}.log",
            f"{log}.out",
            replace(
                shipped_logging(settings.conf_dir) or ShippedLogging(),
                variables={**options, "log.file": f"{log}.log"},
            ),
            settings.run_dir / "files",
            _own_id(options.get(RESOURCE_ID, "")),
            planned_memory(options),
            options,
        )
    )


def _own_id(name: str) -> str:
    if name and re.fullmatch(r"(?!\.+$)[\w.:@-]+", name) is None:
        raise OptionError(
            f"{RESOURCE_ID} is {name!r}; an id has letters, digits and - _ . : @, and not only dots, as it is a part "
            "of paths"
        )
    return name


def _configure_logs(role: Role, settings: ClusterSettings) -> str:
    """The beginning of the names of this process's files; started by hand, it has its own, too."""
    log = os.environ.get("PENSTOCK_LOG_PREFIX")
    if log is None:
        from penstock.logs.roles import next_log

        settings.log_dir.mkdir(parents=True, exist_ok=True)
        log = str(next_log(settings.log_dir, role))
    variables = {**settings.options, "log.file": f"{log}.log"}
    configure(role if "PENSTOCK_LOG_PREFIX" in os.environ else Role.CONSOLE, settings.conf_dir, variables)
    return log


def _end_on_signal(ended: threading.Event) -> None:
    def end(*_: Any) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def wait_until(condition: Any, seconds: float) -> bool:
    """Ask until something holds; says whether it did."""
    from penstock.clock import monotonic

    deadline = monotonic() + seconds
    while monotonic() < deadline:
        with suppress(PenstockError):
            if condition():
                return True
        pause(0.05)
    return False
