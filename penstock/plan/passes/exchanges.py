"""Choose how records are spread where the user did not say."""

from dataclasses import replace

from penstock.contracts.partitioning import Forward, Rebalance
from penstock.dataflow.logical import LogicalEdge, LogicalGraph, LogicalNode
from penstock.errors import ProgramError


def choose_exchanges(graph: LogicalGraph) -> LogicalGraph:
    """Forward between equal parallelisms, rebalance between others; refuses ``forward()`` between unequal ones."""
    by_id = {node.id: node for node in graph.nodes}
    return replace(
        graph,
        nodes=tuple(
            replace(node, inputs=tuple(_chosen(edge, by_id[edge.source], node) for edge in node.inputs))
            for node in graph.nodes
        ),
    )


def _chosen(edge: LogicalEdge, source: LogicalNode, target: LogicalNode) -> LogicalEdge:
    same = source.parallelism == target.parallelism
    if edge.partitioning is None:
        return replace(edge, partitioning=Forward() if same else Rebalance())
    if isinstance(edge.partitioning, Forward) and not same:
        raise ProgramError(
            f"forward() from {source.name!r} (parallelism {source.parallelism}) to {target.name!r} "
            f"(parallelism {target.parallelism}, {target.origin}) needs equal parallelism; "
            "use rebalance() or rescale(), or set the same parallelism on both"
        )
    return edge
