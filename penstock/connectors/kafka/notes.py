"""Notes in Kafka: committed offsets of groups of which nobody is a member. An offset is that of a topic, and goes with it. So
each is committed for a topic that goes with all of them only, beside those that it is about.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from penstock.connectors.kafka.broker import Administration, GroupOffsets, Refused, for_questions

ANCHOR: Final = "__consumer_offsets"
"""Kafka's own topic, which holds the offsets of all groups. Not every user may commit an offset of it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """A committed offset, for what it says."""

    topic: str
    offset: int
    text: str


class GroupNotes:
    """In each group one note for each topic, with a number and a text; and one under :data:`ANCHOR`, unless the broker
    refuses that. Calls block."""

    def __init__(self, configuration: dict[str, str]) -> None:
        general = for_questions(configuration)
        self.admin = Administration(general)
        self._offsets = GroupOffsets(general)
        self._may_anchor = True

    def read(self, group: str) -> list[Note]:
        """What is under a group, whatever the topic it was written under.

        :raises OutsideError: where the broker does not tell.
        """
        topics = self.admin.answer(lambda client, seconds: client.list_topics(timeout=seconds)).topics
        found = self._offsets.committed(group, [(name, 0) for name in topics])
        return [Note(each.topic, each.offset, each.metadata or "") for each in found if each.offset >= 0]

    def write(self, group: str, topics: Iterable[str], offset: int, text: str) -> frozenset[str]:
        """Write a note under each of the topics and the anchor, in the place of the one that is there: all of them at once,
        so that of two who write one comes last everywhere. Those that are there are returned.

        :raises OutsideError: when the broker does not take it.
        """
        wanted = frozenset(topics)
        if self._may_anchor:
            try:
                return self._offsets.commit(group, wanted | {ANCHOR}, offset, text)
            except Refused as error:
                noted = self._offsets.commit(group, wanted - {ANCHOR}, offset, text)
                self._may_anchor = False
                _log.info("notes of group %s are kept under the topics of their sink alone: %s", group, error)
                return noted
        return self._offsets.commit(group, wanted - {ANCHOR}, offset, text)
