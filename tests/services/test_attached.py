"""Services are gone with the process that started them, even where that was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.programs import MOST_S, ROOT, is_gone
from tests.missing import leave_out_for_want_of
from tests.services.debian_packages import NoPackages, unpacked
from tests.services.kafka_broker import KAFKA_4, NoBroker, jars
from tests.services.rsyslog import rsyslogd

_STARTS_ITS_OWN = """
import sys
from tests.services.attached import Attached
own = "import subprocess, sys; subprocess.Popen(['sleep', '1000']); print('it runs', flush=True); sys.stdin.read()"
Attached([sys.executable, "-c", own]).wait()
"""
_KEEPS = """
import sys
from pathlib import Path
from tests.services.{module} import {name}
with {name}(Path(sys.argv[1]), *sys.argv[2:]):
    print("it runs", flush=True)
    sys.stdin.read()
"""


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], check=False, capture_output=True)
    children = [int(word) for word in listed.stdout.split()]
    return [*children, *(further for child in children for further in descendants(child))]


def left_by(program: str, *arguments: str) -> tuple[int, list[int]]:
    """How many processes a program had that was killed when it said that it runs, and those that are still there."""
    command = [sys.executable, "-c", program, *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env={**os.environ, "PYTHONPATH": ROOT}) as started:  # type: ignore[call-overload]
        said = started.stdout.readline()
        found = descendants(started.pid)
        started.kill()
    assert said == "it runs\n"
    left = [pid for pid in found if not is_gone(pid, MOST_S)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return len(found), left


def test_a_service_and_what_it_has_started_are_gone_with_who_started_them() -> None:
    count, left = left_by(_STARTS_ITS_OWN)
    assert count >= 2
    assert left == []


@pytest.mark.service
@pytest.mark.parametrize(
    ("module", "name", "arguments", "needs"),
    [
        pytest.param("rsyslog", "running_rsyslog", ["p"], rsyslogd, id="rsyslog"),
        pytest.param(
            "kafka_broker", "running_kafka", [], lambda: jars(KAFKA_4), id="kafka", marks=pytest.mark.slow
        ),
        pytest.param(
            "rabbitmq_server",
            "running_rabbitmq",
            [],
            lambda: unpacked("rabbitmq-server"),
            id="rabbitmq",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_real_service_is_gone_with_who_started_it(
    module: str, name: str, arguments: list[str], needs: Any, tmp_path: Path
) -> None:
    try:
        needs()
    except (NoBroker, NoPackages) as reason:
        leave_out_for_want_of(module, str(reason))
    count, left = left_by(_KEEPS.format(module=module, name=name), str(tmp_path), *arguments)
    assert count >= 1
    assert left == []
