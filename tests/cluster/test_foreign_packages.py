"""Packages with machine code that jobs bring in different versions: each job has its own, and none of another's."""

import importlib.util
import re
import zipfile
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster

# Parts of Python's own library that are files with machine code, in one build of it or another.
MACHINE_CODE = ("_heapq", "_json", "_queue", "_bisect", "mmap", "_asyncio")
PROGRAM = """
from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
import measure
from measure import only_in_{version}

def shown(value):
    return f"{{only_in_{version}(value).text}} {{measure.VERSION}} {{measure.compiled()}}"

env = StreamExecutionEnvironment.get_execution_environment()
source = DataGeneratorSource(lambda index: index, 1_000_000, RateLimiterStrategy.per_second(50))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
numbers.map(only_in_{version}).map(lambda made: made.value).map(shown).print()
env.from_collection([measure.Made({version})]).map(lambda made: made.text).print()
env.execute("version {version}")
"""


def wheel(folder: Path, version: int) -> Path:
    """A package whose functions are called otherwise in each version."""
    found = [importlib.util.find_spec(name) for name in MACHINE_CODE]
    compiled = next(
        Path(each.origin) for each in found if each and each.origin and each.origin.endswith(".so")
    )
    module = compiled.name.partition(".")[0]
    folder.mkdir(parents=True)
    path = folder / f"measure-{version}.0-py3-none-any.whl"
    about = f"measure-{version}.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(compiled, f"measure/{compiled.name}")
        archive.writestr(
            "measure/__init__.py",
            f"from measure import {module} as machine_code\n"
            f"VERSION = {version}\n"
            "class Made:\n"
            "    def __init__(self, value):\n"
            "        self.value = value\n"
            "    @property\n"
            "    def text(self):\n"
            f"        return f'version {version} of {{self.value}}'\n"
            f"def only_in_{version}(value):\n"
            "    return Made(value)\n"
            "def compiled():\n"
            "    return machine_code.__file__\n",
        )
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: measure\nVersion: {version}.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def submit(cluster: Cluster, folder: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job that needs one version, by a program that has it itself."""
    cached = wheel(folder / "cached", version)
    with zipfile.ZipFile(cached) as archive:
        archive.extractall(folder / "here")
    (folder / "requirements.txt").write_text(f"measure=={version}.0\n")
    program = folder / "program.py"
    program.write_text(PROGRAM.format(version=version))
    # Where the program has it is none of the places that the cluster imports from.
    site = folder / "lib" / "python3" / "site-packages"
    site.parent.mkdir(parents=True)
    (folder / "here").rename(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    words = f"{folder / 'requirements.txt'}#{folder / 'cached'}"
    return cluster.submit(program, "-pyreq", words)


def lines(cluster: Cluster, version: int) -> list[str]:
    texts = [file.read_text() for file in (cluster.home / "log").glob("*taskmanager*.out")]
    pattern = rf"version {version} of \d+ {version} (.*)$"
    return [place for text in texts for place in re.findall(pattern, text, re.MULTILINE)]


@pytest.mark.slow
def test_jobs_that_live_at_once_have_each_its_own_version(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.penstock("start-cluster", "-s", "2")
    first = submit(cluster, tmp_path / "first", 1, monkeypatch)
    cluster.wait_for(lambda: lines(cluster, 1))
    second = submit(cluster, tmp_path / "second", 2, monkeypatch)
    cluster.wait_for(lambda: lines(cluster, 2))
    before = len(lines(cluster, 1))
    cluster.wait_for(lambda: len(lines(cluster, 1)) > before)
    places = {version: set(lines(cluster, version)) for version in (1, 2)}
    assert all(len(found) == 1 for found in places.values()) and places[1] != places[2]
    for job in (first, second):
        assert cluster.job(job)["state"] == "RUNNING"
        cluster.penstock("cancel", job)
        cluster.wait_for_state(job, "CANCELED")
    third = submit(cluster, tmp_path / "third", 3, monkeypatch)
    cluster.wait_for(lambda: lines(cluster, 3))
    again = submit(cluster, tmp_path / "again", 1, monkeypatch)  # the version that the JobManager has loaded
    before = len(lines(cluster, 1))
    cluster.wait_for(lambda: len(lines(cluster, 1)) > before)
    for job in (third, again):
        assert cluster.job(job)["state"] == "RUNNING"
