"""A job graph as text, for comparison."""

from penstock.dataflow.explain import ship_strategy
from penstock.dataflow.job import JobGraph
from penstock.operators.row_chain import RowChainSpec


def job_text(graph: JobGraph) -> str:
    """A line for each vertex, its operators below it, and the edges at the end."""
    lines = ["BATCH" if graph.batch_mode else "STREAMING"]
    for vertex in graph.vertices:
        lines.append(f"{vertex.id}: {vertex.name} x{vertex.parallelism} [{vertex.slot_sharing_group}]")
        for index, operator in enumerate(vertex.operators):
            reads = "" if operator.input_index is None else f" <- {operator.input_index}"
            side = f" side {operator.side_tag}" if operator.side_tag else ""
            fused = f" fused {len(operator.spec.steps)}" if isinstance(operator.spec, RowChainSpec) else ""
            lines.append(f"   {index} {operator.name}{reads}{side}{fused}")
    for edge in graph.edges:
        side = f" side {edge.side_tag}" if edge.side_tag else ""
        blocking = " blocking" if edge.blocking else ""
        lines.append(
            f"{edge.source}.{edge.operator_index} -> {edge.target} port {edge.port} "
            f"{ship_strategy(edge.partitioning)}{side}{blocking}"
        )
    return "\n".join(lines)
