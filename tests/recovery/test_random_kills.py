"""Random programs in real processes, whose workers are killed with kill -9 at random moments: the output stays what it is.

``PENSTOCK_KILLS`` says how many kills the slow tests make.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from penstock.chance import Chance, seeded
from penstock.common import Encoder
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink
from penstock.testing.simulation import Surroundings, undisturbed
from penstock.testing.simulation.random_programs import random_program
from penstock.testing.simulation.stages import PACE
from tests.missing import leave_out_for_want_of

KILLS = int(os.environ.get("PENSTOCK_KILLS", "500"))
KILLS_OF_A_TEST = 10
LONGEST_S = 120.0
WORKER = b"penstock.deploy.local.worker_process"


class Folder:
    """What a program asks of its world, in a folder of this machine."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._seed = seed

    def chance(self, name: str) -> Chance:
        return seeded(f"penstock {name} {self._seed}")

    def directory(self, name: str) -> str:
        return str(self._path / name)

    def sink(self, name: str) -> Any:
        return FileSink.for_row_format(self.directory(name), Encoder.simple_string_encoder()).build()


@pytest.fixture
def slow_sources() -> Iterator[None]:
    if not Path("/proc/self/task").exists():
        leave_out_for_want_of("/proc", "run this test on Linux, where workers are found in it")
    PACE.factor, PACE.least_ms = 12, 40
    yield
    PACE.factor, PACE.least_ms = 1, 0


def environment(folder: Path, chance: Chance) -> StreamExecutionEnvironment:
    env = StreamExecutionEnvironment.get_execution_environment(
        {
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000",
            "restart-strategy.fixed-delay.delay": "5 ms",
            "execution.checkpointing.interval": f"{chance.choice((30, 100))} ms",
            "execution.checkpointing.dir": str(folder / "checkpoints"),
            "execution.checkpointing.tolerable-failed-checkpoints": "100",
            "execution.checkpointing.unaligned.enabled": chance.choice(("true", "false")),
            "state.backend.type": chance.choice(("hashmap", "rocksdb")),
        }
    )
    env.set_parallelism(chance.randint(2, 4))
    return env


def workers() -> list[int]:
    """The worker processes that this process has started and that live."""
    found = []
    for child in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, child.read_text().split()):
            with suppress(OSError):
                if WORKER in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
    return sorted(found)


def run_and_kill(seed: int, folder: Path, most_kills: int) -> int:
    """Run the program of a seed, kill its workers, compare; says how many were killed."""
    calm = Surroundings().calm()
    expected = undisturbed(random_program(seed), seed, calm).outputs
    chance = seeded(f"kills {seed}")
    env = environment(folder, chance)
    random_program(seed)(env, Folder(folder / "out", seed))  # type: ignore[arg-type]
    failures: list[BaseException] = []

    def run() -> None:
        try:
            env.execute()
        except BaseException as error:
            failures.append(error)

    job = threading.Thread(target=run)
    job.start()
    killed = 0
    while killed < most_kills and job.is_alive():
        job.join(chance.uniform(0.05, 1.2))
        alive = workers()
        if alive and job.is_alive():
            with suppress(ProcessLookupError):
                os.kill(chance.choice(alive), signal.SIGKILL)
                killed += 1
    job.join(LONGEST_S)
    assert not job.is_alive(), f"seed {seed}: the job still runs after {LONGEST_S} s"
    assert not failures, f"seed {seed}: {failures[0]}"
    for name, rows in expected.items():
        found = lines_below(folder / "out" / name)
        assert Counter(found) == Counter(map(str, rows)), f"seed {seed}, output {name!r}, {killed} kills"
    left = [path for path in folder.rglob("*") if path.is_file() and path.name.startswith((".", "_"))]
    assert left == [], f"seed {seed}"
    return killed


def lines_below(directory: Path) -> list[str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.name[0] not in "._")
    return [line for path in files for line in path.read_text().splitlines()]


@pytest.mark.usefixtures("slow_sources")
def test_a_job_whose_worker_is_killed_twice_gives_what_it_would_have_given(tmp_path: Path) -> None:
    assert run_and_kill(2, tmp_path, 2) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("slow_sources")
@pytest.mark.parametrize("part", range(max(1, KILLS // KILLS_OF_A_TEST)))
def test_random_programs_give_what_they_would_have_given(part: int, tmp_path: Path) -> None:
    left, seed = KILLS_OF_A_TEST, part * 1_000
    while left > 0:
        seed += 1
        folder = tmp_path / str(seed)
        folder.mkdir()
        left -= run_and_kill(seed, folder, min(left, 1 + seed % 3))
