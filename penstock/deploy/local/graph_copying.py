"""Copies of a graph whose functions have run nowhere yet."""

from copy import deepcopy
from dataclasses import replace

from penstock.dataflow.job import ChainedOperator, JobGraph


def copied_graph(graph: JobGraph) -> JobGraph:
    """The graph with copies of all objects of the user's in it; plain functions and classes are not copied.

    What cannot be copied, such as an object that holds a lock, is shared: it has to be made good by its ``open``.
    """
    vertices = tuple(
        replace(vertex, operators=tuple(map(_copied, vertex.operators))) for vertex in graph.vertices
    )
    return replace(graph, vertices=vertices)


def _copied(operator: ChainedOperator) -> ChainedOperator:
    try:
        return replace(operator, spec=deepcopy(operator.spec))
    except Exception:  # noqa: BLE001 - whatever an object of the user's raises when it is copied
        return operator
