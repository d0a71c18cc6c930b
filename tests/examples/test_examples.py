"""Every example runs as its first lines say, and prints what they say."""

import hashlib
import os
import re
import runpy
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.py"))}
# Its output is as long as the book, and has a test of its own.
LONG = "word_count"
# It needs a broker, and is run with the other tests of Kafka.
WITH_BROKER = "kafka_word_count"
# It starts some twenty processes, one after the other.
SLOW = "cluster_scenario"
TIME_LIMIT_S = 280


def promised(example: Path) -> str:
    """The lines that an example's docstring says it prints."""
    docstring = example.read_text("utf-8").split('"""')[1]
    _, found, printed = docstring.partition(" prints::\n\n")
    assert found, f"{example.name} does not say what it prints"
    return textwrap.dedent(printed).strip()


def run_example(example: Path, *arguments: str) -> str:
    text = example.read_text("utf-8")
    with_pyflink = ["-m", "penstock", "run", "--pyflink"] if "--pyflink" in text else []
    by_command = ["-m", "penstock", "info"] if "``python -m penstock info" in text else with_pyflink
    finished = subprocess.run(
        [sys.executable, *by_command, str(example), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in (LONG, WITH_BROKER, SLOW)])
def test_an_example_prints_what_it_says(name: str) -> None:
    assert run_example(EXAMPLES[name]).strip() == promised(EXAMPLES[name])


@pytest.mark.slow
def test_the_scenario_of_a_cluster_prints_what_it_says() -> None:
    assert run_example(EXAMPLES[SLOW]).strip() == promised(EXAMPLES[SLOW])


def test_the_word_count_ends_with_the_number_of_each_word_of_the_book() -> None:
    text = (ROOT / "examples" / "data" / "opticks.txt").read_text("utf-8").lower()
    counted = Counter(re.findall(r"[a-z]+", text))
    updates = re.findall(r"\('?(\w+)'?, ?(\d+)\)", run_example(EXAMPLES[LONG]))
    assert len(updates) == counted.total()
    assert {word: int(count) for word, count in updates} == counted


def test_the_log_is_what_its_script_writes() -> None:
    script = runpy.run_path(str(ROOT / "examples" / "data" / "generate_access_log.py"))
    written = "\n".join(script["access_lines"]()) + "\n"
    kept = (ROOT / "examples" / "data" / "access.log").read_bytes()
    assert hashlib.sha256(written.encode()).digest() == hashlib.sha256(kept).digest()


def test_every_example_is_in_the_list_of_examples() -> None:
    listed = re.findall(r"\]\((\w+)\.py\)", (ROOT / "examples" / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(EXAMPLES)
