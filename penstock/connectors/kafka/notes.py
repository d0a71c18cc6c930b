"""Notes in Kafka: committed offsets of groups of which nobody is a member."""

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.connectors.kafka.broker import Administration, GroupOffsets, for_questions


@dataclass(frozen=True, slots=True)
class Note:
    """A committed offset, for what it says."""

    topic: str
    offset: int
    text: str


class GroupNotes:
    """In each group one note for each topic, with a number and a text. Calls block."""

    def __init__(self, configuration: dict[str, str]) -> None:
        general = for_questions(configuration)
        self.admin = Administration(general)
        self._offsets = GroupOffsets(general)

    def read(self, group: str) -> list[Note]:
        """What is under a group, whatever the topic it was written under.

        :raises OutsideError: where the broker does not tell.
        """
        topics = self.admin.answer(lambda client, seconds: client.list_topics(timeout=seconds)).topics
        found = self._offsets.committed(group, [(name, 0) for name in topics])
        return [Note(each.topic, each.offset, each.metadata or "") for each in found if each.offset >= 0]

    def write(self, group: str, topics: Iterable[str], offset: int, text: str) -> frozenset[str]:
        """Write a note under each of the topics, in the place of the one that is there: all of them at once, so that of two
        who write one comes last everywhere. A topic that is deleted takes its notes along; those that are left are returned.

        :raises OutsideError: when the broker does not take it.
        """
        return self._offsets.commit(group, topics, offset, text)
