"""A program that never touches columns, clusters or terminals never pays for their import."""

import json
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    ("program", "most_modules"),
    [
        ("import penstock", 3),
        ("import penstock.data.batch", 60),
    ],
)
def test_an_import_loads_little_and_nothing_heavy(program: str, most_modules: int) -> None:
    loaded = list_modules_after(program)
    assert loaded & HEAVY == set()
    assert len(loaded) <= most_modules, sorted(loaded)
