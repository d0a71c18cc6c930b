"""One seed, one world: the same at every run, in every process; and what does not hold in it is found."""

import subprocess
import sys
from typing import Any

import pytest

from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.functions import MapFunction
from penstock.testing import ScriptedSource
from penstock.testing.simulation import (
    Fault,
    Faults,
    SimulationFailed,
    Surroundings,
    Trickle,
    World,
    run_world,
    simulate,
)
from penstock.testing.simulation import world as world_module
from penstock.testing.simulation.random_programs import random_program


@pytest.mark.parametrize("seed", [1, 9, 37])
def test_two_runs_of_a_seed_are_the_same(seed: int) -> None:
    first, second = (run_world(random_program(seed), seed) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert first.story == second.story


def test_different_seeds_make_different_worlds() -> None:
    assert len({run_world(random_program(1), seed).fingerprint for seed in range(5)}) == 5


def test_a_world_does_not_depend_on_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprints = set()
    for hash_seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        run = subprocess.run(
            [sys.executable, "-m", "penstock.testing.simulation", "--seed", "9"],
            capture_output=True,
            text=True,
            check=True,
        )
        fingerprints.add(run.stdout.partition("fingerprint: ")[2].splitlines()[0])
    assert len(fingerprints) == 1


CALM = Surroundings(Faults.none(), parallelisms=(2,))


class Forgetful(MapFunction):
    """Counts in an attribute, which no checkpoint knows of."""

    def __init__(self) -> None:
        self.count = 0

    def map(self, value: Any) -> Any:
        self.count += 1
        return self.count


def forgetful(environment: StreamExecutionEnvironment, world: World) -> None:
    numbers = environment.from_source(Trickle.of(range(40)), Trickle.strategy(), "numbers")
    numbers.map(Forgetful()).sink_to(world.sink("counts"))


def test_state_that_no_checkpoint_knows_of_is_found_with_its_story_and_how_to_see_it_again() -> None:
    around = Surroundings(Faults.only(Fault.WORKER_DIES), parallelisms=(1,))
    failures = []
    for seed in range(10):
        try:
            simulate(forgetful, seed, around, expected={"counts": list(range(1, 41))})
        except SimulationFailed as failure:
            failures.append(str(failure))
    assert failures
    assert "output 'counts' lacks" in failures[0]
    assert "is killed at" in failures[0]
    assert "--seed" in failures[0].splitlines()[-1]


def test_a_transaction_that_is_never_brought_to_an_end_is_found() -> None:
    def program(environment: StreamExecutionEnvironment, world: World) -> None:
        forgetful(environment, world)
        world.ledger.begin("another sink", 0, 0)

    with pytest.raises(SimulationFailed, match="'another sink', subtask 0, was left open"):
        simulate(program, 1, CALM)


def test_a_job_that_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(environment: StreamExecutionEnvironment, world: World) -> None:
        silent = ScriptedSource([1, 2], bounded=False)
        environment.from_source(silent, Trickle.strategy(), "silent").sink_to(world.sink("out"))

    monkeypatch.setattr(world_module, "MOST_ACTS", 500)
    with pytest.raises(SimulationFailed, match="hangs: it is not over after 500 acts"):
        simulate(program, 3, CALM)


@pytest.mark.parametrize("kind", [fault for fault in Fault if fault is not Fault.FUNCTION_RAISES])
def test_each_kind_of_fault_strikes_in_some_world(kind: Fault) -> None:
    def program(environment: StreamExecutionEnvironment, world: World) -> None:
        numbers = environment.from_source(Trickle.of(range(20)), Trickle.strategy(), "numbers")
        numbers.key_by(lambda n: n % 3).reduce(max).sink_to(world.sink("largest"))

    around = Surroundings(Faults.only(kind, Fault.WORKER_DIES), parallelisms=(2,))
    assert any(kind in simulate(program, seed, around).faults for seed in range(20))
