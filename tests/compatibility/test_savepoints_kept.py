"""Savepoints of every version of the format are read for ever; newer ones are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.manifest import FORMAT_VERSION, read_manifest
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.errors import StateError
from tests.compatibility.savepoint_content import GROUPS, Subtask, everything
from tests.compatibility.write_savepoint import SAVEPOINTS, write

KEPT = sorted(SAVEPOINTS.iterdir())


def restored(directory: Path, parallelism: int) -> list[Subtask]:
    manifest, place = read_manifest(str(directory))
    handles = manifest.operators["everything"].handles
    subtasks = [Subtask(index, parallelism) for index in range(parallelism)]
    for subtask in subtasks:
        snapshot = read_operator_snapshot(place, handles, SubtaskPlace(subtask.index, parallelism, GROUPS))
        assert snapshot is not None
        subtask.restore(snapshot)
    return subtasks


def filled() -> list[Any]:
    subtask = Subtask(0, 1)
    subtask.fill()
    return everything([subtask])


@pytest.mark.parametrize("parallelism", [1, 2, 3])
@pytest.mark.parametrize("directory", KEPT, ids=lambda path: path.name)
def test_a_savepoint_of_every_version_is_restored_at_any_parallelism(
    directory: Path, parallelism: int
) -> None:
    subtasks = restored(directory, parallelism)
    assert everything(subtasks) == filled()
    restored_again = [subtask.operator.snapshot().states for subtask in subtasks]
    assert sum(len(states["offsets"][1]) for states in restored_again) == 2
    assert all(len(states["all"][1]) == 2 and len(states["rules"][1]) == 1 for states in restored_again)


def test_there_is_one_of_the_version_that_is_written_now(tmp_path: Path) -> None:
    assert f"version-{FORMAT_VERSION}" in [path.name for path in KEPT]
    write(tmp_path)
    assert everything(restored(tmp_path, 2)) == filled()


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
