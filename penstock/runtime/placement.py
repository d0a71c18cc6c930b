"""Which worker runs which subtask."""

from dataclasses import dataclass, field

from penstock.dataflow.job import JobGraph
from penstock.ids import SubtaskId, VertexId, WorkerIndex


@dataclass(frozen=True, slots=True)
class Placement:
    """How many workers a job has, and which of them runs the first subtask of each vertex; it is worker 0 for those that are
    not named. The other subtasks follow in the workers behind it, so that forward edges stay inside a process."""

    workers: int
    first: dict[VertexId, WorkerIndex] = field(default_factory=dict)

    def worker_of(self, subtask: SubtaskId) -> WorkerIndex:
        """Where a subtask runs.

        >>> Placement(3, {VertexId(1): WorkerIndex(1)}).worker_of(SubtaskId(VertexId(1), 1))
        2
        """
        return WorkerIndex(self.first.get(subtask.vertex, 0) + subtask.index)


def placed_together(graph: JobGraph) -> Placement:
    """As many workers as the largest parallelism: each has one slot of every slot sharing group.

    For one machine, whose cores all slots share anyway.
    """
    return Placement(graph.parallelism)


def placed_by_group(graph: JobGraph) -> Placement:
    """A worker for each slot: subtask i of every vertex of a slot sharing group is in slot i of the group.

    Source: Flink's documentation, "Task slots and resources".
    """
    from penstock.dataflow.slots_wanted import slots_by_group

    slots = slots_by_group(graph)
    first: dict[str, int] = {}
    taken = 0
    for group, wanted in slots.items():
        first[group] = taken
        taken += wanted
    return Placement(
        taken, {vertex.id: WorkerIndex(first[vertex.slot_sharing_group]) for vertex in graph.vertices}
    )
