"""What is left of checkpoints when a job ends, and how the next program goes on from it, even after ``kill -9``."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.common import WatermarkStrategy
from penstock.datastream import CheckpointingMode, StreamExecutionEnvironment
from penstock.errors import JobCancelled, JobFailed
from penstock.testing import CollectingSink, Fail, Pause, ScriptedSource
from tests.recovery.test_jobs_start_again import EXPECTED, counted, environment, rows_of, script

RETENTION = "execution.checkpointing.externalized-checkpoint-retention"
ROOT = Path(__file__).resolve().parents[2]


def manifests(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "checkpoints").glob("*/chk-*/_metadata"))


def endless(env: StreamExecutionEnvironment, *items: object) -> CollectingSink:
    sink = CollectingSink()
    source = ScriptedSource([*range(5), Pause(1), *items], bounded=False)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "endless")
    numbers.key_by(lambda number: number).reduce(max).sink_to(sink)
    return sink


@pytest.mark.parametrize(
    ("retention", "kept"),
    [("RETAIN_ON_CANCELLATION", 1), ("DELETE_ON_CANCELLATION", 0), ("NO_EXTERNALIZED_CHECKPOINTS", 0)],
)
def test_a_cancelled_job_leaves_its_last_checkpoint_as_the_user_says(
    retention: str, kept: int, tmp_path: Path
) -> None:
    env = environment(1, tmp_path, **{RETENTION: retention})
    endless(env)
    client = env.execute_async()
    while not any(each.path for each in client.get_checkpoints()):
        assert not client.get_job_status().result().is_globally_terminal_state()
    client.cancel().result(120)
    with pytest.raises(JobCancelled):
        client.get_job_execution_result().result(120)
    assert len(manifests(tmp_path)) == kept
    assert kept == 1 or not any((tmp_path / "checkpoints").iterdir())


@pytest.mark.parametrize(
    ("retention", "kept"), [("DELETE_ON_CANCELLATION", 1), ("NO_EXTERNALIZED_CHECKPOINTS", 0)]
)
def test_a_failed_job_leaves_its_last_checkpoint_unless_none_is_to_outlive_it(
    retention: str, kept: int, tmp_path: Path
) -> None:
    env = environment(1, tmp_path, **{RETENTION: retention, "restart-strategy.type": "none"})
    endless(env, Pause(300), Fail(ValueError("on purpose")))
    with pytest.raises(JobFailed, match="on purpose"):
        env.execute()
    assert len(manifests(tmp_path)) == kept


def test_as_many_checkpoints_are_kept_as_the_user_says(tmp_path: Path) -> None:
    env = environment(
        1, tmp_path, **{RETENTION: "RETAIN_ON_CANCELLATION", "execution.checkpointing.num-retained": "3"}
    )
    endless(env)
    client = env.execute_async()
    while sum(each.path is not None for each in client.get_checkpoints()) < 5:
        assert not client.get_job_status().result().is_globally_terminal_state()
    client.cancel().result(120)
    with pytest.raises(JobCancelled):
        client.get_job_execution_result().result(120)
    assert len(manifests(tmp_path)) == 3


PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.recovery.test_retained_checkpoints import killed_program
killed_program(Path({folder!r}), sys.argv[1:])
"""


def killed_program(folder: Path, savepoint: list[str]) -> None:
    """A program of parallelism 1 that writes its rows to files, and kills itself half way when it starts from nothing."""
    from penstock.common import Encoder
    from penstock.datastream.connectors.file_system import FileSink

    env = environment(1, folder, **{RETENTION: "RETAIN_ON_CANCELLATION"})
    if savepoint:
        env.get_configuration().set_string("execution.savepoint.path", savepoint[0])

    def kill(row: tuple[int, int]) -> tuple[int, int]:
        if not savepoint and row[1] == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return row

    sink = FileSink.for_row_format(str(folder / "out"), Encoder.simple_string_encoder()).build()
    counted(env, script(folder, pause_ms=30)).map(kill).map(str).sink_to(sink)
    env.execute()


@pytest.mark.slow
def test_the_next_program_goes_on_where_a_killed_one_had_its_last_checkpoint(tmp_path: Path) -> None:
    def run(*arguments: str) -> int:
        program = PROGRAM.format(root=str(ROOT), folder=str(tmp_path))
        finished = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=ROOT, check=False, timeout=120
        )
        return finished.returncode

    assert run() == -signal.SIGKILL
    found = manifests(tmp_path)
    last = max(found, key=lambda path: int(path.parent.name.removeprefix("chk-")))
    assert run(str(last.parent)) == 0
    lines = [line for file in (tmp_path / "out").rglob("part-*") for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(map(str, EXPECTED))
    assert last.exists(), "what a job starts from without claiming it is not its own to delete"


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_at_least_once_loses_nothing(parallelism: int, tmp_path: Path) -> None:
    env = environment(parallelism, tmp_path)
    env.enable_checkpointing(10, CheckpointingMode.AT_LEAST_ONCE)
    rows = rows_of(counted(env, script(tmp_path, 20, 40)))
    assert set(EXPECTED) <= set(rows)
