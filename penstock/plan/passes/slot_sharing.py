"""Give every node its slot sharing group."""

from dataclasses import replace

from penstock.dataflow.logical import DEFAULT_SLOT_SHARING_GROUP, LogicalGraph
from penstock.operators.iteration import IterationHeadSpec, IterationTailSpec


def share_slots(graph: LogicalGraph) -> LogicalGraph:
    """The user's group; else the group of the inputs where they agree; else ``default``. The end of a loop is where its head
    is, as what comes back does not leave the process."""
    groups: dict[int, str] = {}
    of_loops: dict[str, str] = {}
    nodes = []
    for node in graph.nodes:
        inherited = {groups[edge.source] for edge in node.inputs}
        group = node.slot_sharing_group or (
            inherited.pop() if len(inherited) == 1 else DEFAULT_SLOT_SHARING_GROUP
        )
        if isinstance(node.spec, IterationHeadSpec):
            of_loops[node.spec.iteration] = group
        elif isinstance(node.spec, IterationTailSpec):
            group = of_loops[node.spec.iteration]
        groups[node.id] = group
        nodes.append(replace(node, slot_sharing_group=group))
    return replace(graph, nodes=tuple(nodes))
