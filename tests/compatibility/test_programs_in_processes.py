"""PyFlink programs run as they are, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.functions import MapFunction
import sys


class Shout(MapFunction):
    def map(self, value):
        from pyflink.common import Row

        return Row(value.upper() + sys.argv[1])[0]


if __name__ == "__main__":
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection(["a"], Types.STRING()).map(Shout(), Types.STRING()).print()
    env.execute()
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_program_runs_untouched_from_the_command_line_with_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run(tmp_path, "-m", "penstock.pyflink_compat", "program.py", "!")
    assert (done.stdout, done.stderr) == ("A!\n", "")


def test_the_command_without_a_program_says_how_it_is_used(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "penstock.pyflink_compat")
    assert done.returncode == 1
    assert done.stderr.startswith("usage: python -m penstock.pyflink_compat program.py")


def test_worker_processes_import_pyflink_too_in_functions_and_in_modules_beside_the_program(
    tmp_path: Path,
) -> None:
    (tmp_path / "beside.py").write_text(
        "from pyflink.common import Row\n\n\ndef number(value):\n    return Row(value)[0] * 10\n"
    )
    program = """
import penstock.pyflink_compat

penstock.pyflink_compat.install()
import beside
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)
with env.from_sequence(1, 4).map(beside.number).execute_and_collect() as rows:
    print(sorted(rows))
"""
    (tmp_path / "program.py").write_text(program)
    done = run(tmp_path, "program.py")
    assert (done.stdout, done.stderr) == ("[10, 20, 30, 40]\n", "")


def test_another_pyflink_that_was_imported_before_is_not_pushed_aside(tmp_path: Path) -> None:
    (tmp_path / "pyflink.py").write_text("")
    program = "import pyflink\nimport penstock.pyflink_compat\npenstock.pyflink_compat.install()\n"
    (tmp_path / "program.py").write_text(program)
    done = run(tmp_path, "program.py")
    assert "another pyflink has been imported already, from" in done.stderr


def test_another_pyflink_that_is_only_installed_gives_way(tmp_path: Path) -> None:
    (tmp_path / "pyflink.py").write_text("raise SystemExit('the other one')")
    program = (
        "import penstock.pyflink_compat\npenstock.pyflink_compat.install()\n"
        "from pyflink.datastream import DataStream\nprint(DataStream.__module__)\n"
    )
    (tmp_path / "program.py").write_text(program)
    done = run(tmp_path, "program.py")
    assert (done.stdout, done.stderr) == ("penstock.datastream.stream\n", "")


def test_installing_imports_no_part_of_penstock_that_is_not_used(tmp_path: Path) -> None:
    program = (
        "import sys, penstock.pyflink_compat\npenstock.pyflink_compat.install()\nimport pyflink.common, pyflink.datastream\n"
        "print([m for m in sys.modules if m.startswith(('penstock.datastream.', 'penstock.common.', 'asyncio'))])\n"
    )
    (tmp_path / "program.py").write_text(program)
    done = run(tmp_path, "program.py")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_program_that_catches_errors_of_py4j_catches_what_fails_here(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text(
        "from py4j.protocol import Py4JError\n\n\ndef inverse(value):\n    return 1 / value\n"
    )
    (tmp_path / "program.py").write_text(
        "from py4j.protocol import Py4JJavaError\n"
        "from py4j.java_gateway import java_import\n"
        "from pyflink.datastream import StreamExecutionEnvironment\n"
        "import beside\n\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.set_parallelism(2)\n"
        "env.from_collection([1, 0]).rebalance().map(beside.inverse).print()\n"
        "try:\n"
        "    env.execute()\n"
        "except Py4JJavaError as error:\n"
        "    print('ZeroDivisionError' in str(error))\n"
    )
    done = run(tmp_path, "-m", "penstock.pyflink_compat", "program.py")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "True"), done.stderr
