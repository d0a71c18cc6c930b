"""Decide between STREAMING and BATCH."""

from dataclasses import replace

from penstock.contracts.source import Boundedness
from penstock.dataflow.logical import LogicalGraph, RuntimeExecutionMode
from penstock.errors import OptionError, ProgramError
from penstock.operators.source import SourceSpec

RUNTIME_MODE = "execution.runtime-mode"


def choose_mode(graph: LogicalGraph) -> LogicalGraph:
    """AUTOMATIC becomes BATCH where every source is bounded; BATCH over an unbounded source is refused."""
    text = graph.settings.get(RUNTIME_MODE, RuntimeExecutionMode.STREAMING.value).upper()
    try:
        mode = RuntimeExecutionMode(text)
    except ValueError:
        raise OptionError(f"{RUNTIME_MODE} is {text!r}; it can be STREAMING, BATCH or AUTOMATIC") from None
    unbounded = [
        node
        for node in graph.nodes
        if isinstance(node.spec, SourceSpec)
        and node.spec.source.get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED
    ]
    if mode is RuntimeExecutionMode.AUTOMATIC:
        mode = RuntimeExecutionMode.STREAMING if unbounded else RuntimeExecutionMode.BATCH
    if mode is RuntimeExecutionMode.BATCH and unbounded:
        names = ", ".join(repr(node.name) for node in unbounded)
        raise ProgramError(
            f"the unbounded source {names} cannot run in BATCH mode; bound it, or set {RUNTIME_MODE} to STREAMING"
        )
    return replace(graph, settings={**graph.settings, RUNTIME_MODE: mode.value})
