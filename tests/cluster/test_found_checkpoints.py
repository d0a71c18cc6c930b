"""What a JobManager finds of a job that it takes up: all that is kept, and nothing less because storage hiccups."""

from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractFileSystem

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import CheckpointOutOfReach, Manifest, write_manifest
from penstock.dataflow.job import JobGraph
from penstock.deploy.cluster.found_checkpoints import find_checkpoints, find_start_again, noted
from penstock.deploy.cluster.job_store import JobStore, LatestCheckpoint
from penstock.deploy.cluster.leadership import Epochs
from penstock.errors import OutsideError, StateError
from penstock.runtime.job.start import KeptCheckpoints


def graph(directory: object, **options: str) -> JobGraph:
    settings = {"execution.checkpointing.dir": str(directory), **options}
    return JobGraph("job", (), (), False, settings=settings)


def write(directory: Path, *numbers: int, job: str = "a") -> None:
    for number in numbers:
        write_manifest(str(directory / f"chk-{number}"), Manifest(number, 0, job, "job"))


def numbers(kept: KeptCheckpoints) -> list[int]:
    return [each.checkpoint_id for each in kept.completed]


class Hiccups(MemoryFileSystem):
    """Storage in memory that fails when it is told to."""

    protocol = "hiccups"
    store: dict[str, object] = {}  # noqa: RUF012  (as its parent has it)
    fails = ""
    find = AbstractFileSystem.find

    def ls(self, path: str, detail: bool = True, **options: object) -> object:
        if "ls" in self.fails:
            raise OSError(5, "the storage does not answer")
        return super().ls(path, detail, **options)

    def _open(self, path: str, *rest: object, **options: object) -> object:
        if self.fails and self.fails in path:
            raise OSError(5, "the storage does not answer")
        return super()._open(path, *rest, **options)


@pytest.fixture
def hiccups(monkeypatch: pytest.MonkeyPatch) -> str:
    fsspec.register_implementation("hiccups", Hiccups, clobber=True)
    monkeypatch.setattr(Hiccups, "store", {})
    monkeypatch.setattr(Hiccups, "pseudo_dirs", [""])
    monkeypatch.setattr(Hiccups, "fails", "")
    for number in (1, 2):
        write_manifest(f"hiccups://c/a/chk-{number}", Manifest(number, 0, "a", "job"))
    return "hiccups://c"


def test_all_checkpoints_that_are_kept_are_found_the_oldest_first(tmp_path: Path) -> None:
    write(tmp_path / "a", 10, 9)
    (tmp_path / "a" / "chk-11").mkdir()
    found = find_checkpoints(graph(tmp_path), "a")
    assert (numbers(found), found.numbers_used) == ([9, 10], 11)


def test_storage_that_does_not_answer_is_not_taken_for_storage_without_checkpoints(
    hiccups: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert numbers(find_checkpoints(graph(hiccups), "a")) == [1, 2]
    assert find_checkpoints(graph(hiccups), "b") == KeptCheckpoints()
    monkeypatch.setattr(Hiccups, "fails", "ls")
    with pytest.raises(OutsideError, match="does not answer"):
        find_checkpoints(graph(hiccups), "a")
    monkeypatch.setattr(Hiccups, "fails", "chk-2/_metadata")
    with pytest.raises(CheckpointOutOfReach, match="does not answer"):
        find_checkpoints(graph(hiccups), "a")


def test_a_store_of_jobs_that_cannot_be_listed_is_not_taken_for_an_empty_one(
    hiccups: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JobStore(f"{hiccups}/jobs")
    assert list(store.all()) == []
    store.add("a", b"job")
    assert list(store.all()) == [("a", b"job")]
    monkeypatch.setattr(Hiccups, "fails", "ls")
    with pytest.raises(OutsideError, match="does not answer"):
        list(store.all())
    (tmp_path / "epochs").write_text("no directory")
    with pytest.raises(OutsideError, match="cannot be read"):
        Epochs(str(tmp_path)).newest()
    assert Epochs(str(tmp_path / "not there")).newest() == 0


def test_a_manifest_that_was_being_written_is_passed_over_unless_it_was_noted(tmp_path: Path) -> None:
    write(tmp_path / "a", 1, 2)
    torn = tmp_path / "a" / "chk-2" / "_metadata"
    torn.write_bytes(torn.read_bytes()[:-10])
    assert numbers(find_checkpoints(graph(tmp_path), "a")) == [1]
    noted = LatestCheckpoint(1, str(tmp_path / "a" / "chk-1"))
    assert numbers(find_checkpoints(graph(tmp_path), "a", noted)) == [1]
    noted = LatestCheckpoint(2, str(tmp_path / "a" / "chk-2"))
    with pytest.raises(
        StateError, match=r"sinks may have committed checkpoint 2, and that is lost.*altered or cut"
    ):
        find_checkpoints(graph(tmp_path), "a", noted)


def test_the_savepoint_that_a_job_was_stopped_with_is_gone_on_from(tmp_path: Path) -> None:
    write(tmp_path / "a", 1)
    saved = tmp_path / "saved"
    write_manifest(str(saved), Manifest(2, 0, "a", "job", is_savepoint=True))
    found = find_checkpoints(graph(tmp_path), "a", LatestCheckpoint(2, str(saved)))
    assert (numbers(found), found.numbers_used) == ([1, 2], 2)
    assert [each.owned for each in found.completed] == [True, False]
    without_directory = JobGraph("job", (), (), False)
    assert numbers(find_checkpoints(without_directory, "a", LatestCheckpoint(2, str(saved)))) == [2]


def test_of_a_directory_that_jobs_share_each_finds_its_own(tmp_path: Path) -> None:
    shared = graph(tmp_path, **{"execution.checkpointing.create-subdir": "false"})
    write(tmp_path, 1)
    write(tmp_path, 2, job="b")
    found = find_checkpoints(shared, "a")
    assert (numbers(found), found.numbers_used) == ([1], 2)
    with pytest.raises(StateError, match="is of job b"):
        find_checkpoints(shared, "a", LatestCheckpoint(2, str(tmp_path / "chk-2")))


def test_the_note_of_the_newest_jobmanager_counts_whenever_an_older_one_writes(tmp_path: Path) -> None:
    older, newer = (JobStore(str(tmp_path), epoch=lambda epoch=epoch: epoch) for epoch in (1, 2))
    assert newer.latest("a") is None
    older.add("a", b"job")
    older.note("a", LatestCheckpoint(7, "/seven"))
    assert newer.latest("a") == LatestCheckpoint(7, "/seven")
    newer.note("a", LatestCheckpoint(8, "/eight"))
    older.note("a", LatestCheckpoint(9, "/nine"))  # it leads no longer, and has not seen it yet
    assert newer.latest("a") == LatestCheckpoint(8, "/eight")
    newer.forget_notes_of_others("a")
    newer.note("b", LatestCheckpoint(1, "/of a job that is gone"))
    newer.forget_notes_of_others()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.0000000002.latest", "a.job"]
    newer.remove("a")
    assert list(tmp_path.iterdir()) == []


def test_a_job_without_a_checkpoint_of_its_own_starts_again_from_what_it_was_started_from(
    tmp_path: Path,
) -> None:
    savepoint = tmp_path / "savepoint"
    write_manifest(str(savepoint), Manifest(7, 0, "another", "job"))
    given = graph(tmp_path / "checkpoints", **{"execution.state-recovery.path": str(savepoint)})
    start, kept = find_start_again(given, "a", None)
    assert start.checkpoint is not None
    assert numbers(kept) == [start.checkpoint.checkpoint_id] == [7]
    # So it is where files of its first checkpoint are removed, and what is noted goes back to the one before.
    assert noted("a", kept.latest) is None
    own = CompletedCheckpoint(Manifest(8, 0, "a", "job"), str(tmp_path / "chk-8"))
    assert noted("a", own) == LatestCheckpoint(8, str(tmp_path / "chk-8"))
