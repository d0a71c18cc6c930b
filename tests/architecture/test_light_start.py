"""A program that never touches columns, clusters or terminals never pays for their import."""

import json
import subprocess
import sys

import pytest

from tests.architecture.source_tree import list_paths

HEAVY = {
    "asyncio", "click", "concurrent.futures.process", "fsspec", "multiprocessing", "numba", "numpy", "pandas", "polars",
    "pyarrow", "ray", "rich", "rocksdict", "ssl", "urllib.request", "unittest",
}  # fmt: skip


def list_modules_after(program: str) -> set[str]:
    """The names of the modules that `program` loads in a fresh interpreter, those of Python's own start left out."""
    probe = (
        "import sys\nbefore = set(sys.modules)\n"
        f"{program}\n"
        "loaded = sorted(set(sys.modules) - before)\n"
        "import json\njson.dump(loaded, sys.stdout)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=30
    )
    return set(json.loads(finished.stdout))


# What a program of rows in one process loads, and the most modules that it may bring, Python's own included.
# Each costs about half a millisecond, and a whole one-element job has 300.
START_PATH = {
    "penstock": 3,
    "penstock.data.batch": 60,
    "penstock.contracts.functions": 100,
    "penstock.plan.compile": 140,
    "penstock.datastream": 250,
    "penstock.environment": 250,
}

IN_THE_TREE = {
    path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in list_paths("penstock")
}


@pytest.mark.parametrize("name", [name for name in START_PATH if name in IN_THE_TREE])
def test_an_import_loads_little_and_nothing_heavy(name: str) -> None:
    loaded = list_modules_after(f"import {name}")
    assert loaded & HEAVY == set()
    assert len(loaded) <= START_PATH[name], sorted(loaded)
