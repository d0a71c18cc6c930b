"""Commands that are called within the test process leave it as it was."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _conf_dir_as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PENSTOCK_CONF_DIR", "")  # noted, so that it is put back
    monkeypatch.delenv("PENSTOCK_CONF_DIR")
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))  # and not that of whoever runs the tests
