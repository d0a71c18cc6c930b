"""The number of key groups that a job takes over from what it starts from; a pure function of both."""

from dataclasses import replace

from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.dataflow.job import JobGraph, JobVertex


def with_saved_maxima(graph: JobGraph, manifest: Manifest) -> JobGraph:
    """The graph with the maximum parallelism of what was saved wherever the program left it open.

    What was set stays as it is, and so does what would be below the parallelism; where keys are in the way of that,
    :func:`~penstock.checkpoint.restore_check.check_restore` says so. Source: Flink's documentation, "Parallel Execution", and
    the behaviour of Flink 2.3.
    """
    vertices = tuple(_taking(vertex, _saved_maximum(vertex, manifest)) for vertex in graph.vertices)
    return replace(graph, vertices=vertices)


def has_states(record: OperatorRecord) -> bool:
    """Whether an operator has states or timers, which bind it to its maximum parallelism."""
    return any(handle.states for handle in record.handles)


def _saved_maximum(vertex: JobVertex, manifest: Manifest) -> int | None:
    records = [manifest.operators[each.id] for each in vertex.operators if each.id in manifest.operators]
    # Of operators that were apart and are chained now, the first with states decides.
    records.sort(key=has_states, reverse=True)
    return records[0].max_parallelism if records else None


def _taking(vertex: JobVertex, saved: int | None) -> JobVertex:
    if saved is None or not vertex.max_is_open or saved < vertex.parallelism:
        return vertex
    return replace(vertex, max_parallelism=saved)
