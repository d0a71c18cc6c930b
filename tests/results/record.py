"""Records what the real Apache Flink gives for the programs of this folder.

``python tests/results/record.py --python-of-flink PYTHON [family[/name] ...]`` where PYTHON is an interpreter that
has PyFlink, with a JDK on the PATH. One JVM runs all the programs asked for. Each is run once with Python functions
in their own process and once in the JVM's; where the two differ, once more in their own process, to tell a program
whose rows are not stable from a difference between the two modes. Kept is what the first run gave.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comparison import find_difference
from running import (
    HERE,
    RECORDED,
    Outputs,
    Program,
    Raised,
    list_program_files,
    load_program,
    observe,
)

TIMEOUT_SECONDS = 120


def main() -> None:
    """Start this file again in Flink's interpreter, or, being there, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python-of-flink", required=True, type=Path)
    parser.add_argument("--in-flink", action="store_true", help="this is already Flink's interpreter")
    parser.add_argument("--once", action="store_true", help="no second run: for a program being written")
    parser.add_argument("programs", nargs="*", help="family or family/name; all when none is given")
    arguments = parser.parse_args()
    if arguments.in_flink:
        record(arguments.programs, arguments.once)
    else:
        with tempfile.TemporaryDirectory() as classes:
            start_in_flink(arguments.python_of_flink, Path(classes))


def start_in_flink(python: Path, classes: Path) -> None:
    """Compile the watermark strategy, and run this file where PyFlink and its small JVM are."""
    where = "import pyflink, os; print(os.path.dirname(pyflink.__file__))"
    home = Path(
        subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip()
    )
    jars = os.pathsep.join(str(jar) for jar in (home / "lib").glob("*.jar"))
    subprocess.run(["javac", "-cp", jars, "-d", classes, HERE / "PerRecordWatermarks.java"], check=True)
    environment = os.environ | {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "JVM_ARGS": "-Xmx1g",
        "HADOOP_CLASSPATH": str(classes),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run([python, __file__, "--in-flink", *sys.argv[1:]], check=True, env=environment)


class CapturedOutput:
    """This process's standard output, and so the JVM's that it starts, as a file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(mode="w+b")  # noqa: SIM115 (as long as the process)
        sys.stdout.flush()
        os.dup2(self._file.fileno(), 1)
        self._read_to = 0

    def take_lines(self) -> list[str]:
        """Return the lines written since the last call."""
        sys.stdout.flush()
        size = os.fstat(self._file.fileno()).st_size
        taken = os.pread(self._file.fileno(), size - self._read_to, self._read_to)
        self._read_to = size
        return taken.decode().splitlines()


def record(wanted: list[str], once: bool) -> None:
    """Run the wanted programs, one family at a time, and write each result at once."""
    output = CapturedOutput()
    paths = [path for path in list_program_files() if _is_wanted(path, wanted)]
    for family in sorted({path.parent.name for path in paths}):
        for path in paths:
            if path.parent.name == family:
                write_entry(family, path.stem, record_program(path, output, once))


def _is_wanted(path: Path, wanted: list[str]) -> bool:
    return not wanted or path.parent.name in wanted or f"{path.parent.name}/{path.stem}" in wanted


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program: what it gave, or why it gave nothing."""

    observed: Outputs | Raised | None
    failure: str | None


def record_program(path: Path, output: CapturedOutput, once: bool) -> dict[str, Any]:
    """Return the entry of a program in its family's file."""
    started = time.monotonic()
    program = load_program(path)
    first = run_in_flink(program, "process", output)
    remark = "once" if once else _compare_with_second_run(program, first, output)
    seconds = time.monotonic() - started
    print(f"{program.family}/{program.name} {seconds:.1f}s {remark} {first.failure or ''}", file=sys.stderr)
    entry: dict[str, Any] = {"shows": program.shows, "mode": program.mode, "order": program.order}
    if first.observed is None or remark.startswith("unstable"):
        return entry | {"not_recorded": first.failure or remark}
    if not isinstance(first.observed, Raised):
        return entry | {"outputs": first.observed}
    assert program.raises is not None
    if program.raises not in first.observed.message:
        print(first.observed.message[-3000:], file=sys.stderr)
        return entry | {"not_recorded": f"failed without {program.raises!r} in the message"}
    cause = _root_cause_of(first.observed.message)
    return entry | {"raises": {"type": first.observed.type_name, "text": program.raises, "cause": cause}}


def _compare_with_second_run(program: Program, first: Run, output: CapturedOutput) -> str:
    if first.observed is None or isinstance(first.observed, Raised):
        return "failed"
    difference = _difference_of_runs(program, first, run_in_flink(program, "thread", output))
    if difference is None:
        return "stable"
    print(f"{program.family}/{program.name} in thread mode: {difference}", file=sys.stderr)
    difference = _difference_of_runs(program, first, run_in_flink(program, "process", output))
    return "stable in process mode" if difference is None else f"unstable: {difference}"


def _difference_of_runs(program: Program, first: Run, second: Run) -> str | None:
    if not isinstance(first.observed, dict) or not isinstance(second.observed, dict):
        return f"no rows to compare: {second.failure}"
    for name, rows in first.observed.items():
        difference = find_difference(rows, second.observed[name], program.order)
        if difference is not None:
            return f"{name}: {difference}"
    return None


def run_in_flink(program: Program, execution_mode: str, output: CapturedOutput) -> Run:
    """Run once; a program that fails or hangs without being meant to is noted and does not stop the others."""
    settings = program.settings | {
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "python.execution-mode": execution_mode,
        "rest.port": "0",
        "restart-strategy.type": "none",
    }
    if program.watermarks == "per_record" or program.mode == "BATCH":
        # A watermark, or the end of a key, waits for the end of the bundle that is under way in the Python process.
        settings["python.fn-execution.bundle.size"] = "1"
    _use_watermarks(program.watermarks)
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(TIMEOUT_SECONDS)
    try:
        return Run(observe(program, settings, output), None)
    except Exception as error:
        return Run(None, _short_text_of(error))
    finally:
        signal.alarm(0)


def _give_up(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no end after {TIMEOUT_SECONDS} s")


def _use_watermarks(when: str) -> None:
    """Make the strategies speak after each record instead of periodically, where a program asks for it."""
    from pyflink.common import WatermarkStrategy
    from pyflink.java_gateway import get_gateway

    original: dict[str, Any] = WatermarkStrategy.__dict__.get("_factories_of_flink", {})
    if not original:
        names = ("for_monotonous_timestamps", "for_bounded_out_of_orderness")
        original = {name: getattr(WatermarkStrategy, name) for name in names}
        WatermarkStrategy._factories_of_flink = original

    def per_record(factory: Any) -> Any:
        def make(*arguments: Any) -> Any:
            strategy = factory(*arguments)._j_watermark_strategy
            return WatermarkStrategy(get_gateway().jvm.PerRecordWatermarks(strategy))

        return make

    for name, factory in original.items():
        replacement = per_record(factory) if when == "per_record" else factory
        setattr(WatermarkStrategy, name, staticmethod(replacement))


def _root_cause_of(message: str) -> str:
    """Return the line that names what went wrong at first; kept for readers, compared with nothing."""
    lines = [line.strip() for line in message.splitlines()]
    python_errors = [line for line in lines if re.match(r"\w*(Error|Exception): ", line)]
    java_errors = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    cause = (python_errors or java_errors or [line for line in lines if line.startswith(": ")] or lines)[-1]
    return re.sub(r"-\d+ ", " ", cause)[:300]  # the numbers of operators grow with each program


def _short_text_of(error: Exception) -> str:
    causes = [line.strip() for line in str(error).splitlines() if "Caused by" in line or "Error: " in line]
    return f"{type(error).__name__}: {str(error).splitlines()[:3]} {causes[-3:]}"


def write_entry(family: str, name: str, entry: dict[str, Any]) -> None:
    """Write one line per row, so that a change of the recording can be read as a difference."""
    import pyflink.version

    path = RECORDED / f"{family}.json"
    kept: dict[str, Any] = json.loads(path.read_text())["programs"] if path.exists() else {}
    names = {file.stem for file in list_program_files(family)}
    entries = sorted(item for item in (kept | {name: entry}).items() if item[0] in names)
    programs = ",\n".join(f"  {json.dumps(key)}: {{{_text_of_entry(value)}\n  }}" for key, value in entries)
    version = json.dumps(pyflink.version.__version__)
    path.write_text(f'{{\n "flink": {version},\n "programs": {{\n{programs}\n }}\n}}\n')


def _text_of_entry(entry: dict[str, Any]) -> str:
    lines = [f"\n   {json.dumps(key)}: {json.dumps(entry[key])}" for key in entry if key != "outputs"]
    if "outputs" in entry:
        outputs = [
            f"\n    {json.dumps(name)}: [{_text_of_rows(rows)}]" for name, rows in entry["outputs"].items()
        ]
        lines.append('\n   "outputs": {' + ",".join(outputs) + "\n   }")
    return ",".join(lines)


def _text_of_rows(rows: list[list[str]]) -> str:
    return ",".join(f"\n     {json.dumps(row)}" for row in rows)


if __name__ == "__main__":
    main()
