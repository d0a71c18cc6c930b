"""Whole jobs that fail at chosen records or lose a worker, and have exactly the rows of a run without failures."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from penstock.common import WatermarkStrategy
from penstock.contracts.functions import MapFunction
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.data_stream import DataStream
from penstock.errors import JobFailed
from penstock.testing import Fail, Pause, ScriptedSource

FAST_RESTART = {
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "5",
    "restart-strategy.fixed-delay.delay": "1 ms",
}


def environment(parallelism: int, folder: Path | None, **options: str) -> StreamExecutionEnvironment:
    given = {**FAST_RESTART, **options}
    if folder is not None:
        given["execution.checkpointing.dir"] = str(folder / "checkpoints")
    env = StreamExecutionEnvironment.get_execution_environment(given)
    env.set_parallelism(parallelism)
    env.enable_checkpointing(10)
    return env


def script(folder: Path, *failures: int, pause_ms: int = 2) -> list[Any]:
    """The numbers 0 to 9, 60 times with a pause between, and failures after some rounds."""
    items: list[Any] = []
    for round_number in range(60):
        items += [*range(10), Pause(pause_ms)]
        if round_number in failures:
            items.append(Fail(ValueError("on purpose"), folder / f"failed-{round_number}"))
    return items


def counted(env: StreamExecutionEnvironment, items: list[Any]) -> DataStream:
    source = ScriptedSource(items, records_per_batch=3)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "script")
    pairs = numbers.map(lambda number: (number, 1))
    return pairs.key_by(lambda pair: pair[0]).reduce(lambda a, b: (a[0], a[1] + b[1]))


def rows_of(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as rows:
        return sorted(rows)


EXPECTED = sorted((number, count) for number in range(10) for count in range(1, 61))


@pytest.mark.parametrize(
    ("parallelism", "backend"),
    [
        (1, "hashmap"),
        (2, "hashmap"),
        pytest.param(3, "hashmap", marks=pytest.mark.slow),
        (1, "rocksdb"),
        (2, "rocksdb"),
    ],
)
def test_a_job_that_fails_three_times_has_every_row_exactly_once(
    parallelism: int, backend: str, tmp_path: Path
) -> None:
    env = environment(parallelism, tmp_path, **{"state.backend.type": backend})
    assert rows_of(counted(env, script(tmp_path, 10, 11, 40))) == EXPECTED
    assert not (tmp_path / "checkpoints").is_dir() or not any((tmp_path / "checkpoints").iterdir())


def test_checkpoints_in_memory_serve_as_well(tmp_path: Path) -> None:
    assert rows_of(counted(environment(1, None), script(tmp_path, 20))) == EXPECTED


class KillsItsWorker(MapFunction):
    """Passes on; its worker dies without a word at one value, once."""

    def __init__(self, value: int, marker: Path) -> None:
        self._value = value
        self._marker = marker
        self._left = 30

    def map(self, value: tuple[int, int]) -> tuple[int, int]:
        if value[0] == self._value:
            self._left -= 1
            if self._left == 0 and not self._marker.exists():
                self._marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return value


@pytest.mark.parametrize(
    ("parallelism", "backend"),
    [(2, "hashmap"), pytest.param(3, "hashmap", marks=pytest.mark.slow), (2, "rocksdb")],
)
def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    parallelism: int, backend: str, tmp_path: Path
) -> None:
    env = environment(parallelism, tmp_path, **{"state.backend.type": backend})
    killed = counted(env, script(tmp_path)).map(KillsItsWorker(3, tmp_path / "killed"))
    assert rows_of(killed) == EXPECTED
    assert (tmp_path / "killed").exists()


def test_without_a_checkpoint_the_job_begins_anew(tmp_path: Path) -> None:
    env = environment(1, tmp_path, **{"execution.checkpointing.interval": "1 h"})
    env.enable_checkpointing(3_600_000)
    assert rows_of(counted(env, script(tmp_path, 20))) == EXPECTED


def test_a_job_that_fails_more_often_than_its_strategy_allows_stays_failed(tmp_path: Path) -> None:
    env = environment(1, tmp_path, **{"restart-strategy.fixed-delay.attempts": "1"})
    with pytest.raises(JobFailed, match="on purpose"):
        rows_of(counted(env, script(tmp_path, 10, 20, 30)))


def test_rows_that_were_given_out_without_checkpoints_do_not_come_twice(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment(FAST_RESTART)
    with pytest.raises(JobFailed, match="enable checkpointing"):
        rows_of(counted(env, script(tmp_path, 20)))
