"""Finds partitions, decides where reading starts and stops in each, and gives them to the readers."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.connectors.kafka.broker import KafkaBroker
from penstock.connectors.kafka.offsets import KafkaOffsetsInitializer
from penstock.connectors.kafka.partitions import (
    NO_STOPPING_OFFSET,
    KafkaPartitionSplit,
    KafkaTopicPartition,
    owner_of,
)
from penstock.contracts.source import SplitEnumerator, SplitEnumeratorContext
from penstock.errors import OutsideError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the user wants to read: topics, or all topics whose whole name fits a pattern, or certain partitions."""

    topics: tuple[str, ...] = ()
    pattern: str | None = None
    partitions: tuple[KafkaTopicPartition, ...] = ()

    def covers(self, topic: str) -> bool:
        """Whether a topic belongs to it."""
        if self.pattern is not None:
            return re.compile(self.pattern).fullmatch(topic) is not None
        return topic in self.topics or any(topic == each.topic for each in self.partitions)

    def find(self, broker: KafkaBroker) -> list[KafkaTopicPartition]:
        """The partitions that are there now.

        :raises OutsideError: for a topic or partition that was named and is not there.
        """
        if self.pattern is not None:
            fits = re.compile(self.pattern).fullmatch
            return [each for topic, found in broker.all_partitions().items() if fits(topic) for each in found]
        if self.topics:
            return broker.partitions_of(list(self.topics))
        known = broker.partitions_of(sorted({partition.topic for partition in self.partitions}))
        missing = sorted(set(self.partitions) - set(known))
        if missing:
            raise OutsideError(f"there is no partition {', '.join(map(str, missing))}")
        return sorted(self.partitions)


@dataclass(frozen=True, slots=True)
class EnumeratorState:
    """What was found, and of that what no reader has been given; ``started`` after the first look at the topics."""

    known: frozenset[KafkaTopicPartition]
    waiting: tuple[KafkaPartitionSplit, ...]
    started: bool


@dataclass(frozen=True, slots=True)
class Discovery:
    """How partitions are found: what, from where to where, and how often again. With an interval of None it is once, and with
    ``looks_again`` once more whenever the job is restored. ``leaves_out_others``: what a checkpoint holds of topics that are
    not subscribed to any more is forgotten."""

    subscription: Subscription
    starting: KafkaOffsetsInitializer
    stopping: KafkaOffsetsInitializer | None
    interval_ms: int | None
    looks_again: bool
    leaves_out_others: bool = False

    def reads(self, partition: KafkaTopicPartition) -> bool:
        """Whether a partition of a checkpoint is read on."""
        return not self.leaves_out_others or self.subscription.covers(partition.topic)


class KafkaEnumerator(SplitEnumerator):
    """``connect`` makes a connection for questions; it is called in a thread."""

    def __init__(
        self,
        context: SplitEnumeratorContext,
        discovery: Discovery,
        connect: Callable[[], KafkaBroker],
        state: EnumeratorState | None,
    ) -> None:
        self._context = context
        self._discovery = discovery
        self._connect = connect
        self._known: set[KafkaTopicPartition] = set(filter(discovery.reads, state.known)) if state else set()
        self._waiting: dict[int, list[KafkaPartitionSplit]] = {}
        self._started = state is not None and state.started
        self._looks_once = discovery.interval_ms is None
        self._is_complete = self._looks_once and self._started and not discovery.looks_again
        self._told: set[int] = set()
        for split in state.waiting if state else ():
            if discovery.reads(split.partition):
                self._wait(split)

    def start(self) -> None:
        if self._discovery.interval_ms is not None:
            self._context.call_at_interval(self._look, self._found, self._discovery.interval_ms)
        elif not self._is_complete:
            self._context.call_async(self._look, self._found)

    def _look(self) -> list[KafkaPartitionSplit]:
        """In a thread: new partitions, with their offsets."""
        broker = self._connect()
        known = frozenset(self._known)
        new = [partition for partition in self._discovery.subscription.find(broker) if partition not in known]
        if not new:
            return []
        # Partitions that come later are read from their beginning: everything in them came after the job's start.
        starts = broker.earliest(new) if self._started else self._discovery.starting.resolve(new, broker)
        stopping = self._discovery.stopping
        stops = stopping.resolve(new, broker) if stopping is not None else {}
        return [
            KafkaPartitionSplit(partition, starts[partition], stops.get(partition, NO_STOPPING_OFFSET))
            for partition in new
        ]

    def _found(self, splits: list[KafkaPartitionSplit] | None, error: BaseException | None) -> None:
        if error is not None:
            if self._looks_once or not self._started:
                raise error
            _log.warning("looking for new partitions failed, and is tried again later: %s", error)
            return
        self._started = True
        self._is_complete = self._looks_once
        for split in splits or ():
            if split.partition not in self._known:
                self._known.add(split.partition)
                self._wait(split)
        self._hand_out()

    def _wait(self, split: KafkaPartitionSplit) -> None:
        owner = owner_of(split.partition, self._context.current_parallelism())
        self._waiting.setdefault(owner, []).append(split)

    def _hand_out(self) -> None:
        for reader in self._context.registered_readers():
            for split in self._waiting.pop(reader, ()):
                self._context.assign_split(split, reader)
            if self._is_complete and reader not in self._told:
                self._told.add(reader)
                self._context.signal_no_more_splits(reader)

    def add_reader(self, subtask: int) -> None:
        self._told.discard(subtask)
        self._hand_out()

    def handle_split_request(self, subtask: int) -> None:
        """Readers are given partitions unasked."""

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        self._waiting.setdefault(subtask, []).extend(splits)
        self._hand_out()

    def snapshot_state(self, checkpoint_id: int) -> Any:
        waiting = tuple(split for splits in self._waiting.values() for split in splits)
        return EnumeratorState(frozenset(self._known), waiting, self._started)
