"""Decide between STREAMING and BATCH."""

from dataclasses import replace

from penstock.contracts.source import Boundedness
from penstock.dataflow.logical import LogicalGraph, RuntimeExecutionMode
from penstock.errors import OptionError, ProgramError
from penstock.operators.iteration import IterationHeadSpec
from penstock.operators.source import SourceSpec

RUNTIME_MODE = "execution.runtime-mode"


def choose_mode(graph: LogicalGraph) -> LogicalGraph:
    """AUTOMATIC becomes BATCH where every source is bounded and nothing loops; BATCH that cannot be is refused."""
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
    loops = [node for node in graph.nodes if isinstance(node.spec, IterationHeadSpec)]
    if mode is RuntimeExecutionMode.AUTOMATIC:
        mode = RuntimeExecutionMode.STREAMING if unbounded or loops else RuntimeExecutionMode.BATCH
    if mode is RuntimeExecutionMode.BATCH and loops:
        raise ProgramError(
            f"Iterations are not supported in BATCH execution mode: set {RUNTIME_MODE} to STREAMING, or remove the one made "
            f"at {loops[0].origin}"
        )
    if mode is RuntimeExecutionMode.BATCH and unbounded:
        names = ", ".join(repr(node.name) for node in unbounded)
        raise ProgramError(
            f"the unbounded source {names} cannot run in BATCH mode; bound it, or set {RUNTIME_MODE} to STREAMING"
        )
    return replace(graph, settings={**graph.settings, RUNTIME_MODE: mode.value})
