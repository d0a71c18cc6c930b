"""How far each writer has committed, kept by Kafka itself: as offsets of a consumer group, committed in the same transaction
as the records. And which transactions exist, so that those of writers that are gone can be found.

The offset is the number of the epoch, its metadata is the epoch's identity.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from penstock.connectors.kafka.broker import (
    Administration,
    committed_offsets,
    confluent,
    confluent_admin,
    for_questions,
)
from penstock.errors import OutsideError

_MARKERS: Final = "penstock-sink-markers"
_WRITERS: Final = "penstock-sink-writers"


@dataclass(frozen=True, slots=True)
class Marker:
    """The last epoch that a writer has committed."""

    number: int
    identity: str


@dataclass(frozen=True, slots=True, order=True)
class WriterTransactions:
    """The transactions that one run of a writer may have open: ids end in 0 up to ``count`` - 1."""

    subtask: int
    generation: int
    count: int

    def ids(self, prefix: str) -> list[str]:
        """All transactional ids."""
        return [
            transactional_id(prefix, self.subtask, self.generation, number) for number in range(self.count)
        ]


def transactional_id(prefix: str, subtask: int, generation: int, number: int) -> str:
    """The id of one of a writer's transactions. ``generation`` is the checkpoint that the run was restored from, so that a
    run never uses the ids of a run before it that had completed a checkpoint.

    >>> transactional_id("shop", 1, 17, 0)
    'shop-1-17-0'
    """
    return f"{prefix}-{subtask}-{generation}-{number}"


def marker_group(prefix: str, subtask: int) -> str:
    """The consumer group that holds a writer's marker."""
    return f"{_MARKERS}-{prefix}-{subtask}"


def is_committed(number: int, identity: str, marker: Marker | None) -> bool:
    """Whether an epoch was committed. Numbers of one writer only grow; epochs of two runs that went on from the same point
    may have the same number, and differ in their identity.

    >>> is_committed(4, "a", Marker(5, "b")), is_committed(5, "a", Marker(5, "b")), is_committed(5, "b", Marker(5, "b"))
    (True, False, True)
    """
    return marker is not None and (marker.number > number or marker == Marker(number, identity))


class Markers:
    """Reads markers, and keeps the register of writers. All calls block."""

    def __init__(self, configuration: dict[str, str], prefix: str) -> None:
        self._servers = configuration.get("bootstrap.servers", "")
        self._general = for_questions(configuration)
        self._prefix = prefix
        self._admin = Administration(self._general)

    def read(self, group: str) -> Marker | None:
        """The marker in a group: the newest of all partitions under which one was written."""
        found = [
            Marker(each.offset, each.metadata or "") for each in self._offsets(group) if each.offset >= 0
        ]
        return max(found, key=lambda marker: marker.number, default=None)

    def register(self, writer: WriterTransactions, topic: str) -> None:
        """Note which transactions a writer is about to use."""
        client = confluent()
        group = f"{_WRITERS}-{self._prefix}-{writer.subtask}"
        consumer = client.Consumer({**self._general, "group.id": group, "enable.auto.commit": False})
        try:
            note = client.TopicPartition(topic, 0, writer.generation, f"{writer.generation} {writer.count}")
            consumer.commit(offsets=[note], asynchronous=False)
        except client.KafkaException as error:
            raise OutsideError(
                f"Kafka at {self._servers} did not take the note of a writer: {error}"
            ) from error
        finally:
            consumer.close()

    def registered(self, is_wanted: Callable[[int], bool]) -> list[WriterTransactions]:
        """The transactions of writers that ever registered under the prefix, of the last run of each wanted subtask."""
        beginning = f"{_WRITERS}-{self._prefix}-"
        groups = self._admin.answer(_groups)
        found: set[WriterTransactions] = set()
        for name in groups:
            subtask = name.removeprefix(beginning)
            if name.startswith(beginning) and subtask.isdigit() and is_wanted(int(subtask)):
                for note in self._offsets(name):
                    generation, _, count = (note.metadata or "").partition(" ")
                    if generation.isdigit() and count.isdigit():
                        found.add(WriterTransactions(int(subtask), int(generation), int(count)))
        return sorted(found)

    def longest_transaction_ms(self) -> int | None:
        """The longest time-out for transactions that the broker allows; None where it does not say."""
        client = confluent_admin()

        def ask(admin: Any, seconds: float) -> Any:
            brokers = admin.list_topics(timeout=seconds).brokers
            resource = client.ConfigResource(client.ResourceType.BROKER, str(next(iter(brokers))))
            return admin.describe_configs([resource], request_timeout=seconds)[resource].result(seconds)

        try:
            entries = self._admin.answer(ask)
        except OutsideError:  # not allowed to ask; the broker itself refuses later
            return None
        entry = entries.get("transaction.max.timeout.ms")
        return None if entry is None or entry.value is None else int(entry.value)

    def _offsets(self, group: str) -> list[Any]:
        """What is under a group, whatever the topic it was written under."""
        topics = self._admin.answer(lambda client, seconds: client.list_topics(timeout=seconds)).topics
        return committed_offsets(self._general, group, [(name, 0) for name in topics])


def _groups(admin: Any, seconds: float) -> list[str]:
    """The names of all groups; each broker tells of its own, so all have to answer."""
    answer = admin.list_consumer_groups(request_timeout=seconds).result(seconds)
    if answer.errors:
        raise answer.errors[0]
    return [group.group_id for group in answer.valid]
