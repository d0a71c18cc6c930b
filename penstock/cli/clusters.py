"""Starts and stops clusters on this machine, and says how that went."""

from pathlib import Path

from penstock.cli.carrying_out import FAILED, report
from penstock.cli.cluster_processes import run_history_server, run_jobmanager, run_taskmanager, wait_until
from penstock.cli.cluster_settings import ClusterSettings
from penstock.cli.daemons import running, start_daemon, stop
from penstock.deploy.remote.client import ClusterClient
from penstock.errors import OutsideError, PenstockError
from penstock.logs.roles import Role

READY_S = 20.0


def start_local_cluster(settings: ClusterSettings, taskmanagers: int, arguments: list[str]) -> int:
    """A JobManager, unless one runs, and TaskManagers; gives the exit code once all have joined. Where they do not, what was
    started is ended again."""
    started: list[tuple[Role, int]] = []
    try:
        problem = _start(settings, taskmanagers, arguments, started)
    except PenstockError as error:
        problem = str(error)
    except BaseException:
        _end(started, settings)
        raise
    if problem is not None:
        report(problem)
        _end(started, settings)
        return FAILED
    client = client_of(settings)
    print(f"The cluster is ready: http://{client.host}:{client.port}")
    return 0


def add_taskmanagers(settings: ClusterSettings, taskmanagers: int, arguments: list[str]) -> None:
    """TaskManagers for the cluster that runs; comes back once all have joined.

    :raises OutsideError: where they do not.
    """
    problem = _start_taskmanagers(settings, taskmanagers, arguments, [])
    if problem is not None:
        raise OutsideError(problem)


def _start(
    settings: ClusterSettings, taskmanagers: int, arguments: list[str], started: list[tuple[Role, int]]
) -> str | None:
    """Start processes and wait until all have joined; what went wrong, if anything did."""
    before = running(Role.JOBMANAGER, settings)
    if before:
        print(f"A JobManager runs already (process {before[0]}).")
    else:
        _port_file(settings).unlink(missing_ok=True)
        started.append((Role.JOBMANAGER, start_daemon(Role.JOBMANAGER, settings, arguments)))
        print("Starting the JobManager.")
    return _start_taskmanagers(settings, taskmanagers, arguments, started)


def _start_taskmanagers(
    settings: ClusterSettings, taskmanagers: int, arguments: list[str], started: list[tuple[Role, int]]
) -> str | None:
    had = len(running(Role.TASKMANAGER, settings))
    for _ in range(taskmanagers):
        started.append((Role.TASKMANAGER, start_daemon(Role.TASKMANAGER, settings, arguments)))
        print("Starting a TaskManager.")

    def ready() -> bool:
        if not _port_file(settings).exists():
            return not running(Role.JOBMANAGER, settings)
        return int(client_of(settings).get("/overview")["taskmanagers"]) >= had + taskmanagers

    in_time = wait_until(ready, READY_S)
    if not running(Role.JOBMANAGER, settings):
        newest = max(settings.log_dir.glob("*jobmanager*.out"), key=lambda path: path.stat().st_mtime_ns)
        return f"The JobManager has ended: {newest.read_text(errors='replace').strip()[-1000:]}"
    if not in_time:
        return f"The cluster is not complete after {READY_S:g} s; the logs in {settings.log_dir} say why."
    return None


def _port_file(settings: ClusterSettings) -> Path:
    return settings.run_dir / "rest.port"


def _end(started: list[tuple[Role, int]], settings: ClusterSettings) -> None:
    for role in (Role.TASKMANAGER, Role.JOBMANAGER):
        stop([pid for each, pid in started if each is role], role, settings)


def client_of(settings: ClusterSettings) -> ClusterClient:
    """The API of the cluster on this machine, at the port that it has found."""
    port_file = _port_file(settings)
    options = dict(settings.options)
    if port_file.exists():
        options["rest.port"] = port_file.read_text(encoding="ascii").strip()
    return ClusterClient.of(options)


def stop_local_cluster(settings: ClusterSettings) -> int:
    """End all processes of the cluster; gives the exit code."""
    stopped = False
    for role, name in ((Role.TASKMANAGER, "TaskManager"), (Role.JOBMANAGER, "JobManager")):
        pids = running(role, settings)
        if pids:
            stopped = True
            stop(pids, role, settings)
            print(f"Stopped {len(pids)} {name}{'s' if len(pids) > 1 else ''}.")
    _port_file(settings).unlink(missing_ok=True)
    if not stopped:
        report("No cluster runs here.")
    return 0


_NAMES = {
    Role.JOBMANAGER: "JobManager",
    Role.TASKMANAGER: "TaskManager",
    Role.HISTORY_SERVER: "history server",
}


def _in_foreground(role: Role, settings: ClusterSettings) -> int:
    match role:
        case Role.JOBMANAGER:
            return run_jobmanager(settings)
        case Role.HISTORY_SERVER:
            return run_history_server(settings)
    return run_taskmanager(settings)


def act(role_name: str, action: str, settings: ClusterSettings, arguments: list[str]) -> int:
    """Start or stop one process; gives the exit code."""
    role = Role(role_name)
    if action == "start-foreground":
        return _in_foreground(role, settings)
    pids = running(role, settings)
    if action == "start":
        if role is not Role.TASKMANAGER and pids:
            report(f"A {_NAMES[role]} runs already (process {pids[0]}).")
            return FAILED
        try:
            print(f"Starting a {_NAMES[role]} (process {start_daemon(role, settings, arguments)}).")
        except PenstockError as error:
            report(str(error))
            return FAILED
        return 0
    if not pids:
        report(f"No {_NAMES[role]} runs here.")
        return FAILED
    chosen = pids if action == "stop-all" else pids[-1:]
    stop(chosen, role, settings)
    print(f"Stopped the {_NAMES[role]} of process {', '.join(map(str, chosen))}.")
    return 0
