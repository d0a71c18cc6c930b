"""``penstock savepoint``: what is in a savepoint, and whether a program can start from it."""

from collections.abc import Callable
from typing import Any

import click

from penstock.cli.command_lines import CommandGroup, ProgramCommand
from penstock.cli.program import choose_program
from penstock.cli.settings import gather_settings

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Task = Callable[[], int]


class _SavepointGroup(CommandGroup):
    """``savepoint JOB [DIRECTORY]`` and ``savepoint -d PATH`` are Flink's, and name no command of the group."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line into the context."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["of-job", *args]
        return super().parse_args(ctx, args)


def savepoint_group(program_options: Decorator, of_job: click.Command) -> click.Group:
    """The group of commands; ``program_options`` are those of every command that runs a program, ``of_job`` is Flink's."""

    @click.group(cls=_SavepointGroup, subcommand_metavar="JOB [DIRECTORY] | -d PATH | COMMAND [ARGS]...")
    def savepoint() -> None:
        """Take or delete savepoints, and look into them."""

    savepoint.add_command(of_job)

    @savepoint.command()
    @click.argument("path")
    @click.option("--json", "as_json", is_flag=True, help="For programs: one JSON document.")
    def inspect(path: str, as_json: bool) -> Task:
        """Show the operators and states in the savepoint or checkpoint at PATH."""

        def task() -> int:
            from penstock.cli.savepoints import inspect_savepoint

            return inspect_savepoint(path, as_json)

        return task

    @savepoint.command(cls=ProgramCommand)
    @click.option("--json", "as_json", is_flag=True, help="For programs: one JSON document.")
    @click.option("--no-open", is_flag=True, help="Do not open functions to see which states they declare.")
    @click.argument("path")
    @program_options
    def check(path: str, as_json: bool, no_open: bool, **given: Any) -> Task:
        """Tell whether a program can start from the savepoint at PATH; no job runs.

        Functions with state are opened and closed again, as they declare their states in `open`. The exit code is 0 when
        the program can start, and 1 when it cannot.
        """
        program = choose_program(given["file"], given["module"], given["entry"], given["arguments"])
        settings = gather_settings(given)

        def task() -> int:
            from penstock.cli.savepoints import check_savepoint

            return check_savepoint(path, program, settings, as_json, not no_open)

        return task

    return savepoint
