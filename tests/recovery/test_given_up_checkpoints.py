"""Checkpoints that are given up: whoever looks into the directory finds none that the job has gone back behind."""

import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.endings import Ending
from penstock.checkpoint.events import CompletedCheckpoint, SavepointRequest
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.settings import checkpoint_settings
from penstock.checkpoint.snapshot_files import write_operator_snapshot
from penstock.clock import ManualClock
from penstock.dataflow.submission import JobStatus
from penstock.datastream import StreamExecutionEnvironment
from penstock.deploy.cluster.found_checkpoints import find_checkpoints
from penstock.deploy.cluster.job_store import LatestCheckpoint
from penstock.errors import OutsideError, PenstockError
from penstock.ids import JobID
from penstock.operators.contract import OperatorSnapshot
from penstock.plan.compile import compile_graph
from penstock.runtime.background import Background, Then, Work
from penstock.runtime.coordination.split_assignment import SplitAssignment
from penstock.runtime.job.checkpointing import JobCheckpoints, JobReach
from penstock.runtime.job.start import Succession
from penstock.runtime.messages import (
    CheckpointAcknowledged,
    CheckpointCompleted,
    CheckpointDeclined,
    Deployment,
)
from penstock.runtime.placement import placed_together

JOB = JobID("5" * 32)


class SlowStorage(Background):
    """Work is done when the test lets it, and taken up when the owner asks; waiting for it does all that is left."""

    def __init__(self, name: str, wake_up: Callable[[], None]) -> None:
        super().__init__(name, wake_up, threaded=False)
        self.waiting: deque[tuple[Work, Then]] = deque()

    def submit(self, work: Work, then: Then) -> None:
        self._under_way += 1
        self.waiting.append((work, then))

    def do_one(self) -> None:
        self._do(*self.waiting.popleft())

    def settle(self) -> None:
        while self.waiting:
            self.do_one()
        self.deliver()

    def close(self, finish: bool = False) -> None:
        while self.waiting:
            self.do_one()


class Job:
    """The checkpoints of a job of one source and one sink, without the tasks."""

    def __init__(self, folder: Path, **options: str) -> None:
        env = StreamExecutionEnvironment.get_execution_environment(
            {
                "execution.checkpointing.interval": "10 ms",
                "execution.checkpointing.dir": str(folder),
                **options,
            }
        )
        self.directory = folder / str(JOB)
        env.from_sequence(1, 10).print()
        self.graph = compile_graph(env.get_stream_graph())
        self.clock = ManualClock(1_000)
        self.failures: list[PenstockError] = []
        self.storage: SlowStorage | None = None
        self.sent: list[Any] = []
        reach = JobReach(self.sent.append, self.failures.append, lambda: None, self.clock, self._storage)
        self.noted: LatestCheckpoint | None = None
        self.refuses_notes = False
        self.checkpoints = JobCheckpoints(
            Deployment(JOB, 0, self.graph, placed_together(self.graph)),
            checkpoint_settings(self.graph.settings),
            reach,
            Succession(note=self._note),
        )
        self.splits = SplitAssignment(self.graph, lambda subtask, message: None, lambda: None, self.clock)
        self.splits.start()
        self.checkpoints.start(self.splits)

    def _note(self, latest: CompletedCheckpoint | None) -> None:
        if self.refuses_notes:
            raise OutsideError("no note can be written")
        directory = None if latest is None else latest.directory
        self.noted = None
        if latest is not None and directory is not None:
            self.noted = LatestCheckpoint(latest.checkpoint_id, directory)

    def _storage(self, name: str, wake_up: Callable[[], None]) -> Background:
        self.storage = SlowStorage(name, wake_up)
        return self.storage

    def take_checkpoint(self, number: int) -> None:
        """All subtasks have written their parts, and the manifest is to be written."""
        self.clock.advance(10)
        self.checkpoints.turn()
        self.acknowledge(number, self.directory / f"chk-{number}")

    def take_last_savepoint(self, number: int, directory: Path) -> None:
        """The same of a savepoint that ends the job."""
        self.checkpoints.want_savepoint(
            SavepointRequest(1, str(directory), Ending.SUSPEND), lambda path, error: None
        )
        self.acknowledge(number, directory)

    def acknowledge(self, number: int, directory: Path) -> None:
        """All subtasks have written their parts."""
        for vertex in self.graph.vertices:
            head = vertex.head
            snapshot = OperatorSnapshot(own=["what it has to remember"], checkpoint_id=number)
            place = CheckpointPlace(str(directory))
            for subtask in vertex.subtasks():
                where = SubtaskPlace(subtask.index, vertex.parallelism, vertex.max_parallelism)
                handle = write_operator_snapshot(place, snapshot, head.id, head.name, where)
                self.checkpoints.take(CheckpointAcknowledged(subtask, number, {head.id: handle}))

    def write_manifest(self) -> None:
        """The manifest is there, and nobody has been told."""
        assert self.storage is not None
        self.storage.do_one()

    def found(self) -> int:
        """The number of the checkpoint that a JobManager finds which takes over from this one; 0 for none."""
        newest = find_checkpoints(self.graph, str(JOB), self.noted).latest
        return 0 if newest is None else newest.checkpoint_id

    def goes_on_from(self) -> int:
        restore = self.checkpoints.begin_again()
        return 0 if restore is None else restore.checkpoint_id


@pytest.mark.parametrize("is_written", [True, False])
def test_a_job_that_fails_while_a_manifest_is_written_goes_on_from_that_checkpoint(
    is_written: bool, tmp_path: Path
) -> None:
    job = Job(tmp_path)
    job.take_checkpoint(1)
    if is_written:
        job.write_manifest()
    job.checkpoints.stop("a worker was lost")
    assert job.goes_on_from() == job.found() == 1
    assert job.failures == []


def test_before_a_job_goes_back_behind_a_checkpoint_its_manifest_is_gone(tmp_path: Path) -> None:
    job = Job(tmp_path, **{"execution.checkpointing.tolerable-failed-checkpoints": "9"})
    job.take_checkpoint(1)
    shutil.rmtree(job.directory)
    job.write_manifest()
    job.checkpoints.turn()
    # What was reported as failed is there all the same, as on storage whose answer was lost.
    other = Job(tmp_path / "other")
    other.take_checkpoint(1)
    other.write_manifest()
    shutil.copytree(other.directory, job.directory)
    assert job.found() == 1
    job.checkpoints.stop("a worker was lost")
    assert job.goes_on_from() == job.found() == 0


def test_a_cancelled_job_keeps_the_checkpoint_whose_manifest_was_being_written(tmp_path: Path) -> None:
    retention = {"execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION"}
    job = Job(tmp_path, **retention)
    job.take_checkpoint(1)
    job.checkpoints.close(JobStatus.CANCELED)
    assert job.found() == 1


def test_a_manifest_that_cannot_be_written_fails_no_job_that_is_stopping_already(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.take_checkpoint(1)
    shutil.rmtree(job.directory)
    job.checkpoints.stop("a worker was lost")
    assert job.goes_on_from() == job.found() == 0
    assert job.failures == []


def test_no_checkpoint_comes_of_files_that_vanish_before_its_manifest_is_written(tmp_path: Path) -> None:
    job = Job(tmp_path, **{"execution.checkpointing.tolerable-failed-checkpoints": "9"})
    job.take_checkpoint(1)
    shutil.rmtree(job.directory)
    job.write_manifest()
    job.checkpoints.turn()
    [failed] = [each for each in job.checkpoints.history if each.failure]
    assert "has vanished before checkpoint 1 was complete" in str(failed.failure)
    assert job.found() == 0


def test_what_another_coordinator_has_completed_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    options = {"execution.checkpointing.tolerable-failed-checkpoints": "9"}
    job = Job(tmp_path, **options)
    job.take_checkpoint(1)
    theirs = job.directory / "chk-1" / "_metadata"
    other = Job(tmp_path / "other", **options)
    other.take_checkpoint(1)
    other.write_manifest()
    shutil.copy(other.directory / "chk-1" / "_metadata", theirs)
    before = theirs.read_bytes()
    job.write_manifest()
    job.checkpoints.turn()
    assert "is not replaced" in str(job.checkpoints.history[0].failure)
    job.checkpoints.stop("a worker was lost")
    job.goes_on_from()
    job.checkpoints.close(JobStatus.CANCELED)
    assert theirs.read_bytes() == before


def test_nothing_is_left_of_a_savepoint_whose_parts_come_when_it_has_been_given_up(tmp_path: Path) -> None:
    job = Job(tmp_path / "checkpoints")
    directory = tmp_path / "savepoint"
    answers: list[Any] = []
    request = SavepointRequest(1, str(directory))
    job.checkpoints.want_savepoint(request, lambda path, error: answers.append(path))
    job.acknowledge(1, directory)
    job.write_manifest()
    assert (directory / "_metadata").is_file()
    job.checkpoints.stop("a worker was lost")
    assert answers == [None]
    job.acknowledge(1, directory / "late")
    job.checkpoints.close(JobStatus.FAILED)
    assert not directory.exists()


def test_a_savepoint_that_ends_a_job_is_noted_before_sinks_commit_it(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.take_checkpoint(1)
    job.write_manifest()
    job.checkpoints.turn()
    job.take_last_savepoint(2, tmp_path / "saved")
    assert job.found() == 1
    job.write_manifest()
    assert CheckpointCompleted(2) not in job.sent
    assert job.found() == 2
    job.checkpoints.turn()
    assert CheckpointCompleted(2) in job.sent
    assert job.goes_on_from() == job.found() == 2


def test_a_savepoint_that_is_given_up_although_it_is_there_is_not_gone_on_from(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.take_checkpoint(1)
    job.write_manifest()
    job.checkpoints.turn()
    job.take_last_savepoint(2, tmp_path / "saved")
    job.write_manifest()
    assert job.found() == 2
    job.checkpoints.stop("a worker was lost")
    assert job.goes_on_from() == job.found() == 1
    assert CheckpointCompleted(2) not in job.sent


def test_a_checkpoint_that_cannot_be_noted_is_none(tmp_path: Path) -> None:
    job = Job(tmp_path, **{"execution.checkpointing.tolerable-failed-checkpoints": "9"})
    job.take_checkpoint(1)
    job.refuses_notes = True
    job.write_manifest()
    job.checkpoints.turn()
    assert "no note" in str(job.checkpoints.history[0].failure)
    assert CheckpointCompleted(1) not in job.sent
    assert job.noted is None


def test_what_is_noted_never_goes_back_when_files_of_an_older_checkpoint_are_removed(tmp_path: Path) -> None:
    job = Job(
        tmp_path,
        **{
            "execution.checkpointing.tolerable-failed-checkpoints": "9",
            "execution.checkpointing.max-concurrent-checkpoints": "2",
        },
    )
    job.clock.advance(10)
    job.checkpoints.turn()
    source = next(iter(job.graph.vertices[0].subtasks()))
    job.checkpoints.take(CheckpointDeclined(source, 1, OutsideError("the disk is full")))
    job.take_checkpoint(2)
    job.take_checkpoint(3)
    job.write_manifest()
    job.checkpoints.turn()  # the second is complete, so that what is left of the first may go
    job.write_manifest()
    assert job.storage is not None
    for _ in range(2):
        job.storage.settle()  # the third is complete, so that the second may go
    assert not (job.directory / "chk-2").exists()
    assert job.found() == 3


@pytest.mark.parametrize(("end", "is_warned_of"), [("the job ends", False), ("a part of it fails", True)])
def test_a_warning_is_logged_where_a_checkpoint_was_wanted(
    end: str, is_warned_of: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = Job(tmp_path)
    job.clock.advance(10)
    job.checkpoints.turn()
    with caplog.at_level("INFO", logger="penstock"):
        if is_warned_of:
            job.checkpoints.stop(end)
        else:
            job.checkpoints.close(JobStatus.FINISHED)
    given_up = [record for record in caplog.records if "checkpoint 1 " in record.message]
    assert [record.levelname for record in given_up] == ["WARNING" if is_warned_of else "INFO"]
