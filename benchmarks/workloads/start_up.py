"""Whole processes, from the interpreter's start to its end: a job of one element, and an import alone."""

import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

_PENSTOCK = """
from penstock.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
env.from_elements(1).map(lambda x: x + 1).print()
env.execute()
"""
_BYTEWAX = """
import bytewax.operators as op
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource, run_main
flow = Dataflow("one")
op.output("out", op.map("next", op.input("in", flow, TestingSource([1])), lambda x: str(x + 1)), StdOutSink())
run_main(flow)
"""


def plain() -> Callable[[], dict[str, Any]]:
    return _process("print(1 + 1)")


def penstock() -> Callable[[], dict[str, Any]]:
    return _process(_PENSTOCK)


def importing() -> Callable[[], dict[str, Any]]:
    return _process("import penstock.datastream")


def bytewax() -> Callable[[], dict[str, Any]]:
    return _process(_BYTEWAX)


def _process(program: str) -> Callable[[], dict[str, Any]]:
    def work() -> dict[str, Any]:
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        return {"records": 1, "peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}

    return work
