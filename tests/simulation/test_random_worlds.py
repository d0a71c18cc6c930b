"""Random programs in random worlds: whatever goes wrong, the output is that of a run in which nothing did."""

import pytest

from penstock.testing.simulation import simulate
from penstock.testing.simulation.random_programs import random_program

WORLDS_OF_A_TEST = 15

# Seeds that have found something once. Each is worth more than any other.
KEPT_SEEDS = {
    10: "the newest place to go on from may be the savepoint that the job was started from",
    37: "what a savepoint that ends the job commits was rolled back when the job failed behind it",
    7: "storage that did not answer once was taken for a checkpoint that cannot be read",
    13: "storage that did not answer once made the job go back behind what its sinks had committed",
}


def run(first: int, count: int) -> None:
    for seed in range(first, first + count):
        simulate(random_program(seed), seed)


@pytest.mark.parametrize("first", range(0, 180, WORLDS_OF_A_TEST))
def test_the_output_is_that_of_an_undisturbed_run(first: int) -> None:
    run(first, WORLDS_OF_A_TEST)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(180, 2180, 100))
def test_the_output_is_that_of_an_undisturbed_run_in_many_more_worlds(first: int) -> None:
    run(first, 100)


@pytest.mark.parametrize("seed", KEPT_SEEDS)
def test_a_seed_that_once_found_something_finds_nothing(seed: int) -> None:
    simulate(random_program(seed), seed)
