"""The examples that PyFlink ships print and write on penstock what they do on Apache Flink."""

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import penstock.pyflink_compat

sys.path.insert(0, str(Path(__file__).resolve().parent))

from wheel_examples import (
    EXAMPLES,
    Example,
    find_differences,
    find_wheel,
    list_left_out,
    read_recorded,
    run_on_penstock,
    unpack_examples,
)

from tests.missing import leave_out_for_want_of

# Where `make` has put the wheel when it made the environment; tests fetch nothing.
WHEELS = Path(sys.prefix) / "wheels"


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wheel = find_wheel(WHEELS)
    if wheel is None:
        leave_out_for_want_of(
            "the wheel of apache-flink, which has the examples",
            "where a package registry can be reached, this fetches it: "
            f"python tests/results/wheel_examples.py --fetch {WHEELS}",
        )
    return unpack_examples(wheel, tmp_path_factory.mktemp("wheel"))


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=example.name, marks=[pytest.mark.slow] if example.writes else [])
        for example in EXAMPLES
    ],
)
def test_the_example_prints_and_writes_what_it_did_on_flink(example: Example, examples: Path) -> None:
    assert find_differences(example, read_recorded()[example.name], run_on_penstock(example, examples)) == []


def test_every_example_is_run_or_left_out_for_what_it_needs(examples: Path) -> None:
    there = {path.relative_to(examples).as_posix() for path in examples.rglob("*.py")}
    run = {example.file for example in EXAMPLES}
    left_out = set(list_left_out(examples))
    assert run | left_out == there
    assert run.isdisjoint(left_out)


def test_what_examples_import_is_there_but_for_the_table_api(examples: Path) -> None:
    penstock.pyflink_compat.install()
    for path in examples.rglob("*.py"):
        for module, name in _imported_names(path):
            if not module.startswith("pyflink.table"):
                assert hasattr(import_module(module), name), f"{path.name}: {module}.{name}"


def _imported_names(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("pyflink"):
            for alias in node.names:
                yield node.module, alias.name


def test_what_an_example_printed_otherwise_is_told() -> None:
    example = EXAMPLES[0]
    recorded = read_recorded()[example.name]
    assert find_differences(example, recorded, {"stdout": recorded["stdout"][:-1]}) == [
        "stdout: missing: line ('China', 167)"
    ]
    assert find_differences(example, recorded, {}) == ["['stdout'] was recorded, [] is there"]
