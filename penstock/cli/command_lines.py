"""How command lines are read where click alone would not read them as Flink does."""

from typing import Any, NoReturn

import click

_FLINK_ONLY = ("modify",)


class ProgramCommand(click.Command):
    """A command that ends with a program and the program's own arguments.

    Behind ``-py``, ``-pym`` and ``-c`` nothing but options can come, so the first option that is not known is the program's.
    """

    allow_interspersed_args = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line into the context."""
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            first = next((i for i, word in enumerate(args) if word.startswith(error.option_name)), 0)
            if not any(_names_program(word) for word in args[:first]):
                raise
            return super().parse_args(ctx, [*args[:first], "--", *args[first:]])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What follows the name of the command in its usage."""
        return ["[OPTIONS]", "PROGRAM.py | -pym MODULE | -c MODULE:FUNCTION", "[ARGUMENTS]..."]


class CommandGroup(click.Group):
    """Commands, and answers to those that are not there."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            self._refuse(ctx, args)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are needed."""
        return list(self.commands)

    def _refuse(self, ctx: click.Context, args: list[str]) -> NoReturn:
        from difflib import get_close_matches

        word = args[0]
        known = self.list_commands(ctx)
        close = get_close_matches(word, known, n=1)
        if word in _FLINK_ONLY:
            hint = f"{word} is one of Flink's that is not in this version"
        elif word.endswith(".py"):
            hint = f"to run a program: penstock run {' '.join(args)}"
        elif close:
            hint = f"did you mean {close[0]!r}?"
        else:
            hint = "penstock --help says what each is for"
        ctx.fail(f"there is no command {word!r}; there are {', '.join(known)}; {hint}")


def _names_program(word: str) -> bool:
    return word.startswith(("-py", "--python", "--pyModule", "-c", "--class")) and not word.startswith(
        _OF_FILES
    )


# Options that begin like those that name the program.
_OF_FILES = ("-pyfs", "-pypath", "-pyreq", "-pyarch", "-pyexec", "-pyclientexec", "-cm")


def usage_error(message: str) -> NoReturn:
    """Refuse the command line that is being read."""
    found: Any = click.get_current_context(silent=True)
    raise click.UsageError(message, found)
