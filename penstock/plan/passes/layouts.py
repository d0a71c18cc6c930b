"""Put a bridge between operators of different layouts, and nowhere else."""

from dataclasses import replace

from penstock.contracts.partitioning import Forward
from penstock.dataflow.logical import LogicalEdge, LogicalGraph, LogicalNode
from penstock.operators.bridge import ColumnsToRowsSpec, RowsToColumnsSpec
from penstock.operators.contract import Layout
from penstock.operators.source import SourceSpec


def bridge_layouts(graph: LogicalGraph) -> LogicalGraph:
    """Insert ``ColumnsToRows`` and ``RowsToColumns`` nodes; one bridge serves all readers of one output."""
    given: dict[int, Layout] = {}
    bridges: dict[tuple[int, str | None], LogicalNode] = {}
    nodes: list[LogicalNode] = []
    next_id = max(node.id for node in graph.nodes) + 1
    for node in graph.nodes:
        edges = []
        for edge in node.inputs:
            source_layout = given[edge.source]
            if node.spec.input_layout in (Layout.ANY, source_layout):
                edges.append(edge)
                continue
            place = (edge.source, edge.side_tag)
            if place not in bridges:
                source = next(n for n in nodes if n.id == edge.source)
                bridges[place] = _bridge(next_id, source, edge, source_layout)
                nodes.append(bridges[place])
                next_id += 1
            edges.append(replace(edge, source=bridges[place].id, side_tag=None))
        nodes.append(replace(node, inputs=tuple(edges)))
        given[node.id] = _layout_of(node, given)
        given.update({bridge.id: bridge.spec.output_layout for bridge in bridges.values()})
    return replace(graph, nodes=tuple(nodes))


def _layout_of(node: LogicalNode, given: dict[int, Layout]) -> Layout:
    if node.spec.output_layout is Layout.ANY:
        return given[node.inputs[0].source]
    return node.spec.output_layout


def _has_named_rows(node: LogicalNode) -> bool:
    return isinstance(node.spec, SourceSpec) and node.spec.source.rows_have_names


def _bridge(node_id: int, source: LogicalNode, edge: LogicalEdge, given: Layout) -> LogicalNode:
    to_rows = given is Layout.COLUMNS
    target = "rows" if to_rows else "columns"
    return LogicalNode(
        id=node_id,
        name="ColumnsToRows" if to_rows else "RowsToColumns",
        spec=ColumnsToRowsSpec(_has_named_rows(source)) if to_rows else RowsToColumnsSpec(),
        inputs=(LogicalEdge(edge.source, Forward(), 0, edge.side_tag),),
        parallelism=source.parallelism,
        max_parallelism=source.max_parallelism,
        uid_hash="-".join([source.uid_hash or "", *([edge.side_tag] if edge.side_tag else []), target]),
        slot_sharing_group=source.slot_sharing_group,
        follows_default=source.follows_default,
        max_is_open=source.max_is_open,
        origin=source.origin,
    )
