"""What commands of a cluster read before they do anything."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.cluster_settings import cluster_settings
from penstock.cli.commands import penstock
from penstock.cli.properties import property_of


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rest: [", r"config\.yaml:\d: not YAML"),
        ("rest.port: 8081\nrest.port: 8082\n", r"config\.yaml:2: rest\.port is set twice"),
        ("execution.runtime-mode: FAST\n", r"execution\.runtime-mode"),
    ],
)
def test_a_file_of_options_that_cannot_be_understood_stops_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(text)
    result = CliRunner().invoke(penstock, ["list"], prog_name="penstock")
    assert result.exit_code == 2
    assert re.search(says, result.output)


def test_they_log_as_the_file_of_their_role_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "log4j-cli.properties").write_text("rootLogger = LOUD\n")
    result = CliRunner().invoke(penstock, ["list"], prog_name="penstock")
    assert result.exit_code == 2
    assert "no log level 'LOUD'" in result.output


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("taskmanager.numberOfTaskSlot=2", "did you mean 'taskmanager.numberOfTaskSlots'?"),
        ("heartbeat.timeout=soon", "heartbeat.timeout"),
        ("=2", "has no key; write -D key=value"),
    ],
)
def test_an_option_that_is_a_slip_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, says: str
) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    for command in ("start-cluster", "list"):
        result = CliRunner().invoke(penstock, [command, "-D", given], prog_name="penstock")
        assert (result.exit_code, says in result.output) == (2, True), result.output
    assert list(tmp_path.iterdir()) == []


def test_options_of_our_own_are_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    own = ("rest.token=t0ken", "rest.allow-plain-http=true", "ray.namespace=other", "ray.taskmanager.cpus=2")
    options = cluster_settings(None, own).options
    assert [options[text.partition("=")[0]] for text in own] == [text.partition("=")[2] for text in own]
    assert property_of("rest.token=t0ken").to_dict() == {"rest.token": "t0ken"}
