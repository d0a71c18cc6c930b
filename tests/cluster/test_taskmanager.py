"""What a TaskManager does by itself."""

from pathlib import Path

import pytest

from penstock.deploy.cluster.taskmanager import TaskManager, TaskManagerSettings
from tests.cluster.conftest import Cluster, is_alive


def test_a_worker_whose_end_is_told_twice_ends_once(tmp_path: Path) -> None:
    # As when its exit and the loss of the JobManager, with which all workers end, are events of the same moment.
    manager = TaskManager(TaskManagerSettings("127.0.0.1", 1, b"secret", files=tmp_path))
    manager._ended(1)
    manager.stop()
    manager.run()


def test_it_has_the_id_and_the_memory_that_options_say(cluster: Cluster) -> None:
    own = ("-D", "taskmanager.resource-id=orders-1", "-D", "taskmanager.memory.process.size=1 gb")
    cluster.penstock("start-cluster", *own)
    told = cluster.client.get("/taskmanagers/orders-1")
    assert (told["id"], told["path"]) == ("orders-1", "penstock://127.0.0.1/orders-1")
    planned = {part: size for part, size in told["memoryConfiguration"].items() if size is not None}
    assert planned == {"totalProcessMemory": 1 << 30}
    said = cluster.penstock("logs", "taskmanager", "orders-1")
    assert "calls the JobManager" in said and "as orders-1" in said
    for role in ("jobmanager", "taskmanager"):
        (pid,) = cluster.pids(role)
        words = Path(f"/proc/{pid}/cmdline").read_text()
        assert role in words and "orders-1" not in words, "options hold secrets"


@pytest.mark.slow
def test_one_that_is_given_the_id_of_another_takes_its_place_and_the_other_ends(cluster: Cluster) -> None:
    own = ("-D", "taskmanager.resource-id=orders-1")
    cluster.penstock("start-cluster", *own)
    (first,) = cluster.pids("taskmanager")
    cluster.penstock("taskmanager", "start", *own)
    second = cluster.pids("taskmanager")[-1]
    cluster.wait_for(lambda: not is_alive(first))
    (out,) = (cluster.home / "log").glob("*taskmanager-0*.out")
    assert (
        f"process {second} on 127.0.0.1 has joined later with the same taskmanager.resource-id"
        in out.read_text()
    )
    (told,) = cluster.wait_for(lambda: cluster.client.get("/taskmanagers")["taskmanagers"])
    assert told["id"] == "orders-1"


@pytest.mark.parametrize(
    "command", [("start-cluster", "-n", "2"), ("run-application", "--taskmanagers", "2", "x.py")]
)
def test_several_taskmanagers_do_not_get_one_id(
    cluster: Cluster, command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "x.py").write_text("")
    first, *others = command
    said = cluster.penstock(
        first, "-D", "taskmanager.resource-id=one", *others, check=False, directory=tmp_path
    )
    assert "the id of one TaskManager, and 2 are to be started" in said
    assert not (cluster.home / "run").exists()


def test_options_that_make_no_sense_keep_it_from_starting(cluster: Cluster) -> None:
    for option, says in (
        ("taskmanager.resource-id=a/b", "cannot start: taskmanager.resource-id is 'a/b'; an id has letters"),
        ("taskmanager.resource-id=..", "cannot start: taskmanager.resource-id is '..'; an id has letters"),
        ("taskmanager.memory.process.size=big", "'big' is not a memory size"),
    ):
        said = cluster.penstock("taskmanager", "start-foreground", "-D", option, check=False)
        assert says in said
