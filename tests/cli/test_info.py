"""`penstock info`: plans of jobs that do not run."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import Folder

TWO_JOBS = """\
print("thinking")
env.from_collection([1]).map(lambda n: 1 // 0).print()
print(env.execute("first"))
env.from_collection([2]).print()
env.execute_async("second").get_job_execution_result().result()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_every_job_of_a_program_is_shown_and_none_runs(folder: Folder) -> None:
    folder.write_program("shop.py", TWO_JOBS)
    finished = folder.penstock("info", "-p", "2", "shop.py")
    assert finished.code == 0
    assert finished.out == (
        "------------------- Execution Plan: first --------------------\n"
        "1: Source: Collection Source (parallelism 1)\n"
        "2: Map (parallelism 2) <- 1 REBALANCE\n"
        "3: Sink: Print to Std. Out (parallelism 2) <- 2 FORWARD\n"
        "--------------------------------------------------------------\n"
        "------------------- Execution Plan: second -------------------\n"
        "4: Source: Collection Source (parallelism 1)\n"
        "5: Sink: Print to Std. Out (parallelism 2) <- 4 REBALANCE\n"
        "--------------------------------------------------------------\n"
    )
    assert finished.err.startswith("thinking\nJob ")
    assert finished.err.endswith(" has been planned and did not run.\n")


def test_the_json_is_what_the_environment_gives(folder: Folder) -> None:
    folder.write_program(
        "shop.py",
        "env.from_collection([1]).map(str).print()\nopen('plan', 'w').write(env.get_execution_plan())\nenv.execute()\n",
    )
    finished = folder.penstock("info", "--format", "json", "shop.py")
    assert json.loads(finished.out) == json.loads((folder.path / "plan").read_text())
    assert finished.err == ""


@pytest.mark.parametrize(
    ("asks", "what"),
    [
        ("list(stream.execute_and_collect('shop'))", "rows"),
        ("stream.print()\nenv.execute('shop').get_accumulator_result('n')", "accumulators"),
        ("stream.print()\nenv.execute('shop').get_all_accumulator_results()", "accumulators"),
        ("stream.print()\nenv.execute('shop').get_net_runtime()", "duration"),
        ("stream.print()\nenv.execute_async('shop').get_accumulators().result()", "accumulators"),
    ],
)
def test_a_program_is_read_up_to_where_it_needs_results(folder: Folder, asks: str, what: str) -> None:
    folder.write_program("shop.py", f"stream = env.from_collection([1])\n{asks}\nopen('after', 'w')\n")
    finished = folder.penstock("info", "shop.py")
    assert finished.code == 0
    assert finished.out.count("Execution Plan: shop") == 1
    said = f"The program asks for the {what} of job 'shop', which only a run gives; it is read no further.\n"
    assert finished.err == said
    assert not (folder.path / "after").exists()


def test_a_program_that_fails_shows_the_plans_up_to_there(folder: Folder) -> None:
    folder.write_program(
        "shop.py", "env.from_collection([1]).print()\nenv.execute('shop')\nraise ValueError('x')\n"
    )
    finished = folder.penstock("info", "shop.py")
    assert finished.code == 1
    assert "Execution Plan: shop" in finished.out
    assert finished.err == "Error: ValueError: x\n  at shop.py:5\n"


def test_a_program_without_a_job_has_nothing_to_show(folder: Folder) -> None:
    folder.write_program("shop.py", "env.from_collection([1]).print()\n")
    finished = folder.penstock("info", "shop.py")
    assert (finished.code, finished.out) == (1, "")
    assert "the program has defined no job" in finished.err
