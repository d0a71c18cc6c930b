"""How many slots a job needs: for each slot sharing group as many as the largest parallelism in it.

Source: Flink's documentation, "Task slots and resources".
"""

from bisect import bisect_right
from collections.abc import Callable

from penstock.dataflow.job import JobGraph, JobVertex
from penstock.dataflow.rescaling import highest_parallelism


def slots_by_group(graph: JobGraph) -> dict[str, int]:
    """The slots that each group needs, in the order in which the groups come in the graph."""
    return _by_group(graph, lambda vertex: vertex.parallelism)


def slots_wanted(graph: JobGraph) -> int:
    """All slots that a job needs."""
    return sum(slots_by_group(graph).values())


def slots_at(graph: JobGraph, parallelism: int) -> int:
    """All slots that it would need where what follows the parallelism of the whole had this one."""
    return sum(
        _by_group(
            graph, lambda vertex: parallelism if vertex.follows_default else vertex.parallelism
        ).values()
    )


def parallelism_within(graph: JobGraph, slots: int) -> int:
    """The highest parallelism for which so many slots are enough; 0 where they are for none."""
    most = range(1, highest_parallelism(graph) + 1)
    return bisect_right(most, slots, key=lambda parallelism: slots_at(graph, parallelism))


def told_slots(graph: JobGraph) -> str:
    """What a job needs, in words.

    >>> told_slots(JobGraph("none", (), (), False))
    '0 slots'
    """
    by_group = slots_by_group(graph)
    whole = f"{sum(by_group.values())} slots"
    if len(by_group) < 2:
        return whole
    parts = [f"{wanted} for slot sharing group {group!r}" for group, wanted in by_group.items()]
    return f"{whole} ({', '.join(parts)})"


def _by_group(graph: JobGraph, parallelism_of: Callable[[JobVertex], int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for vertex in graph.vertices:
        group = vertex.slot_sharing_group
        found[group] = max(found.get(group, 0), parallelism_of(vertex))
    return found
