"""Topics' partitions, and what is still to be read of one."""

from dataclasses import dataclass, replace
from typing import Final

from penstock.errors import ProgramError

NO_STOPPING_OFFSET: Final = -1


@dataclass(frozen=True, slots=True, order=True)
class KafkaTopicPartition:
    """A partition of a topic.

    >>> KafkaTopicPartition("orders", 3)
    KafkaTopicPartition(topic='orders', partition=3)
    """

    topic: str
    partition: int

    def __post_init__(self) -> None:
        if not isinstance(self.topic, str) or not self.topic:
            raise ProgramError(f"a topic's name is a text, not {self.topic!r}")
        if type(self.partition) is not int or self.partition < 0:
            raise ProgramError(f"a partition is a number from 0, not {self.partition!r}")

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


@dataclass(frozen=True, slots=True)
class KafkaPartitionSplit:
    """What is to be read of a partition: from ``offset`` up to ``stopping_offset``, which is not read any more."""

    partition: KafkaTopicPartition
    offset: int
    stopping_offset: int = NO_STOPPING_OFFSET

    def split_id(self) -> str:
        """Topic and partition."""
        return str(self.partition)

    def moved_to(self, offset: int) -> "KafkaPartitionSplit":
        """The same, read up to ``offset``."""
        return replace(self, offset=offset)

    def is_finished_at(self, offset: int) -> bool:
        """Whether nothing is left when everything before ``offset`` was read."""
        return self.stopping_offset != NO_STOPPING_OFFSET and offset >= self.stopping_offset


def owner_of(partition: KafkaTopicPartition, readers: int) -> int:
    """Which reader reads a partition: those of one topic go round, starting at a reader that depends on the topic's name.

    The same rule as Flink's, so that a job with as many readers as partitions has one each.

    >>> [owner_of(KafkaTopicPartition("orders", n), 3) for n in range(3)]
    [0, 1, 2]
    """
    start = (_java_hash(partition.topic) * 31 & 0x7FFFFFFF) % readers
    return (start + partition.partition) % readers


def _java_hash(text: str) -> int:
    units = text.encode("utf-16-be")
    value = 0
    for index in range(0, len(units), 2):
        value = (31 * value + (units[index] << 8 | units[index + 1])) & 0xFFFFFFFF
    return value
