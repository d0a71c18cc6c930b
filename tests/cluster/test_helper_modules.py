"""Modules beside a program, that its functions come from: each program has its own, whatever others are called."""

import re
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster

PROGRAM = """
import sys
from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
from helper import {function}

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(100)
source = DataGeneratorSource(lambda index: index, 1_000_000, RateLimiterStrategy.per_second(50))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
numbers.map({function}).uid("named").print().uid("print")
env.execute("{function}")
"""


def write(directory: Path, function: str) -> Path:
    """A program, and beside it the module that it has its function from."""
    directory.mkdir(exist_ok=True)
    (directory / "helper.py").write_text(
        f"from other import ENDING\n\ndef {function}(number):\n    return f'{function} {{number}}{{ENDING}}'\n"
    )
    (directory / "other.py").write_text(f"ENDING = ' as {function}'\n")
    program = directory / "program.py"
    program.write_text(PROGRAM.format(function=function))
    return program


def numbers(cluster: Cluster, function: str) -> list[int]:
    files = (cluster.home / "log").glob("*taskmanager*.out")
    texts = [file.read_text() for file in files]
    pattern = rf"^(?:\d+> )?{function} (\d+) as {function}$"
    return [int(number) for text in texts for number in re.findall(pattern, text, re.MULTILINE)]


def test_programs_whose_modules_have_one_name_run_side_by_side(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    jobs = {}
    for function in ("first", "second"):
        jobs[function] = running_cluster.submit(write(tmp_path / function, function))
    for function, job in jobs.items():
        running_cluster.wait_for(lambda function=function: len(numbers(running_cluster, function)) > 5)
        running_cluster.penstock("cancel", "-m", running_cluster.address, job)
        running_cluster.wait_for_state(job, "CANCELED")


def test_a_module_may_be_in_packages_without_a_file_of_their_own(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    parts = tmp_path / "shop" / "parts"
    parts.mkdir(parents=True)
    program = write(tmp_path, "packed")
    (parts / "helper.py").write_text(
        (tmp_path / "helper.py").read_text().replace("from other", "from shop.other")
    )
    (tmp_path / "other.py").rename(tmp_path / "shop" / "other.py")
    program.write_text(program.read_text().replace("from helper", "from shop.parts.helper"))
    for _ in range(2):
        job = running_cluster.submit(program)
        seen = len(numbers(running_cluster, "packed"))
        running_cluster.wait_for(lambda seen=seen: len(numbers(running_cluster, "packed")) > seen + 5)
        running_cluster.penstock("cancel", "-m", running_cluster.address, job)
        running_cluster.wait_for_state(job, "CANCELED")


@pytest.mark.slow
def test_a_program_whose_module_was_changed_goes_on_from_its_savepoint(
    cluster: Cluster, tmp_path: Path
) -> None:
    directory = tmp_path / "program"
    program = write(directory, "before")
    cluster.penstock("start-cluster", "-n", "1", directory=directory)  # where people start it
    job = cluster.submit(program)
    cluster.wait_for(lambda: len(numbers(cluster, "before")) > 5)
    said = cluster.penstock("cancel", "-m", cluster.address, "-s", str(tmp_path / "saved"), job)
    savepoint = said.split("stored in ")[1].split()[0].rstrip(".")
    cluster.wait_for_state(job, "CANCELED")
    again = cluster.submit(write(directory, "afterwards"), "-s", savepoint)
    cluster.wait_for(lambda: len(numbers(cluster, "afterwards")) > 5)
    assert min(numbers(cluster, "afterwards")) > 5
    cluster.penstock("rescale", "-m", cluster.address, "-p", "1", again)
    seen = len(numbers(cluster, "afterwards"))
    cluster.wait_for(lambda: len(numbers(cluster, "afterwards")) > seen)
    elsewhere = cluster.submit(write(tmp_path / "elsewhere", "elsewhere"), "-d")
    cluster.penstock("taskmanager", "start")
    cluster.wait_for(lambda: len(numbers(cluster, "elsewhere")) > 5)
    for each in (again, elsewhere):
        cluster.penstock("cancel", "-m", cluster.address, each)
        cluster.wait_for_state(each, "CANCELED")
