"""What workers print is seen where the program prints, whole and in order."""

import io
import os
import sys
from pathlib import Path
from typing import IO

import pytest

from penstock.deploy.local.output_relay import KEPT_LINES, OutputRelay
from tests.deploy.programs import PRELUDE, run_program


class Pipes:
    """The four ends of the output of one worker."""

    def __init__(self) -> None:
        read_out, write_out = os.pipe()
        read_err, write_err = os.pipe()
        self.read_out: IO[bytes] = os.fdopen(read_out, "rb", 0)
        self.read_err: IO[bytes] = os.fdopen(read_err, "rb", 0)
        self.out: IO[bytes] = os.fdopen(write_out, "wb", 0)
        self.err: IO[bytes] = os.fdopen(write_err, "wb", 0)

    def close(self) -> None:
        self.out.close()
        self.err.close()


def start(*workers: Pipes) -> OutputRelay:
    relay = OutputRelay()
    for index, pipes in enumerate(workers):
        relay.add(index, pipes.read_out, pipes.read_err)
    relay.start()
    return relay


def test_lines_are_forwarded_whole_to_what_standard_output_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    pipes = Pipes()
    relay = start(pipes)
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stdout", replaced)
    pipes.out.write(b"half a ")
    pipes.out.write("line with \N{SNOWMAN}\nand the last".encode())
    pipes.close()
    relay.finish()
    assert replaced.getvalue() == "half a line with \N{SNOWMAN}\nand the last\n"


def test_what_is_in_the_pipes_is_shown_although_somebody_holds_them_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipes = Pipes()
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stdout", replaced)
    relay = start(pipes)
    pipes.out.write(b"done\n")
    relay.finish()
    pipes.close()
    assert replaced.getvalue() == "done\n"


def test_last_words_are_the_last_lines_of_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Pipes(), Pipes()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    relay = start(first, second)
    first.err.write("".join(f"line {n}\n" for n in range(200)).encode())
    second.err.write(b"another worker\n")
    first.close()
    assert relay.last_words(0, timeout_s=120) == [f"line {n}" for n in range(200 - KEPT_LINES, 200)]
    second.close()
    assert relay.last_words(1, timeout_s=120) == ["another worker"]
    relay.finish()


def test_bytes_that_are_no_text_are_shown_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    pipes = Pipes()
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stdout", replaced)
    relay = start(pipes)
    pipes.out.write(b"\xff\xfe\n")
    pipes.close()
    relay.finish()
    assert replaced.getvalue() == "\\xff\\xfe\n"


def test_every_line_of_a_job_comes_in_the_order_of_its_worker(tmp_path: Path) -> None:
    run = run_program(
        f"{PRELUDE}\n"
        "class Say(MapFunction):\n"
        "    def open(self, context):\n"
        "        self.me, self.count = context.get_index_of_this_subtask(), 0\n"
        "    def map(self, value):\n"
        "        print(self.me, self.count)\n"
        "        self.count += 1\n"
        "        return value\n"
        "env.from_sequence(1, 20_000).map(Say()).filter(lambda value: False).print()\n"
        "env.execute()\n"
        "print('the job is over')\n",
        folder=tmp_path,
    )
    lines = run.stdout.splitlines()
    assert lines.pop() == "the job is over", run.stderr
    assert len(lines) == 20_000
    for worker in ("0", "1"):
        counts = [int(line.split()[1]) for line in lines if line.startswith(worker)]
        assert counts == list(range(len(counts)))


def test_a_job_whose_output_nobody_takes_any_more_fails(tmp_path: Path) -> None:
    run = run_program(
        f"{PRELUDE}\n"
        "class Closed:\n"
        "    def write(self, text): raise BrokenPipeError('nobody reads')\n"
        "    def flush(self): pass\n"
        "sys.stdout = Closed()\n"
        "env.from_sequence(1, 10**12).print()\n"
        "env.execute()\n",
        folder=tmp_path,
    )
    assert run.returncode == 1
    assert "what the workers print cannot be written: nobody reads" in run.stderr


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_program_that_ends_without_reading_its_results_says_nothing_of_it(
    parallelism: int, tmp_path: Path
) -> None:
    run = run_program(
        f"{PRELUDE}\n"
        f"env.set_parallelism({parallelism})\n"
        "results = env.from_sequence(1, 10**9).execute_and_collect()\n"
        "print(next(results) > 0)\n",
        folder=tmp_path,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "True\n", "")


def test_a_function_that_closes_the_output_of_its_worker_does_no_harm(tmp_path: Path) -> None:
    run = run_program(
        f"{PRELUDE}\n"
        "def closing(value):\n"
        "    sys.stdout.close()\n"
        "    return value\n"
        "print(sorted(env.from_sequence(1, 3).map(closing).execute_and_collect()))\n",
        folder=tmp_path,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "[1, 2, 3]\n", "")
