"""What is removed of checkpoints, and in which order."""

from pathlib import Path

import pytest

from penstock.checkpoint import removal
from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import Manifest, write_manifest
from penstock.checkpoint.removal import remove_leftovers, remove_unneeded
from penstock.errors import OutsideError


def test_a_manifest_that_was_said_to_have_failed_goes_before_the_files_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_metadata", "a.state"):
        (tmp_path / name).write_text("x")

    def stop(path: str) -> None:
        raise OutsideError(f"{path}: the process died here")

    monkeypatch.setattr(removal, "delete_directory", stop)
    with pytest.raises(OutsideError):
        remove_leftovers(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["a.state"]


def test_leftovers_without_a_manifest_go_as_well(tmp_path: Path) -> None:
    (tmp_path / "chk-1").mkdir()
    (tmp_path / "chk-1" / "a.state").write_text("x")
    remove_leftovers(str(tmp_path / "chk-1"))
    assert not (tmp_path / "chk-1").exists()


def test_what_nobody_has_lived_to_complete_goes_at_the_end_of_the_job(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"chk-{number}").mkdir()
        (tmp_path / f"chk-{number}" / "a.state").write_text("x")
    complete, kept = tmp_path / "chk-2", tmp_path / "chk-3"
    write_manifest(str(complete), Manifest(2, 0, "job", "a job"))
    remove_unneeded(str(tmp_path), [CompletedCheckpoint(Manifest(3, 0, "job", "a job"), str(kept))])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chk-2", "chk-3"]


def test_what_cannot_be_removed_holds_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        (tmp_path / f"chk-{number}").mkdir()
    delete = removal.delete_directory

    def refuse(path: str) -> None:
        if path.endswith("chk-1"):
            raise OutsideError(f"{path} cannot be deleted")
        delete(path)

    monkeypatch.setattr(removal, "delete_directory", refuse)
    with pytest.raises(OutsideError, match="chk-1 cannot be deleted"):
        remove_unneeded(str(tmp_path), [])
    assert [path.name for path in tmp_path.iterdir()] == ["chk-1"]
