"""A database goes on with the files of an incremental checkpoint: at any parallelism, time and again."""

import json
import operator
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.checksums import checksum_of
from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.place import CheckpointPlaces
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.removal import remove_checkpoint
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.contracts.state import MapStateDescriptor, ReducingStateDescriptor, ValueStateDescriptor
from penstock.data.keys import key_group
from penstock.operators.contract import OperatorSnapshot
from penstock.state.native_entries import open_rocksdb_files
from penstock.state.rocksdb import snapshot as entries_one_by_one
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.native import STATES
from penstock.state.rocksdb.settings import RocksDBSettings

GROUPS = 8
SUM = ReducingStateDescriptor("sum", operator.add)
MAP = MapStateDescriptor("map")
LAST = ValueStateDescriptor("last")


class Operator:
    """All subtasks of an operator with state on disk, and an oracle: what each key has counted, and in which rounds."""

    def __init__(self, folder: Path) -> None:
        self._settings = RocksDBSettings((str(folder / "local"),), 8 << 20, is_incremental=True)
        self._places = CheckpointPlaces(str(folder / "job"), False, 1)
        self.shared = folder / "job" / "shared"
        self.handles: tuple[OperatorStateHandle, ...] = ()
        self._restores_from = self._places.of_checkpoint(0)
        self.checkpoint = 0
        self.sums: dict[Any, int] = {}
        self.rounds: dict[Any, list[int]] = {}

    def run(self, parallelism: int, keys: Sequence[int], cleared: Sequence[int] = ()) -> int:
        """Restore the last checkpoint, look, count some keys, forget others, take a checkpoint; the bytes it stored."""
        before = self._stored()
        handles, number = [], self.checkpoint + 1
        found: dict[Any, Any] = {}
        for index in range(parallelism):
            place = SubtaskPlace(index, parallelism, GROUPS)
            backend = RocksDBKeyedStateBackend(GROUPS, place.key_groups, settings=self._settings)
            self._restore(backend, place)
            found |= dict(backend.table(SUM).pane(None).items())
            maps = backend.table(MAP).pane(None).items()
            assert {key: list(rounds) for key, rounds in maps} == {
                key: self.rounds[key] for key, _ in maps if key in self.rounds
            }
            handles += self._count(backend, place, keys, cleared, number)
            backend.close()
        assert found == self.sums
        for key in keys:
            self.sums[key] = self.sums.get(key, 0) + number
            self.rounds.setdefault(key, []).append(number)
        for key in cleared:
            self.sums.pop(key, None)
            self.rounds.pop(key, None)
        self.checkpoint, self.handles = number, tuple(handles)
        self._restores_from = self._places.of_checkpoint(number)
        return self._stored() - before

    def _restore(self, backend: RocksDBKeyedStateBackend, place: SubtaskPlace) -> None:
        snapshot = read_operator_snapshot(
            self._restores_from, self.handles, place, partial(open_rocksdb_files, {})
        )
        if snapshot is not None and snapshot.keyed is not None:
            backend.restore([snapshot.keyed], place.key_groups)

    def _count(
        self,
        backend: RocksDBKeyedStateBackend,
        place: SubtaskPlace,
        keys: Sequence[int],
        cleared: Sequence[int],
        number: int,
    ) -> list[OperatorStateHandle]:
        own = [key for key in keys if key_group(key, GROUPS) in place.key_groups]
        if number > 2 and own:  # a state that only some of the subtasks have
            backend.current_key = own[0]
            backend.get_state(LAST).update(number)
        backend.table(SUM).fold(own, [number] * len(own), operator.add)
        for key in own:
            backend.current_key = key
            backend.get_map_state(MAP).put(number, None)
        for key in cleared:
            if key_group(key, GROUPS) in place.key_groups:
                backend.clear_key(key)
        chk = self._places.of_checkpoint(number)
        snapshot = backend.snapshot(number)
        state = OperatorSnapshot(keyed=snapshot, checkpoint_id=number)
        handle = write_operator_snapshot(chk, state, "o", "op", place)
        snapshot.release()
        return [handle]

    def move_to(self, folder: Path) -> None:
        """Go on as another job, which has another directory for its checkpoints."""
        self._places = CheckpointPlaces(str(folder), False, 1)

    def completed(self) -> CompletedCheckpoint:
        """The last checkpoint."""
        record = OperatorRecord("o", "op", self.handles[0].parallelism, GROUPS, self.handles)
        manifest = Manifest(self.checkpoint, 0, "j", "job", operators={"o": record})
        return CompletedCheckpoint(manifest, self._restores_from.directory)

    def _stored(self) -> int:
        return sum(file.stat().st_size for file in self.shared.iterdir()) if self.shared.is_dir() else 0


@pytest.fixture
def no_entry_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("an entry was put in by itself")

    monkeypatch.setattr("penstock.state.rocksdb.backend.load_entries", refuse)
    assert entries_one_by_one.load_entries is not refuse


@pytest.mark.parametrize(
    "parallelisms", [(1, 1, 1), (1, 3, 2, 1), (4, 2, 3, 8, 1, 5)], ids=lambda way: "-".join(map(str, way))
)
@pytest.mark.usefixtures("no_entry_is_put_in")
def test_state_is_the_same_at_every_parallelism_on_the_way(
    parallelisms: tuple[int, ...], tmp_path: Path
) -> None:
    job = Operator(tmp_path)
    for turn, parallelism in enumerate(parallelisms):
        job.run(parallelism, range(turn * 7, 100 + turn * 11), cleared=range(turn * 7, turn * 7 + 9))
    job.run(1, [])


@pytest.mark.usefixtures("no_entry_is_put_in")
def test_after_a_restart_a_checkpoint_stores_what_has_changed_alone(tmp_path: Path) -> None:
    job = Operator(tmp_path)
    whole = job.run(2, range(20_000))
    assert job.run(2, range(10)) < whole / 20
    assert job.run(2, range(10)) < whole / 20


@pytest.mark.parametrize("parallelisms", [(1, 2), (2, 1), (3, 2)], ids=lambda way: "-".join(map(str, way)))
def test_another_job_stores_in_its_own_directory_all_that_it_goes_on_with(
    parallelisms: tuple[int, int], tmp_path: Path
) -> None:
    """Subtasks that go on with one file of an old one each have it stored by themselves."""
    job = Operator(tmp_path)
    before, after = parallelisms
    job.run(before, range(500))
    old = job.completed()
    job.move_to(tmp_path / "other")
    job.run(after, range(100, 600))
    names = [file.name for handle in job.handles for file in handle.files]
    assert len(names) == len(set(names))  # or one would find that the other has begun to write its file
    remove_checkpoint(old.directory or "", old, [job.completed()])
    assert list((tmp_path / "job" / "shared").iterdir()) == []
    job.run(after, range(10))
    job.run(1, [])


def test_files_of_before_numbers_of_maps_were_written_down_are_restored(tmp_path: Path) -> None:
    job = Operator(tmp_path)
    job.run(1, range(50))
    (handle,) = job.handles
    (states,) = [file for file in handle.files if file.state == STATES]
    path = Path(job._places.of_checkpoint(1).path_of(states.name))
    content = json.loads(path.read_bytes())
    for state in content["states"]:
        del state["next_number"]
    path.write_text(json.dumps(content))
    job.handles = (rewritten(handle, states.name, path),)
    job.run(1, range(20, 70))
    job.run(2, [])


def rewritten(handle: OperatorStateHandle, name: str, path: Path) -> OperatorStateHandle:
    content = path.read_bytes()
    files = [
        replace(file, size_bytes=os.path.getsize(path), checksum=checksum_of(content))
        if file.name == name
        else file
        for file in handle.files
    ]
    return replace(handle, files=tuple(files))
