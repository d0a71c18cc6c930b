"""How far each writer has committed, kept by Kafka itself: as offsets of a consumer group, committed in the same transaction
as the records. The offset is the number of the epoch, its metadata is the epoch's identity.
"""

from dataclasses import dataclass
from typing import Final

from penstock.connectors.kafka.epochs import WriterName
from penstock.connectors.kafka.notes import GroupNotes

_MARKERS: Final = "penstock-sink-markers"


@dataclass(frozen=True, slots=True)
class Marker:
    """The last epoch that a writer has committed."""

    number: int
    identity: str


def marker_group(writer: WriterName) -> str:
    """The consumer group that holds a writer's marker.

    >>> marker_group(WriterName("shop", 1))
    'penstock-sink-markers-shop-1'
    """
    return f"{_MARKERS}-{writer}"


def is_committed(number: int, identity: str, marker: Marker | None) -> bool:
    """Whether an epoch was committed. Numbers of one writer only grow; epochs of two runs that went on from the same point
    may have the same number, and differ in their identity.

    >>> is_committed(4, "a", Marker(5, "b")), is_committed(5, "a", Marker(5, "b")), is_committed(5, "b", Marker(5, "b"))
    (True, False, True)
    """
    return marker is not None and (marker.number > number or marker == Marker(number, identity))


class Markers:
    """Reads markers. Calls block."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._notes = GroupNotes(configuration)

    def read(self, writer: WriterName) -> Marker | None:
        """The marker of a writer: the newest of all topics under which one was written.

        :raises OutsideError: where the broker does not tell.
        """
        found = [Marker(note.offset, note.text) for note in self._notes.read(marker_group(writer))]
        return max(found, key=lambda marker: marker.number, default=None)
