"""Incremental checkpoints of RocksDB: files are stored once, kept as long as one needs them, and restored anywhere."""

import operator
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.manifest import Manifest, OperatorRecord, read_manifest
from penstock.checkpoint.place import CheckpointPlaces
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.removal import remove_checkpoint, remove_unneeded, shared_files
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.contracts.state import MapStateDescriptor, ReducingStateDescriptor
from penstock.errors import JobCancelled, OutsideError, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.native_entries import open_rocksdb_files
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings
from tests.recovery.test_jobs_start_again import (
    EXPECTED,
    KillsItsWorker,
    counted,
    environment,
    rows_of,
    script,
)
from tests.recovery.test_retained_checkpoints import RETENTION, endless, manifests

ON_DISK = {"state.backend.type": "rocksdb", "execution.checkpointing.incremental": "true"}
SUM = ReducingStateDescriptor("sum", operator.add)
MAP = MapStateDescriptor("map")
GROUPS = 8


class Subtask:
    """One subtask with state on disk, and the checkpoints that were written of it."""

    def __init__(self, folder: Path) -> None:
        settings = RocksDBSettings((str(folder / "local"),), 4 << 20, is_incremental=True)
        self.backend = RocksDBKeyedStateBackend(GROUPS, settings=settings)
        self.places = CheckpointPlaces(str(folder / "job"), False, 1)
        self.shared = folder / "job" / "shared"

    def add(self, keys: range, number: int) -> None:
        table = self.backend.table(SUM)
        table.fold(keys, [number] * len(keys), operator.add)
        self.backend.current_key = "one"
        self.backend.get_map_state(MAP).put(number, len(keys))

    def checkpoint(self, number: int) -> CompletedCheckpoint:
        snapshot = self.backend.snapshot(number)
        place = self.places.of_checkpoint(number)
        handle = write_operator_snapshot(
            place,
            OperatorSnapshot(keyed=snapshot, checkpoint_id=number),
            "o",
            "op",
            SubtaskPlace(0, 1, GROUPS),
        )
        snapshot.release()
        record = OperatorRecord("o", "op", 1, GROUPS, (handle,))
        return CompletedCheckpoint(Manifest(number, 0, "j", "job", operators={"o": record}), place.directory)

    def restored(
        self, checkpoint: CompletedCheckpoint, new: Any, index: int, parallelism: int
    ) -> dict[Any, Any]:
        subtask = SubtaskPlace(index, parallelism, GROUPS)
        handles: tuple[OperatorStateHandle, ...] = checkpoint.manifest.operators["o"].handles
        place = self.places.of_checkpoint(checkpoint.checkpoint_id)
        snapshot = read_operator_snapshot(place, handles, subtask, partial(open_rocksdb_files, {}))
        assert snapshot is not None
        assert snapshot.keyed is not None
        new.restore([snapshot.keyed], subtask.key_groups)
        found = dict(new.table(SUM).pane(None).items())
        found |= {key: dict(pairs) for key, pairs in new.table(MAP).pane(None).items()}
        new.close()
        return found


@pytest.fixture
def subtask(tmp_path: Path) -> Iterator[Subtask]:
    subtask = Subtask(tmp_path)
    yield subtask
    subtask.backend.close()


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("on_disk", [True, False])
def test_each_checkpoint_is_restored_as_it_was_on_either_backend(
    parallelism: int, on_disk: bool, subtask: Subtask
) -> None:
    checkpoints = []
    for number in (1, 2, 3):
        subtask.add(range(number * 10), number)
        checkpoints.append(subtask.checkpoint(number))
    for checkpoint in checkpoints:
        found: dict[Any, Any] = {}
        for index in range(parallelism):
            groups = SubtaskPlace(index, parallelism, GROUPS).key_groups
            new = RocksDBKeyedStateBackend if on_disk else HashMapStateBackend
            found |= subtask.restored(checkpoint, new(GROUPS, groups), index, parallelism)
        numbers = range(1, checkpoint.checkpoint_id + 1)
        expected: dict[Any, Any] = {
            key: sum(number for number in numbers if key < number * 10) for key in range(numbers[-1] * 10)
        }
        expected["one"] = {number: number * 10 for number in numbers}
        assert found == expected


def test_a_file_is_stored_once_and_goes_with_the_last_checkpoint_that_needs_it(subtask: Subtask) -> None:
    subtask.add(range(1000), 1)
    one = subtask.checkpoint(1)
    (first,) = os.listdir(subtask.shared)
    written = (subtask.shared / first).stat().st_mtime_ns
    subtask.add(range(3), 2)
    two = subtask.checkpoint(2)
    assert shared_files(one) < shared_files(two)
    assert (subtask.shared / first).stat().st_mtime_ns == written
    (second,) = set(os.listdir(subtask.shared)) - {first}
    assert (subtask.shared / second).stat().st_size < (subtask.shared / first).stat().st_size
    remove_checkpoint(one.directory or "", one, [two])
    assert sorted(os.listdir(subtask.shared)) == sorted([first, second])
    assert len(subtask.restored(two, HashMapStateBackend(GROUPS), 0, 1)) == 1001
    remove_checkpoint(two.directory or "", two, [])
    assert os.listdir(subtask.shared) == []


def test_a_shared_file_that_is_gone_is_stored_again(subtask: Subtask) -> None:
    subtask.add(range(1000), 1)
    one = subtask.checkpoint(1)
    remove_checkpoint(one.directory or "", one, [])
    two = subtask.checkpoint(2)
    assert len(subtask.restored(two, HashMapStateBackend(GROUPS), 0, 1)) == 1001


def test_files_of_checkpoints_that_were_given_up_go_at_the_end(subtask: Subtask) -> None:
    subtask.add(range(10), 1)
    kept = subtask.checkpoint(1)
    subtask.add(range(10), 2)
    subtask.checkpoint(2)
    assert len(os.listdir(subtask.shared)) == 2
    remove_unneeded(subtask.places.directory or "", [kept])
    assert {f"../shared/{name}" for name in os.listdir(subtask.shared)} == shared_files(kept)


def test_an_altered_file_is_named(subtask: Subtask) -> None:
    subtask.add(range(1000), 1)
    one = subtask.checkpoint(1)
    (name,) = os.listdir(subtask.shared)
    with (subtask.shared / name).open("r+b") as file:
        file.write(b"x")
    with pytest.raises(StateError, match=rf"shared/{name} was altered .*state of operator 'op', subtask 1/1"):
        subtask.restored(one, HashMapStateBackend(GROUPS), 0, 1)


def test_a_savepoint_has_no_files_of_rocksdb(subtask: Subtask, tmp_path: Path) -> None:
    subtask.add(range(10), 1)
    snapshot = subtask.backend.snapshot(1)
    place = CheckpointPlaces(str(tmp_path), False, 1).of_checkpoint(1)
    whole = type(place)(place.directory)
    write_operator_snapshot(whole, OperatorSnapshot(keyed=snapshot), "o", "op", SubtaskPlace(0, 1, GROUPS))
    snapshot.release()
    assert all(path.suffix == ".parquet" for path in (tmp_path / "chk-1").iterdir())


def test_a_directory_that_cannot_be_written_is_named_and_nothing_is_lost(
    subtask: Subtask, tmp_path: Path
) -> None:
    subtask.add(range(10), 1)
    (tmp_path / "job").write_text("in the way")
    with pytest.raises(OutsideError, match=r"job/"):
        subtask.checkpoint(1)
    (tmp_path / "job").unlink()
    assert len(subtask.restored(subtask.checkpoint(2), HashMapStateBackend(GROUPS), 0, 1)) == 11


def test_a_working_directory_that_vanished_is_named_and_nothing_is_written_behind_it(
    subtask: Subtask, tmp_path: Path
) -> None:
    subtask.add(range(10), 1)
    shutil.rmtree(tmp_path / "local")
    for number in (1, 2):
        with pytest.raises(
            OutsideError, match=r"RocksDB database in .*/local/.* cannot be copied .*localdir"
        ):
            subtask.checkpoint(number)
    assert not subtask.shared.exists()


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_job_that_fails_three_times_has_every_row_exactly_once(parallelism: int, tmp_path: Path) -> None:
    env = environment(parallelism, tmp_path, **ON_DISK)
    assert rows_of(counted(env, script(tmp_path, 10, 11, 40))) == EXPECTED
    assert not (tmp_path / "checkpoints").is_dir() or not any((tmp_path / "checkpoints").iterdir())


def test_a_worker_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    env = environment(2, tmp_path, **ON_DISK)
    killed = counted(env, script(tmp_path)).map(KillsItsWorker(3, tmp_path / "killed"))
    assert rows_of(killed) == EXPECTED
    assert (tmp_path / "killed").exists()


@pytest.mark.parametrize(("parallelism", "backend"), [(1, "rocksdb"), (2, "rocksdb"), (2, "hashmap")])
def test_the_next_program_goes_on_from_a_retained_one(parallelism: int, backend: str, tmp_path: Path) -> None:
    env = environment(1, tmp_path, **ON_DISK, **{RETENTION: "RETAIN_ON_CANCELLATION"})
    endless(env)
    client = env.execute_async()
    while sum(each.path is not None for each in client.get_checkpoints()) < 3:
        assert not client.get_job_status().result().is_globally_terminal_state()
    client.cancel().result(120)
    with pytest.raises(JobCancelled):
        client.get_job_execution_result().result(120)
    (manifest,) = manifests(tmp_path)
    kept = CompletedCheckpoint(read_manifest(str(manifest))[0], str(manifest.parent))
    names = {f"../shared/{name}" for name in os.listdir(manifest.parents[1] / "shared")}
    assert names == shared_files(kept)
    assert names
    options = {**ON_DISK, "state.backend.type": backend, "execution.savepoint.path": str(manifest.parent)}
    again = environment(parallelism, tmp_path / "again", **options)
    endless(again)
    going_on = again.execute_async()
    while not any(each.path for each in going_on.get_checkpoints()):
        assert not going_on.get_job_status().result().is_globally_terminal_state()
    going_on.cancel().result(120)
