"""How far each writer has committed, kept by Kafka itself: as offsets of a consumer group, committed in the same transaction
as the records. The offset is the number of the epoch, its metadata is the epoch's identity. It is committed for the anchor of
all notes, which stays whatever is deleted, and for each topic that the epoch was written to: where the anchor is refused, no
topic that still has records of it is without its marker.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from penstock.connectors.kafka.epochs import WriterName
from penstock.connectors.kafka.notes import GroupNotes

_MARKERS: Final = "penstock-sink-markers"


@dataclass(frozen=True, slots=True)
class Marker:
    """The last epoch that a writer has committed to a topic."""

    number: int
    identity: str


def marker_group(writer: WriterName) -> str:
    """The consumer group that holds a writer's marker.

    >>> marker_group(WriterName("shop", 1))
    'penstock-sink-markers-shop-1'
    """
    return f"{_MARKERS}-{writer}"


def is_committed(number: int, identity: str, markers: Iterable[Marker]) -> bool:
    """Whether an epoch was committed. Numbers of one writer only grow; epochs of two runs that went on from the same point
    may have the same number, and differ in their identity.

    >>> markers = [Marker(3, "c"), Marker(5, "b")]
    >>> is_committed(4, "a", markers), is_committed(5, "a", markers), is_committed(5, "b", markers)
    (True, False, True)
    """
    own = Marker(number, identity)
    return any(marker.number > number or marker == own for marker in markers)


class Markers:
    """Reads markers. Calls block."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._notes = GroupNotes(configuration)

    def read(self, writer: WriterName) -> list[Marker]:
        """The markers of a writer, one of each topic that is there and of the anchor.

        :raises OutsideError: where the broker does not tell.
        """
        return [Marker(note.offset, note.text) for note in self._notes.read(marker_group(writer))]
