"""What the subtasks of an operator left, read back from files by subtasks of any number and by any backend."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from penstock.checkpoint.handles import (
    FileRole,
    OperatorStateHandle,
    StateFile,
    handle_as_json,
    handle_from_json,
)
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_checked, read_operator_snapshot, write_operator_snapshot
from penstock.clock import SYSTEM_CLOCK
from penstock.contracts.state import (
    KeyedStateBackend,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)
from penstock.data.key_groups import key_group_range, subtask_of_key_group
from penstock.data.keys import key_group
from penstock.data.types import Types
from penstock.errors import OutsideError, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.operator_lists import InMemoryOperatorState
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings
from penstock.state.timers import KeyedTimers
from penstock.windows.window import TimeWindow

GROUPS = 16
KEYS = [f"key {number}" for number in range(40)]
COUNT = ValueStateDescriptor("a count/of things", Types.LONG())
SUM = ReducingStateDescriptor("sum", lambda a, b: a + b)
RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())


class Subtask:
    """The state of one subtask."""

    def __init__(self, index: int, parallelism: int, backend: str = "hashmap") -> None:
        own = key_group_range(GROUPS, parallelism, index)
        self.place = SubtaskPlace(index, parallelism, GROUPS)
        self.keyed: KeyedStateBackend = HashMapStateBackend(GROUPS, own)
        if backend == "rocksdb":
            settings = RocksDBSettings(memory_bytes=4 << 20, object_cache_bytes=1 << 20)
            self.keyed = RocksDBKeyedStateBackend(GROUPS, own, SYSTEM_CLOCK, settings)
        self.operator = InMemoryOperatorState()
        self.timers = KeyedTimers("user-timers", GROUPS, own)

    def fill(self) -> None:
        for number, key in enumerate(KEYS):
            if (
                subtask_of_key_group(GROUPS, self.place.parallelism, key_group(key, GROUPS))
                == self.place.index
            ):
                self.keyed.current_key = key
                self.keyed.get_state(COUNT).update(number)
                self.keyed.get_partitioned_state(TimeWindow(0, 10), SUM).add(number)
                self.timers.register_event_time_timer(key, TimeWindow(0, 10), number)
        self.operator.get_list_state(ListStateDescriptor("offsets")).add((self.place.index, "x"))
        self.operator.get_broadcast_state(RULES).put("limit", 5)

    def save(self, place: CheckpointPlace) -> OperatorStateHandle:
        snapshot = OperatorSnapshot(
            self.keyed.snapshot(7),
            {"user-timers": self.timers.snapshot()},
            self.operator.snapshot(),
            [self.place.index],
            7,
        )
        handle = write_operator_snapshot(place, snapshot, "counter", "Counter", self.place)
        return handle_from_json(
            json.loads(json.dumps(handle_as_json(handle))),
            {
                "id": "counter",
                "name": "Counter",
                "parallelism": self.place.parallelism,
                "max_parallelism": GROUPS,
            },
        )

    def restore(self, snapshot: OperatorSnapshot) -> None:
        assert snapshot.keyed is not None
        assert snapshot.operator is not None
        self.keyed.restore([snapshot.keyed], self.place.key_groups)
        self.operator.restore(snapshot.operator)
        self.timers.restore([snapshot.timers["user-timers"]], self.place.key_groups)

    def content(self) -> Any:
        found = []
        for key in KEYS:
            self.keyed.current_key = key
            counted = self.keyed.get_state(COUNT).value()
            if counted is not None:
                found.append((key, counted, self.keyed.get_partitioned_state(TimeWindow(0, 10), SUM).get()))
        return found


@pytest.fixture(params=["files", "memory"])
def place(request: Any, tmp_path: Path) -> CheckpointPlace:
    return CheckpointPlace(str(tmp_path / "chk-7") if request.param == "files" else None)


def saved(place: CheckpointPlace, parallelism: int) -> list[OperatorStateHandle]:
    handles = []
    for index in range(parallelism):
        subtask = Subtask(index, parallelism)
        subtask.fill()
        handles.append(subtask.save(place))
    return handles


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 3), (3, 2), (4, 16)])
def test_state_is_restored_at_another_parallelism(place: CheckpointPlace, before: int, after: int) -> None:
    handles = saved(place, before)
    found: list[Any] = []
    due: list[Any] = []
    offsets: list[Any] = []
    for index in range(after):
        subtask = Subtask(index, after)
        snapshot = read_operator_snapshot(place, handles, subtask.place)
        assert snapshot is not None
        assert snapshot.checkpoint_id == 7
        subtask.restore(snapshot)
        found += subtask.content()
        due += [timer[:2] for timer in subtask.timers.advance_watermark(100)]
        offsets += subtask.operator.get_list_state(ListStateDescriptor("offsets")).get()
        assert subtask.operator.get_broadcast_state(RULES).get("limit") == 5
    assert sorted(found) == sorted((key, number, number) for number, key in enumerate(KEYS))
    assert sorted(due) == sorted((number, key) for number, key in enumerate(KEYS))
    assert sorted(offsets) == [(index, "x") for index in range(before)]


def test_the_manifest_says_what_is_in_each_file_and_any_reader_of_parquet_reads_it(tmp_path: Path) -> None:
    place = CheckpointPlace(str(tmp_path))
    (handle,) = saved(place, 1)
    files = {(file.role, file.state): file for file in handle.files}
    count = files[FileRole.KEYED, COUNT.name]
    assert (count.rows, dict(count.columns)) == (
        len(KEYS),
        {"key_group": "uint16", "key": "large_string", "value": "int64"},
    )
    read = pl.read_parquet(tmp_path / count.name)
    assert dict(zip(read["key"], read["value"], strict=True)) == {
        key: number for number, key in enumerate(KEYS)
    }
    windows = pl.read_parquet(tmp_path / files[FileRole.KEYED, "sum"].name)
    assert windows["namespace"][0] == {"start": 0, "end": 10}
    timers = pl.read_parquet(tmp_path / files[FileRole.TIMERS, "user-timers"].name)
    assert timers["time"].sort().to_list() == list(range(len(KEYS)))
    assert [state.type_text for state in handle.states if state.name == COUNT.name] == [COUNT.type_text]


def test_a_subtask_reads_the_files_of_those_whose_keys_it_has(tmp_path: Path) -> None:
    place = CheckpointPlace(str(tmp_path))
    handles = saved(place, 4)
    for handle in handles[2:]:
        for file in handle.files:
            if file.role in (FileRole.KEYED, FileRole.TIMERS):
                (tmp_path / file.name).unlink()
    subtask = Subtask(0, 2)
    snapshot = read_operator_snapshot(place, handles, subtask.place)
    assert snapshot is not None
    subtask.restore(snapshot)
    assert len(subtask.content()) == sum(key_group(key, GROUPS) < 8 for key in KEYS)


@pytest.mark.parametrize(
    ("writer", "reader"), [("hashmap", "rocksdb"), ("rocksdb", "hashmap"), ("rocksdb", "rocksdb")]
)
def test_any_backend_restores_what_another_wrote(tmp_path: Path, writer: str, reader: str) -> None:
    place = CheckpointPlace(str(tmp_path))
    handles = []
    for index in range(2):
        subtask = Subtask(index, 2, writer)
        subtask.fill()
        handles.append(subtask.save(place))
        subtask.keyed.close()
    found = []
    for index in range(3):
        subtask = Subtask(index, 3, reader)
        snapshot = read_operator_snapshot(place, handles, subtask.place)
        assert snapshot is not None
        subtask.restore(snapshot)
        found += subtask.content()
        subtask.keyed.close()
    assert sorted(found) == sorted((key, number, number) for number, key in enumerate(KEYS))


def test_an_altered_file_is_named_with_its_operator(tmp_path: Path) -> None:
    place = CheckpointPlace(str(tmp_path))
    handles = saved(place, 2)
    altered = next(file for file in handles[1].files if file.role is FileRole.KEYED)
    path = tmp_path / altered.name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StateError, match=rf"{altered.name} was altered .* 'Counter', subtask 2/2"):
        restore_all(place, handles, 2)


def restore_all(place: CheckpointPlace, handles: list[OperatorStateHandle], parallelism: int) -> None:
    for index in range(parallelism):
        subtask = Subtask(index, parallelism)
        snapshot = read_operator_snapshot(place, handles, subtask.place)
        assert snapshot is not None
        subtask.restore(snapshot)


def test_checkpoints_in_memory_have_a_limit() -> None:
    subtask = Subtask(0, 1)
    subtask.fill()
    with pytest.raises(StateError, match=r"bytes, and checkpoints in memory take 100 bytes of each at most"):
        subtask.save(CheckpointPlace(None, None, 100))


def test_a_file_that_is_gone_is_told_from_storage_that_does_not_give_it(tmp_path: Path) -> None:
    place, file = CheckpointPlace(str(tmp_path)), StateFile("a.state", 1, "a checksum")
    with pytest.raises(StateError, match=r"there is no file .*it holds the state of operator 'count'"):
        read_checked(place, file, "operator 'count'")
    (tmp_path / "a.state").mkdir()
    with pytest.raises(OutsideError, match=r"cannot be read: .*it holds the state of operator 'count'"):
        read_checked(place, file, "operator 'count'")
