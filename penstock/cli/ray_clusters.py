"""Clusters whose processes are actors of Ray: ``start-cluster --on ray`` and ``stop-cluster --on ray``."""

import os
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from penstock.cli.carrying_out import FAILED, report
from penstock.cli.client_logging import configure_client
from penstock.cli.cluster_processes import serve_jobmanager, taskmanager_of, wait_until
from penstock.cli.cluster_settings import ClusterSettings
from penstock.cli.clusters import client_of
from penstock.cli.coordination import Coordination
from penstock.deploy.cluster.secret import cluster_secret, keep_secret
from penstock.errors import PenstockError, ProgramError
from penstock.logs.roles import Role, configure, next_log

READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Shipping:
    """What the actors bring along: ``-pyfs``, ``-pyreq``, ``-pyarch``."""

    files: str | None = None
    requirements: str | None = None
    archives: str | None = None


def start_ray_cluster(settings: ClusterSettings, taskmanagers: int, address: str, shipping: Shipping) -> int:
    """A JobManager and TaskManagers as actors; gives the exit code once all have joined."""
    from penstock.deploy.ray import cluster
    from penstock.deploy.ray.plan import ray_plan
    from penstock.deploy.ray.runtime_env import runtime_env

    configure_client(Role.SESSION, settings)
    try:
        if settings.storage_dir is None:
            raise ProgramError(
                "a cluster on Ray notes its jobs where each node can read them, so that another node can take them up: set "
                "high-availability.storageDir to a directory or URL that all nodes reach"
            )
        secret = cluster_secret(settings.run_dir)
        with tempfile.TemporaryDirectory() as scratch:
            env = runtime_env(shipping.files, shipping.requirements, shipping.archives, Path(scratch))
            plan = ray_plan(settings.options, taskmanagers, env)
            with cluster.connected(address, plan.namespace):
                if cluster.is_running():
                    report("A JobManager runs already in this Ray cluster.")
                    return FAILED
                print(f"Starting the JobManager and {taskmanagers} TaskManagers on Ray.")
                cluster.start(
                    plan,
                    partial(begin_jobmanager, settings, secret),
                    partial(begin_taskmanager, settings, secret),
                )
    except PenstockError as error:
        report(str(error))
        return FAILED
    client = client_of(settings)
    if not wait_until(lambda: client.get("/overview")["taskmanagers"] >= taskmanagers, READY_S):
        report(f"The cluster is not complete after {READY_S:g} s; Ray's dashboard and logs say why.")
        return FAILED
    print(f"The cluster is ready: http://{client.host}:{client.port}")
    return 0


def stop_ray_cluster(settings: ClusterSettings, address: str) -> int:
    """Kill the actors; gives the exit code."""
    from penstock.deploy.ray import cluster

    try:
        with cluster.connected(address, settings.options.get("ray.namespace", "penstock")):
            stopped = cluster.stop()
    except PenstockError as error:
        report(str(error))
        return FAILED
    if not stopped:
        report("No cluster runs there.")
        return 0
    print(f"Stopped {stopped} actors.")
    return 0


# What runs in the actors ------------------------------------------------------------------------------------------------


def begin_jobmanager(settings: ClusterSettings, secret: bytes, host: str) -> Callable[[], None]:
    """Get a JobManager ready on a node."""
    options = {**settings.options, "jobmanager.rpc.address": host, "jobmanager.rpc.port": "0"}
    options.pop("jobmanager.bind-host", None)
    if options.get("rest.token"):
        options["rest.bind-address"] = host
    port = int(options["rest.port"])
    if port and "rest.bind-port" not in options:
        options["rest.bind-port"] = f"{port}-{port + MORE_PORTS}"  # the one before may not be gone yet
    here = replace(settings, options=options)
    jobmanager = Coordination(here, _own_files(here, secret, Role.JOBMANAGER), _stop_all)
    jobmanager.start()
    return partial(serve_jobmanager, jobmanager, threading.Event())


def begin_taskmanager(settings: ClusterSettings, secret: bytes, host: str) -> Callable[[], None]:
    """Get a TaskManager ready on a node."""
    here = replace(settings, options={**settings.options, "taskmanager.host": host})
    return taskmanager_of(here, _own_files(here, secret, Role.TASKMANAGER)).run


MORE_PORTS = 20


def _stop_all() -> None:
    from penstock.deploy.ray import cluster

    cluster.stop()


def _own_files(settings: ClusterSettings, secret: bytes, role: Role) -> str:
    """The secret, a log and an output of this process alone, where the cluster's home is on this node."""
    keep_secret(settings.run_dir, secret)
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    while True:
        log = str(next_log(settings.log_dir, role))
        try:
            descriptor = os.open(f"{log}.out", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            continue
        break
    configure(role, settings.conf_dir, {**settings.options, "log.file": f"{log}.log"})
    sys.stdout = sys.stderr = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")
    return log
