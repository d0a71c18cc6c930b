"""What the processes of a cluster do: the JobManager and the TaskManager, in the foreground."""

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from penstock.cli.cluster_settings import ClusterSettings
from penstock.cli.coordination import Coordination, address_of
from penstock.clock import pause
from penstock.deploy.cluster.secret import cluster_secret
from penstock.deploy.cluster.taskmanager import TaskManager, TaskManagerSettings
from penstock.errors import PenstockError
from penstock.logs.roles import Role, configure

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
    while not ended.wait(LOOK_FOR_LEADER_S):
        if not jobmanager.leads():
            os._exit(NO_LONGER_LEADING)
    jobmanager.close()
    sys.stdout.flush()
    os._exit(0)  # the threads of jobs are not waited for: the jobs are taken up again


def run_taskmanager(settings: ClusterSettings) -> int:
    """Serve until a signal or the JobManager ends the process."""
    log = _configure_logs(Role.TASKMANAGER, settings)
    try:
        secret = cluster_secret(settings.run_dir)
        manager = TaskManager(
            TaskManagerSettings(
                address_of(settings.options["jobmanager.rpc.address"]),
                settings.number("jobmanager.rpc.port"),
                secret,
                settings.number("taskmanager.numberOfTaskSlots"),
                address_of(settings.options.get("taskmanager.host", "localhost")),
                heartbeat_s=settings.seconds("heartbeat.interval", 10.0),
                log=f"{log}.log",
                out=f"{log}.out",
                heartbeat_timeout_s=settings.seconds("heartbeat.timeout", 50.0),
                leaders=settings.storage_dir,
            )
        )
    except PenstockError as error:
        print(f"the TaskManager cannot start: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: manager.stop())
    manager.run()
    return 0


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
