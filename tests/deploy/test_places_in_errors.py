"""What is shipped to worker processes keeps its place: errors name the user's file and line, whatever raised."""

from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.deploy.programs import MOST_S, PRELUDE, ROOT, run_program

# Each program fails in the line that ends with "# here".
PROGRAMS = {
    "a function": """
def halve(value):
    return 1 // value  # here

env.from_sequence(0, 0).map(halve).print()
""",
    "a lambda": """
env.from_sequence(0, 0).map(lambda value: 1 // value).print()  # here
""",
    "a lambda in a run of others": """
env.from_sequence(0, 0).map(lambda value: value).filter(lambda value: 1 // value).map(lambda value: 1).print()  # here
""",
    "a generator": """
def halves(value):
    yield 1 // value  # here

env.from_sequence(0, 0).flat_map(halves).print()
""",
    "a method of a function class": """
class Halve(MapFunction):
    def map(self, value):
        return 1 // value  # here

env.from_sequence(0, 0).map(Halve()).print()
""",
    "methods in a run of others": """
class Steps(MapFunction):
    def map(self, value):
        return value + 0

class Halve(FilterFunction):
    def filter(self, value):
        return 1 // value  # here

env.from_sequence(0, 0).map(Steps()).filter(Halve()).map(Steps()).print()
""",
    "a method of a key selector": """
class Halve(KeySelector):
    def get_key(self, value):
        return 1 // value  # here

env.from_sequence(0, 0).key_by(Halve()).map(str).print()
""",
    "a method of a reduce function": """
class Halve(ReduceFunction):
    def reduce(self, one, two):
        return 1 // one  # here

env.from_collection([0, 0]).key_by(lambda value: 7).reduce(Halve()).print()
""",
    "a method of a timestamp assigner": """
class Halve(TimestampAssigner):
    def extract_timestamp(self, value, before):
        return 1 // value  # here

strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Halve())
env.from_sequence(0, 0).assign_timestamps_and_watermarks(strategy).print()
""",
    "a function in a function": """
def make():
    def halve(value):
        return 1 // value  # here
    return halve

env.from_sequence(0, 0).map(make()).print()
""",
    "a key selector": """
env.from_sequence(0, 0).key_by(lambda value: 1 // value).map(str).print()  # here
""",
    "a reduce function": """
def reduce(one, two):
    return 1 // one  # here

env.from_collection([0, 0]).key_by(lambda value: 7).reduce(reduce).print()
""",
    "a method of a value that went through a channel": """
class Part:
    def __init__(self, value):
        self.value = value
    def halve(self):
        return 1 // self.value  # here

env.from_sequence(0, 0).map(Part).rebalance().map(lambda part: part.halve()).print()
""",
    "a function that went through a channel": """
def halve():
    return 1 // 0  # here

env.from_collection([halve]).rebalance().map(lambda function: function()).print()
""",
}


def line_of_failure(source: str) -> int:
    return 1 + next(number for number, line in enumerate(source.splitlines()) if line.endswith("# here"))


@pytest.mark.parametrize("kind", PROGRAMS)
def test_an_error_on_a_worker_names_the_line_of_the_script(kind: str, tmp_path: Path) -> None:
    source = PRELUDE + PROGRAMS[kind] + "env.execute()\n"
    run = run_program(source, folder=tmp_path)
    assert run.returncode == 1
    place = f"at {tmp_path / 'program.py'}:{line_of_failure(source)};"
    assert f"ZeroDivisionError: integer division or modulo by zero {place}" in run.stderr, run.stderr


@pytest.mark.parametrize("parallelism", [1, 2])
def test_an_error_in_a_notebook_names_the_cell_and_its_line(
    parallelism: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    sources = [
        (
            f"{PRELUDE.strip()}\nenv.set_parallelism({parallelism})\n"
            "def halve(value):\n    return 1 // value\nhalve.__code__.co_filename"
        ),
        "env.from_sequence(0, 0).map(halve).print()\nenv.execute()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.raises(nbclient.exceptions.CellExecutionError) as raised:
        nbclient.NotebookClient(notebook, timeout=MOST_S, kernel_name="python3").execute(cwd=str(tmp_path))
    cell = notebook.cells[0].outputs[0]["data"]["text/plain"].strip("'")
    line = sources[0].splitlines().index("    return 1 // value") + 1
    assert f"at {cell}:{line}" in raised.value.evalue
