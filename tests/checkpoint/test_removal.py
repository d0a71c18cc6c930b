"""What is removed of checkpoints, and in which order."""

from pathlib import Path

import pytest

from penstock.checkpoint import removal
from penstock.checkpoint.removal import remove_leftovers
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
