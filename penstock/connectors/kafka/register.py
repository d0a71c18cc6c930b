"""Which run of a sink may write, and which transactions its writers may have open: notes in Kafka, made before anything is
written.

A run that was thought dead may go on. So each run takes over its writers, under a token of its own, *before* it ends the
transactions of the runs before it; and whoever has made a producer asks *after* that whether its run is still the newest. So
either the producer is ended by the later run, or it learns of it. Notes about the run and about its ids are in groups of
their own: what an earlier run writes late cannot hide the later one. A note goes with its topic, so a run has notes under
each topic that the runs before it had some under, and under each that it writes to itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from penstock.chance import secret_token
from penstock.connectors.kafka.broker import confluent
from penstock.connectors.kafka.epochs import WriterName
from penstock.connectors.kafka.notes import GroupNotes, Note
from penstock.errors import OutsideError, RunSuperseded

_RUNS: Final = "penstock-sink-runs"
_WRITERS: Final = "penstock-sink-writers"


@dataclass(frozen=True, slots=True, order=True)
class WriterTransactions:
    """The transactions that one run of a writer may have open: ids end in 0 up to ``count`` - 1."""

    writer: WriterName
    generation: int
    count: int

    def ids(self) -> list[str]:
        """All transactional ids."""
        return [transactional_id(self.writer, self.generation, number) for number in range(self.count)]


def transactional_id(writer: WriterName, generation: int, number: int) -> str:
    """The id of one of a writer's transactions. ``generation`` is the checkpoint that the run was restored from, so that a
    run never uses the ids of a run before it that had completed a checkpoint.

    >>> transactional_id(WriterName("shop", 1), 17, 0)
    'shop-1-17-0'
    """
    return f"{writer}-{generation}-{number}"


class Register:
    """Reads and writes the notes. Calls block."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._notes = GroupNotes(configuration)

    def note_ids(self, transactions: WriterTransactions, topics: Iterable[str]) -> frozenset[str]:
        """Note which transactions a writer is about to use; returned are the topics that are there.

        :raises OutsideError: when the broker does not take it.
        """
        text = f"{transactions.generation} {transactions.count}"
        group = f"{_WRITERS}-{transactions.writer}"
        return self._notes.write(group, topics, transactions.generation, text)

    def writers(self, prefix: str, is_wanted: Callable[[int], bool]) -> dict[WriterName, frozenset[str]]:
        """The writers that have ever written under the prefix, with all topics under which there are notes of each."""
        found: dict[WriterName, frozenset[str]] = {}
        for group in self._notes.admin.answer(_groups):
            writer = _writer_of(group, prefix)
            if writer is not None and is_wanted(writer.subtask):
                topics = frozenset(note.topic for note in self._notes.read(group))
                if topics:
                    found[writer] = found.get(writer, frozenset()) | topics
        return found

    def transactions(self, writer: WriterName) -> list[WriterTransactions]:
        """What the last runs of a writer have noted, one for each topic."""
        found: list[WriterTransactions] = []
        for note in self._notes.read(f"{_WRITERS}-{writer}"):
            generation, _, count = note.text.partition(" ")
            if generation.isdigit() and count.isdigit():
                found.append(WriterTransactions(writer, int(generation), int(count)))
        return found

    def newest_run(self, writer: WriterName) -> str | None:
        """The token of the run that was the last to take over a writer."""
        newest = _newest(self._runs(writer))
        return None if newest is None else newest.text

    def take_over(self, writer: WriterName, run: str, topics: Iterable[str], goes_on: bool) -> frozenset[str]:
        """Have this run be the newest of a writer: under these topics and under all that have a token, so that no older one
        comes to light when a topic is deleted. Returned are those that are there.

        ``goes_on``: its job has been the newest before, and must be so still.

        :raises RunSuperseded: if another job has taken the writer over meanwhile.
        """
        notes = self._runs(writer)
        newest = _newest(notes)
        if goes_on and newest is not None and job_of(newest.text) != job_of(run):
            raise _superseded(writer)
        number = 1 if newest is None else newest.offset + 1
        under = {*topics, *(note.topic for note in notes)}
        return self._write_run(writer, under, number, run)

    def note_run(self, writer: WriterName, run: str, topics: Iterable[str]) -> frozenset[str]:
        """Have the token of the newest run be under other topics, too, which are returned.

        :raises RunSuperseded: if another run is the newest.
        """
        newest = _newest(self._runs(writer))
        if newest is not None and newest.text != run:
            raise _superseded(writer)
        number = 1 if newest is None else newest.offset
        return self._write_run(writer, topics, number, run)

    def check(self, writer: WriterName, run: str | None) -> None:
        """Make sure that no later run has taken a writer over. A note that has expired is nobody's.

        :raises RunSuperseded: if one has.
        """
        if self.newest_run(writer) not in (None, run):
            raise _superseded(writer)

    def _write_run(self, writer: WriterName, topics: Iterable[str], number: int, run: str) -> frozenset[str]:
        topics = sorted(topics)
        noted = self._notes.write(f"{_RUNS}-{writer}", topics, number, run)
        if not noted:
            raise OutsideError(
                f"Kafka takes no note about the writers under {writer.prefix!r}: none of their topics "
                f"({', '.join(topics[:5])}) is there, or not yet; create them again if they were deleted, and start the job "
                "again"
            )
        return noted

    def _runs(self, writer: WriterName) -> list[Note]:
        return self._notes.read(f"{_RUNS}-{writer}")


def new_run(job_id: str) -> str:
    """A token: of a job, and different each time."""
    return f"{job_id} {secret_token(12).hex()}"


def job_of(run: str) -> str:
    """The job that a token is of."""
    return run.partition(" ")[0]


def _newest(notes: list[Note]) -> Note | None:
    """Of two with the same number, which came under different topics at the same moment, always the same one."""
    return max(notes, key=lambda note: (note.offset, note.text), default=None)


def _superseded(writer: WriterName) -> RunSuperseded:
    return RunSuperseded(
        f"another run has taken over the transactions of subtask {writer.subtask} under the transactional id prefix "
        f"{writer.prefix!r}, so this one must not write any more; run a job once at a time, and give each sink a prefix of "
        "its own"
    )


def _writer_of(group: str, prefix: str) -> WriterName | None:
    for kind in (_WRITERS, _RUNS):
        beginning = f"{kind}-{prefix}-"
        subtask = group.removeprefix(beginning)
        if group.startswith(beginning) and subtask.isdigit():
            return WriterName(prefix, int(subtask))
    return None


def _groups(admin: Any, seconds: float) -> list[str]:
    """The names of all groups; each broker tells of its own, so all have to answer."""
    answer = admin.list_consumer_groups(request_timeout=seconds).result(seconds)
    if answer.errors:
        raise confluent().KafkaException(
            answer.errors[0]
        )  # the error itself can be raised, and not be caught
    return [group.group_id for group in answer.valid]
