"""``python -m penstock.testing.simulation``: random programs, or one of yours, in the worlds of as many seeds as you want."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from penstock.testing.simulation.faults import Fault
from penstock.testing.simulation.random_programs import KINDS, random_program
from penstock.testing.simulation.simulate import REPLAY, SimulationFailed, simulate
from penstock.testing.simulation.world import Program


def _load(where: str) -> Program:
    path, _, name = where.rpartition(":")
    if not path or not Path(path).is_file():
        raise click.BadParameter(f"{where!r} is not of the form FILE.py:FUNCTION", param_hint="--program")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    program: Any = getattr(module, name, None)
    if not callable(program):
        raise click.BadParameter(f"there is no function {name!r} in {path}", param_hint="--program")
    return program  # type: ignore[no-any-return]


@click.command()
@click.option("--seed", type=int, default=None, help="Run this seed alone, and print its story.")
@click.option("--seeds", type=int, default=200, show_default=True, help="Run so many seeds.")
@click.option("--start", type=int, default=0, show_default=True, help="The first of them.")
@click.option("--program", "where", default=None, help="FILE.py:FUNCTION instead of random programs.")
@click.option(
    "--kind",
    "kind_name",
    type=click.Choice(list(KINDS)),
    default="usual",
    show_default=True,
    help="What random programs are made of, and put through.",
)
@click.option("--keep-going", is_flag=True, help="Go on after a failure.")
@click.option("--backend", multiple=True, help="A state backend to choose from; may be given several times.")
@click.option("--option", "options", multiple=True, help="KEY=VALUE, an option of every job.")
def main(
    seed: int | None,
    seeds: int,
    start: int,
    where: str | None,
    kind_name: str,
    **more: Any,
) -> None:
    """Run programs in simulated worlds, where workers die, writes fail and messages are late, as each seed wants it."""
    backend: tuple[str, ...] = more["backend"]
    options: tuple[str, ...] = more["options"]
    given = [tuple(option.split("=", 1)) for option in options]
    if any(len(pair) != 2 for pair in given):
        raise click.BadParameter("an option is KEY=VALUE", param_hint="--option")
    kind = KINDS[kind_name]
    around = kind.surroundings
    surroundings = replace(
        around,
        backends=tuple(backend) or around.backends,
        options={**around.options, **{pair[0]: pair[1] for pair in given}},
    )
    chosen_options = "".join(f" --option {option}" for option in options)
    chosen_options += f" --kind {kind_name}" if kind_name != "usual" else ""
    chosen_options += "".join(f" --backend {each}" for each in backend)
    program_option = f" --program {where}" if where else ""
    replay = REPLAY.replace(" --seed", f"{program_option}{chosen_options} --seed")
    failed = struck = 0
    chosen = range(start, start + seeds) if seed is None else [seed]
    for number in chosen:
        program = random_program(number, kind) if where is None else _load(where)
        try:
            outcome = simulate(program, number, surroundings, replay=replay)
        except SimulationFailed as failure:
            click.echo(failure, err=True)
            failed += 1
            if not more["keep_going"]:
                sys.exit(1)
            continue
        struck += len(outcome.faults)
        if seed is not None:
            click.echo("\n".join(outcome.story))
            click.echo(f"fingerprint: {outcome.fingerprint}")
    kinds = len(Fault)
    click.echo(f"{len(chosen)} worlds, {struck} faults of {kinds} kinds, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
