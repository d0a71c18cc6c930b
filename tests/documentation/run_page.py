"""Runs the programs of one page, in order and in one namespace, as a reader would who types them in.

A script of its own process: `python run_page.py PAGE`. Ends with 1 and a message at the first program that raises or
prints something else than the page says.
"""

import difflib
import linecache
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from tests.documentation.pages import Program, parse_programs


def run_page(path: Path) -> str | None:
    """What is wrong with the page, or None."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for program in parse_programs(path.read_text("utf-8")):
        complaint = run_program(program, path, namespace)
        if complaint is not None:
            return f"{path.name}:{program.line}: {complaint}"
    return None


def run_program(program: Program, path: Path, namespace: dict[str, Any]) -> str | None:
    # Lines of the program keep their numbers in the page, so that a traceback points there.
    source = "\n" * (program.line - 1) + program.text
    name = f"{path}#{program.line}"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    printed, error = capture(compile(source, name, "exec"), namespace)
    if error is not None:
        return f"the program failed after printing\n{printed}\n{error}"
    if program.output is None or printed.rstrip() == program.output.rstrip():
        return None
    difference = difflib.unified_diff(
        program.output.splitlines(), printed.splitlines(), "the page says", "the program prints", lineterm=""
    )
    return "the program prints something else:\n" + "\n".join(difference)


def capture(code: Any, namespace: dict[str, Any]) -> tuple[str, str | None]:
    """What the code prints, and the traceback if it raises. File descriptor 1 is caught: worker processes print, too."""
    error = None
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 1)
        try:
            exec(code, namespace)
        except Exception:
            error = traceback.format_exc()
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)
        caught.seek(0)
        return caught.read().decode("utf-8"), error


if __name__ == "__main__":
    complaint = run_page(Path(sys.argv[1]))
    if complaint is not None:
        sys.exit(complaint)
