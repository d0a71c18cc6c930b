"""Other versions of Python on this machine."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

VERSIONS = ("3.12", "3.13", "3.14")


@cache
def find_interpreter(version: str) -> str | None:
    """An interpreter of a version that really starts (a pyenv shim may not), None where there is none."""
    places = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"))
    for python in filter(None, [*map(str, places), shutil.which(f"python{version}")]):
        if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
            return python
    return None
