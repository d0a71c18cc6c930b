"""Savepoints and checkpoints of every version of the format are read for ever; newer ones are refused."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.handles import FileRole
from penstock.checkpoint.manifest import FORMAT_VERSION, read_manifest
from penstock.checkpoint.place import SHARED_PREFIX
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.connectors.kafka.epochs import read_back
from penstock.data.pickles import load
from penstock.errors import StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.state.native_entries import open_rocksdb_files
from tests.compatibility.savepoint_content import BACKENDS, GROUPS, Subtask, everything
from tests.compatibility.sink_content import epoch, sink_state, told
from tests.compatibility.write_savepoint import (
    CHECKPOINTS,
    CHECKPOINTS_OF,
    PARALLELISM,
    SAVEPOINT_OF,
    SAVEPOINTS,
    write,
    write_checkpoints,
)

EPOCHS = Path(__file__).parent / "kafka_epochs"
KEPT = [*sorted(SAVEPOINTS.iterdir()), *(path / "chk-2" for path in sorted(CHECKPOINTS.iterdir()))]
IDS = [str(path.relative_to(SAVEPOINTS.parent)) for path in KEPT]
IN_CHECKPOINTS = [path for path in KEPT if path.name == "chk-2"]

Restored = Callable[..., list[Subtask]]


def snapshots(directory: Path, operator: str, parallelism: int) -> Iterator[OperatorSnapshot]:
    manifest, place = read_manifest(str(directory))
    handles = manifest.operators[operator].handles
    for index in range(parallelism):
        where = SubtaskPlace(index, parallelism, GROUPS)
        snapshot = read_operator_snapshot(place, handles, where, partial(open_rocksdb_files, {}))
        assert snapshot is not None
        yield snapshot


@pytest.fixture
def restored() -> Iterator[Restored]:
    made: list[Subtask] = []

    def restore(directory: Path, parallelism: int, backend: str = "hashmap") -> list[Subtask]:
        for index, snapshot in enumerate(snapshots(directory, "everything", parallelism)):
            made.append(Subtask(index, parallelism, backend))
            made[-1].restore(snapshot)
        return made[-parallelism:]

    yield restore
    for subtask in made:
        subtask.keyed.close()


def filled() -> list[Any]:
    subtask = Subtask(0, 1)
    subtask.fill()
    return everything([subtask])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("parallelism", [1, 2, 3])
@pytest.mark.parametrize("directory", KEPT, ids=IDS)
def test_what_was_kept_of_every_version_is_restored_at_any_parallelism_on_any_backend(
    directory: Path, parallelism: int, backend: str, restored: Restored
) -> None:
    subtasks = restored(directory, parallelism, backend)
    assert everything(subtasks) == filled()
    restored_again = [subtask.operator.snapshot().states for subtask in subtasks]
    assert sum(len(states["offsets"][1]) for states in restored_again) == 2
    assert all(len(states["all"][1]) == 2 and len(states["rules"][1]) == 1 for states in restored_again)


@pytest.mark.parametrize("parallelism", [1, 2, 3])
@pytest.mark.parametrize("directory", IN_CHECKPOINTS, ids=lambda path: path.parent.name)
def test_what_a_sink_has_yet_to_commit_is_read_from_the_pickle_and_from_files_of_its_own(
    directory: Path, parallelism: int
) -> None:
    found = [entry for snapshot in snapshots(directory, "sink", parallelism) for entry in snapshot.own or ()]
    states = [sink_state(2, [epoch(subtask, 1), epoch(subtask, 2)]) for subtask in range(PARALLELISM)]
    assert told(found) == told([entry for state in states for entry in state])


@pytest.mark.parametrize("directory", IN_CHECKPOINTS, ids=lambda path: path.parent.name)
def test_the_checkpoints_that_are_kept_have_shared_files_and_such_of_their_own(directory: Path) -> None:
    manifest, _ = read_manifest(str(directory))
    files = [
        file for record in manifest.operators.values() for handle in record.handles for file in handle.files
    ]
    roles = {(file.role, file.name.startswith(SHARED_PREFIX)) for file in files}
    assert roles >= {(FileRole.NATIVE, True), (FileRole.NATIVE, False), (FileRole.PART, True)}
    stored_before = [path.name for path in (directory.parent / "shared").iterdir() if "-000008" in path.name]
    assert len(stored_before) == PARALLELISM  # of the first checkpoint, with the first half of the keys


def test_there_is_one_of_each_version_that_is_written_now(tmp_path: Path, restored: Restored) -> None:
    assert SAVEPOINT_OF.keys() <= {path.name for path in SAVEPOINTS.iterdir()}
    assert CHECKPOINTS_OF.keys() <= {path.name for path in CHECKPOINTS.iterdir()}
    for name, backend in SAVEPOINT_OF.items():
        write(tmp_path / name, backend)
        assert everything(restored(tmp_path / name, 2)) == filled()
    for name, backend in CHECKPOINTS_OF.items():
        write_checkpoints(tmp_path / name, backend)
        assert everything(restored(tmp_path / name / "chk-2", 2)) == filled()


def test_the_files_of_rocksdb_have_the_version_that_their_name_says() -> None:
    for directory in IN_CHECKPOINTS:
        for description in directory.glob("*-penstock.json"):
            version = json.loads(description.read_text())["version"]
            assert directory.parent.name == f"version-{FORMAT_VERSION}-rocksdb-{version}"


@pytest.mark.parametrize("name", ["one-topic", "several-topics"])
def test_epochs_of_the_time_when_they_had_no_files_are_read(name: str) -> None:
    state, committable = load((EPOCHS / f"{name}.pickle").read_bytes(), "the state of a sink")
    found = read_back(committable.value)
    assert state.state.number == found.number == 3
    assert found.topics == (("orders",) if name == "one-topic" else ("orders", "returns"))
    assert (str(found.writer), found.identity) == ("shop-0", "identity 3")
    messages = [message for batch in found.records.batches() for message in batch]
    assert [(message.value, message.timestamp) for message in messages] == [(b"first", 1000), (None, None)]


def test_an_epoch_that_does_not_know_its_writer_is_refused_with_what_to_do() -> None:
    _, committable = load((EPOCHS / "without-writer.pickle").read_bytes(), "the state of a sink")
    with pytest.raises(StateError, match=r"early version of penstock.* with that version .*another uid"):
        read_back(committable.value)


def test_the_manifest_is_read_without_python() -> None:
    head, _, body = (SAVEPOINTS / "version-1" / "_metadata").read_bytes().partition(b"\n")
    assert head.split()[:2] == [b"penstock-checkpoint", b"1"]
    (operator,) = json.loads(body)["operators"]
    files = {file["state"]: file for subtask in operator["subtasks"] for file in subtask["files"]}
    assert files["account"]["columns"][2] == [
        "value",
        "struct<owner: large_string, amounts: large_list<item: int64>>",
    ]
    assert files["lasting"]["columns"][3] == ["written_at", "int64"]


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    content = (SAVEPOINTS / "version-1" / "_metadata").read_bytes()
    (tmp_path / "_metadata").write_bytes(
        content.replace(b"penstock-checkpoint 1 ", b"penstock-checkpoint 99 ", 1)
    )
    with pytest.raises(StateError, match="has format version 99, and this version of penstock reads up to"):
        read_manifest(str(tmp_path))
