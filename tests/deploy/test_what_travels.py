"""Functions, classes, rows and errors of the user's program in worker processes and back."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.programs import MOST_S, PRELUDE, ROOT, run_program

CLASSES = """
from dataclasses import dataclass
from enum import Enum
from penstock.datastream import StreamExecutionEnvironment

class Color(Enum):
    RED = 1
    BLUE = 2

@dataclass(frozen=True)
class Point:
    x: int
    color: Color

def check(point):
    assert type(point) is Point and point == Point(point.x, point.color), point
    assert point.color is Color.RED or point.color is Color.BLUE
    return Point(point.x + 1, Color.BLUE)

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
points = env.from_sequence(1, 6).map(lambda x: Point(x, Color.RED)).name("make")
keyed = points.key_by(lambda point: point.x % 2).map(check).name("check")
with keyed.execute_and_collect() as rows:
    found = list(rows)

assert {type(point) for point in found} == {Point}, found
assert set(found) == {Point(x + 1, Color.BLUE) for x in range(1, 7)}, found
print("all the same")
"""


def test_a_script_without_a_main_guard_may_define_its_classes_itself(tmp_path: Path) -> None:
    run = run_program(CLASSES, folder=tmp_path)
    assert run.stdout == "all the same\n", run.stderr


@pytest.mark.parametrize("flags", [("-i",), ("-",)], ids=["interactive prompt", "standard input"])
def test_a_program_may_be_typed_in(flags: tuple[str, ...], tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, *flags],
        input=CLASSES.replace("\n\n", "\n\n\n"),
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": ROOT},
    )
    assert run.stdout.splitlines()[-1:] == ["all the same"], run.stderr


def test_a_program_may_run_in_the_cells_of_a_notebook(tmp_path: Path) -> None:
    cells = CLASSES.partition("env = ")
    source = (
        "import sys, types\n"
        "main = sys.modules['__main__'] = types.ModuleType('__main__')\n"
        f"for number, cell in enumerate([{cells[0]!r}, {cells[1] + cells[2]!r}]):\n"
        "    exec(compile(cell, f'<cell {number}>', 'exec'), main.__dict__)\n"
    )
    run = run_program(source, folder=tmp_path)
    assert run.stdout == "all the same\n", run.stderr


def test_modules_beside_the_script_are_found_by_the_workers(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("class Kept:\n    pass\n\ndef double(x):\n    return 2 * x\n")
    run = run_program(
        f"import beside\n{PRELUDE}\nenv.from_sequence(1, 1).map(beside.double).print()\nenv.execute()\n",
        folder=tmp_path,
    )
    assert run.stdout in ("1> 2\n", "2> 2\n"), run.stderr


def test_a_module_that_workers_cannot_import_is_named(tmp_path: Path) -> None:
    run = run_program(
        "import sys, types\n"
        "made = sys.modules['made_here'] = types.ModuleType('made_here')\n"
        "exec('def double(x): return 2 * x', made.__dict__)\n"
        f"{PRELUDE}\nenv.from_sequence(1, 1).map(made.double).print()\nenv.execute()\n",
        folder=tmp_path,
    )
    assert run.returncode == 1
    assert "cannot import the module 'made_here'" in run.stderr


def test_a_function_that_cannot_be_pickled_is_named_before_anything_starts(tmp_path: Path) -> None:
    run = run_program(
        f"import threading\n{PRELUDE}\n"
        "def make():\n"
        "    lock = threading.Lock()\n"
        "    def careful(value):\n"
        "        with lock:\n"
        "            return value\n"
        "    return careful\n"
        "env.from_sequence(1, 1).map(make()).name('the careful one').print()\n"
        "try:\n"
        "    env.execute()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n",
        folder=tmp_path,
    )
    assert run.stdout.startswith("NotSerializable the function make.<locals>.careful ("), run.stderr
    assert "its variable 'lock' is <unlocked _thread.lock" in run.stdout
    assert "in operator 'the careful one', made at" in run.stdout
    assert "open()" in run.stdout


def test_a_key_selector_that_cannot_be_pickled_is_named(tmp_path: Path) -> None:
    run = run_program(
        f"import threading\n{PRELUDE}\n"
        "class Selector:\n"
        "    def __init__(self): self.lock = threading.Lock()\n"
        "    def __call__(self, value): return value\n"
        "env.from_sequence(1, 1).key_by(Selector()).map(lambda value: value).print()\n"
        "env.execute()\n",
        folder=tmp_path,
    )
    assert run.returncode == 1
    assert "NotSerializable: the Selector object" in run.stderr
    assert "its attribute 'lock'" in run.stderr


FAILING = f"""
{PRELUDE}
class Broken(Exception):
    def __init__(self, one, two):
        super().__init__(f"{{one}} and {{two}}")

class Whole(Exception):
    pass

def fail(value):
    try:
        raise Broken("salt", "pepper")
    except Broken as cause:
        raise Whole("dinner") from cause

env.from_sequence(1, 1).map(fail).name("the cook").print()
try:
    env.execute()
except Exception as error:
    failed = error
user = failed.__cause__
print(type(failed).__name__, "|", type(user).__name__, "|", user.message, "|", user.places[0])
print(type(user.__cause__) is Whole, user.__cause__, "|", "in fail" in user.__cause__.__notes__[0])
print(type(user.__cause__.__cause__).__name__, user.__cause__.__cause__)
"""


def test_an_error_of_user_code_arrives_with_its_causes_and_its_place(tmp_path: Path) -> None:
    run = run_program(FAILING, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    first, second, third = run.stdout.splitlines()
    assert first.startswith("JobFailed | UserCodeError | Whole: dinner at "), run.stderr
    assert "the record was 1" in first and "in operator 'the cook', subtask" in first
    assert second == "True dinner | True"
    # Broken cannot be unpickled, so its text stands for it.
    assert third == "UserCodeError Broken: salt and pepper"


def test_rows_that_cannot_be_pickled_fail_the_job_with_the_row(tmp_path: Path) -> None:
    run = run_program(
        f"import threading\n{PRELUDE}\n"
        "with env.from_sequence(1, 1).map(lambda value: threading.Lock()).execute_and_collect() as rows:\n"
        "    list(rows)\n",
        folder=tmp_path,
    )
    assert run.returncode == 1
    assert "cannot be sent" in run.stderr
    assert "_thread.lock" in run.stderr


def test_accumulators_and_metrics_of_all_workers_are_there_when_the_job_has_ended(tmp_path: Path) -> None:
    run = run_program(
        f"{PRELUDE}\n"
        "class Count(MapFunction):\n"
        "    def open(self, context):\n"
        "        self.counter = context.get_metrics_group().counter('seen')\n"
        "    def map(self, value):\n"
        "        self.counter.inc()\n"
        "        return value\n"
        "env.from_sequence(1, 1000).rebalance().map(Count()).name('count').print()\n"
        "sys.stdout, out = open(os.devnull, 'w'), sys.stdout\n"
        "result = env.execute()\n"
        "seen = {name: value for name, value in result.get_metrics().items() if name.endswith('.seen')}\n"
        "print(len(seen), sum(seen.values()), file=out)\n",
        folder=tmp_path,
    )
    assert run.stdout == "2 1000\n", run.stderr
