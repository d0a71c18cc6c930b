"""Runs the command as its users do: in a process of its own, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import penstock

ROOT = Path(penstock.__file__).resolve().parents[1]
TIME_LIMIT_S = 120

ENVIRONMENT_LINE = """\
from penstock.environment import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A working directory with programs in it."""

    path: Path
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def write_program(self, name: str, text: str) -> None:
        """A program that has an environment `env`."""
        self.write(name, ENVIRONMENT_LINE + text)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "penstock", *arguments],
            cwd=self.path,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def penstock(self, *arguments: str) -> Finished:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=TIME_LIMIT_S)
        return Finished(process.returncode, out, err)

    def environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if key != "PENSTOCK_CONF_DIR"}
        return {**inherited, "PYTHONPATH": str(ROOT), **self.variables}
