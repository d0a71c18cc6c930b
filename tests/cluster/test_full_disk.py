"""A disk that is full where logs are: the cluster starts, works and tells, and nothing of its jobs is lost."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster
from tests.cluster.test_fencing import COUNT, assert_comes_to_its_end_exactly_once, complete_lines
from tests.missing import leave_out_for_want_of

TO_FILES = Path(__file__).with_name("to_files.py")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    if made.returncode:
        leave_out_for_want_of("a small file system", f"run as root: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """No byte more has room on it meanwhile."""
    path = disk / "filling"
    with open(path, "wb", buffering=0) as file:
        try:
            for size in (1 << 16, 1 << 12, 1):
                with pytest.raises(OSError, match="No space left"):  # noqa: PT012
                    while True:
                        file.write(b"x" * size)
            yield
        finally:
            os.ftruncate(file.fileno(), 0)


@pytest.mark.slow
def test_a_job_goes_on_while_nothing_can_be_logged_and_records_come_again(
    cluster: Cluster, small_disk: Path, tmp_path: Path
) -> None:
    logs = ("-D", f"env.log.dir={small_disk}")
    with filled(small_disk):
        cluster.penstock("start-cluster", "-n", "1", *logs)
        directory = tmp_path / "out"
        checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
        job = cluster.submit(TO_FILES, checkpoints, "--", str(COUNT), "150", str(directory))
        cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
        cluster.penstock("taskmanager", "start", *logs)
        cluster.wait_for(lambda: cluster.client.get("/overview")["taskmanagers"] == 2)
        assert cluster.penstock("logs", "jobmanager") == ""
    cluster.penstock("savepoint", job, str(tmp_path / "first"))
    cluster.penstock("cancel", "-s", str(tmp_path / "second"), job)
    cluster.wait_for_state(job, "CANCELED")
    assert "is CANCELED" in cluster.penstock("logs", "jobmanager")
    directory = tmp_path / "again"
    job = cluster.submit(TO_FILES, checkpoints, "--", str(COUNT), "150", str(directory))
    with filled(small_disk):
        cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
        assert_comes_to_its_end_exactly_once(cluster, job, directory)


def test_logs_that_have_no_place_are_named(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = cluster.penstock("start-cluster", "-D", f"env.log.dir={tmp_path / 'file'}", check=False)
    assert "cannot be started" in said and str(tmp_path / "file") in said
    assert not (cluster.home / "run" / "penstock-jobmanager.pid").exists()
