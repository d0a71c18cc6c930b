"""Random programs in random worlds: whatever goes wrong, the output is that of a run in which nothing did."""

import pytest

from penstock.testing.simulation import Surroundings, simulate
from penstock.testing.simulation.random_programs import random_program

WORLDS_OF_A_TEST = 15

BACKENDS = Surroundings(backends=("hashmap", "hashmap", "rocksdb"))


def run(first: int, count: int) -> None:
    for seed in range(first, first + count):
        simulate(random_program(seed), seed, BACKENDS)


@pytest.mark.parametrize("first", range(0, 180, WORLDS_OF_A_TEST))
def test_the_output_is_that_of_an_undisturbed_run(first: int) -> None:
    run(first, WORLDS_OF_A_TEST)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(180, 2180, 100))
def test_the_output_is_that_of_an_undisturbed_run_in_many_more_worlds(first: int) -> None:
    run(first, 100)
