"""Reject what cannot run, and name the line that wrote it."""

from collections import Counter

from penstock.contracts.source import Boundedness
from penstock.dataflow.logical import LogicalGraph, LogicalNode
from penstock.errors import ProgramError
from penstock.operators.cache_rows import CacheRowsSpec
from penstock.operators.iteration import IterationHeadSpec, IterationTailSpec
from penstock.operators.sink import SinkSpec
from penstock.operators.source import SourceSpec


def validate(graph: LogicalGraph) -> LogicalGraph:
    """Check the graph as it was written; returns it unchanged."""
    if not graph.nodes:
        raise ProgramError("No operators defined in streaming topology. Cannot execute.")
    _check_uids(graph)
    _check_sinks(graph)
    _check_what_sinks_need(graph)
    _check_caches(graph)
    _check_loops(graph)
    return graph


def _check_uids(graph: LogicalGraph) -> None:
    for what in ("uid", "uid_hash"):
        given = {node.id: getattr(node, what) for node in graph.nodes if getattr(node, what) is not None}
        for uid, count in Counter(given.values()).items():
            if count > 1:
                places = ", ".join(_place(node) for node in graph.nodes if given.get(node.id) == uid)
                raise ProgramError(
                    f"the {what} {uid!r} is given {count} times, by {places}; every one must be unique in a job"
                )


def _check_sinks(graph: LogicalGraph) -> None:
    if any(node.spec.ends_stream for node in graph.nodes):
        return
    last = graph.nodes[-1]
    raise ProgramError(
        f"the job has no sink, so nothing would be computed; the last operator is {_place(last)}. "
        "Add print(), sink_to(...), or use execute_and_collect()"
    )


def _check_what_sinks_need(graph: LogicalGraph) -> None:
    is_bounded = all(
        node.spec.source.get_boundedness() is Boundedness.BOUNDED
        for node in graph.nodes
        if isinstance(node.spec, SourceSpec)
    )
    claimed: dict[str, LogicalNode] = {}
    for node in graph.nodes:
        if not isinstance(node.spec, SinkSpec):
            continue
        try:
            node.spec.sink.check_job(graph.settings, is_bounded)
        except ProgramError as error:
            raise error.at(f"in operator {_place(node)}")  # noqa: B904  (the same error)
        for claim in node.spec.sink.claims():
            if claim in claimed:
                raise ProgramError(
                    f"{claim} is for one sink of a job, and both {_place(claimed[claim])} and {_place(node)} use it; give "
                    "each its own"
                )
            claimed[claim] = node


def _check_caches(graph: LogicalGraph) -> None:
    """What is cached has to come to an end."""
    unbounded: dict[int, LogicalNode] = {}
    for node in graph.nodes:
        if isinstance(node.spec, SourceSpec):
            if node.spec.source.get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED:
                unbounded[node.id] = node
            continue
        above = [unbounded[edge.source] for edge in node.inputs if edge.source in unbounded]
        if above:
            unbounded[node.id] = above[0]
        if above and isinstance(node.spec, CacheRowsSpec):
            raise ProgramError(
                f"cache() is for bounded streams, and {_place(node)} reads from the unbounded source {_place(above[0])}; "
                "bound the source or leave out cache()"
            )


def _check_loops(graph: LogicalGraph) -> None:
    closed = {node.spec.iteration for node in graph.nodes if isinstance(node.spec, IterationTailSpec)}
    for node in graph.nodes:
        if isinstance(node.spec, IterationHeadSpec) and node.spec.iteration not in closed:
            raise ProgramError(
                f"Iteration {_place(node)} does not have any feedback edges: call close_with with the stream that is to "
                "come back, or leave out iterate()"
            )


def _place(node: LogicalNode) -> str:
    return f"{node.name!r} ({node.origin})" if node.origin else repr(node.name)
