"""Which worker runs which subtask."""

from penstock.dataflow.job import JobGraph
from penstock.ids import SubtaskId, WorkerIndex


def workers_wanted(graph: JobGraph) -> int:
    """As many workers as the largest parallelism: each has one slot of every slot sharing group.

    Slots of one machine share its cores anyway, so groups do not ask for processes of their own.
    """
    return graph.parallelism


def worker_of(subtask: SubtaskId, workers: int) -> WorkerIndex:
    """Subtask i of every vertex goes to worker i, so that forward edges stay inside a process."""
    return WorkerIndex(subtask.index % workers)
