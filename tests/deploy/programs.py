"""Runs whole programs as users do, and watches what becomes of their worker processes."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
MOST_S = 120

PRELUDE = """
import os, sys
from penstock.common import WatermarkStrategy
from penstock.common.watermark_strategy import TimestampAssigner
from penstock.datastream import FilterFunction, KeySelector, MapFunction, ReduceFunction, StreamExecutionEnvironment

class SayPid(MapFunction):
    def open(self, context):
        print("worker", os.getpid(), flush=True)

    def map(self, value):
        return value

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
"""

ENDLESS = PRELUDE + "numbers = env.from_sequence(0, 10**12).map(SayPid())\n"


def start_program(source: str, *flags: str, folder: Path) -> subprocess.Popen[str]:
    """Start a program without a main guard, in a folder of its own."""
    script = folder / "program.py"
    script.write_text(source)
    return subprocess.Popen(
        [sys.executable, *flags, str(script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )


def run_program(source: str, *flags: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    process = start_program(source, *flags, folder=folder)
    try:
        out, err = process.communicate(timeout=MOST_S)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def read_workers(process: subprocess.Popen[str], count: int = 2) -> list[int]:
    """The ids of the workers, which say them when they open their function."""
    assert process.stdout is not None
    workers: list[int] = []
    while len(workers) < count:
        line = process.stdout.readline()
        if not line:
            _, err = process.communicate()
            raise AssertionError(f"the program ended too early:\n{err}")
        workers += workers_in(line)
    return workers


def workers_in(text: str) -> list[int]:
    """The ids of the workers in what was printed."""
    return [int(pid) for pid in re.findall(r"^worker (\d+)$", text, re.MULTILINE)]


def is_gone(pid: int, within_s: float = 0.0) -> bool:
    """Whether a process has ended, or does so in time; one that ended and was not reaped by its parent has."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(within_s * 1000))
    finally:
        os.close(descriptor)
