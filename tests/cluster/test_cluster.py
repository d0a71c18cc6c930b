"""The scenario of the handbook and what goes wrong around it, with real processes."""

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster, is_alive

PROGRAM = Path(__file__).with_name("counting.py")


def last_counts(lines: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in lines:
        key, _, count = line.split(":")
        counts[key] = max(counts.get(key, 0), int(count))
    return counts


def numbers(lines: list[str]) -> set[int]:
    return {int(line.split(":")[1]) for line in lines}


def test_a_job_outlives_its_client_a_taskmanager_and_the_jobmanager(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster", "-n", "2")
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, "-p", "2", checkpoints, "--", "1800", "150")
    cluster.wait_for(lambda: len(cluster.output()) > 50)
    assert f"{job} : counting (RUNNING)" in cluster.penstock("list", "-m", cluster.address)

    os.kill(cluster.pids("taskmanager")[0], signal.SIGKILL)
    cluster.wait_for_state(job, "RESTARTING")
    cluster.penstock("taskmanager", "start")
    cluster.wait_for_state(job, "RUNNING")

    before = len(cluster.output())
    cluster.wait_for(lambda: len(cluster.output()) > before + 20)
    os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
    cluster.penstock("jobmanager", "start")
    cluster.wait_for_state(job, "FINISHED")
    cluster.wait_for(lambda: numbers(cluster.output()) == set(range(1800)))
    # Lines that were printed after a checkpoint are printed again; the counts go on where they were.
    assert numbers(cluster.output()) == set(range(1800))
    assert last_counts(cluster.output()) == {"0": 600, "1": 600, "2": 600}
    assert len(list((cluster.home / "log").glob("*taskmanager*.out"))) == 3


def test_cancelled_with_a_savepoint_and_gone_on_from_it_at_another_parallelism(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    job = cluster.submit(PROGRAM, "-p", "2", "--", "6000", "200")
    cluster.wait_for(lambda: len(cluster.output()) > 50)
    said = cluster.penstock("savepoint", "-m", cluster.address, job, str(tmp_path / "first"))
    assert "Savepoint completed. Path: " in said
    disposed = said.split("Path: ")[1].split()[0]
    assert "disposed" in cluster.penstock("savepoint", "-m", cluster.address, "-d", disposed)
    assert not Path(disposed).exists()
    said = cluster.penstock("cancel", "-m", cluster.address, "-s", str(tmp_path / "second"), job)
    savepoint = said.split("stored in ")[1].split()[0].rstrip(".")
    cluster.wait_for_state(job, "CANCELED")
    again = cluster.submit(PROGRAM, "-p", "1", "-s", savepoint, "--", "6000", "20000")
    cluster.wait_for_state(again, "FINISHED")
    cluster.wait_for(lambda: len(cluster.output()) >= 6000)  # what is printed last may come after the end
    assert last_counts(cluster.output()) == {"0": 2000, "1": 2000, "2": 2000}
    # As in Flink, the job goes on between the savepoint and its end; what it printed then is printed again.
    assert numbers(cluster.output()) == set(range(6000))


@pytest.mark.slow
def test_a_savepoint_goes_where_the_options_of_the_cluster_say(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock(
        "start-cluster", "-D", f"execution.checkpointing.savepoint-dir={tmp_path / 'savepoints'}"
    )
    job = cluster.submit(PROGRAM, "--", "1000000", "100")
    cluster.wait_for_state(job, "RUNNING")
    said = cluster.penstock("savepoint", job)
    (savepoint,) = (tmp_path / "savepoints").iterdir()
    assert f"Savepoint completed. Path: {savepoint}" in said


@pytest.mark.slow
def test_a_job_waits_for_slots_and_runs_when_a_taskmanager_joins(cluster: Cluster) -> None:
    cluster.penstock("start-cluster", "-n", "0")
    job = cluster.submit(PROGRAM, "--", "30", "1000")
    assert "(CREATED)" in cluster.penstock("list", "-s", "-m", cluster.address)
    cluster.penstock("taskmanager", "start")
    cluster.wait_for_state(job, "FINISHED")


def test_the_secret_is_for_its_owner_alone_and_a_stranger_is_refused(cluster: Cluster) -> None:
    cluster.penstock("start-cluster", "-n", "0")
    secret = cluster.home / "run" / "cluster.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.write_text("00" * 32)
    cluster.penstock("taskmanager", "start")
    log = cluster.wait_for(lambda: "refuse" in cluster.logs() and cluster.logs())
    assert "the JobManager refuses this TaskManager" in log
    assert cluster.client.get("/overview")["taskmanagers"] == 0


@pytest.mark.slow
def test_a_port_that_is_taken_is_named_and_a_range_is_searched(cluster: Cluster) -> None:
    import socket

    with socket.create_server(("127.0.0.1", cluster.rest_port)):
        said = cluster.penstock("start-cluster", check=False)
        assert f"cannot listen on 127.0.0.1:{cluster.rest_port}" in said
        assert "rest.bind-port" in said
        assert f"process {os.getpid()} (" in said
        assert cluster.pids("taskmanager") == cluster.pids("jobmanager") == []
    with socket.create_server(("127.0.0.1", cluster.rpc_port)):
        said = cluster.penstock("start-cluster", check=False)
        assert f"process {os.getpid()} (" in said and "set jobmanager.rpc.port to another" in said
    with socket.create_server(("127.0.0.1", cluster.rest_port)):
        assert "No cluster runs here." in cluster.penstock("stop-cluster")
        ready = cluster.penstock(
            "start-cluster", "-D", f"rest.bind-port={cluster.rest_port}-{cluster.rest_port + 20}"
        )
        assert "The cluster is ready: http://" in ready


def test_an_address_that_others_can_reach_needs_a_token_and_tls(cluster: Cluster) -> None:
    said = cluster.penstock("start-cluster", "-D", "rest.bind-address=0.0.0.0", check=False)
    assert "set rest.token" in said
    open_to_all = ("-D", "rest.bind-address=0.0.0.0", "-D", "rest.token=t0ken")
    said = cluster.penstock("start-cluster", *open_to_all, check=False)
    assert "set security.ssl.rest.enabled" in said


@pytest.mark.slow
def test_nothing_is_left_of_a_cluster_that_was_stopped(cluster: Cluster) -> None:
    cluster.penstock("start-cluster", "-n", "2")
    job = cluster.submit(PROGRAM, "-p", "2", "--", "100000", "50")
    cluster.wait_for_state(job, "RUNNING")
    pids = cluster.pids("taskmanager") + cluster.pids("jobmanager")
    assert "Stopped 2 TaskManagers." in cluster.penstock("stop-cluster")
    assert not any(is_alive(pid) for pid in pids)
    assert "No cluster runs here." in cluster.penstock("stop-cluster")
