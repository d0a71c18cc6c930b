"""A cluster on Ray: two nodes on this machine, of which one is killed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.deploy.cluster.leadership import Epochs
from tests.cluster.conftest import Cluster
from tests.cluster.test_fencing import (
    COUNT,
    assert_comes_to_its_end_exactly_once,
    assert_exactly_once,
    complete_lines,
)
from tests.missing import leave_out_for_want_of
from tests.services.ray_nodes import NoRay, RayNodes, ray_nodes

TO_FILES = Path(__file__).with_name("to_files.py")

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(600)]


@pytest.fixture
def nodes() -> Iterator[RayNodes]:
    python_path = os.environ.get("PYTHONPATH")
    root = str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = root if not python_path else root + os.pathsep + python_path
    try:
        with ray_nodes() as made:
            yield made
    except NoRay as error:
        leave_out_for_want_of(str(error), "pip install 'penstock[ray]'")
    finally:
        if python_path is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = python_path


@pytest.fixture
def ray_cluster(cluster: Cluster, nodes: RayNodes, tmp_path: Path) -> Iterator[Cluster]:
    """Two TaskManagers on two nodes; what the cluster's home has is shared, as a directory on NFS would be."""
    conf = cluster.home / "conf" / "config.yaml"
    conf.write_text(
        conf.read_text() + f"high-availability.storageDir: {tmp_path / 'leading'}\n"
        "ray.placement-strategy: SPREAD\nray.jobmanager.resources: head:0.1\n"
    )
    cluster.penstock("start-cluster", "--on", "ray", "--address", nodes.address, "-n", "2")
    leader = Epochs(f"{tmp_path / 'leading'}/default").leader()
    assert leader is not None
    cluster.rest_port = leader.rest_port
    yield cluster
    cluster.penstock("stop-cluster", "--on", "ray", "--address", nodes.address, check=False)


def test_the_scenario_of_the_handbook_on_two_nodes_of_which_one_is_killed(
    ray_cluster: Cluster, nodes: RayNodes, tmp_path: Path
) -> None:
    hosts = {
        manager["id"].partition("-")[0] for manager in ray_cluster.client.get("/taskmanagers")["taskmanagers"]
    }
    assert hosts == {"127.0.0.2", "127.0.0.3"}
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = ray_cluster.submit(TO_FILES, "-p", "2", checkpoints, "--", str(COUNT), "100", str(directory))
    ray_cluster.wait_for(lambda: len(complete_lines(directory)) > 50)

    nodes.kill_second()
    ray_cluster.wait_for_state(job, "RESTARTING")
    ray_cluster.wait_for_state(
        job, "RUNNING"
    )  # Ray has started the TaskManager again, on the node that is left
    before = len(complete_lines(directory))
    ray_cluster.wait_for(lambda: len(complete_lines(directory)) > before + 50)

    address = ("-m", ray_cluster.address)
    assert f"{job} : to files (RUNNING)" in ray_cluster.penstock("list", *address)
    said = ray_cluster.penstock("savepoint", *address, job, str(tmp_path / "first"))
    assert "Savepoint completed. Path: " in said
    said = ray_cluster.penstock("cancel", *address, "-s", str(tmp_path / "second"), job)
    savepoint = said.split("stored in ")[1].split()[0].rstrip(".")
    ray_cluster.wait_for_state(job, "CANCELED")

    changed = tmp_path / "changed.py"
    before_change = TO_FILES.read_text()
    program = before_change.replace(
        '.uid("count")', '.uid("count").map(lambda line: line + ":changed", Types.STRING()).uid("changed")'
    )
    program = program.replace("import Encoder, ", "import Encoder, Types, ")
    assert program.count("changed") == 2 and "Types, " in program
    changed.write_text(program)
    again = ray_cluster.submit(changed, "-s", savepoint, "--", str(COUNT), "1000000", str(directory))
    ray_cluster.wait_for_state(again, "FINISHED")
    lines = complete_lines(directory)
    assert any(line.endswith(":changed") for line in lines)
    # As in Flink, the job goes on between the savepoint and its end; what it has written then is written again.
    assert_exactly_once(sorted({line.removesuffix(":changed") for line in lines}), COUNT)


def test_a_job_on_ray_whose_node_is_killed_writes_each_line_once(
    ray_cluster: Cluster, nodes: RayNodes, tmp_path: Path
) -> None:
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = ray_cluster.submit(TO_FILES, "-p", "2", checkpoints, "--", str(COUNT), "100", str(directory))
    ray_cluster.wait_for(lambda: len(complete_lines(directory)) > 50)
    nodes.kill_second()
    ray_cluster.wait_for_state(job, "RESTARTING")
    ray_cluster.wait_for_state(job, "RUNNING")
    before = len(complete_lines(directory))
    ray_cluster.wait_for(lambda: len(complete_lines(directory)) > before + 50)
    assert_comes_to_its_end_exactly_once(ray_cluster, job, directory)


def test_a_jobmanager_whose_actor_dies_is_started_again_and_takes_its_jobs_up(
    ray_cluster: Cluster, nodes: RayNodes, tmp_path: Path
) -> None:
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = ray_cluster.submit(TO_FILES, "-p", "2", checkpoints, "--", str(COUNT), "150", str(directory))
    ray_cluster.wait_for(lambda: len(complete_lines(directory)) > 50)
    epochs = Epochs(f"{tmp_path / 'leading'}/default")
    kill_actor(nodes.address, "penstock-jobmanager")
    leader = ray_cluster.wait_for(lambda: (found := epochs.leader()) and found.epoch == 2 and found)
    ray_cluster.rest_port = leader.rest_port
    ray_cluster.wait_for_state(job, "RUNNING")
    assert_comes_to_its_end_exactly_once(ray_cluster, job, directory)


def kill_actor(address: str, name: str) -> None:
    """Kill the process of an actor, as the system would that has no memory left."""
    import ray

    ray.init(address=address, namespace="penstock", log_to_driver=False, logging_level="ERROR")
    try:
        ray.kill(ray.get_actor(name), no_restart=False)
    finally:
        ray.shutdown()
