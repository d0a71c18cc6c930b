"""What the processes of a cluster do: the JobManager and the TaskManager, in the foreground."""

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from penstock.cli.cluster_settings import ClusterSettings
from penstock.clock import pause
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.cluster.roster import Roster
from penstock.deploy.cluster.secret import cluster_secret, submission_proof
from penstock.deploy.cluster.taskmanager import TaskManager, TaskManagerSettings
from penstock.errors import PenstockError
from penstock.logs.roles import Role, configure

_log = logging.getLogger("penstock")


def run_jobmanager(settings: ClusterSettings) -> int:
    """Serve until a signal ends the process."""
    log = _configure_logs(Role.JOBMANAGER, settings)
    ended = threading.Event()
    _end_on_signal(ended)
    from penstock.web.rest.app import Api
    from penstock.web.rest.server import RestServer

    try:
        secret = cluster_secret(settings.run_dir)
        host = settings.options.get("jobmanager.bind-host") or settings.options["jobmanager.rpc.address"]
        roster = Roster(
            secret,
            _address(host),
            settings.number("jobmanager.rpc.port"),
            settings.seconds("heartbeat.timeout", 50.0),
        )
        patience_s = settings.seconds("slot.request.timeout", 300.0)
        dispatcher = Dispatcher(roster, settings.run_dir, patience_s)

        def stop_cluster() -> None:
            roster.dismiss_all()
            threading.Timer(0.5, ended.set).start()

        api = Api(
            dispatcher,
            roster,
            settings.options,
            stop_cluster,
            submission_proof(secret),
            settings.options.get("rest.token"),
            f"{log}.log",
            f"{log}.out",
        )
        server = RestServer(api, _address(settings.options["rest.bind-address"]), settings.ports())
        roster.start()
        dispatcher.take_up_again()
        server.start()
    except PenstockError as error:
        _log.error("the JobManager cannot start: %s", error)
        print(f"the JobManager cannot start: {error}", file=sys.stderr)
        return 1
    (settings.run_dir / "rest.port").write_text(str(server.port), encoding="ascii")
    _log.info(
        "the JobManager listens on %s:%d, its REST API on %s:%d",
        roster.host,
        roster.port,
        server.host,
        server.port,
    )
    while not ended.wait(1.0):
        pass
    server.close()
    roster.close()
    sys.stdout.flush()
    os._exit(0)  # the threads of jobs are not waited for: the jobs are taken up again


def run_taskmanager(settings: ClusterSettings) -> int:
    """Serve until a signal or the JobManager ends the process."""
    log = _configure_logs(Role.TASKMANAGER, settings)
    try:
        secret = cluster_secret(settings.run_dir)
        manager = TaskManager(
            TaskManagerSettings(
                _address(settings.options["jobmanager.rpc.address"]),
                settings.number("jobmanager.rpc.port"),
                secret,
                settings.number("taskmanager.numberOfTaskSlots"),
                _address(settings.options.get("taskmanager.host", "localhost")),
                settings.seconds("heartbeat.interval", 10.0),
                f"{log}.log",
                f"{log}.out",
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


def _address(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host


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
