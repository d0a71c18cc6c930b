"""A program that does not fit its savepoint in several places is told all of them at once."""

import sys
from collections.abc import Callable
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Types, WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.functions import KeyedProcessFunction, RuntimeContext
from penstock.datastream.state import ListStateDescriptor, ValueStateDescriptor
from penstock.errors import JobFailed
from penstock.testing import CollectingSink, ScriptedSource

WAIT_S = 120


Ask = Callable[[RuntimeContext], dict[str, Any]]


class Keeps(KeyedProcessFunction):
    """Keeps what was made of each record in its states."""

    def __init__(self, ask: Ask, make: Callable[[int], Any] = str) -> None:
        self._ask = ask
        self._make = make

    def open(self, runtime_context: RuntimeContext) -> None:
        self._states = self._ask(runtime_context)

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
        for state in self._states.values():
            if hasattr(state, "add"):
                state.add(self._make(value))
            else:
                state.update(self._make(value))
        yield value


def values(*names: str, type_info: Any = None) -> Ask:
    return lambda context: {name: context.get_state(ValueStateDescriptor(name, type_info)) for name in names}


def lists(*names: str) -> Ask:
    return lambda context: {name: context.get_list_state(ListStateDescriptor(name)) for name in names}


class Program:
    """Two operators with two states each, one behind the other by an exchange."""

    def __init__(self, first: Keeps, second: Keeps, backend: str, parallelism: int, path: str = "") -> None:
        self.sink = CollectingSink()
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.env.set_parallelism(parallelism)
        options = self.env.get_configuration()
        options.set_string("state.backend.type", backend)
        if path:
            options.set_string("execution.state-recovery.path", path)
        source = ScriptedSource([*range(10)], bounded=bool(path), records_per_batch=10)
        stream = self.env.from_source(source, WatermarkStrategy.no_watermarks(), "script").uid("source")
        once = stream.key_by(lambda number: number).process(first).name("first").uid("first")
        twice = once.key_by(lambda number: number).process(second).name("second").uid("second")
        twice.sink_to(self.sink).uid("sink")

    def saved(self, directory: Path) -> str:
        client = self.env.execute_async()
        while len(self.sink.records) < 10:
            if client.get_job_status().result().is_globally_terminal_state():
                client.get_job_execution_result().result(WAIT_S)
        path: str = client.stop_with_savepoint(False, str(directory)).result(WAIT_S)
        return path

    def failure(self) -> str:
        with pytest.raises(JobFailed) as caught:
            self.env.execute()
        assert not self.sink.records
        return str(caught.value.__cause__)


BACKENDS = pytest.mark.parametrize("backend", ["hashmap", "rocksdb"])
PARALLELISM = pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])


@BACKENDS
@PARALLELISM
def test_states_that_are_declared_otherwise_are_told_all_at_once(
    backend: str, parallelism: int, tmp_path: Path
) -> None:
    texts = values("a", "b", type_info=Types.STRING())
    path = Program(Keeps(texts), Keeps(texts), backend, 1).saved(tmp_path)
    numbers = values("a", "b", type_info=Types.INT())
    told = Program(Keeps(lists("a", "b")), Keeps(numbers), backend, parallelism, path).failure()
    assert told.startswith("4 states do not fit what was saved of them:\n")
    lines = [line for line in told.splitlines() if line.startswith("  - ")]
    assert len(lines) == 4
    for name in "ab":
        assert any(
            line.startswith("  - operator 'first', made at ")
            and f"state '{name}' is value state and cannot become list state" in line
            for line in lines
        )
        assert any(
            line.startswith("  - operator 'second', made at ")
            and f"state '{name}' was saved as String and is now declared as Integer" in line
            for line in lines
        )


@BACKENDS
def test_one_state_that_does_not_fit_is_told_by_itself_with_its_operator(
    backend: str, tmp_path: Path
) -> None:
    path = Program(Keeps(values("a")), Keeps(values("b")), backend, 1).saved(tmp_path)
    told = Program(Keeps(values("a")), Keeps(lists("b", "c")), backend, 1, path).failure()
    assert told.startswith("state 'b' is value state and cannot become list state")
    assert "in operator 'second', subtask 1/1, made at " in told


@BACKENDS
@PARALLELISM
def test_classes_that_do_not_fit_are_told_of_all_operators(
    backend: str, parallelism: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_main_program(name: str, *fields: str) -> type:
        made = make_dataclass(name, [(field, int) for field in fields])
        made.__module__ = "__main__"
        monkeypatch.setattr(sys.modules["__main__"], name, made, raising=False)
        return made

    first = Keeps(values("a", "b"), of_main_program("Account", "number"))
    second = Keeps(values("c"), of_main_program("Branch", "number"))
    path = Program(first, second, backend, 1).saved(tmp_path)
    first = Keeps(values("a", "b"), of_main_program("Account", "number", "city"))
    second = Keeps(values("c"), of_main_program("Branch", "number", "city"))
    told = Program(first, second, backend, parallelism, path).failure()
    problem = "has the field 'city' now, which has no default"
    head, *lines = told.splitlines()
    assert head == "3 states do not fit what was saved of them:"
    assert sorted(lines[:3]) == [
        f"  - operator 'first', state 'a': __main__.Account {problem}",
        f"  - operator 'first', state 'b': __main__.Account {problem}",
        f"  - operator 'second', state 'c': __main__.Branch {problem}",
    ]


@BACKENDS
@PARALLELISM
def test_states_and_classes_that_do_not_fit_are_told_together_before_anything_runs(
    backend: str, parallelism: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def account(*fields: str) -> type:
        made = make_dataclass("Account", [(field, int) for field in fields])
        made.__module__ = "__main__"
        monkeypatch.setattr(sys.modules["__main__"], "Account", made, raising=False)
        return made

    first = Keeps(values("a"), account("number"))
    path = Program(first, Keeps(values("b")), backend, 1).saved(tmp_path)
    first = Keeps(values("a"), account("number", "city"))
    told = Program(first, Keeps(lists("b")), backend, parallelism, path).failure()
    assert told.startswith("2 states do not fit what was saved of them:\n")
    assert "  - operator 'first', state 'a': __main__.Account has the field 'city' now" in told
    assert "state 'b' is value state and cannot become list state" in told


@pytest.mark.slow
def test_nothing_is_read_by_any_worker_when_one_refuses_its_states(tmp_path: Path) -> None:
    path = Program(Keeps(values("a")), Keeps(values("b")), "hashmap", 2).saved(tmp_path)
    program = Program(Keeps(values("a")), Keeps(lists("b")), "hashmap", 2, path)
    read = tmp_path / "read"
    source = ScriptedSource([*range(10)], records_per_batch=1)
    numbers = program.env.from_source(source, WatermarkStrategy.no_watermarks(), "other").uid("other")
    numbers.map(lambda number: read.touch()).uid("touch").sink_to(CollectingSink()).uid("end")
    program.failure()
    assert not read.exists()
