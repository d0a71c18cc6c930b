"""`penstock run`: programs in processes of their own, their exit codes and what is said of failures."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import penstock
from tests.cli.commands import TIME_LIMIT_S, Finished, Folder

SHOWS_SETTINGS = """\
import sys
print(sys.argv, __name__, env.get_parallelism(), env.get_configuration().get_string("shop.day", None))
env.from_collection([1]).print()
env.execute()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_program_sees_its_arguments_and_the_options_from_outside(folder: Folder) -> None:
    folder.write_program("jobs/shop.py", SHOWS_SETTINGS)
    folder.write("conf/config.yaml", "parallelism.default: 2\nshop: {day: monday}\n")
    finished = folder.penstock("run", "--conf-dir", "conf", "-p", "1", "jobs/shop.py", "-p", "x")
    assert finished == Finished(0, "['jobs/shop.py', '-p', 'x'] __main__ 1 monday\n1\n", "")


def test_what_the_program_sets_wins_over_the_command_line(folder: Folder) -> None:
    folder.write(
        "shop.py",
        "from penstock.common import Configuration\n"
        "from penstock.environment import StreamExecutionEnvironment\n"
        "given = Configuration().set_string('shop.day', 'sunday')\n"
        "env = StreamExecutionEnvironment.get_execution_environment(given).set_parallelism(1)\n"
        + SHOWS_SETTINGS,
    )
    finished = folder.penstock("run", "-p", "2", "-D", "shop.day=monday", "shop.py")
    assert finished == Finished(0, "['shop.py'] __main__ 1 sunday\n1\n", "")


def test_functions_of_the_program_and_of_its_neighbours_travel_to_workers(folder: Folder) -> None:
    folder.write("more/goods.py", "def price(n):\n    return n * 10\n")
    folder.write("jobs/near.py", "def half(n):\n    return n // 2\n")
    folder.write_program(
        "jobs/shop.py",
        "import goods, near\n"
        "def plus(n):\n    return near.half(goods.price(n)) + 1\n"
        "env.from_collection([1, 2]).map(plus).print().set_parallelism(1)\nenv.execute()\n",
    )
    finished = folder.penstock("run", "-p", "2", "-pyfs", "more", "jobs/shop.py")
    assert (finished.code, sorted(finished.out.split()), finished.err) == (0, ["11", "6"], "")


def test_a_module_and_a_function_run_as_programs(folder: Folder) -> None:
    folder.write("shop/__init__.py", "")
    folder.write_program("shop/__main__.py", SHOWS_SETTINGS)
    folder.write(
        "shop/jobs.py", "def main():\n    from shop import __main__\n    return 'not an exit code'\n"
    )
    main = folder.path / "shop" / "__main__.py"
    finished = folder.penstock("run", "-pym", "shop", "a")
    assert finished == Finished(0, f"[{str(main)!r}, 'a'] __main__ 1 None\n1\n", "")
    finished = folder.penstock("run", "-c", "shop.jobs:main", "a")
    assert finished == Finished(0, "['shop.jobs:main', 'a'] shop.__main__ 1 None\n1\n", "")


@pytest.mark.parametrize("parallelism", ["1", "2"])
def test_a_program_for_pyflink_runs_as_it_is(folder: Folder, parallelism: str) -> None:
    folder.write("near.py", "from pyflink.common import Row\ndef plus(n):\n    return Row(n + 1)[0]\n")
    folder.write(
        "shop.py",
        "from pyflink.datastream import StreamExecutionEnvironment\nimport near\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.from_collection([1, 2]).map(near.plus).print().set_parallelism(1)\nenv.execute()\n",
    )
    finished = folder.penstock("run", "--pyflink", "-p", parallelism, "shop.py")
    assert (finished.code, sorted(finished.out.split()), finished.err) == (0, ["2", "3"], "")


def test_jobs_in_the_background_go_on_after_the_last_line(folder: Folder) -> None:
    folder.write_program(
        "shop.py",
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Good:\n    name: str\n"
        "goods = env.from_collection([Good('a'), Good('b')])\n"
        "goods.key_by(lambda good: good.name).reduce(lambda one, other: one).print()\n"
        "env.execute_async()\n",
    )
    assert folder.penstock("run", "shop.py") == Finished(0, "Good(name='a')\nGood(name='b')\n", "")


def test_a_failure_in_the_background_is_reported(folder: Folder) -> None:
    folder.write_program(
        "shop.py", "env.from_collection([0]).map(lambda n: 1 // n).print()\nenv.execute_async()\n"
    )
    finished = folder.penstock("run", "shop.py")
    assert finished.code == 1
    assert "ZeroDivisionError" in finished.err


def test_a_failed_job_is_told_in_short_and_in_full_on_request(folder: Folder) -> None:
    folder.write_program(
        "shop.py", "env.from_collection([0]).map(lambda n: 1 // n).print()\nenv.execute('shop')\n"
    )
    short = folder.penstock("run", "shop.py")
    assert (short.code, short.out) == (1, "")
    first, second = short.err.splitlines()
    assert first.startswith("Error: job 'shop' (")
    assert first.endswith(
        "ZeroDivisionError: integer division or modulo by zero at shop.py:3; the record was 0"
    )
    assert second == "  in operator 'Map', subtask 1/1, made at shop.py:3"
    full = folder.penstock("run", "-v", "shop.py")
    assert full.code == 1
    assert "Job has been submitted with JobID " in full.err
    assert "Traceback (most recent call last):" in full.err
    assert "penstock/cli" not in full.err


def test_an_error_of_the_program_itself_is_told_with_its_line(folder: Folder) -> None:
    folder.write("shop.py", "def price():\n    return {}['apple']\nprice()\n")
    assert folder.penstock("run", "shop.py") == Finished(1, "", "Error: KeyError: 'apple'\n  at shop.py:2\n")


def test_a_wrong_argument_to_the_api_is_told_with_its_line(folder: Folder) -> None:
    folder.write_program("shop.py", "env.set_parallelism(0)\n")
    finished = folder.penstock("run", "shop.py")
    assert finished.code == 1
    assert finished.err.count("shop.py:3") == 1


def test_a_syntax_error_is_shown_with_file_line_and_caret(folder: Folder) -> None:
    folder.write("shop.py", "x = 1\nprint(x x)\n")
    finished = folder.penstock("run", "shop.py")
    assert finished.code == 1
    first, line, caret = finished.err.splitlines()
    assert first.startswith("Error: shop.py:2: SyntaxError: ")
    assert line == "    print(x x)"
    assert set(caret.strip()) == {"^"}


def test_a_missing_module_is_told_with_what_may_help(folder: Folder) -> None:
    folder.write("shop.py", "import no_such_module.part\n")
    finished = folder.penstock("run", "shop.py")
    assert finished.code == 1
    assert "No module named 'no_such_module'; is no_such_module installed" in finished.err
    assert finished.err.endswith("  at shop.py:1\n")
    folder.write("shop.py", "import pyflink\n")
    assert "; with --pyflink, penstock answers to that name" in folder.penstock("run", "shop.py").err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["-pym", "shp"], "there is no module 'shp' to run"),
        (["-pym", "shop.py"], "did you mean 'shop'?"),
        (["-c", "shp:main"], "there is no module 'shp' to import"),
        (["-c", "shop:mian"], "there is no 'mian' in module 'shop'; did you mean 'main'?"),
        (["-c", "shop:price"], "shop:price cannot be called: it is of type int"),
    ],
)
def test_an_entry_point_that_is_not_there_is_a_wrong_command_line(
    folder: Folder, words: list[str], answer: str
) -> None:
    folder.write("shop.py", "price = 3\ndef main():\n    pass\n")
    finished = folder.penstock("run", *words)
    assert finished.code == 2
    assert answer in finished.err


def test_an_import_that_fails_inside_the_module_is_not_taken_for_a_missing_module(folder: Folder) -> None:
    folder.write("shop.py", "import no_such_module\n")
    finished = folder.penstock("run", "-c", "shop:main")
    assert finished.code == 1
    assert "No module named 'no_such_module'" in finished.err
    assert f"at {folder.path / 'shop.py'}:1" in finished.err


def test_the_exit_code_of_the_program_is_passed_on(folder: Folder) -> None:
    folder.write("shop.py", "import sys\nsys.exit(7)\n")
    assert folder.penstock("run", "shop.py") == Finished(7, "", "")
    folder.write("shop.py", "import sys\nsys.exit('closed')\n")
    assert folder.penstock("run", "shop.py") == Finished(1, "", "closed\n")
    folder.write("shop.py", "import sys\nsys.exit()\n")
    assert folder.penstock("run", "shop.py") == Finished(0, "", "")


@pytest.mark.parametrize("start", ["env.execute()", "env.execute_async()"])
def test_an_interrupt_cancels_the_jobs(folder: Folder, start: str) -> None:
    folder.write_program(
        "shop.py",
        "def say(n):\n    if n == 0:\n        print('begun', flush=True)\n    return n < 0\n"
        f"env.from_sequence(0, 10**15).filter(say).print()\n{start}\n",
    )
    with folder.start("run", "shop.py") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIME_LIMIT_S)
    assert (process.returncode, out, err) == (130, "", "Interrupted.\n")


def test_a_failure_of_the_program_cancels_jobs_in_the_background(folder: Folder) -> None:
    folder.write_program(
        "shop.py",
        "env.from_sequence(0, 10**15).filter(lambda n: n < 0).print()\nenv.execute_async()\nraise ValueError('x')\n",
    )
    assert folder.penstock("run", "shop.py") == Finished(1, "", "Error: ValueError: x\n  at shop.py:5\n")


def test_the_version_is_there_without_loading_what_reads_options(tmp_path: Path) -> None:
    probe = (
        "import sys\nfrom penstock.cli.main import main\nmain(['--version'])\nprint(*sorted(sys.modules))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", probe],
        env=Folder(tmp_path).environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    version, modules = finished.stdout.splitlines()
    assert version == f"penstock {penstock.__version__}"
    assert {name for name in modules.split() if name.startswith(("click", "penstock"))} == {
        "penstock", "penstock.cli", "penstock.cli.main",
    }  # fmt: skip
    assert Folder(tmp_path).penstock("-v") == Finished(0, f"{version}\n", "")
