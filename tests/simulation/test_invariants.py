"""What is wrong with the files of a world is found."""

from concurrent.futures import Future

import pytest

from penstock.chance import seeded
from penstock.clock import ManualClock
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import OutsideError
from penstock.testing.simulation import Faults, SimulationFailed, Surroundings, Trickle, World, simulate
from penstock.testing.simulation.faults import Misfortunes
from penstock.testing.simulation.files import SimulatedFiles
from penstock.testing.simulation.invariants import broken_savepoints, left_of_parts
from penstock.testing.simulation.story import Story

JOB = "abcdef0123456789"
PATH = f"savepoints/savepoint-{JOB[:6]}-000000000000"
CALM = Faults.none()


@pytest.fixture
def files() -> SimulatedFiles:
    misfortunes = Misfortunes(CALM, seeded("a test"))
    found = SimulatedFiles(misfortunes, Story(ManualClock(0), 0), lambda what: None, shows_parts=False)
    found.content[f"{PATH}/a-0.parquet"] = b"x"
    return found


def answered(path: str | None, error: Exception | None = None) -> "Future[str]":
    future: Future[str] = Future()
    if path is None:
        future.set_exception(error)
    else:
        future.set_result(path)
    return future


def test_what_a_failed_savepoint_has_left_is_found(files: SimulatedFiles) -> None:
    failed = answered(None, OutsideError("the disk is full"))
    assert broken_savepoints(files, JOB, [failed]) == [
        f"{PATH}/a-0.parquet was left of a savepoint that failed"
    ]
    assert broken_savepoints(files, "another job's", [failed]) == []
    files.undeletable.add(PATH)
    assert broken_savepoints(files, JOB, [failed]) == []


@pytest.mark.parametrize("stopped", [True, False])
def test_a_savepoint_that_is_said_to_be_complete_and_is_not_is_found(
    stopped: bool, files: SimulatedFiles
) -> None:
    path = f"simulated://{PATH}"
    told = OutsideError(f"the savepoint is written, at {path}, but job {JOB} has not stopped: it is FAILED")
    [problem] = broken_savepoints(files, JOB, [answered(path) if stopped else answered(None, told)])
    assert problem.startswith(f"savepoint {path} is complete and cannot be restored")


def test_a_savepoint_of_which_nobody_is_told_is_found(files: SimulatedFiles) -> None:
    files.content.clear()
    [problem] = broken_savepoints(files, JOB, [Future()])
    assert "nobody was told" in problem


def test_hidden_files_of_a_sink_are_found_unless_they_were_abandoned(files: SimulatedFiles) -> None:
    files.content["out/.part"] = b"x"
    files.content["out/part"] = b"x"
    assert left_of_parts(files, "out") == ["out/.part was left"]
    files.abandon()
    assert left_of_parts(files, "out") == []


def numbers(environment: StreamExecutionEnvironment, world: World) -> None:
    source = environment.from_source(Trickle.of(range(5)), Trickle.strategy(), "numbers")
    source.sink_to(world.sink("numbers"))


def test_at_least_once_a_row_may_come_again_and_none_may_be_lacking() -> None:
    around = Surroundings(CALM, options={"execution.checkpointing.mode": "AT_LEAST_ONCE"})
    simulate(numbers, 1, around, expected={"numbers": [1, 2]})
    with pytest.raises(SimulationFailed, match="lacks 1 rows: 7"):
        simulate(numbers, 1, around, expected={"numbers": [1, 7]})
    with pytest.raises(SimulationFailed, match="3 rows too many: 0, 3, 4"):
        simulate(numbers, 1, Surroundings(CALM), expected={"numbers": [1, 2]})
