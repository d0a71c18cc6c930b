"""The same six lines in a script without a main guard, a REPL and a notebook, in one process and in two."""

import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

SIX_LINES = """\
from penstock.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism({parallelism})
words = env.from_collection(["to be", "or not", "to be"]).flat_map(str.split).map(lambda word: (word, 1))
words.key_by(lambda pair: pair[0]).sum(1).print()
result = env.execute("word count")
"""
UPDATES = ["('be', 1)", "('be', 2)", "('not', 1)", "('or', 1)", "('to', 1)", "('to', 2)"]
ROOT = str(Path(__file__).parents[2])
MOST_S = 120

at_parallelism = pytest.mark.parametrize("parallelism", [1, 2])


def updates_in(output: str) -> list[str]:
    """The updates without the number of the subtask that printed them, in alphabetical order."""
    return sorted(line.rpartition("> ")[2] for line in output.splitlines() if line.endswith(")"))


@at_parallelism
def test_a_script_without_a_main_guard_counts_words(parallelism: int, tmp_path: Path) -> None:
    script = tmp_path / "count.py"
    script.write_text(SIX_LINES.format(parallelism=parallelism))
    run = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
        env={"PYTHONPATH": ROOT},
    )
    assert updates_in(run.stdout) == UPDATES, run.stderr


@at_parallelism
def test_a_repl_counts_words(parallelism: int, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=SIX_LINES.format(parallelism=parallelism),
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": ROOT},
    )
    # The REPL echoes what the fifth line returns; that line is none of the updates.
    assert [line for line in updates_in(run.stdout) if line in UPDATES] == UPDATES, run.stderr


@at_parallelism
def test_a_notebook_counts_words(parallelism: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cell = nbformat.v4.new_code_cell(SIX_LINES.format(parallelism=parallelism))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=MOST_S, kernel_name="python3").execute(cwd=str(tmp_path))
    printed = "".join(output.text for output in notebook.cells[0].outputs if output.get("name") == "stdout")
    assert updates_in(printed) == UPDATES
