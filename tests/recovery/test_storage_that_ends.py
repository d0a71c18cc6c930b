"""Checkpoint storage that is full, may not be written, vanishes under a job, or is another job's too."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.common import WatermarkStrategy
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.job_client import JobClient
from penstock.errors import JobCancelled, JobFailed
from penstock.state_processor import Savepoint
from penstock.testing import CollectingSink, ScriptedSource
from tests.cli.commands import Folder
from tests.missing import leave_out_for_want_of

TOLERABLE = "execution.checkpointing.tolerable-failed-checkpoints"
RETENTION = "execution.checkpointing.externalized-checkpoint-retention"
TOO_FEW_BYTES = 256 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TOO_FEW_BYTES}", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        leave_out_for_want_of("a small file system", "run the tests as a user who may mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class RunningJob:
    """A job that has some state, has nothing to do, and goes on taking checkpoints."""

    def __init__(self, directory: Path, **options: str) -> None:
        env = StreamExecutionEnvironment.get_execution_environment(
            {
                "execution.checkpointing.interval": "10 ms",
                "execution.checkpointing.dir": str(directory),
                "restart-strategy.type": "none",
                RETENTION: "RETAIN_ON_CANCELLATION",
                **options,
            }
        )
        source = ScriptedSource(range(100), bounded=False)
        numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
        sums = numbers.key_by(lambda number: number % 10).reduce(lambda a, b: a + b).uid("sums")
        sink = CollectingSink()
        sums.sink_to(sink)
        self.directory = directory
        self.client: JobClient = env.execute_async()
        while len(sink.records) < 100:
            self._check_running()

    def _check_running(self) -> None:
        assert not self.client.get_job_status().result().is_globally_terminal_state()

    def wait_for(self, what: Callable[[CheckpointStatistics], bool]) -> CheckpointStatistics:
        """The next checkpoint that is begun from now on and is of this kind."""
        last = max((each.checkpoint_id for each in self.client.get_checkpoints()), default=0)
        while True:
            for each in self.client.get_checkpoints():
                if each.checkpoint_id > last and what(each):
                    return each
            self._check_running()

    def complete(self) -> CheckpointStatistics:
        return self.wait_for(lambda each: each.state is CheckpointState.COMPLETED)

    def failed(self) -> str:
        return str(self.wait_for(lambda each: each.state is CheckpointState.FAILED).failure)

    def cancel(self) -> Path:
        """Cancel the job; the newest checkpoint of those that it leaves behind."""
        self.client.cancel().result(120)
        with pytest.raises(JobCancelled):
            self.client.get_job_execution_result().result(120)
        left = [manifest.parent for manifest in self.directory.rglob("_metadata")]
        return max(left, key=lambda checkpoint: int(checkpoint.name.removeprefix("chk-")))

    def ends_with(self) -> str:
        with pytest.raises(JobFailed) as failure:
            self.client.get_job_execution_result().result(120)
        return str(failure.value)


def sums_in(checkpoint: Path) -> dict[int, int]:
    rows = Savepoint.read(str(checkpoint)).state("sums", "_keyed_reduce").rows()
    return {row["key"]: row["value"] for row in rows}


EXPECTED = {key: sum(range(key, 100, 10)) for key in range(10)}


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"0" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_a_job_goes_on_while_the_disk_is_full_and_takes_checkpoints_when_it_is_not(small_disk: Path) -> None:
    job = RunningJob(small_disk / "checkpoints", **{TOLERABLE: "1000000"})
    job.complete()
    ballast = fill(small_disk)
    while "No space left on device" not in job.failed():
        pass  # one that was begun before
    ballast.unlink()
    job.complete()
    assert sums_in(job.cancel()) == EXPECTED
    # Nothing is left of what could not be written as a whole.
    left = {path.name for path in (small_disk / "checkpoints").rglob("*") if path.is_dir()}
    assert len([name for name in left if name.startswith("chk-")]) == 1


def test_a_full_disk_fails_a_job_that_tolerates_no_failed_checkpoint(small_disk: Path) -> None:
    job = RunningJob(small_disk / "checkpoints", **{TOLERABLE: "0"})
    fill(small_disk)
    message = job.ends_with()
    assert "cannot be written: No space left on device" in message
    assert "0 failed checkpoints in a row are tolerated" in message
    assert str(small_disk) in message


def test_a_directory_that_may_not_be_written_any_more_is_named(small_disk: Path) -> None:
    job = RunningJob(small_disk / "checkpoints", **{TOLERABLE: "1000000"})
    job.complete()
    remount = ["mount", "-o", "remount,{}", str(small_disk)]
    subprocess.run([word.format("ro") for word in remount], check=True)
    while "cannot be written: Read-only file system" not in job.failed():
        pass
    subprocess.run([word.format("rw") for word in remount], check=True)
    job.complete()
    # An older one may be left, too, which was to be removed while nothing could be.
    assert sums_in(job.cancel()) == EXPECTED


def test_a_directory_without_permission_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        leave_out_for_want_of("a user who may not write everywhere", "run the tests as another one than root")
    (tmp_path / "checkpoints").mkdir(mode=0o500)
    assert "cannot be written: Permission denied" in RunningJob(tmp_path / "checkpoints").ends_with()


LIMITED = """
import resource
from penstock.chance import seeded
from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.testing import ScriptedSource

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
env = StreamExecutionEnvironment.get_execution_environment(
    {"execution.checkpointing.interval": "10 ms", "execution.checkpointing.dir": "checkpoints",
     "restart-strategy.type": "none"})
numbers = env.from_source(ScriptedSource(range(10), bounded=False), WatermarkStrategy.no_watermarks(), "numbers")
blobs = numbers.map(lambda number: (number, seeded(number).randbytes(100_000)))
blobs.key_by(lambda pair: pair[0]).reduce(lambda a, b: b).add_sink(lambda pair: None)
env.execute()
"""


def test_a_file_that_grows_beyond_what_is_allowed_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("limited.py", LIMITED)
    finished = folder.penstock("run", "limited.py")
    assert finished.code == 1
    assert "cannot be written: File too large" in finished.err
    assert "tolerable-failed-checkpoints" in finished.err
    assert not list((tmp_path / "checkpoints").rglob("*.parquet"))


# A directory that vanishes ------------------------------------------------------------------------------------------------


def test_a_directory_that_vanishes_is_made_anew_by_the_next_checkpoint(tmp_path: Path) -> None:
    job = RunningJob(tmp_path / "checkpoints", **{TOLERABLE: "1000000"})
    job.complete()
    shutil.rmtree(tmp_path / "checkpoints", ignore_errors=True)
    job.complete()
    job.complete()
    assert sums_in(job.cancel()) == EXPECTED


# Two jobs in one directory -------------------------------------------------------------------------------------------------


def test_of_two_jobs_in_one_directory_none_removes_what_the_other_has_completed(tmp_path: Path) -> None:
    options = {"execution.checkpointing.create-subdir": "false", TOLERABLE: "1000000"}
    first = RunningJob(tmp_path / "checkpoints", **options)
    first.complete()
    kept = first.cancel()
    files = {path.name: path.read_bytes() for path in kept.iterdir()}
    second = RunningJob(tmp_path / "checkpoints", **options)
    failure = ""
    while "already" not in failure:
        failure = next(
            (str(each.failure) for each in second.client.get_checkpoints() if "already" in str(each.failure)),
            "",
        )
        assert not second.client.get_job_status().result().is_globally_terminal_state()
    assert "let every job have a directory of its own" in failure
    second.complete()
    second.client.cancel().result(120)
    with pytest.raises(JobCancelled):
        second.client.get_job_execution_result().result(120)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == files
    assert sums_in(kept) == EXPECTED
