"""Finding files in directories in which others create and remove them at the same time."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from penstock.errors import OutsideError
from penstock.storage import reading
from penstock.storage.reading import find_files


def names(path: Any, **how: Any) -> list[str]:
    return [file.path.rpartition("/")[2] for file in find_files(str(path), **how)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for name in ("a", "b", "deep/c"):
        (tmp_path / name).write_text("x\n")
    return tmp_path


def remove_after_listing(monkeypatch: pytest.MonkeyPatch, gone: Path) -> None:
    """Have a file or directory removed when its directory has been read, and before it is looked at itself."""
    real = os.scandir

    def scandir(path: Any) -> Iterator[os.DirEntry[str]]:
        entries = list(real(path))
        if Path(path) == gone.parent and gone.exists():
            if gone.is_dir():
                for inside in gone.iterdir():
                    inside.unlink()
                gone.rmdir()
            else:
                gone.unlink()
        return iter(entries)

    monkeypatch.setattr(reading.os, "scandir", scandir)


@pytest.mark.parametrize(("gone", "left"), [("a", ["b", "c"]), ("deep/c", ["a", "b"]), ("deep", ["a", "b"])])
def test_what_is_removed_while_it_is_looked_for_is_left_out(
    directory: Path, monkeypatch: pytest.MonkeyPatch, gone: str, left: list[str]
) -> None:
    remove_after_listing(monkeypatch, directory / gone)
    assert names(directory) == left


def test_what_is_removed_after_it_matched_a_pattern_is_left_out(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import glob

    real = glob.glob

    def and_remove(*arguments: Any, **named: Any) -> list[str]:
        found = real(*arguments, **named)
        (directory / "a").unlink()
        return found

    monkeypatch.setattr(glob, "glob", and_remove)
    assert names(directory / "*") == ["b", "c"]


def test_a_link_to_nowhere_and_a_path_that_was_never_there_are_errors(directory: Path) -> None:
    (directory / "link").symlink_to(directory / "nowhere")
    with pytest.raises(OutsideError, match="there is no file or directory"):
        names(directory)
    with pytest.raises(OutsideError, match="there is no file or directory"):
        names(directory / "nowhere")


def test_a_directory_that_is_removed_on_another_file_system_is_left_out(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = LocalFileSystem.ls

    def ls(self: Any, path: str, detail: bool = False, **named: Any) -> Any:
        found = real(self, path, detail=detail, **named)
        if Path(path) == directory:
            shutil.rmtree(directory / "deep")
        return found

    monkeypatch.setattr(LocalFileSystem, "ls", ls)
    assert names(f"local://{directory}") == ["a", "b"]
