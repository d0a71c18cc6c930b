"""The same job at another parallelism, as a pure function of its graph."""

from dataclasses import dataclass, replace

from penstock.contracts.partitioning import Forward, Rebalance
from penstock.dataflow.job import JobEdge, JobGraph, JobVertex
from penstock.errors import ProgramError


@dataclass(frozen=True, slots=True)
class ParallelismBounds:
    """Between which parallelisms a job may run, both included."""

    lower: int
    upper: int

    def nearest(self, parallelism: int) -> int:
        """A parallelism, or the bound that it is beyond.

        >>> [ParallelismBounds(2, 4).nearest(each) for each in (1, 3, 9)]
        [2, 3, 4]
        """
        return max(self.lower, min(parallelism, self.upper))


def open_parallelism(graph: JobGraph) -> int | None:
    """The parallelism of what follows that of the whole; None where nothing does."""
    return next((vertex.parallelism for vertex in graph.vertices if vertex.follows_default), None)


def may_rescale(graph: JobGraph) -> bool:
    """Whether some of a job follows the parallelism of the whole."""
    return any(vertex.follows_default for vertex in graph.vertices)


def highest_parallelism(graph: JobGraph) -> int:
    """The most that :func:`rescaled` takes: no vertex can have more subtasks than key groups."""
    return min((v.max_parallelism for v in graph.vertices if v.follows_default), default=graph.parallelism)


def rescaled(graph: JobGraph, parallelism: int) -> JobGraph:
    """The graph with another parallelism where the program left it open. Operators with a parallelism of their own, and what
    is chained to them, keep it; where one that forwards has another parallelism than its reader then, it rebalances.

    :raises ProgramError: where nothing is open, or there are fewer key groups.
    """
    if parallelism < 1:
        raise ProgramError(f"a parallelism is at least 1, not {parallelism}")
    if not may_rescale(graph):
        raise ProgramError(
            f"job {graph.job_name!r} cannot be rescaled: each of its operators has a parallelism of its own (set_parallelism)"
        )
    most = highest_parallelism(graph)
    if parallelism > most:
        raise ProgramError(
            f"job {graph.job_name!r} cannot run with parallelism {parallelism}: its maximum parallelism is {most}, which is "
            "settled when the job starts for the first time (pipeline.max-parallelism)"
        )
    vertices = tuple(_scaled(vertex, parallelism) for vertex in graph.vertices)
    changed = replace(graph, vertices=vertices)
    return replace(changed, edges=tuple(_fitting(edge, changed) for edge in graph.edges))


def _scaled(vertex: JobVertex, parallelism: int) -> JobVertex:
    return replace(vertex, parallelism=parallelism) if vertex.follows_default else vertex


def _fitting(edge: JobEdge, graph: JobGraph) -> JobEdge:
    same = graph.vertex(edge.source).parallelism == graph.vertex(edge.target).parallelism
    if isinstance(edge.partitioning, Forward) and not same:
        return replace(edge, partitioning=Rebalance())
    return edge
