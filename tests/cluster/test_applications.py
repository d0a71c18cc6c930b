"""A program with a cluster of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.deploy.cluster.leadership import Epochs
from tests.cluster.conftest import ROOT, Cluster, is_alive
from tests.cluster.test_fencing import assert_exactly_once, complete_lines

PROGRAM = Path(__file__).with_name("to_files.py")
GROUPS = """
from penstock.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
numbers = env.from_collection([1, 2]).key_by(lambda number: number).map(str).slot_sharing_group("light")
numbers.rebalance().map(lambda number: "row " + number).slot_sharing_group("heavy").print()
env.execute("groups")
"""


@contextmanager
def application(cluster: Cluster, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """``penstock run-application`` on its way; whatever becomes of the test, it and its cluster are ended."""
    known = {key: value for key, value in os.environ.items() if key != "PENSTOCK_CONF_DIR"}
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", "run-application", *words],
        env={**known, "PENSTOCK_HOME": str(cluster.home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)  # it ends its cluster with itself
                process.communicate()


@pytest.mark.slow
def test_an_application_survives_its_jobmanager_and_leaves_nothing_behind(
    cluster: Cluster, tmp_path: Path
) -> None:
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    words = ["-p", "2", "--taskmanagers", "2", checkpoints, str(PROGRAM)]
    with application(cluster, *words, "6000", "300", str(directory)) as process:
        cluster.wait_for_files(lambda: len(complete_lines(directory)) > 50)
        (home,) = (cluster.home / "applications").iterdir()
        pids = [int(word) for file in home.glob("run/*.pid") for word in file.read_text().split()]
        assert len(pids) == 3
        os.kill(int((home / "run" / "penstock-jobmanager.pid").read_text()), signal.SIGKILL)
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "A jobmanager of the application has ended, and is started again." in said
    assert Epochs(f"{home / 'leading'}/default").newest() == 2
    assert_exactly_once(complete_lines(directory), 6000)
    assert not any(is_alive(pid) for pid in pids)


@pytest.mark.slow
def test_the_exit_code_of_an_application_is_that_of_its_program(cluster: Cluster, tmp_path: Path) -> None:
    program = tmp_path / "failing.py"
    program.write_text(
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.from_collection([0]).map(lambda value: 1 / value).print()\n"
        "env.execute('failing')\n"
    )
    said = cluster.penstock("run-application", "-Drestart-strategy.type=none", str(program), check=False)
    assert "ZeroDivisionError" in said
    assert "leave out -m" in cluster.penstock("run-application", "-m", "localhost:1", "x.py", check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "fits"),
    [
        (("--taskmanagers", "2"), True),
        (("--slots", "4"), False),
        (("-Dtaskmanager.numberOfTaskSlots=5",), True),
    ],
)
def test_an_application_has_the_slots_of_all_slot_sharing_groups_of_its_first_job(
    cluster: Cluster, tmp_path: Path, options: tuple[str, ...], fits: bool
) -> None:
    program = tmp_path / "groups.py"
    program.write_text(GROUPS)
    words = ("-p", "2", "-Dslot.request.timeout=1 s", "-Drestart-strategy.type=none", *options)
    said = cluster.penstock("run-application", *words, str(program), check=False)
    (home,) = (cluster.home / "applications").iterdir()
    rows = "".join(path.read_text() for path in home.glob("log/*taskmanager*.out"))
    assert ("row 1" in rows and "row 2" in rows) == fits, said
    assert ("5 slots (1 for slot sharing group 'default'" in said) != fits, said


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_application_that_is_ended_by_a_signal_ends_its_cluster(
    cluster: Cluster, tmp_path: Path, number: signal.Signals
) -> None:
    directory = tmp_path / "out"
    with application(cluster, str(PROGRAM), "100000", "300", str(directory)) as process:
        cluster.wait_for_files(lambda: complete_lines(directory))
        (home,) = (cluster.home / "applications").iterdir()
        pids = [int(word) for file in home.glob("run/*.pid") for word in file.read_text().split()]
        assert len(pids) == 2 and all(is_alive(pid) for pid in pids)
        process.send_signal(number)
        said, _ = process.communicate()
    assert process.returncode == 128 + number, said
    assert f"{number.name}: the application is ended." in said
    assert not any(is_alive(pid) for pid in pids)
