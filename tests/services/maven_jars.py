"""Jars of real services from Maven Central, fetched once into a cache outside the tree.

The cache is ``PENSTOCK_TEST_CACHE``, else in the user's cache directory.
"""

import os
import shutil
import subprocess
from pathlib import Path

FETCH_S = 300

_POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>penstock.tests</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>{dependencies}</dependencies></project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


class NoJars(Exception):
    """They cannot be had on this machine; the text says why."""


def jars_of(name: str, *coordinates: str) -> Path:
    """The directory with the jars of some artifacts, as ``group:artifact:version``, and of all that they need.

    :raises NoJars: where there is no Java, no Maven or no registry.
    """
    if shutil.which("java") is None:
        raise NoJars("it needs Java, which is not on the PATH")
    base = os.environ.get("PENSTOCK_TEST_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "penstock-tests"
    )
    place = Path(base) / name
    done = place / "complete"
    if done.exists():
        return place / "jars"
    maven = shutil.which("mvn")
    if maven is None:
        raise NoJars("its jars are fetched with Maven, and mvn is not on the PATH")
    place.mkdir(parents=True, exist_ok=True)
    dependencies = "".join(_DEPENDENCY.format(*each.split(":")) for each in coordinates)
    (place / "pom.xml").write_text(_POM.format(name=name, dependencies=dependencies))
    copy = ["dependency:copy-dependencies", "-DoutputDirectory=jars", "-DincludeScope=runtime"]
    try:
        subprocess.run(
            [maven, "-B", "-q", *copy], cwd=place, check=True, capture_output=True, timeout=FETCH_S, text=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        output = getattr(error, "stdout", "") or ""
        raise NoJars(f"its jars cannot be fetched: {output[-300:] or error}") from error
    done.touch()
    return place / "jars"
