"""Programs out of Debian's packages, unpacked into a cache outside the tree: nothing is installed, and nobody has to be root.

The cache is ``PENSTOCK_TEST_CACHE``, else in the user's cache directory.
"""

import os
import shutil
import subprocess
from pathlib import Path

FETCH_S = 300


class NoPackages(Exception):
    """They cannot be had on this machine; the text says why."""


def unpacked(package: str) -> Path:
    """The root of a tree with the files of a package and of all that it needs and that this machine has not.

    :raises NoPackages: where there is no apt-get, or no mirror that it can reach.
    """
    base = os.environ.get("PENSTOCK_TEST_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "penstock-tests"
    )
    place = Path(base) / package
    root, done = place / "root", place / "complete"
    if done.exists():
        return root
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise NoPackages(f"its packages are fetched with {program}, which is not on the PATH")
    shutil.rmtree(place, ignore_errors=True)
    root.mkdir(parents=True)
    planned = _run("apt-get", "install", "--simulate", "--no-install-recommends", package, folder=place)
    names = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
    if not names:
        raise NoPackages(
            f"apt-get would install nothing for {package}, which is installed already or not known"
        )
    _run("apt-get", "download", *names, folder=place)
    for archive in place.glob("*.deb"):
        _run("dpkg", "-x", str(archive), str(root), folder=place)
        archive.unlink()
    done.touch()
    return root


def _run(*command: str, folder: Path) -> str:
    try:
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=FETCH_S, text=True
        ).stdout
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", "") or ""
        raise NoPackages(f"{' '.join(command)[:80]} failed: {said[-300:] or error}") from error
