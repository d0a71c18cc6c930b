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
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(finished.stdout))


# What a job of one row without checkpoints can do without: each of these costs more than most of its own modules together.
UNUSED = HEAVY | {
    "concurrent.futures", "json", "multiprocessing", "pathlib", "penstock.checkpoint.coordinator",
    "penstock.checkpoint.events",
    "penstock.checkpoint.handles", "penstock.checkpoint.manifest", "penstock.checkpoint.snapshot_files",
    "penstock.checkpoint.value_columns", "penstock.runtime.job.checkpointing", "penstock.storage.reading", "random",
    "subprocess", "urllib.parse",
}  # fmt: skip
ONE_ELEMENT_JOB = """
import io
from contextlib import redirect_stdout
from penstock.datastream import StreamExecutionEnvironment
environment = StreamExecutionEnvironment.get_execution_environment()
environment.set_parallelism(1)
environment.from_collection([1]).map(lambda number: number + 1).print()
with redirect_stdout(io.StringIO()):
    environment.execute()
"""

MOST_MODULES_OF_A_JOB = 274

# What a program of rows in one process loads, and the most modules that it may bring, Python's own included.
# Each costs about half a millisecond, and a whole one-element job has 300.
START_PATH = {
    "penstock": 3,
    "penstock.data.batch": 60,
    "penstock.contracts.functions": 100,
    "penstock.plan.compile": 141,
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


def test_a_job_of_one_element_loads_nothing_that_it_does_not_need() -> None:
    loaded = list_modules_after(ONE_ELEMENT_JOB)
    assert loaded & UNUSED == set()
    assert len(loaded) <= MOST_MODULES_OF_A_JOB, sorted(loaded)
