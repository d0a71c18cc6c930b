"""The TaskManagers that the JobManager knows, and which of their slots are taken. Plain decisions, no sockets."""

from dataclasses import dataclass, field

from penstock.deploy.cluster.messages import TaskManagerJoined


@dataclass(slots=True)
class TaskManagerEntry:
    """One TaskManager. ``taken``: the workers in its slots, by number, with the job that each belongs to."""

    description: TaskManagerJoined
    joined_at_ms: int
    last_heartbeat_ms: int
    taken: dict[int, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """How many slots are free."""
        return self.description.slots - len(self.taken)


@dataclass(slots=True)
class SlotTable:
    """All TaskManagers by id.

    >>> table = SlotTable()
    >>> table.join(TaskManagerJoined("tm-1", "here", 2, 1), now_ms=0)
    >>> table.take(7, "job"), table.take(8, "job"), table.take(9, "job")
    ('tm-1', 'tm-1', None)
    >>> table.give_back(7)
    >>> table.free, table.total
    (1, 2)
    """

    entries: dict[str, TaskManagerEntry] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All slots."""
        return sum(entry.description.slots for entry in self.entries.values())

    @property
    def free(self) -> int:
        """All free slots."""
        return sum(entry.free for entry in self.entries.values())

    def join(self, description: TaskManagerJoined, now_ms: int) -> None:
        """A TaskManager is there."""
        self.entries[description.id] = TaskManagerEntry(description, now_ms, now_ms)

    def leave(self, id: str) -> list[int]:
        """A TaskManager is gone; the workers that it had."""
        entry = self.entries.pop(id, None)
        return [] if entry is None else list(entry.taken)

    def take(self, worker: int, job_id: str, wanted: int = 1) -> str | None:
        """A slot for a worker, on the TaskManager with the most free ones; None where there is none.

        ``wanted``: how many slots the job has to have in all. It gets none while it cannot get all that it lacks: jobs that
        hold a part of what they need, and wait for each other, would wait for ever.

        >>> table = SlotTable()
        >>> table.join(TaskManagerJoined("tm-1", "here", 3, 1), now_ms=0)
        >>> table.take(1, "first", 2), table.take(2, "second", 3), table.take(3, "first", 2), table.take(4, "third", 1)
        ('tm-1', None, 'tm-1', 'tm-1')
        """
        if self.free < wanted - self.held_by(job_id):
            return None
        best = max(self.entries.values(), key=lambda entry: entry.free, default=None)
        if best is None or best.free < 1:
            return None
        best.taken[worker] = job_id
        return best.description.id

    def held_by(self, job_id: str) -> int:
        """How many slots a job holds."""
        return sum(list(entry.taken.values()).count(job_id) for entry in self.entries.values())

    def give_back(self, worker: int) -> None:
        """A worker is gone."""
        for entry in self.entries.values():
            entry.taken.pop(worker, None)
