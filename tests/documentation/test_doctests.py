"""Every example in a docstring runs and gives what it says."""

import doctest
import importlib

import pytest

from tests.architecture.source_tree import read_files

WITH_EXAMPLES = [
    file.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for file in read_files("penstock", "benchmarks")
    if ">>> " in file.text
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_give_what_they_say(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.failed == 0, capsys.readouterr().out
