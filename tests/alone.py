"""Tests of what a process has as a whole, such as open files: they run where no other test has left, or ends, anything."""

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

MOST_S = 300


def in_a_process_of_its_own(test: Callable[[], None]) -> Callable[[], None]:
    """A test without fixtures, run by a new interpreter."""

    @functools.wraps(test)
    def run() -> None:
        call = f"from {test.__module__} import {test.__name__} as test; test.__wrapped__()"
        done = subprocess.run(
            [sys.executable, "-c", call],
            check=False,
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MOST_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run
