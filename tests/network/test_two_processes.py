"""Exchange between two processes, and values whose classes only one of them can import."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Element
from tests.network.workers import SECRET, Worker, drive, vanish

ECHO_WORKER = str(Path(__file__).with_name("echo_worker.py"))
ROOT = str(Path(__file__).parents[2])


def start(function: object) -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen([sys.executable, ECHO_WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(cloudpickle.dumps((SECRET, function)))
    process.stdin.close()
    return process, int(process.stdout.readline())


def finish(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    process.stdout.close()
    return process.wait(timeout=120)


def test_batches_go_to_another_process_and_back_under_back_pressure() -> None:
    process, port = start(lambda element: element)
    worker = Worker(0)
    try:
        worker.plane.connect({1: ("127.0.0.1", port)})
        output, source = worker.plane.output(1, 1), worker.plane.input(2, 1)
        sent: list[Element] = [
            RowBatch([(f"word {n} {i}", i) for i in range(n % 700)], list(range(n % 700))) for n in range(300)
        ]
        sent.append(END_OF_INPUT)
        waiting = list(reversed(sent))
        received: list[Element] = []

        def step() -> bool:
            while waiting and output.available:
                output.put(waiting.pop())
            while (element := source.poll()) is not None:
                received.append(element)
            return len(received) == len(sent)

        drive([worker], step)
        assert received == sent
        drive([worker], lambda: not worker.plane.connected)
        assert worker.losses == []
        assert finish(process) == 0
    finally:
        process.kill()
        finish(process)
        worker.close()


def test_the_death_of_the_other_process_is_reported() -> None:
    process, port = start(lambda element: element)
    worker = Worker(0)
    try:
        worker.plane.connect({1: ("127.0.0.1", port)})
        drive([worker], lambda: worker.plane.connected)
        os.kill(process.pid, signal.SIGKILL)
        drive([worker], lambda: worker.losses)
        assert worker.losses[0].peer == 1
    finally:
        process.kill()
        finish(process)
        worker.close()


def test_the_other_process_notices_when_this_one_dies() -> None:
    process, port = start(lambda element: element)
    worker = Worker(0)
    try:
        worker.plane.connect({1: ("127.0.0.1", port)})
        drive([worker], lambda: worker.plane.connected)
        vanish(worker)
        assert finish(process) == 3
    finally:
        process.kill()
        finish(process)
        worker.close()


SCRIPT = '''
import subprocess, sys
from collections import namedtuple
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import cloudpickle

from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT
from tests.network.test_two_processes import finish, start
from tests.network.workers import Worker, drive

@dataclass(frozen=True)
class Point:
    x: int
    y: int
    def swapped(self):
        return Point(self.y, self.x)

class Named(NamedTuple):
    name: str
    point: Point

class Color(Enum):
    RED = 1
    BLUE = 2

class Plain:
    def __init__(self, items):
        self.items = items

class Derived(Plain):
    pass

@dataclass
class OnlyHere:
    """No shipped function mentions this class."""
    text: str

def local():
    class Inner:
        def __init__(self, x):
            self.x = x
        def __eq__(self, other):
            return type(other) is type(self) and other.x == self.x
        __hash__ = None
    return Inner

Inner = local()
method = Point.__dict__["swapped"]

def check(element):
    if not isinstance(element, RowBatch):
        return element
    point, named, color, plain, only, inner = element.values
    assert isinstance(point, Point) and type(point) is Point
    assert point == Point(1, 2), point
    assert point.swapped() == Point(2, 1)
    assert hash(point) == hash(Point(1, 2))
    assert isinstance(named, Named) and named == Named("n", Point(3, 4))
    assert color is Color.RED
    assert isinstance(plain, Plain) and type(plain) is Derived and plain.items == [Point(5, 6)]
    assert type(inner) is Inner and inner == Inner(7)
    return RowBatch([point.swapped(), named, Color.BLUE, Derived([point]), only, Inner(8)], None, element.keys)

process, port = start(check)
worker = Worker(0)
worker.plane.connect({1: ("127.0.0.1", port)})
output, source = worker.plane.output(1, 1), worker.plane.input(2, 1)
received = []
rows = [Point(1, 2), Named("n", Point(3, 4)), Color.RED, Derived([Point(5, 6)]), OnlyHere("t"), Inner(7)]
for _ in range(3):
    output.put(RowBatch(list(rows), None, [Point(9, 9)] * len(rows)))
output.put(END_OF_INPUT)

def step():
    while (element := source.poll()) is not None:
        received.append(element)
    return len(received) == 4 or worker.losses

drive([worker], step)
assert not worker.losses, worker.losses
for batch in received[:3]:
    assert batch.values[0] == Point(2, 1) and type(batch.values[0]) is Point
    assert type(batch.values[1]) is Named and batch.values[2] is Color.BLUE
    assert type(batch.values[3]) is Derived and batch.values[3].items == [Point(1, 2)]
    assert batch.values[4] == OnlyHere("t")
    assert batch.values[5] == Inner(8)
    assert batch.keys == [Point(9, 9)] * 6
assert Point.__dict__["swapped"] is method, "the class of the program itself was changed"
drive([worker], lambda: not worker.plane.connected)
assert finish(process) == 0
worker.close()
print("all the same")
'''


@pytest.mark.parametrize("how", ["script", "command", "notebook"])
def test_classes_of_main_are_one_class_on_each_side(how: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(SCRIPT)
    # A notebook, like the interactive prompt, runs source without a file in a module named __main__.
    arguments = {
        "script": [str(script)],
        "command": ["-c", SCRIPT],
        "notebook": ["-c", f"exec(compile({SCRIPT!r}, '<cell 1>', 'exec'))"],
    }[how]
    run = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])},
    )
    assert run.stdout == "all the same\n", run.stderr
    assert "refused" not in run.stderr
