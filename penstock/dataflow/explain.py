"""Graphs as text, JSON and DOT; stable, so that they can be compared."""

import json
from typing import Any

from penstock.contracts.partitioning import Forward, Partitioning
from penstock.dataflow.logical import LogicalGraph, LogicalNode


def plan_json(graph: LogicalGraph) -> str:
    """The plan in the form of Flink's plan visualizer: nodes with their predecessors and ship strategies."""
    return json.dumps({"nodes": [_node(node) for node in graph.nodes]}, indent=2)


def plan_text(graph: LogicalGraph) -> str:
    """One line a node, inputs before readers; a slot sharing group other than the default one stands with it.

    ``3: Map (parallelism 2, slot sharing group heavy) <- 1 FORWARD``
    """
    lines = []
    for node in graph.nodes:
        inputs = ", ".join(
            f"{edge.source} {ship_strategy(edge.partitioning)}{_side(edge.side_tag)}" for edge in node.inputs
        )
        named = node.slot_sharing_group not in (None, "default")
        group = f", slot sharing group {node.slot_sharing_group}" if named else ""
        lines.append(
            f"{node.id}: {node.name} (parallelism {node.parallelism}{group})"
            + (f" <- {inputs}" if inputs else "")
        )
    return "\n".join(lines)


def plan_dot(graph: LogicalGraph) -> str:
    """The plan for Graphviz."""
    lines = [f"digraph {json.dumps(graph.job_name)} {{", "  rankdir=LR;", "  node [shape=box];"]
    lines += [
        f"  n{node.id} [label={json.dumps(f'{node.name} x{node.parallelism}')}];" for node in graph.nodes
    ]
    for node, edge in graph.edges():
        label = json.dumps(ship_strategy(edge.partitioning) + _side(edge.side_tag))
        lines.append(f"  n{edge.source} -> n{node.id} [label={label}];")
    return "\n".join([*lines, "}"])


def ship_strategy(partitioning: Partitioning | None) -> str:
    """How Flink calls a partitioning in plans."""
    return type(partitioning or Forward()).__name__.upper()


def _side(tag: str | None) -> str:
    return f" side {tag}" if tag else ""


def _node(node: LogicalNode) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": node.id,
        "type": node.name,
        "pact": _pact(node),
        "contents": node.description or node.name,
        "parallelism": node.parallelism,
    }
    if node.inputs:
        shown["predecessors"] = [
            {
                "id": edge.source,
                "ship_strategy": ship_strategy(edge.partitioning),
                "side": "second" if edge.port == 0 else "first",
            }
            for edge in node.inputs
        ]
    return shown


def _pact(node: LogicalNode) -> str:
    if not node.inputs:
        return "Data Source"
    return "Data Sink" if node.spec.ends_stream else "Operator"
