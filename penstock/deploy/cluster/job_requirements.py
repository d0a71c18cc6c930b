"""Packages that a job asks for: installed for it alone, beside what the interpreter of the cluster has."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from penstock.deploy.cluster.job_files import JobFiles
from penstock.errors import OutsideError

INSTALL_S = 600
LOOK_S = 0.5
LAST_CHARACTERS = 1500
PACKAGES = "packages"


def install_requirements(
    directory: Path, files: JobFiles, is_wanted: Callable[[], bool] = lambda: True
) -> None:
    """Have pip install what a job asks for into its directory. ``is_wanted`` is asked while pip works.

    :raises OutsideError: with pip's words, where it fails.
    """
    if files.requirements is None:
        return
    words = [sys.executable, "-P", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    words += ["--requirement", files.requirements, "--target", PACKAGES]
    if files.cached is not None:
        words += ["--no-index", "--find-links", files.cached]
    log = directory / "pip.log"
    try:
        with log.open("wb") as said:
            process = subprocess.Popen(
                words,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        how = _wait_for(process, is_wanted)
        if how is not None:
            text = log.read_text(encoding="utf-8", errors="replace").strip()[-LAST_CHARACTERS:]
            raise OutsideError(f"pip cannot install the requirements of the job: {how}\n{text}")
    except OSError as error:
        if isinstance(error, OutsideError):
            raise
        raise OutsideError(f"pip cannot install the requirements of the job: {error}") from error


def _wait_for(process: "subprocess.Popen[bytes]", is_wanted: Callable[[], bool]) -> str | None:
    """What went wrong; None where nothing did."""
    for _ in range(int(INSTALL_S / LOOK_S)):
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(LOOK_S)
            return None if code == 0 else f"it ended with exit code {code}"
        if not is_wanted():
            break
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return "the job has ended" if not is_wanted() else f"it did not end within {INSTALL_S} s"
