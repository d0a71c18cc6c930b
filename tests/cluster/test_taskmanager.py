"""What a TaskManager does by itself."""

from pathlib import Path

from penstock.deploy.cluster.taskmanager import TaskManager, TaskManagerSettings


def test_a_worker_whose_end_is_told_twice_ends_once(tmp_path: Path) -> None:
    # As when its exit and the loss of the JobManager, with which all workers end, are events of the same moment.
    manager = TaskManager(TaskManagerSettings("127.0.0.1", 1, b"secret", files=tmp_path))
    manager._ended(1)
    manager.stop()
    manager.run()
