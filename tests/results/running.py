"""Loads the programs of this folder and observes what each gives; the same on Apache Flink and on penstock.

A program imports only from ``pyflink``. Which engine that is decides whoever calls, before loading a program.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from comparison import EncodedRow, Order, encode_row

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
RECORDED = HERE / "recorded"

Outputs = dict[str, list[EncodedRow]]


class StandardOutput(Protocol):
    """What a job has printed: the lines since the last call."""

    def take_lines(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Program:
    """One program file with what it says about itself."""

    family: str
    name: str
    shows: str
    build: Callable[[Any], Any]
    mode: Literal["STREAMING", "BATCH"]
    parallelism: int
    order: Order
    key_of: Callable[[Any], Any] | None
    sink: Literal["collect", "print", "returned"]
    raises: str | None
    watermarks: Literal["at_end", "per_record"]

    @property
    def settings(self) -> dict[str, str]:
        """The configuration of the environment that the program is given.

        No periodic watermark: the strategies speak at the end of the input, or after each record.
        """
        return {
            "parallelism.default": str(self.parallelism),
            "execution.runtime-mode": self.mode,
            "pipeline.auto-watermark-interval": "0 ms",
        }


@dataclass(frozen=True, slots=True)
class Raised:
    """The failure of a program that must fail."""

    type_name: str
    message: str
    base_names: tuple[str, ...] = ()


def list_program_files(family: str | None = None) -> list[Path]:
    """Return the files of all families, or of one, in a stable order."""
    return sorted(PROGRAMS.glob(f"{family or '*'}/*.py"))


def load_program(path: Path) -> Program:
    """Run the file as a module that cannot be imported by name, as a script's functions cannot be either."""
    spec = importlib.util.spec_from_file_location(f"program_{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    order: Order = getattr(module, "ORDER", "exact")
    key_of = getattr(module, "key_of", _first_field) if order == "per_key" else None
    return Program(
        family=path.parent.name,
        name=path.stem,
        shows=" ".join((module.__doc__ or "").split()),
        build=module.program,
        mode=getattr(module, "MODE", "STREAMING"),
        parallelism=getattr(module, "PARALLELISM", 1),
        order=order,
        key_of=key_of,
        sink=getattr(module, "SINK", "collect"),
        raises=getattr(module, "RAISES", None),
        watermarks=getattr(module, "WATERMARKS", "at_end"),
    )


def _first_field(row: Any) -> Any:
    return row[0]


def read_recorded(family: str) -> dict[str, Any]:
    """Return what was recorded of a family: program name to outputs, failure, or the reason why not."""
    document: dict[str, Any] = json.loads((RECORDED / f"{family}.json").read_text())
    programs: dict[str, Any] = document["programs"]
    return programs


def observe(program: Program, settings: dict[str, str], output: StandardOutput) -> Outputs | Raised:
    """Run the program and return the rows of each of its outputs, or how it failed if it must fail."""
    if program.raises is None:
        return _run(program, settings, output)
    try:
        outputs = _run(program, settings, output)
    except Exception as error:
        bases = tuple(base.__name__ for base in type(error).__mro__)
        return Raised(type(error).__name__, str(error), bases)
    raise AssertionError(f"{program.family}/{program.name} did not fail but gave {outputs}")


def _run(program: Program, settings: dict[str, str], output: StandardOutput) -> Outputs:
    env = _new_environment(settings)
    if program.sink == "print":
        output.take_lines()
        program.build(env)
        env.execute()
        return {"stdout": [["line", line] for line in output.take_lines()]}
    built = program.build(env)
    if program.sink == "returned":
        return {"returned": [encode_row(value, program.key_of) for value in built]}
    if not isinstance(built, list):
        return {"": _collect(program, built)}
    outputs = {built[0][0]: _collect(program, built[0][1])}
    for at in range(1, len(built)):
        name, stream = program.build(_new_environment(settings))[at]
        outputs[name] = _collect(program, stream)
    return outputs


def _collect(program: Program, stream: Any) -> list[EncodedRow]:
    with stream.execute_and_collect() as values:
        return [encode_row(value, program.key_of) for value in values]


def _new_environment(settings: dict[str, str]) -> Any:
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment

    configuration = Configuration()
    for key, value in settings.items():
        configuration.set_string(key, value)
    return StreamExecutionEnvironment.get_execution_environment(configuration)
