"""The DataStream examples that PyFlink ships: run on penstock as they are, and compared with what Apache Flink prints.

``python tests/results/wheel_examples.py`` fetches the wheel with pip, runs the examples under ``penstock run --pyflink`` and
compares with what was recorded. ``--python-of-flink PYTHON``, an interpreter that has PyFlink, with a JDK on the PATH,
runs them there as well and compares with that; ``--record`` keeps it. ``--fetch FOLDER`` only fetches.

The examples themselves are never kept, only what they print and write. An example that imports the Table API, or a
connector to a service, cannot run by itself and is left out: ``list_left_out`` says which and why.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comparison import EncodedRow, Order, find_difference

VERSION = "2.3.0"
RECORDED = Path(__file__).resolve().parent / "recorded_examples.json"
ROOT = Path(__file__).resolve().parents[2]
FOLDER = "pyflink/examples/datastream/"
PARALLELISM = 2
TIMEOUT_SECONDS = 180

# What an example imports that it cannot run by itself with, and why.
NEEDS = {
    "pyflink.table": "the Table API",
    "pyflink.datastream.connectors.kafka": "a Kafka broker, so they are with the tests of Kafka",
    "pyflink.datastream.connectors.elasticsearch": "an Elasticsearch server",
    "pyflink.datastream.connectors.pulsar": "a Pulsar broker",
}

# Nothing but what the example prints: not what libraries that it loads log to the standard output.
QUIETLY = """
import logging, runpy, sys
logging.disable()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

Observed = dict[str, list[EncodedRow]]


@dataclass(frozen=True, slots=True)
class Example:
    """An example with the arguments that it is run with. ``writes``: whether it gets a folder to write to.

    ``order``: what Flink promises. With more than one subtask it is none, and of the rows of one key their own;
    in BATCH mode no order of keys.
    """

    file: str
    order: Order = "exact"
    writes: bool = False
    reads: bool = False

    @property
    def name(self) -> str:
        """The file and how it is run."""
        return " ".join(
            [self.file, *(["--input"] if self.reads else []), *(["--output"] if self.writes else [])]
        )

    def arguments(self, folder: Path) -> list[str]:
        """The command line behind the file. Files that it reads and writes are in the folder."""
        arguments = []
        if self.reads:
            (folder / "input.txt").write_text("to be or not\nto be\n\nthat is the question\n")
            arguments += ["--input", str(folder / "input.txt")]
        if self.writes:
            arguments += ["--output", str(folder / "output")]
        return arguments


WINDOWS = [
    f"windowing/{name}.py"
    for name in (
        "session_with_dynamic_gap_window",
        "session_with_gap_window",
        "sliding_time_window",
        "tumbling_count_window",
        "tumbling_time_window",
    )
]
EXAMPLES = [
    Example("basic_operations.py"),
    Example("event_time_timer.py", "per_key"),
    Example("process_json_data.py", "any"),
    Example("state_access.py", "per_key"),
    Example("word_count.py", "any"),
    Example("word_count.py", "any", writes=True),
    Example("word_count.py", "any", writes=True, reads=True),
    *(Example(name) for name in WINDOWS),
    *(Example(name, writes=True) for name in WINDOWS),
]


def find_wheel(folder: Path) -> Path | None:
    """The wheel in a folder, or None."""
    return next(folder.glob(f"apache_flink-{VERSION}-*.whl"), None)


def fetch_wheel(folder: Path) -> Path:
    """Have pip download the wheel. Any platform's will do, as only Python files are taken from it."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux1_x86_64"]
    command += ["--retries", "1", "--timeout", "10", "--dest", str(folder), f"apache-flink=={VERSION}"]
    subprocess.run(command, check=True)
    wheel = find_wheel(folder)
    assert wheel is not None
    return wheel


def unpack_examples(wheel: Path, folder: Path) -> Path:
    """Unpack the DataStream examples and return the folder with them."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(FOLDER)])
    return folder / FOLDER


def list_left_out(examples: Path) -> dict[str, str]:
    """The examples that cannot run by themselves, and what each needs."""
    found = {}
    for path in sorted(examples.rglob("*.py")):
        modules = re.findall(r"^from (pyflink\.[\w.]+) import", path.read_text(), re.MULTILINE)
        needs = [NEEDS[module] for module in modules if module in NEEDS]
        if needs:
            found[path.relative_to(examples).as_posix()] = needs[0]
    return found


def run_on_penstock(example: Example, examples: Path) -> Observed:
    """What an example prints and writes under ``penstock run --pyflink``."""
    run = [sys.executable, "-m", "penstock", "run", "--pyflink", "-p", str(PARALLELISM)]
    return _run(run, example, examples, {"PYTHONPATH": str(ROOT)})


def run_on_flink(example: Example, examples: Path, python: Path) -> Observed:
    """What an example prints and writes in the interpreter that has PyFlink, on as many processors as there are."""
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return _run([str(python), "-c", QUIETLY], example, examples, {"PATH": path})


def _run(command: list[str], example: Example, examples: Path, variables: dict[str, str]) -> Observed:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        done = subprocess.run(
            [*command, str(examples / example.file), *example.arguments(folder)],
            cwd=folder,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"{example.name} ended with {done.returncode}:\n{done.stderr}")
        observed = {"stdout": [_row_of(line) for line in done.stdout.splitlines()]}
        if example.writes:
            parts = _parts(folder / "output")
            observed["files"] = _names_of(parts)
            observed["lines"] = [_row_of(line) for path in parts for line in path.read_text().splitlines()]
        return observed


def _row_of(line: str) -> EncodedRow:
    """A line without the number of its subtask, and the key: what stands before the first comma."""
    text = re.sub(r"^\d+> ", "", line)
    return ["line", text, text.partition(",")[0]]


def _parts(output: Path) -> list[Path]:
    return sorted(path for path in output.rglob("*") if path.is_file())


def _names_of(parts: list[Path]) -> list[EncodedRow]:
    """The names of files, without the hour of their bucket and without the part that chance makes."""
    names = [re.sub(r"-[0-9a-f-]{32,36}-", "-UUID-", path.name) for path in parts]
    return [["file", name, name] for name in sorted(names)]


def read_recorded() -> dict[str, Observed]:
    """What was recorded of each example."""
    examples: dict[str, Observed] = json.loads(RECORDED.read_text())["examples"]
    return examples


def find_differences(example: Example, wanted: Observed, seen: Observed) -> list[str]:
    """What differs, under the order that Flink promises."""
    if wanted.keys() != seen.keys():
        return [f"{sorted(wanted)} was recorded, {sorted(seen)} is there"]
    found = ((name, find_difference(wanted[name], seen[name], example.order)) for name in wanted)
    return [f"{name}: {difference}" for name, difference in found if difference is not None]


def write_recorded(observed: dict[str, Observed]) -> None:
    """Keep what Flink gave, a row a line."""
    entries = []
    for name, outputs in observed.items():
        parts = [
            f"   {json.dumps(key)}: [" + ",".join(f"\n    {json.dumps(row)}" for row in rows) + "]"
            for key, rows in outputs.items()
        ]
        entries.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(parts) + "\n  }")
    text = ",\n".join(entries)
    RECORDED.write_text(f'{{\n "flink": "{VERSION}",\n "examples": {{\n{text}\n }}\n}}\n')


def main() -> int:
    """Fetch, run and compare; 1 when something differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fetch", type=Path, metavar="FOLDER", help="fetch the wheel into a folder, no more")
    parser.add_argument("--wheel", type=Path, help="the wheel, if it is here already")
    parser.add_argument("--python-of-flink", type=Path, metavar="PYTHON")
    parser.add_argument("--record", action="store_true", help="keep what Flink gives")
    arguments = parser.parse_args()
    if arguments.fetch is not None:
        print(find_wheel(arguments.fetch) or fetch_wheel(arguments.fetch))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        examples = unpack_examples(arguments.wheel or fetch_wheel(Path(scratch)), Path(scratch))
        for file, need in list_left_out(examples).items():
            print(f"left out  {file}: needs {need}")
        wanted = {} if arguments.python_of_flink else read_recorded()
        for example in EXAMPLES if arguments.python_of_flink else ():
            wanted[example.name] = run_on_flink(example, examples, arguments.python_of_flink)
        if arguments.record and arguments.python_of_flink:
            write_recorded(wanted)
        return compare(examples, wanted)


def compare(examples: Path, wanted: dict[str, Observed]) -> int:
    """Run all examples on penstock and say what differs."""
    failed = 0
    for example in EXAMPLES:
        differences = find_differences(example, wanted[example.name], run_on_penstock(example, examples))
        print(f"{'DIFFERS' if differences else 'same':9} {example.name}", *differences, sep="\n  ")
        failed += bool(differences)
    print(f"{len(EXAMPLES) - failed} of {len(EXAMPLES)} are the same")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
