"""Which subtasks have to start again when one fails: those that exchange records without anything kept in between."""

from collections.abc import Iterable, Iterator

from penstock.dataflow.job import JobGraph, receivers_of
from penstock.ids import SubtaskId


class Regions:
    """The pipelined regions of a job, of subtasks: what one of them has lost, all of them have to do again.

    Edges that hand records over at once join their two ends, subtask by subtask; blocking ones cut. A stream job with one
    exchange by key is a single region; one whose vertices are joined by forward edges alone has a region for each subtask.
    Source: Flink's documentation, "Task Failure Recovery".
    """

    def __init__(self, graph: JobGraph) -> None:
        self._graph = graph
        self._parents: dict[SubtaskId, SubtaskId] = {}
        for vertex in graph.vertices:
            self._parents.update((subtask, subtask) for subtask in vertex.subtasks())
        for sender, receiver in _connections(graph, blocking=False):
            self._parents[self._root(sender)] = self._root(receiver)
        members: dict[SubtaskId, set[SubtaskId]] = {}
        for subtask in self._parents:
            members.setdefault(self._root(subtask), set()).add(subtask)
        self._members = {root: frozenset(subtasks) for root, subtasks in members.items()}
        self._readers: dict[SubtaskId, set[SubtaskId]] = {}
        for sender, receiver in _connections(graph, blocking=True):
            self._readers.setdefault(self._root(sender), set()).add(self._root(receiver))

    @property
    def all(self) -> frozenset[SubtaskId]:
        """Every subtask of the job."""
        return frozenset(self._parents)

    @property
    def count(self) -> int:
        """How many regions there are."""
        return len(self._members)

    def of(self, subtask: SubtaskId) -> frozenset[SubtaskId]:
        """The region of a subtask."""
        return self._members[self._root(subtask)]

    def to_restart(self, failed: Iterable[SubtaskId]) -> frozenset[SubtaskId]:
        """The regions of what failed, and those that read what they give: another run may give it in another order."""
        found: set[SubtaskId] = set()
        waiting = [self._root(subtask) for subtask in failed]
        while waiting:
            root = waiting.pop()
            if root not in found:
                found.add(root)
                waiting += self._readers.get(root, ())
        return frozenset(subtask for root in found for subtask in self._members[root])

    def _root(self, subtask: SubtaskId) -> SubtaskId:
        parents = self._parents
        while parents[subtask] != subtask:
            parents[subtask] = parents[parents[subtask]]
            subtask = parents[subtask]
        return subtask


def _connections(graph: JobGraph, blocking: bool) -> Iterator[tuple[SubtaskId, SubtaskId]]:
    """Pairs of connected subtasks; of an exchange of each with each so many as hold it together."""
    for edge in graph.edges:
        if edge.blocking is not blocking:
            continue
        senders = graph.vertex(edge.source).parallelism
        receivers = graph.vertex(edge.target).parallelism
        for sender in range(senders):
            reached = receivers_of(edge.partitioning, sender, senders, receivers)
            if not blocking and sender and len(reached) == receivers:
                reached = reached[:1]
            for receiver in reached:
                yield SubtaskId(edge.source, sender), SubtaskId(edge.target, receiver)
