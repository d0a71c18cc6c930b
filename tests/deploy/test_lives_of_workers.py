"""However a worker, the job or the program ends: the user learns why, and no process is left."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from penstock.clock import monotonic
from tests.deploy.programs import (
    ENDLESS,
    MOST_S,
    PRELUDE,
    is_gone,
    read_workers,
    run_program,
    start_program,
    workers_in,
)

# It takes a tenth of a second; the bound leaves room for a busy machine, and is below every timeout that could help out.
SECONDS_TO_FAIL = 20.0


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=MOST_S)
    finally:
        process.kill()


def test_the_death_of_a_worker_fails_the_job_at_once_with_its_last_words(tmp_path: Path) -> None:
    talkative = ENDLESS.replace("print(", 'print("my last words", file=sys.stderr); print(')
    process = start_program(f"{talkative}\nnumbers.rebalance().print()\nenv.execute()\n", folder=tmp_path)
    # What the job prints has to be read on: the program is not the one that is slow here.
    workers = read_workers(process)
    os.kill(workers[0], signal.SIGKILL)
    before = monotonic()
    _, err = end(process)
    assert monotonic() - before < SECONDS_TO_FAIL
    assert process.returncode == 1
    assert "was lost: its process was killed by SIGKILL" in err
    assert err.index("WorkerLost") < err.rindex("my last words")
    assert all(is_gone(pid) for pid in workers)


def test_a_worker_that_leaves_in_user_code_is_reported_with_its_exit_code(tmp_path: Path) -> None:
    run = run_program(
        f"{ENDLESS}\nnumbers.map(lambda value: os._exit(7)).name('leaver').print()\nenv.execute()\n",
        folder=tmp_path,
    )
    assert run.returncode == 1
    assert "its process ended with exit code 7" in run.stderr
    assert all(is_gone(pid) for pid in workers_in(run.stdout))


@pytest.mark.parametrize(
    "stuck",
    ["while True: pass", "import time; time.sleep(1000)", "sum(range(10**12))"],
    ids=["loop", "sleep", "C code"],
)
def test_workers_die_with_a_program_that_is_killed(stuck: str, tmp_path: Path) -> None:
    stuck_map = f"class Stuck(SayPid):\n    def map(self, value):\n        {stuck}\n"
    process = start_program(
        ENDLESS.replace("\nenv = ", f"\n{stuck_map}\nenv = ").replace("map(SayPid())", "map(Stuck())")
        + "\nnumbers.print()\nenv.execute()\n",
        folder=tmp_path,
    )
    workers = read_workers(process)
    process.kill()
    assert all(is_gone(pid, within_s=60) for pid in workers)
    end(process)


def test_an_interrupt_cancels_the_job_and_leaves_nothing(tmp_path: Path) -> None:
    process = start_program(
        f"{ENDLESS}\nnumbers.filter(lambda value: False).print()\nenv.execute()\n", folder=tmp_path
    )
    workers = read_workers(process)
    process.send_signal(signal.SIGINT)
    _, err = end(process)
    assert "KeyboardInterrupt" in err
    assert process.returncode == -signal.SIGINT
    assert all(is_gone(pid) for pid in workers)


def test_a_worker_that_does_not_come_out_of_user_code_is_terminated(tmp_path: Path) -> None:
    stuck = "class Stuck(SayPid):\n    def map(self, value):\n        while True: pass\n"
    process = start_program(
        ENDLESS.replace("\nenv = ", f"\n{stuck}\nenv = ").replace("map(SayPid())", "map(Stuck())")
        + "\nnumbers.print()\nenv.execute()\n",
        folder=tmp_path,
    )
    workers = read_workers(process)
    process.send_signal(signal.SIGINT)
    _, err = end(process)
    assert "KeyboardInterrupt" in err
    assert all(is_gone(pid) for pid in workers)


def test_a_program_that_ends_while_its_job_runs_takes_the_workers_with_it(tmp_path: Path) -> None:
    run = run_program(
        f"{ENDLESS}\n"
        "import threading\n"
        "class Watch:\n"
        "    def __init__(self): self.seen, self.event = 0, threading.Event()\n"
        "    def write(self, text):\n"
        "        self.seen += text.count('worker'); sys.__stdout__.write(text)\n"
        "        if self.seen >= 2: self.event.set()\n"
        "    def flush(self): sys.__stdout__.flush()\n"
        "watch = sys.stdout = Watch()\n"
        "numbers.filter(lambda value: False).print()\n"
        "client = env.execute_async()\n"
        "assert watch.event.wait(30)\n",
        folder=tmp_path,
    )
    workers = workers_in(run.stdout)
    assert run.returncode == 0, run.stderr
    assert len(workers) == 2
    assert all(is_gone(pid, within_s=60) for pid in workers)


def test_a_process_that_user_code_has_started_does_not_outlive_its_worker(tmp_path: Path) -> None:
    run = run_program(
        f"{PRELUDE}\n"
        "class Parent(MapFunction):\n"
        "    def open(self, context):\n"
        "        import subprocess\n"
        "        child = subprocess.Popen(['sleep', '1000'])\n"
        "        print('worker', child.pid)\n"
        "    def map(self, value):\n"
        "        return value\n"
        "env.from_sequence(1, 2).map(Parent()).print()\n"
        "env.execute()\n",
        folder=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    children = workers_in(run.stdout)
    assert len(children) == 2
    assert all(is_gone(pid, within_s=60) for pid in children)
