"""A cluster that stays up: its TaskManager is killed, a new one goes on, and a changed program takes over from a savepoint.

Everything is done with the command ``penstock``, as a person would do it: start-cluster, run -d, checkpoint, ``kill -9`` of
the TaskManager, taskmanager start, list, savepoint, cancel -s, run -s. The job counts words of the files that appear in a
directory; what it prints is in the ``.out`` file of the TaskManager that it runs on.

Run it with ``python examples/cluster_scenario.py``. It prints::

    fed:       to be or not to be
    printed:   be=2 not=1 or=1 to=2
    killed:    the TaskManager
    fed:       that is the question to be
    started:   another TaskManager
    printed:   be=3 is=1 question=1 that=1 the=1 to=3
    listed:    words (RUNNING)
    saved:     a savepoint
    cancelled: with a savepoint
    changed:   the program, which prints in capitals now
    fed:       to be
    printed:   BE=4 TO=4
    stopped:   the cluster
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 240.0

PROGRAM = """
import sys

from penstock.common import Duration, Types, WatermarkStrategy
from penstock.datastream import KeyedProcessFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSource, StreamFormat
from penstock.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):
    def open(self, context):
        self.count = context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, word, context):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"{word}={count}"


env = StreamExecutionEnvironment.get_execution_environment()
files = FileSource.for_record_stream_format(StreamFormat.text_line_format(), sys.argv[1])
lines = env.from_source(
    files.monitor_continuously(Duration.of_millis(50)).build(), WatermarkStrategy.no_watermarks(), "lines"
).uid("lines")
counts = lines.flat_map(str.split).key_by(lambda word: word).process(Count()).uid("count")
counts.print().uid("print")
env.execute("words")
"""


class Cluster:
    """A cluster of this machine with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.fed = 0
        self.input = folder / "input"
        self.input.mkdir()
        (self.home / "conf").mkdir(parents=True)
        port = free_port()
        self.address = f"localhost:{port}"
        (self.home / "conf" / "config.yaml").write_text(
            f"rest.port: {port}\njobmanager.rpc.port: {free_port()}\n"
        )

    def penstock(self, *words: object) -> str:
        """Run a command; gives what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "penstock", *map(str, words)],
            env={**os.environ, "PENSTOCK_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"penstock {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def feed(self, line: str) -> None:
        """Let a file appear, whole."""
        self.fed += 1
        partial = self.input.with_name("partial")
        partial.write_text(f"{line}\n")
        partial.rename(self.input / f"{self.fed}.txt")
        say("fed", line)

    def out_files(self) -> list[Path]:
        """The ``.out`` files of TaskManagers, the newest last."""
        return sorted((self.home / "log").glob("*taskmanager*.out"), key=lambda path: path.stat().st_mtime_ns)

    def wait_for_output(self, path: Path, skipped: int, words: int) -> None:
        """Wait until so many words more are printed, and show what each came to."""
        wait_until(lambda: len(path.read_text().split()) >= skipped + words)
        latest = dict(word.split("=") for word in path.read_text().split()[skipped:])
        say("printed", " ".join(f"{word}={count}" for word, count in sorted(latest.items())))


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        port: int = made.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask again until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("it did not come")
        time.sleep(0.05)


def say(what: str, text: str) -> None:
    """One line of the story."""
    print(f"{what + ':':<10} {text}", flush=True)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """A cluster with one TaskManager, that is stopped at the end."""
    cluster = Cluster(folder)
    cluster.penstock("start-cluster")
    try:
        yield cluster
    finally:
        cluster.penstock("stop-cluster")
        say("stopped", "the cluster")


def main() -> None:
    """The whole story."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "words.py"
        program.write_text(PROGRAM)
        options = [
            "-Drestart-strategy.type=exponential-delay",
            "-Drestart-strategy.exponential-delay.initial-backoff=100 ms",
            "-Drestart-strategy.exponential-delay.max-backoff=1 s",
            f"-Dexecution.checkpointing.dir={folder / 'checkpoints'}",
        ]
        with cluster_in(folder) as cluster:
            run = ["run", "-d", "-m", cluster.address, *options]
            said = cluster.penstock(*run, program, cluster.input)
            job = said.split("JobID ")[1].split()[0]
            cluster.feed("to be or not to be")
            (out,) = cluster.out_files()
            cluster.wait_for_output(out, 0, 6)
            cluster.penstock("checkpoint", job)

            (pid,) = (cluster.home / "run" / "penstock-taskmanager.pid").read_text().split()
            os.kill(int(pid), signal.SIGKILL)
            say("killed", "the TaskManager")
            cluster.feed("that is the question to be")
            cluster.penstock("taskmanager", "start")
            say("started", "another TaskManager")
            new = next(path for path in cluster.out_files() if path != out)
            cluster.wait_for_output(new, 0, 6)

            (line,) = [line for line in cluster.penstock("list").splitlines() if job in line]
            say("listed", line.split(" : ")[2])
            cluster.penstock("savepoint", job, folder / "savepoints")
            say("saved", "a savepoint")
            said = cluster.penstock("cancel", "-s", folder / "savepoints", job)
            savepoint = said.split("stored in ")[1].strip().rstrip(".")
            say("cancelled", "with a savepoint")
            wait_until(lambda: "(CANCELED)" in cluster.penstock("list", "-a"))

            program.write_text(PROGRAM.replace('f"{word}={count}"', 'f"{word.upper()}={count}"'))
            say("changed", "the program, which prints in capitals now")
            cluster.penstock(*run, "-s", savepoint, program, cluster.input)
            cluster.feed("to be")
            cluster.wait_for_output(new, 6, 2)


if __name__ == "__main__":
    main()
