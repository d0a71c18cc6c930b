"""What depends on Python's bytecode and tracebacks holds in the other versions of Python that this machine has.

Their tests run there with the libraries of this environment that are in Python alone; of hypothesis's tests only the names.
"""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.missing import leave_out_for_want_of
from tests.pythons.interpreters import VERSIONS, find_interpreter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GENERATED_CODE = (
    "operators/test_row_chain.py",
    "operators/test_inlining.py",
    "operators/test_effects.py",
    "operators/test_unread_argument.py",
)
ERRORS_OF_USERS = ("bad_input/test_functions_that_raise.py",)
OTHER_ERRORS = tuple(
    path.relative_to(ROOT / "tests").as_posix()
    for path in sorted((ROOT / "tests" / "bad_input").glob("test_*.py"))
    if path.name != "test_functions_that_raise.py"
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "files",
    [
        pytest.param(GENERATED_CODE, id="generated code"),
        pytest.param(ERRORS_OF_USERS, id="errors of users"),
        pytest.param(OTHER_ERRORS, id="other errors", marks=pytest.mark.slow),
    ],
)
def test_the_tests_pass_in_another_version(version: str, files: tuple[str, ...]) -> None:
    python = find_interpreter(version)
    if python is None:
        leave_out_for_want_of(f"Python {version}", "pyenv install it, or put it on the PATH")
    done = subprocess.run(
        # Nothing of this environment's own settings: a plugin may be of another version of Python.
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull, f"--rootdir={ROOT}",
         "--import-mode=importlib", *(f"{ROOT}/tests/{file}" for file in files)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE / "instead"), sysconfig.get_path("purelib")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)
