"""Random programs in random worlds: whatever goes wrong, the output is that of a run in which nothing did."""

from dataclasses import replace

import pytest

from penstock.testing.simulation import Fault, Faults, Surroundings, simulate
from penstock.testing.simulation.random_programs import KINDS, Kind, random_program

WORLDS_OF_A_TEST = 15
WORLDS_OF_A_KIND = 6

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


OTHER_KINDS = [name for name in KINDS if name != "usual"]


def run_kind(kind: Kind, first: int, count: int) -> None:
    for seed in range(first, first + count):
        simulate(random_program(seed, kind), seed, kind.surroundings)


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_so_it_is_for_jobs_that_are_put_through_something_else(kind: str) -> None:
    run_kind(KINDS[kind], 0, WORLDS_OF_A_KIND)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(WORLDS_OF_A_KIND, 300, 50))
@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_so_it_is_in_many_more_worlds(kind: str, first: int) -> None:
    run_kind(KINDS[kind], first, 50)


SLOW = Faults.only(Fault.SLOW_CHANNEL, Fault.LATE_MESSAGE, Fault.SLOW_STORAGE, Fault.SAVEPOINT_TAKEN)


def run_slowly(kind: Kind, first: int, count: int) -> None:
    around = kind.surroundings
    slow = replace(around, faults=SLOW, options={**around.options, "execution.checkpointing.timeout": "1 h"})
    for seed in range(first, first + count):
        assert simulate(random_program(seed, kind), seed, slow).given_up == (), f"in the world of seed {seed}"


@pytest.mark.parametrize(("kind", "count"), [("usual", 6), ("drained", 6), ("at-least-once", 26)])
def test_where_things_are_slow_and_nothing_else_every_checkpoint_comes_to_its_end(
    kind: str, count: int
) -> None:
    run_slowly(KINDS[kind], 0, count)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [name for name in KINDS if name != "loops"])
def test_so_it_is_in_many_more_slow_worlds(kind: str) -> None:
    run_slowly(KINDS[kind], 26, 100)


UNALIGNED = Surroundings(
    Faults.only(Fault.JOB_DIES, Fault.WORKER_DIES, Fault.SLOW_CHANNEL, Fault.LATE_MESSAGE),
    options={
        "execution.checkpointing.unaligned.enabled": "true",
        "execution.checkpointing.aligned-checkpoint-timeout": "0 ms",
        "execution.checkpointing.interval": "5 ms",
    },
)


@pytest.mark.parametrize("first", [0, pytest.param(10, marks=pytest.mark.slow)])
def test_records_that_were_on_their_way_come_to_a_job_of_another_parallelism(first: int) -> None:
    for seed in range(first, first + (10 if first == 0 else 300)):
        simulate(random_program(seed), seed, UNALIGNED)


# What once failed, with the faults that it took: worth more than other seeds, as long as worlds are drawn as they were.
STOPPING = Surroundings(
    Faults.only(Fault.SAVEPOINT, Fault.FAILED_COMMIT, Fault.COMMIT_REPORTED_AS_FAILED, Fault.WORKER_DIES)
)
FORMER = Faults().without(Fault.SAVEPOINT_TAKEN, Fault.JOBMANAGER_DIES)
BOTH = Surroundings(FORMER, backends=("hashmap", "rocksdb"))
KEPT = [
    pytest.param(
        4, STOPPING, id="a job that failed while it stopped went back behind what its savepoint had committed"
    ),
    pytest.param(78, STOPPING, id="the same, with a side output"),
    pytest.param(83, STOPPING, id="the same, at another parallelism"),
    pytest.param(
        3038, Surroundings(FORMER), id="a savepoint held what the unaligned checkpoint before it had recorded"
    ),
    pytest.param(10_179, BOTH, id="a job died after its savepoint, and nobody went on from that"),
]


@pytest.mark.parametrize(("seed", "surroundings"), KEPT)
def test_a_seed_that_once_found_something_finds_nothing(seed: int, surroundings: Surroundings) -> None:
    simulate(random_program(seed, Kind(further=())), seed, surroundings)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [pytest.param("usual", 300_282, id="a worker with nothing left to do died while everything stopped")],
)
def test_so_it_is_with_programs_of_today(kind: str, seed: int) -> None:
    run_kind(KINDS[kind], seed, 1)
