"""The fixture for users: a test of theirs, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

TEST = """
from penstock.testing.simulation import Trickle


def totals(env, world):
    numbers = env.from_source(Trickle.of(range(20)), Trickle.strategy(), "numbers")
    numbers.key_by(lambda n: n % 3).reduce(lambda a, b: a + b).sink_to(world.sink("totals"))


def test_it_holds(simulation):
    assert len(simulation(totals, seeds=range(4))) == EXPECTED


def test_it_does_not_hold(simulation):
    simulation(totals, seeds=[5], expected={"totals": ["no such row"]})
"""


def run_pytest(folder: Path, expected: int, *arguments: str) -> str:
    (folder / "conftest.py").write_text('pytest_plugins = ["penstock.testing.simulation.plugin"]\n')
    (folder / "test_totals.py").write_text(TEST.replace("EXPECTED", str(expected)))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_a_program_runs_in_many_worlds_and_a_failure_says_how_to_see_it_again(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, 4)
    assert "1 failed, 1 passed" in output
    assert "to see it again: pytest 'test_totals.py::test_it_does_not_hold' --simulation-seed 5" in output


def test_one_seed_may_be_run_alone(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, 1, "--simulation-seed", "17")
    assert "1 failed, 1 passed" in output
    assert "in the world of seed 17" in output
