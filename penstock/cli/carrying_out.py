"""Runs a program under its settings and says how it ended."""

import sys
from dataclasses import dataclass

from penstock.cli.failures import describe
from penstock.cli.program import NotFound, Program
from penstock.cli.settings import Settings
from penstock.config.defaults import set_default_configuration
from penstock.dataflow.submission import Detour, set_detour

FAILED = 1
USAGE = 2
INTERRUPTED = 130  # what shells make of SIGINT


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: its exit code, and whether it came to its last line."""

    exit_code: int
    at_last_line: bool = False


def carry_out(program: Program, settings: Settings, detour: Detour) -> Ending:
    """Run a program; its graphs take the detour. What it raises is reported on standard error."""
    # As Python does it: the program's directory stands first. What stood there is of the command, unless `-P` left it out.
    sys.path[: 0 if sys.flags.safe_path else 1] = [program.directory, *settings.import_path]
    if settings.pyflink:
        from penstock.pyflink_compat import install

        install()
    set_default_configuration(settings.configuration)
    set_detour(detour)
    try:
        program.run()
    except SystemExit as end:
        return Ending(_exit_code(end))
    except NotFound as error:
        report(describe(error, verbose=False))
        return Ending(USAGE)
    except KeyboardInterrupt:
        report("Interrupted.")
        return Ending(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a program may raise anything
        report(describe(error, settings.verbose))
        return Ending(FAILED)
    return Ending(0, at_last_line=True)


def report(text: str) -> None:
    """Say something on standard error, behind what the program has printed."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def _exit_code(end: SystemExit) -> int:
    """What Python makes of it: an int as it is, nothing is success, all else is printed and a failure."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    report(str(end.code))
    return FAILED
