"""The fixture ``simulation`` for pytest: ``pytest_plugins = ["penstock.testing.simulation.plugin"]`` in a ``conftest.py``."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from penstock.testing.simulation.faults import Surroundings
from penstock.testing.simulation.simulate import Outcome, simulate, undisturbed
from penstock.testing.simulation.world import Program

USUAL_SEEDS = range(20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--simulation-seed``: run this seed alone, to see a failure again."""
    parser.addoption(
        "--simulation-seed",
        type=int,
        default=None,
        help="run the worlds of tests that use the fixture `simulation` with this seed alone",
    )


@pytest.fixture
def simulation(request: pytest.FixtureRequest) -> Callable[..., list[Outcome]]:
    """Runs a program in the worlds of several seeds, and fails with the story of the first in which something did not hold.

    ``simulation(program, seeds=range(20), surroundings=Surroundings(), expected=None)`` gives the outcomes. The output is
    compared with ``expected``, or else with that of an undisturbed run: one run for all seeds, unless the program asks for
    ``world.chance``, which makes it another program in each world.
    """
    seed = request.config.getoption("--simulation-seed")
    replay = f"pytest '{request.node.nodeid}' --simulation-seed"

    def run(
        program: Program,
        seeds: Iterable[int] = USUAL_SEEDS,
        surroundings: Surroundings | None = None,
        expected: dict[str, list[Any]] | None = None,
    ) -> list[Outcome]:
        chosen = list(seeds) if seed is None else [seed]
        if expected is None and chosen:
            calm = undisturbed(program, chosen[0], surroundings)
            expected = None if calm.asked_for_chance else calm.outputs
        return [simulate(program, each, surroundings, expected, replay) for each in chosen]

    return run
