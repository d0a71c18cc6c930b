"""Where reading starts and stops: rules that a program writes, and their answers once the partitions are known."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from penstock.connectors.kafka.partitions import KafkaTopicPartition
from penstock.errors import OutsideError, ProgramError

Offsets = dict[KafkaTopicPartition, int]


class KafkaOffsetResetStrategy(Enum):
    """Where to read when there is no offset, or one that the broker does not have any more."""

    LATEST = 0
    EARLIEST = 1
    NONE = 2


class OffsetsOfBroker(Protocol):
    """What the rules ask of Kafka. All may block."""

    def earliest(self, partitions: list[KafkaTopicPartition]) -> Offsets:
        """The first offset that is there."""

    def latest(self, partitions: list[KafkaTopicPartition]) -> Offsets:
        """The offset that the next record will have."""

    def at_timestamp(self, partitions: list[KafkaTopicPartition], timestamp_ms: int) -> Offsets:
        """The offset of the first record of that time or later; the latest where there is none."""

    def committed(self, partitions: list[KafkaTopicPartition]) -> Offsets:
        """What the consumer group has committed; nothing for a partition that it has not read, and without a group."""


class KafkaOffsetsInitializer(ABC):
    """A rule for offsets. A subclass of your own overrides :meth:`resolve`.

    >>> KafkaOffsetsInitializer.earliest()
    KafkaOffsetsInitializer.earliest()
    """

    @abstractmethod
    def resolve(self, partitions: list[KafkaTopicPartition], broker: OffsetsOfBroker) -> Offsets:
        """An offset for each partition; called beside the coordinator, in a thread, and may block."""

    @property
    def needs_group(self) -> bool:
        """Whether a group id has to be set."""
        return False

    @property
    def reset_strategy(self) -> KafkaOffsetResetStrategy:
        """Where to go on when the broker does not have an offset any more, because it has deleted old records."""
        return KafkaOffsetResetStrategy.EARLIEST

    @staticmethod
    def committed_offsets(
        offset_reset_strategy: KafkaOffsetResetStrategy = KafkaOffsetResetStrategy.NONE,
    ) -> "KafkaOffsetsInitializer":
        """Where the consumer group has stopped; by ``offset_reset_strategy`` in partitions that it has not read."""
        return _Committed(_strategy(offset_reset_strategy))

    @staticmethod
    def timestamp(timestamp: int) -> "KafkaOffsetsInitializer":
        """The first record of a time, in milliseconds since the epoch, or later."""
        if type(timestamp) is not int or timestamp < 0:
            raise ProgramError(f"a timestamp is a number of milliseconds since the epoch, not {timestamp!r}")
        return _AtTimestamp(timestamp)

    @staticmethod
    def earliest() -> "KafkaOffsetsInitializer":
        """The first record that is there."""
        return _Earliest()

    @staticmethod
    def latest() -> "KafkaOffsetsInitializer":
        """Behind the last record that is there when the job starts."""
        return _Latest()

    @staticmethod
    def offsets(
        offsets: dict[KafkaTopicPartition, int],
        offset_reset_strategy: KafkaOffsetResetStrategy = KafkaOffsetResetStrategy.EARLIEST,
    ) -> "KafkaOffsetsInitializer":
        """An offset for each partition. Those that are not named start where the consumer group has stopped, if there is one,
        else by ``offset_reset_strategy``."""
        if not isinstance(offsets, dict):
            raise ProgramError(f"offsets is a dict of KafkaTopicPartition to offset, not {offsets!r}")
        for partition, offset in offsets.items():
            if not isinstance(partition, KafkaTopicPartition):
                raise ProgramError(f"offsets has KafkaTopicPartition objects as its keys, not {partition!r}")
            if type(offset) is not int or offset < 0:
                raise ProgramError(f"the offset of {partition} is a number from 0, not {offset!r}")
        return _Explicit(dict(offsets), _strategy(offset_reset_strategy))


def _strategy(value: KafkaOffsetResetStrategy) -> KafkaOffsetResetStrategy:
    if not isinstance(value, KafkaOffsetResetStrategy):
        raise ProgramError(f"offset_reset_strategy is a KafkaOffsetResetStrategy, not {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class _Earliest(KafkaOffsetsInitializer):
    def resolve(self, partitions: list[KafkaTopicPartition], broker: OffsetsOfBroker) -> Offsets:
        return broker.earliest(partitions)

    def __repr__(self) -> str:
        return "KafkaOffsetsInitializer.earliest()"


@dataclass(frozen=True, slots=True)
class _Latest(KafkaOffsetsInitializer):
    @property
    def reset_strategy(self) -> KafkaOffsetResetStrategy:
        return KafkaOffsetResetStrategy.LATEST

    def resolve(self, partitions: list[KafkaTopicPartition], broker: OffsetsOfBroker) -> Offsets:
        return broker.latest(partitions)

    def __repr__(self) -> str:
        return "KafkaOffsetsInitializer.latest()"


@dataclass(frozen=True, slots=True)
class _AtTimestamp(KafkaOffsetsInitializer):
    timestamp_ms: int

    def resolve(self, partitions: list[KafkaTopicPartition], broker: OffsetsOfBroker) -> Offsets:
        return broker.at_timestamp(partitions, self.timestamp_ms)


@dataclass(frozen=True, slots=True)
class _Committed(KafkaOffsetsInitializer):
    strategy: KafkaOffsetResetStrategy

    @property
    def needs_group(self) -> bool:
        return True

    @property
    def reset_strategy(self) -> KafkaOffsetResetStrategy:
        return self.strategy

    def resolve(self, partitions: list[KafkaTopicPartition], broker: OffsetsOfBroker) -> Offsets:
        return _with_fallback(
            partitions, broker.committed(partitions), self.strategy, broker, "no committed offset"
        )


@dataclass(frozen=True, slots=True)
class _Explicit(KafkaOffsetsInitializer):
    given: dict[KafkaTopicPartition, int] = field(hash=False)
    strategy: KafkaOffsetResetStrategy

    @property
    def reset_strategy(self) -> KafkaOffsetResetStrategy:
        return self.strategy

    def resolve(self, partitions: list[KafkaTopicPartition], broker: OffsetsOfBroker) -> Offsets:
        known = {partition: self.given[partition] for partition in partitions if partition in self.given}
        known |= broker.committed([partition for partition in partitions if partition not in known])
        return _with_fallback(partitions, known, self.strategy, broker, "no offset given or committed")


def _with_fallback(
    partitions: list[KafkaTopicPartition],
    known: Offsets,
    strategy: KafkaOffsetResetStrategy,
    broker: OffsetsOfBroker,
    lack: str,
) -> Offsets:
    missing = [partition for partition in partitions if partition not in known]
    if not missing:
        return known
    match strategy:
        case KafkaOffsetResetStrategy.EARLIEST:
            return known | broker.earliest(missing)
        case KafkaOffsetResetStrategy.LATEST:
            return known | broker.latest(missing)
        case KafkaOffsetResetStrategy.NONE:
            names = ", ".join(map(str, sorted(missing)[:5]))
            failure = OutsideError(
                f"there is {lack} for {names}{' and others' if len(missing) > 5 else ''}, and the offset reset strategy "
                "is NONE; give KafkaOffsetResetStrategy.EARLIEST or LATEST to start there"
            )
            failure.retryable = False
            raise failure
