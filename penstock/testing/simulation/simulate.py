"""Running programs in simulated worlds, and what has to hold in each of them."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from penstock.dataflow.submission import JobStatus
from penstock.testing.simulation.faults import Fault, Surroundings
from penstock.testing.simulation.files import ROOT
from penstock.testing.simulation.invariants import left_of_checkpoints, left_of_parts
from penstock.testing.simulation.world import Program, World

SHOWN_ROWS = 10
REPLAY = "python -m penstock.testing.simulation --seed"


class SimulationFailed(AssertionError):
    """Something did not hold in a world; the message has its story and says how to see it again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a world ended. ``fingerprint`` is equal for two runs of one seed.

    ``given_up`` says of checkpoints and savepoints that failed while the job went on why they did.
    """

    seed: int
    outputs: dict[str, list[Any]]
    problems: tuple[str, ...]
    faults: tuple[Fault, ...]
    story: tuple[str, ...]
    fingerprint: str
    acts: int
    asked_for_chance: bool
    given_up: tuple[str, ...] = ()


def run_world(program: Program, seed: int, surroundings: Surroundings | None = None) -> Outcome:
    """Run a program in the world of a seed; what did not hold is in ``problems``, but nobody knows the right output here."""
    world = World(seed, surroundings)
    with _quiet():
        world.run(program)
    outputs = {name: world.ledger.committed(name) for name in world.sinks}
    outputs |= {name: _lines_below(world, name) for name in world.directories}
    return Outcome(
        seed,
        outputs,
        tuple(world.problems + world.ledger.broken + _left_over(world)),
        tuple(world.misfortunes.struck),
        tuple(world.story.lines()),
        world.fingerprint(),
        world.scheduler.acts,
        world.asked_for_chance,
        tuple(world.given_up),
    )


def undisturbed(program: Program, seed: int, surroundings: Surroundings | None = None) -> Outcome:
    """A run in which nothing goes wrong."""
    outcome = run_world(program, seed, (surroundings or Surroundings()).calm())
    if outcome.problems:
        raise SimulationFailed(
            _explain(outcome, [*outcome.problems], "it fails even where nothing goes wrong")
        )
    return outcome


def simulate(
    program: Program,
    seed: int,
    surroundings: Surroundings | None = None,
    expected: dict[str, list[Any]] | None = None,
    replay: str = REPLAY,
) -> Outcome:
    """Run a program in the world of a seed, and raise :class:`SimulationFailed` if anything did not hold.

    The output has to be that of an undisturbed run at the lowest parallelism, or what is ``expected``, in any order; no file
    and no transaction may be left over; each completed checkpoint and savepoint has to be whole; and the job has to come to
    its end. Where the options say ``AT_LEAST_ONCE``, rows may come that are not expected, but none may be lacking.

    >>> from penstock.testing.simulation import Trickle
    >>> def program(env, world):
    ...     numbers = env.from_source(Trickle.of(range(20)), Trickle.strategy(), "numbers")
    ...     totals = numbers.key_by(lambda n: n % 3).reduce(lambda a, b: a + b)
    ...     totals.sink_to(world.sink("totals"))
    >>> outcome = simulate(program, seed=4)
    >>> outcome.problems, len(outcome.outputs["totals"])
    ((), 20)
    """
    if expected is None:
        expected = undisturbed(program, seed, surroundings).outputs
    outcome = run_world(program, seed, surroundings)
    problems = [*outcome.problems]
    once = surroundings is None or surroundings.gives_each_row_once
    for name, rows in expected.items():
        problems += _differences(name, rows, outcome.outputs.get(name, []), once)
    if problems:
        raise SimulationFailed(_explain(outcome, problems, f"to see it again: {replay} {seed}"))
    return outcome


def _differences(name: str, expected: list[Any], found: list[Any], once: bool) -> list[str]:
    wanted, got = Counter(map(repr, expected)), Counter(map(repr, found))
    problems = []
    if missing := sorted((wanted - got).elements()):
        problems.append(f"output {name!r} lacks {len(missing)} rows: {', '.join(missing[:SHOWN_ROWS])}")
    if once and (surplus := sorted((got - wanted).elements())):
        problems.append(
            f"output {name!r} has {len(surplus)} rows too many: {', '.join(surplus[:SHOWN_ROWS])}"
        )
    return problems


def _left_over(world: World) -> list[str]:
    """Files of checkpoints and sinks, and transactions, that a finished job should have put away."""
    problems = [
        f"transaction {each.number} of {each.sink!r}, subtask {each.subtask}, was left {each.state.value}"
        for each in world.ledger.leaked()
    ]
    job = world.job
    if job is not None and job.driver.done:
        problems += left_of_checkpoints(world.files, str(job.job_id))
        if job.driver.status is JobStatus.FINISHED:
            problems += [each for name in world.directories for each in left_of_parts(world.files, name)]
    return problems


def _lines_below(world: World, name: str) -> list[str]:
    lines: list[str] = []
    for path in world.files.below(ROOT + name):
        if not path.rpartition("/")[2].startswith((".", "_")):
            lines += world.files.content[path].decode().splitlines()
    return lines


def _explain(outcome: Outcome, problems: list[str], last: str) -> str:
    return (
        f"in the world of seed {outcome.seed}:\n"
        + "".join(f"- {problem}\n" for problem in problems[:SHOWN_ROWS])
        + "what happened (time in ms):\n"
        + "".join(f"  {line}\n" for line in outcome.story)
        + last
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Failures are what this is about; the log need not tell of each."""
    logger = logging.getLogger("penstock")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
