"""Files on this machine survive its end: their content, their names, and the directories that were made for them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from penstock.errors import OutsideError
from penstock.storage.reading import open_file
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


class Refusing(MemoryFileSystem):
    """Files in memory, that take nothing in while ``refuses``; ``seen`` is what stood where files were written."""

    protocol = "refusing"
    store: dict[str, Any] = {}  # noqa: RUF012  (one for all, as that of its parent)
    pseudo_dirs = [""]  # noqa: RUF012
    refuses = False
    seen: list[bool] = []  # noqa: RUF012

    def _open(self, path: str, mode: str = "rb", *arguments: Any, **more: Any) -> Any:
        if "w" in mode:
            Refusing.seen.append(self.exists(path))
            if Refusing.refuses:
                raise OSError("it is away")
        return super()._open(path, mode, *arguments, **more)


@pytest.fixture
def refusing() -> Iterator[str]:
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    Refusing.store.clear()
    Refusing.seen.clear()
    yield "refusing://jobs/a.job"
    Refusing.refuses = False


def content_of(path: str) -> bytes:
    with open_file(path) as file:
        return file.read()


def test_a_file_at_a_url_is_there_until_another_is_in_its_place(refusing: str) -> None:
    write_in_place(refusing, b"old")
    write_in_place(refusing, b"new")
    assert content_of(refusing) == b"new"
    assert Refusing.seen == [False, True]


def test_a_file_at_a_url_stays_when_the_new_one_cannot_be_written(refusing: str) -> None:
    write_in_place(refusing, b"old")
    Refusing.refuses = True
    with pytest.raises(OutsideError, match=r"a\.job cannot be written: it is away"):
        write_in_place(refusing, b"new")
    assert content_of(refusing) == b"old"
