"""Long parts of what an operator remembers: stored once, in files that checkpoints share, and read when they are needed."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.contents import contents_of
from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.handles import FileRole, OperatorStateHandle, handle_as_json, handle_from_json
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.part_files import SHORT_BYTES, TINY_BYTES
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.removal import remove_checkpoint
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.errors import OutsideError, RestoreFailed, StateError
from penstock.operators.contract import KeptTogether, OperatorSnapshot
from tests.checkpoint.parts import BLOCK, Part


def checkpoint(directory: Path, number: int) -> CheckpointPlace:
    return CheckpointPlace(f"{directory}/chk-{number}", f"{directory}/shared")


def written(place: CheckpointPlace, *own: Any, subtask: int = 0, of: int = 1) -> OperatorStateHandle:
    """What a checkpoint knows of an operator that remembers these, as it stands in the manifest."""
    snapshot = OperatorSnapshot(own=KeptTogether(own), checkpoint_id=1)
    handle = write_operator_snapshot(place, snapshot, "op", "an operator", SubtaskPlace(subtask, of, 16))
    operator = {"id": "op", "name": "an operator", "parallelism": of, "max_parallelism": 16}
    return handle_from_json(handle_as_json(handle), operator)


def read(place: CheckpointPlace, *handles: OperatorStateHandle) -> list[Any]:
    found = read_operator_snapshot(place, handles, SubtaskPlace(0, 1, 16))
    assert found is not None
    return list(found.own)


def part_files(handle: OperatorStateHandle) -> list[str]:
    return [file.name for file in handle.files if file.role is FileRole.PART]


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_a_long_part_is_stored_once_for_all_checkpoints_that_have_it(tmp_path: Path) -> None:
    part = Part(3 * SHORT_BYTES)
    handles = [written(checkpoint(tmp_path, number), part, number) for number in range(3)]
    (name,) = {name for handle in handles for name in part_files(handle)}
    assert name.startswith("../shared/op-0-")
    assert files_in(tmp_path / "shared") == [name.removeprefix("../shared/")]
    assert part.walks == 1
    for number, handle in enumerate(handles):
        found, rest = read(checkpoint(tmp_path, number), handle)
        assert found.whole() == part.whole()
        assert rest == number
        own = next(file for file in handle.files if file.role is FileRole.OWN)
        assert own.size_bytes < 1_000


def test_a_short_part_is_in_the_pickle_at_first_and_in_a_file_of_its_own_from_then_on(tmp_path: Path) -> None:
    part = Part(SHORT_BYTES)
    handles = [written(checkpoint(tmp_path, number), part) for number in range(3)]
    assert [len(part_files(handle)) for handle in handles] == [0, 1, 1]
    assert len(files_in(tmp_path / "shared")) == 1
    for number, handle in enumerate(handles):
        assert read(checkpoint(tmp_path, number), handle)[0].whole() == b"a" * SHORT_BYTES


def test_a_short_part_is_in_the_pickle_at_first_beside_what_is_pickled_in_the_second_way_too(
    tmp_path: Path,
) -> None:
    by_value = lambda: 1  # noqa: E731
    first = written(checkpoint(tmp_path, 1), Part(SHORT_BYTES), by_value)
    assert part_files(first) == []


def test_a_tiny_part_never_has_a_file_of_its_own(tmp_path: Path) -> None:
    part = Part(TINY_BYTES)
    for number in range(3):
        handle = written(checkpoint(tmp_path, number), part)
        assert not part_files(handle)
        assert read(checkpoint(tmp_path, number), handle)[0].whole() == b"a" * TINY_BYTES


def test_the_same_part_twice_in_a_snapshot_is_one_file(tmp_path: Path) -> None:
    part = Part(2 * SHORT_BYTES)
    handle = written(checkpoint(tmp_path, 1), part, [part])
    assert len(part_files(handle)) == 1
    found, (again,) = read(checkpoint(tmp_path, 1), handle)
    assert found.whole() == again.whole() == part.whole()


def test_a_savepoint_is_whole_in_itself(tmp_path: Path) -> None:
    long, short = Part(2 * SHORT_BYTES), Part(SHORT_BYTES, b"b")
    written(checkpoint(tmp_path, 1), long, short)
    place = CheckpointPlace(str(tmp_path / "savepoint"))
    handle = written(place, long, short)
    (tmp_path / "savepoint").rename(tmp_path / "moved")
    moved = CheckpointPlace(str(tmp_path / "moved"))
    assert [part.whole()[:1] for part in read(moved, handle)] == [b"a", b"b"]
    assert len(part_files(handle)) == 1
    assert len(files_in(tmp_path / "moved")) == 2


def test_in_memory_all_is_in_the_pickle_and_too_much_is_refused_before_it_is_read() -> None:
    place = CheckpointPlace(None, None, 5 << 20)
    small = Part(2 * SHORT_BYTES)
    handle = written(place, small)
    assert not part_files(handle)
    assert read(place, handle)[0].whole() == small.whole()
    large = Part(1 << 40)
    with pytest.raises(StateError, match=r"1099511627776 bytes, and checkpoints in memory take 5242880"):
        written(place, large)
    assert large.walks == 0


def test_a_file_that_has_vanished_is_written_anew(tmp_path: Path) -> None:
    part = Part(2 * SHORT_BYTES)
    (first,) = part_files(written(checkpoint(tmp_path, 1), part))
    (tmp_path / "shared" / first.removeprefix("../shared/")).unlink()
    handle = written(checkpoint(tmp_path, 2), part)
    assert part_files(handle) != [first]
    assert read(checkpoint(tmp_path, 2), handle)[0].whole() == part.whole()


def test_another_directory_has_files_of_its_own(tmp_path: Path) -> None:
    part = Part(2 * SHORT_BYTES)
    written(checkpoint(tmp_path / "a", 1), part)
    handle = written(checkpoint(tmp_path / "b", 1), part)
    assert read(checkpoint(tmp_path / "b", 1), handle)[0].whole() == part.whole()


@pytest.mark.parametrize("fault", ["altered", "cut off", "gone"])
def test_what_is_not_what_was_written_is_never_taken_for_it(tmp_path: Path, fault: str) -> None:
    part = Part(2 * SHORT_BYTES)
    handle = written(checkpoint(tmp_path, 1), part)
    path = tmp_path / "shared" / part_files(handle)[0].removeprefix("../shared/")
    if fault == "altered":
        path.write_bytes(b"b" + path.read_bytes()[1:])
    elif fault == "cut off":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    (found,) = read(checkpoint(tmp_path, 1), handle)
    says = "there is no file" if fault == "gone" else "altered or cut off"
    with pytest.raises(StateError, match=f"{says}.*'an operator', subtask 1/1"):
        found.whole()


def test_whoever_stumbles_over_what_was_altered_learns_that_it_was(tmp_path: Path) -> None:
    handle = written(checkpoint(tmp_path, 1), Part(2 * SHORT_BYTES))
    path = tmp_path / "shared" / part_files(handle)[0].removeprefix("../shared/")
    path.write_bytes(b"b" + path.read_bytes()[1:])
    (found,) = read(checkpoint(tmp_path, 1), handle)
    with (
        pytest.raises(RestoreFailed, match=r"checkpoint 1 cannot be .* altered or cut off"),
        found._open() as stream,
    ):
        assert stream.read(1) == b"a", "no sense can be made of it"


def test_a_part_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    part = Part(256 * BLOCK)
    tracemalloc.start()
    try:
        handle = written(checkpoint(tmp_path, 1), part)
        (found,) = read(checkpoint(tmp_path, 1), handle)
        assert sum(map(len, found.content())) == 256 * BLOCK
        assert tracemalloc.get_traced_memory()[1] < 16 * BLOCK
    finally:
        tracemalloc.stop()


def test_nothing_is_left_of_a_part_that_nobody_wants_any_more(tmp_path: Path) -> None:
    calls = 0

    def go_on() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StateError("the checkpoint was given up")

    snapshot = OperatorSnapshot(own=Part(2 * SHORT_BYTES))
    with pytest.raises(StateError, match="was given up"):
        write_operator_snapshot(
            checkpoint(tmp_path, 1), snapshot, "op", "an operator", SubtaskPlace(0, 1, 16), go_on
        )
    assert files_in(tmp_path / "shared") == []


def test_what_cannot_be_stored_is_said(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("in the way")
    with pytest.raises(OutsideError, match="shared"):
        written(checkpoint(tmp_path, 1), Part(2 * SHORT_BYTES))


def manifest(number: int, *handles: OperatorStateHandle) -> Manifest:
    record = OperatorRecord("op", "an operator", 1, 16, handles)
    return Manifest(number, 0, "job", "a job", operators={"op": record})


def test_a_part_goes_with_the_last_checkpoint_that_has_it(tmp_path: Path) -> None:
    part, later = Part(2 * SHORT_BYTES), Part(2 * SHORT_BYTES, b"b")
    all_own = [(part,), (part, later), (later,)]
    done = [
        CompletedCheckpoint(
            manifest(number, written(checkpoint(tmp_path, number), *own)), f"{tmp_path}/chk-{number}"
        )
        for number, own in enumerate(all_own)
    ]
    remove_checkpoint(done[0].directory, done[0], done[1:])
    assert len(files_in(tmp_path / "shared")) == 2
    remove_checkpoint(done[1].directory, done[1], done[2:])
    assert len(files_in(tmp_path / "shared")) == 1
    (handle,) = done[2].manifest.operators["op"].handles
    assert read(checkpoint(tmp_path, 2), handle)[0].whole() == later.whole()


def test_parts_of_several_subtasks_are_found_by_one(tmp_path: Path) -> None:
    place = checkpoint(tmp_path, 1)
    handles = [
        written(place, Part(2 * SHORT_BYTES, b"%d" % index), subtask=index, of=3) for index in range(3)
    ]
    assert [part.whole()[:1] for part in read(place, *handles)] == [b"0", b"1", b"2"]


def test_parts_count_among_what_the_operator_remembers(tmp_path: Path) -> None:
    handle = written(checkpoint(tmp_path, 1), Part(2 * SHORT_BYTES))
    (content,) = contents_of(manifest(1, handle))
    (state,) = content.states
    assert (state.kind, state.rows) == ("own", 1)
    assert state.size_bytes == handle.size_bytes > 2 * SHORT_BYTES
