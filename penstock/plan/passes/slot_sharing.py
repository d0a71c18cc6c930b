"""Give every node its slot sharing group."""

from dataclasses import replace

from penstock.dataflow.logical import DEFAULT_SLOT_SHARING_GROUP, LogicalGraph


def share_slots(graph: LogicalGraph) -> LogicalGraph:
    """The user's group; else the group of the inputs where they agree; else ``default``."""
    groups: dict[int, str] = {}
    nodes = []
    for node in graph.nodes:
        inherited = {groups[edge.source] for edge in node.inputs}
        group = node.slot_sharing_group or (
            inherited.pop() if len(inherited) == 1 else DEFAULT_SLOT_SHARING_GROUP
        )
        groups[node.id] = group
        nodes.append(replace(node, slot_sharing_group=group))
    return replace(graph, nodes=tuple(nodes))
