"""Jobs of independent regions: what fails starts again alone, the rest runs on, and every row comes exactly once."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Encoder, WatermarkStrategy
from penstock.contracts.functions import MapFunction
from penstock.contracts.source import Source
from penstock.datastream import RuntimeExecutionMode, StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink
from penstock.datastream.data_stream import DataStream
from penstock.testing import CollectingSink, ScriptedSource
from penstock.testing.simulation import Trickle

FAST_RESTART = {
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "5",
    "restart-strategy.fixed-delay.delay": "1 ms",
}
ROWS_OF_EACH = 300


class BreaksOnce(MapFunction):
    """Passes on; at one value it fails, or its worker dies, once. Each time that it is opened it leaves a file behind."""

    def __init__(self, folder: Path, value: int, kills: bool) -> None:
        self._folder = folder
        self._value = value
        self._kills = kills

    def open(self, runtime_context: Any) -> None:
        opened = self._folder / "opened"
        opened.mkdir(exist_ok=True)
        subtask, process = runtime_context.get_index_of_this_subtask(), os.getpid()
        (opened / f"{subtask}-{len(list(opened.glob(f'{subtask}-*')))}-{process}").touch()

    def map(self, value: int) -> int:
        broken = self._folder / "broken"
        if value == self._value and not broken.exists():
            broken.touch()
            if self._kills:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("on purpose")
        return value


def environment(parallelism: int, folder: Path, **options: str) -> StreamExecutionEnvironment:
    given = {**FAST_RESTART, "execution.checkpointing.dir": str(folder / "checkpoints"), **options}
    env = StreamExecutionEnvironment.get_execution_environment(given)
    env.set_parallelism(parallelism)
    return env


def columns(env: StreamExecutionEnvironment, source: Source, function: MapFunction) -> DataStream:
    """A region for each subtask: nothing goes from one to another."""
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").map(function)


def splits(parallelism: int) -> Source:
    numbers = [
        [split * ROWS_OF_EACH + position for position in range(ROWS_OF_EACH)] for split in range(parallelism)
    ]
    return Trickle(numbers, per_batch=3, pause_ms=2)


def opened(folder: Path) -> dict[int, int]:
    """How often each subtask was opened."""
    return dict(Counter(int(path.name.split("-")[0]) for path in (folder / "opened").iterdir()))


def written(env: StreamExecutionEnvironment, stream: DataStream, folder: Path) -> list[int]:
    """What a file sink has after the job; rows that are collected would all go through one subtask."""
    sink = FileSink.for_row_format(str(folder / "rows"), Encoder.simple_string_encoder()).build()
    stream.map(str).sink_to(sink)
    env.execute("numbers into files")
    parts = [path for path in (folder / "rows").rglob("*") if path.is_file() and path.name[0] != "."]
    return sorted(int(line) for path in parts for line in path.read_text().splitlines())


@pytest.mark.parametrize(
    ("kills", "with_checkpoints"),
    [
        (True, True),
        pytest.param(True, False, marks=pytest.mark.slow),
        pytest.param(False, True, marks=pytest.mark.slow),
        pytest.param(False, False, marks=pytest.mark.slow),
    ],
)
def test_the_region_that_breaks_starts_again_alone(
    kills: bool, with_checkpoints: bool, tmp_path: Path
) -> None:
    env = environment(2, tmp_path)
    env.enable_checkpointing(10 if with_checkpoints else 3_600_000)
    stream = columns(env, splits(2), BreaksOnce(tmp_path, ROWS_OF_EACH + 100, kills))
    assert written(env, stream, tmp_path) == list(range(2 * ROWS_OF_EACH))
    assert opened(tmp_path) == {0: 1, 1: 2}


@pytest.mark.slow
def test_with_the_failover_strategy_full_everything_starts_again(tmp_path: Path) -> None:
    env = environment(2, tmp_path, **{"jobmanager.execution.failover-strategy": "full"})
    env.enable_checkpointing(10)
    stream = columns(env, splits(2), BreaksOnce(tmp_path, ROWS_OF_EACH + 100, kills=False))
    assert written(env, stream, tmp_path) == list(range(2 * ROWS_OF_EACH))
    assert opened(tmp_path) == {0: 2, 1: 2}


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_pipelines_that_share_nothing_fail_alone_on_the_same_workers(
    parallelism: int, tmp_path: Path
) -> None:
    env = environment(parallelism, tmp_path)
    env.enable_checkpointing(10)
    rows, others = CollectingSink(), CollectingSink()
    broken = columns(env, splits(2), BreaksOnce(tmp_path, 100, kills=False))
    broken.key_by(lambda number: number % 3).sink_to(rows)
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    beside = columns(env, splits(2), BreaksOnce(quiet, -1, kills=False))
    beside.key_by(lambda number: number % 3).sink_to(others)
    result = env.execute("two pipelines")
    everything = list(range(2 * ROWS_OF_EACH))
    assert sorted(set(rows.records)) == everything  # some may be written twice, as the sink has one phase
    assert sorted(others.records) == everything
    assert set(opened(quiet).values()) == {1}
    assert set(opened(tmp_path).values()) == {2}
    assert result.get_recovery().restarts == 1


@pytest.mark.parametrize("kills", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_in_batch_mode_what_was_exchanged_is_kept_and_only_its_reader_runs_again(
    kills: bool, tmp_path: Path
) -> None:
    env = environment(2, tmp_path)
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    before = tmp_path / "before"
    before.mkdir()
    numbers = columns(env, ScriptedSource(list(range(200))), BreaksOnce(before, -1, kills=False))
    pairs = numbers.map(lambda number: (number % 10, number)).key_by(lambda pair: pair[0])
    sums = pairs.reduce(lambda a, b: (a[0], a[1] + b[1]))
    after = sums.map(lambda pair: pair[1]).map(BreaksOnce(tmp_path, 20 * 95 + 5 * 20, kills))
    sink = CollectingSink()
    after.sink_to(sink)
    env.execute("in batch mode")
    expected = sorted(sum(range(digit, 200, 10)) for digit in range(10))
    assert expected[5] == 20 * 95 + 5 * 20
    assert sorted(set(sink.records)) == expected
    # With a worker, what was exchanged is lost, too.
    assert set(opened(before).values()) == ({2} if kills else {1})
    assert sorted(opened(tmp_path).values()) == ([2, 2] if kills else [1, 2])
