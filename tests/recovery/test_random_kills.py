"""Random programs in real processes that are killed with kill -9 at random moments: the output stays what it is.

At parallelism 1 the program itself is killed, and started again from its newest checkpoint; above, its workers are killed.
``PENSTOCK_KILLS`` says how many kills the slow tests make.
"""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from subprocess import TimeoutExpired

import pytest

from penstock.chance import Chance, seeded
from penstock.testing.simulation import Surroundings, undisturbed
from penstock.testing.simulation.random_programs import random_program
from tests.missing import leave_out_for_want_of
from tests.recovery.random_program import environment_for, slow_sources

KILLS = int(os.environ.get("PENSTOCK_KILLS", "500"))
KILLS_OF_A_TEST = 10
LONGEST_S = 120.0
WORKER = b"penstock.deploy.local.worker_process"


@pytest.fixture
def proc() -> None:
    """Where workers are found."""
    if not Path("/proc/self/task").exists():
        leave_out_for_want_of("/proc", "run this test on Linux, where workers are found in it")


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
    """Run the program of a seed, kill what runs it, compare; says how many were killed."""
    calm = Surroundings().calm()
    expected = undisturbed(random_program(seed), seed, calm).outputs
    kill = kill_the_program if seed % 4 == 0 else kill_workers
    killed = kill(seed, folder, most_kills, seeded(f"moments {seed}"))
    for name, rows in expected.items():
        found = lines_below(folder / "out" / name)
        assert Counter(found) == Counter(map(str, rows)), f"seed {seed}, output {name!r}, {killed} kills"
    # Checkpoints of a program that was killed are whoever's who starts it again.
    below = folder / "out" if kill is kill_the_program else folder
    left = [path for path in below.rglob("*") if path.is_file() and path.name.startswith((".", "_"))]
    assert left == [], f"seed {seed}"
    return killed


def kill_workers(seed: int, folder: Path, most_kills: int, chance: Chance) -> int:
    """Run the program here at its parallelism above 1, and kill workers of it; how many."""
    with slow_sources():
        env = environment_for(seed, folder)
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
    return killed


def kill_the_program(seed: int, folder: Path, most_kills: int, chance: Chance) -> int:
    """Run the program at parallelism 1 in a process of its own, kill it, and start it again; how many kills."""
    checkpoint: tuple[str, ...] = ()
    for killed in range(most_kills + 1):
        command = [sys.executable, "-m", "tests.recovery.random_program", str(seed), str(folder), *checkpoint]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            said = process.communicate(timeout=LONGEST_S if killed == most_kills else chance.uniform(0.3, 3))[
                1
            ]
            assert process.returncode == 0, f"seed {seed}: {said}"
            return killed
        except TimeoutExpired:
            process.kill()
            process.communicate()
            assert killed < most_kills, f"seed {seed}: the program still runs after {LONGEST_S} s"
        checkpoint = newest_checkpoint(folder / "checkpoints")
        if (
            not checkpoint
        ):  # nothing is committed yet, and nobody cleans up after a program that has left nothing
            rmtree(folder / "out", ignore_errors=True)
    raise AssertionError("the last one is not killed")


def newest_checkpoint(directory: Path) -> tuple[str, ...]:
    """The path of the newest checkpoint that is complete, if there is one."""
    found = directory.glob("*/chk-*/_metadata")
    return tuple(str(path.parent) for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)[-1:])


def lines_below(directory: Path) -> list[str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.name[0] not in "._")
    return [line for path in files for line in path.read_text().splitlines()]


@pytest.mark.usefixtures("proc")
def test_a_job_whose_worker_is_killed_twice_gives_what_it_would_have_given(tmp_path: Path) -> None:
    assert run_and_kill(2, tmp_path, 2) > 0


def test_a_program_that_is_killed_twice_and_started_again_gives_what_it_would_have_given(
    tmp_path: Path,
) -> None:
    assert run_and_kill(4, tmp_path, 2) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("proc")
@pytest.mark.parametrize("part", range(max(1, KILLS // KILLS_OF_A_TEST)))
def test_random_programs_give_what_they_would_have_given(part: int, tmp_path: Path) -> None:
    left, seed = KILLS_OF_A_TEST, part * 1_000
    while left > 0:
        seed += 1
        folder = tmp_path / str(seed)
        folder.mkdir()
        left -= run_and_kill(seed, folder, min(left, 1 + seed % 3))
