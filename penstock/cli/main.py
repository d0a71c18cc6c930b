"""The door of the command: reads the command line, then does what it says.

Whatever takes long to import is imported once it is known to be needed, so that the version is there at once.
"""

import sys

VERSION_FLAGS = (["--version"], ["-v"])


def main(arguments: list[str] | None = None) -> int:
    """Carry out a command line, by default that of this process, and give the exit code.

    >>> main(["--version"])
    penstock 0.1.0.dev0
    0
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given in VERSION_FLAGS:
        from penstock import __version__

        print(f"penstock {__version__}")
        return 0
    try:
        return _carry_out(given)
    except KeyboardInterrupt:  # before the program, or after it
        return 130


def _carry_out(given: list[str]) -> int:
    from click import ClickException

    from penstock.cli.commands import penstock

    try:
        # The program runs after click has returned: its frames, its context and its way with Ctrl-C are not the program's.
        task = penstock.main(given, prog_name="penstock", standalone_mode=False)
    except ClickException as error:
        error.show()
        return error.exit_code
    return task() if callable(task) else int(task or 0)
