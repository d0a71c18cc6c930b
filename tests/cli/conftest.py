"""Commands that are called within the test process leave it as it was."""

import pytest


@pytest.fixture(autouse=True)
def _conf_dir_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CONF_DIR", "")  # noted, so that it is put back
    monkeypatch.delenv("PENSTOCK_CONF_DIR")
