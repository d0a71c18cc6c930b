"""Clusters of daemons: how long they take to start and to run a job, and what many jobs and requests cost them."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.workloads import local_cluster
from penstock.errors import PenstockError


def start() -> Callable[[], dict[str, Any]]:
    """``penstock start-cluster`` as a whole, until its TaskManager has joined and the API answers."""

    def work() -> dict[str, Any]:
        with local_cluster.home_directory() as home:
            began = time.perf_counter()
            local_cluster.start(home)
            seconds = time.perf_counter() - began
            local_cluster.stop(home)
        return {"records": 1, "ready_s": seconds}

    return work


def submission() -> Callable[[], dict[str, Any]]:
    """From handing a small job over until it runs, on a cluster that has run one before."""

    def work() -> dict[str, Any]:
        with local_cluster.running() as (_, client):
            local_cluster.submit(client, 10, 1000.0).get_job_execution_result().result()
            began = time.perf_counter()
            job = local_cluster.submit(client, 100_000, 100.0)
            path = f"/jobs/{job.get_job_id()}"
            while client.get(f"{path}/status")["status"] != "RUNNING":
                time.sleep(0.002)
            seconds = time.perf_counter() - began
            client.ask("PATCH", f"{path}?mode=cancel")
        return {"records": 1, "running_s": seconds}

    return work


def many_jobs(jobs: int, requests_per_s: int, seconds: int) -> Callable[[], dict[str, Any]]:
    """Jobs that run at once, while clients ask the API at a rate."""

    def work() -> dict[str, Any]:
        with local_cluster.running("-s", str(jobs)) as (home, client):
            ids = [local_cluster.submit(client, 1 << 40, 10.0).get_job_id() for _ in range(jobs)]
            while any(client.get(f"/jobs/{each}/status")["status"] != "RUNNING" for each in ids):
                time.sleep(0.05)
            paths = [
                "/overview",
                "/jobs/overview",
                "/taskmanagers",
                f"/jobs/{ids[0]}",
                f"/jobs/{ids[-1]}/checkpoints",
            ]
            failed = _ask(client, paths, requests_per_s, seconds)
            memory = local_cluster.resident_mib(local_cluster.pid_of(home, "jobmanager"))
        return {"records": requests_per_s * seconds, "failed_requests": len(failed), "jobmanager_mib": memory}

    return work


def _ask(client: Any, paths: list[str], requests_per_s: int, seconds: int) -> list[str]:
    """Ask from four threads, each at its share of the rate; what went wrong."""
    failed: list[str] = []
    threads = 4

    def ask() -> None:
        began = time.perf_counter()
        for number in range(requests_per_s * seconds // threads):
            time.sleep(max(0.0, began + number * threads / requests_per_s - time.perf_counter()))
            try:
                client.get(paths[number % len(paths)])
            except PenstockError as error:
                failed.append(str(error))

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return failed


def submit_cancel(cycles: int) -> Callable[[], dict[str, Any]]:
    """Jobs that are submitted and cancelled one after the other; what is left of them in JobManager and TaskManager."""

    def cycle(client: Any) -> None:
        job = local_cluster.submit(client, 1 << 40, 10.0)
        path = f"/jobs/{job.get_job_id()}"
        while client.get(f"{path}/status")["status"] != "RUNNING":
            time.sleep(0.005)
        client.ask("PATCH", f"{path}?mode=cancel")
        while client.get(f"{path}/status")["status"] != "CANCELED":
            time.sleep(0.005)

    def work() -> dict[str, Any]:
        with local_cluster.running() as (home, client):
            pids = [local_cluster.pid_of(home, role) for role in ("jobmanager", "taskmanager")]
            for _ in range(max(5, cycles // 10)):
                cycle(client)
            before = [_figures(pid) for pid in pids]
            for _ in range(cycles):
                cycle(client)
            time.sleep(1.0)  # the last worker may still be ending
            after = [_figures(pid) for pid in pids]
        growth = [
            {name: after_it[name] - before_it[name] for name in before_it}
            for before_it, after_it in zip(before, after, strict=True)
        ]
        names = ("threads", "descriptors", "children", "mib")
        return {"records": cycles, **{f"more_{name}": max(each[name] for each in growth) for name in names}}

    return work


def _figures(pid: int) -> dict[str, float]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "children": len(children),
        "mib": local_cluster.resident_mib(pid),
    }
