"""Copies of state files on the machine of a worker: read where they are there and whole, and never needed."""

import logging
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.local_state import LocalState, local_settings
from penstock.checkpoint.place import CheckpointPlace, CheckpointPlaces
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.contracts.state import ValueStateDescriptor
from penstock.errors import OptionError, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.native_entries import open_rocksdb_files
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings
from tests.missing import leave_out_for_want_of
from tests.recovery.test_incremental_checkpoints import ON_DISK
from tests.recovery.test_jobs_start_again import (
    EXPECTED,
    KillsItsWorker,
    counted,
    environment,
    rows_of,
    script,
)

WHOLE = SubtaskPlace(0, 1, 128)
COUNT = ValueStateDescriptor("count")
BOTH = {
    "execution.checkpointing.local-backup.enabled": "true",
    "execution.state-recovery.from-local": "true",
}


def opened(folder: Path, job: str = "job", **options: str) -> LocalState:
    dirs = {"execution.checkpointing.local-backup.dirs": str(folder / "local")}
    local = LocalState.open({**BOTH, **dirs, **options}, job, 0)
    assert local is not None
    return local


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalState]:
    local = opened(tmp_path)
    yield local
    local.close()


def place_of(folder: Path, number: int) -> CheckpointPlace:
    return CheckpointPlaces(str(folder / "far"), False, 0).of_checkpoint(number)


def written(folder: Path, local: LocalState, number: int, savepoint: bool = False) -> OperatorStateHandle:
    backend = HashMapStateBackend(128)
    backend.current_key = "a"
    backend.get_state(COUNT).update(number)
    place = local.to_write(place_of(folder, number), savepoint)
    snapshot = OperatorSnapshot(keyed=backend.snapshot(), own=number, checkpoint_id=number)
    return write_operator_snapshot(place, snapshot, "o", "op", WHOLE)


def found(folder: Path, local: LocalState, handle: OperatorStateHandle) -> Any:
    place = local.to_read(place_of(folder, handle.checkpoint_id))
    snapshot = read_operator_snapshot(place, [handle], WHOLE)
    assert snapshot is not None
    assert snapshot.keyed is not None
    (chunk,) = snapshot.keyed.states["count"].chunks()
    return snapshot.own, list(chunk.values)


def far_files(folder: Path, number: int) -> list[Path]:
    return sorted((folder / "far" / f"chk-{number}").iterdir())


def test_state_is_read_here_when_the_storage_is_away(tmp_path: Path, local: LocalState) -> None:
    handle = written(tmp_path, local, 1)
    for file in far_files(tmp_path, 1):
        file.unlink()
    assert found(tmp_path, local, handle) == (1, [1])


def test_a_worker_that_takes_the_place_of_a_lost_one_finds_its_copies(
    tmp_path: Path, local: LocalState
) -> None:
    handle = written(tmp_path, local, 1)
    local._lock.close()  # as the system does when a process is killed
    for file in far_files(tmp_path, 1):
        file.unlink()
    again = opened(tmp_path)
    assert found(tmp_path, again, handle) == (1, [1])
    again.close()


@pytest.mark.parametrize("altered", [True, False])
def test_a_copy_that_is_altered_or_gone_is_not_needed(
    altered: bool, tmp_path: Path, local: LocalState
) -> None:
    handle = written(tmp_path, local, 1)
    for copy in (Path(local.path) / "chk-1").iterdir():
        if altered:
            copy.write_bytes(b"x" * copy.stat().st_size)
        else:
            copy.unlink()
    assert found(tmp_path, local, handle) == (1, [1])


def test_copies_are_read_only_where_that_is_wanted(tmp_path: Path) -> None:
    local = opened(tmp_path, **{"execution.state-recovery.from-local": "false"})
    handle = written(tmp_path, local, 1)
    for file in far_files(tmp_path, 1):
        file.unlink()
    with pytest.raises(StateError, match="chk-1"):
        found(tmp_path, local, handle)
    local.close()


def test_no_copy_is_kept_of_savepoints_and_of_checkpoints_before_the_last(
    tmp_path: Path, local: LocalState
) -> None:
    for number in (1, 2, 10):
        written(tmp_path, local, number)
    written(tmp_path, local, 11, savepoint=True)
    local.forget_before(10)
    assert sorted(path.name for path in Path(local.path).iterdir()) == ["chk-10", "owners.lock"]


def incremental(folder: Path, local: LocalState, backend: Any, number: int) -> OperatorStateHandle:
    backend.current_key = number
    backend.get_state(COUNT).update(number)
    keyed = backend.snapshot()
    place = local.to_write(place_of(folder, number), False)
    handle = write_operator_snapshot(
        place, OperatorSnapshot(keyed=keyed, checkpoint_id=number), "o", "op", WHOLE
    )
    keyed.release()
    return handle


def test_files_of_a_database_are_linked_here_and_go_with_the_last_checkpoint_that_has_them(
    tmp_path: Path, local: LocalState
) -> None:
    settings = RocksDBSettings((str(tmp_path / "db"),), 4 << 20, is_incremental=True)
    backend = RocksDBKeyedStateBackend(128, settings=settings)
    handles = [incremental(tmp_path, local, backend, number) for number in (1, 2)]
    backend.close()
    local.forget_before(2)
    shutil.rmtree(tmp_path / "far")
    place = local.to_read(place_of(tmp_path, 2))
    snapshot = read_operator_snapshot(place, handles[1:], WHOLE, partial(open_rocksdb_files, {}))
    assert snapshot is not None
    assert snapshot.keyed is not None
    again = RocksDBKeyedStateBackend(128, settings=settings)
    again.restore([snapshot.keyed], range(128))
    assert sorted(again.table(COUNT).pane(None).items()) == [(1, 1), (2, 2)]
    again.close()
    links = [path for path in (Path(local.path) / "chk-2").iterdir() if path.suffix == ".sst"]
    assert len(links) == 2
    local.forget_before(3)
    assert [path.name for path in Path(local.path).iterdir()] == ["owners.lock"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A directory on another file system."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        leave_out_for_want_of("a second file system", "mount one at /dev/shm")
    with TemporaryDirectory(dir=memory) as path:
        yield Path(path)


def test_files_of_a_database_on_another_file_system_are_copied_once(
    tmp_path: Path, local: LocalState, elsewhere: Path
) -> None:
    settings = RocksDBSettings((str(elsewhere),), 4 << 20, is_incremental=True)
    backend = RocksDBKeyedStateBackend(128, settings=settings)
    copies: list[dict[str, int]] = []
    for number in (1, 2, 3):
        incremental(tmp_path, local, backend, number)
        folder = Path(local.path) / f"chk-{number}"
        copies.append({path.name: path.stat().st_ino for path in folder.glob("*.sst")})
        local.forget_before(number)
    backend.close()
    assert [len(names) for names in copies] == [1, 2, 3]
    assert copies[0].items() <= copies[1].items() <= copies[2].items()


def test_nothing_is_left_when_the_job_is_over(tmp_path: Path) -> None:
    local = opened(tmp_path)
    written(tmp_path, local, 1)
    local.close()
    assert list((tmp_path / "local").iterdir()) == []


def test_what_a_lost_job_has_left_is_removed_by_the_next_and_that_of_others_is_not(tmp_path: Path) -> None:
    lost, lives = opened(tmp_path, "lost"), opened(tmp_path, "lives")
    lost._lock.close()
    new = opened(tmp_path, "new")
    assert {Path(one.path) for one in (lives, new)} == set((tmp_path / "local").iterdir())
    lives.close()
    new.close()


def test_a_directory_that_cannot_be_written_is_named_and_the_checkpoint_is_whole_without_it(
    tmp_path: Path, local: LocalState, caplog: pytest.LogCaptureFixture
) -> None:
    (Path(local.path) / "chk-1").write_text("in the way")
    with caplog.at_level(logging.WARNING, "penstock"):
        handle = written(tmp_path, local, 1)
    assert "no local copy of" in caplog.text
    assert found(tmp_path, local, handle) == (1, [1])
    (tmp_path / "file").write_text("")
    caplog.clear()
    with caplog.at_level(logging.WARNING, "penstock"):
        options = {**BOTH, "execution.checkpointing.local-backup.dirs": str(tmp_path / "file")}
        assert LocalState.open(options, "job", 0) is None
    assert f"{tmp_path}/file" in caplog.text


def test_the_names_of_flink_1_work_and_relative_directories_are_refused() -> None:
    old = {"state.backend.local-recovery": "true", "taskmanager.state.local.root-dirs": "/a, /b"}
    settings = local_settings(old)
    assert settings is not None
    assert (settings.writes, settings.reads, settings.directories) == (True, True, ("/a", "/b"))
    with pytest.raises(OptionError, match="'b', which is not the absolute path"):
        local_settings({**old, "taskmanager.state.local.root-dirs": "/a,b"})


@pytest.mark.parametrize("backend", [{}, ON_DISK], ids=["hashmap", "rocksdb"])
def test_a_job_with_local_copies_comes_through_the_death_of_a_worker(
    backend: dict[str, str], tmp_path: Path
) -> None:
    dirs = {"execution.checkpointing.local-backup.dirs": str(tmp_path / "local")}
    env = environment(2, tmp_path, **BOTH, **dirs, **backend)
    killed = counted(env, script(tmp_path)).map(KillsItsWorker(3, tmp_path / "killed"))
    assert rows_of(killed) == EXPECTED
    assert (tmp_path / "killed").exists()
    assert list((tmp_path / "local").iterdir()) == []
