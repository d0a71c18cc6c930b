"""Files on this machine survive its end: their content, their names, and the directories that were made for them."""

import os
from pathlib import Path

import pytest

from penstock.errors import OutsideError
from penstock.storage.writing import (
    make_durable,
    open_new_file,
    put_all_in_place,
    put_in_place,
    write_in_place,
    write_new_file,
)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were forced to the disk, which they still are."""
    found: list[str] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    return found


def test_a_new_file_is_on_the_disk_with_its_name_and_the_directories_that_were_made(
    tmp_path: Path, synced: list[str]
) -> None:
    path = tmp_path / "job" / "shared" / "file"
    write_new_file(str(path), b"x")
    assert synced == [str(tmp_path), str(tmp_path / "job"), str(path), str(path.parent)]


def test_a_file_that_is_still_open_has_its_name_on_the_disk_once_it_is_durable(
    tmp_path: Path, synced: list[str]
) -> None:
    path = tmp_path / ".part"
    with open_new_file(str(path)) as stream:
        stream.write(b"abc")
        assert make_durable(stream, str(path)) == 3
    assert synced == [str(path), str(tmp_path)]


def test_a_file_that_was_put_in_place_has_its_new_name_on_the_disk(tmp_path: Path, synced: list[str]) -> None:
    write_new_file(str(tmp_path / ".part"), b"x")
    synced.clear()
    for _ in range(2):
        put_in_place(str(tmp_path / ".part"), str(tmp_path / "part"))
    assert synced == [str(tmp_path)] * 2


def test_of_files_that_are_put_in_place_together_each_directory_is_forced_once(
    tmp_path: Path, synced: list[str]
) -> None:
    names = [f"{directory}/{number}" for directory in "ab" for number in range(3)]
    for name in names:
        write_new_file(str(tmp_path / f"{name}.part"), b"x")
    synced.clear()
    put_all_in_place([(str(tmp_path / f"{name}.part"), str(tmp_path / name)) for name in names])
    assert synced == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert all((tmp_path / name).exists() for name in names)


def test_a_file_that_is_written_in_place_is_there_whole(tmp_path: Path, synced: list[str]) -> None:
    write_in_place(str(tmp_path / "file"), b"x")
    assert synced[-1] == str(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_in_the_way_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for below in ("file/a", "file/a/b/c"):
        with pytest.raises(OutsideError, match=r"cannot be written: Not a directory"):
            write_new_file(str(tmp_path / below), b"x")
