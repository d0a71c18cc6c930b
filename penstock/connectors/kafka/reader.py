"""Reads partitions in one task: takes batches from the fetching thread, knows positions, and commits them on checkpoints."""

import logging
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from typing import Any

from penstock.connectors.kafka.broker import confluent
from penstock.connectors.kafka.fetching import Fetcher, Offsets
from penstock.connectors.kafka.partitions import KafkaPartitionSplit, KafkaTopicPartition
from penstock.connectors.kafka.records import Deserializer
from penstock.contracts.source import InputStatus, ReaderOutput, SourceReader, SourceReaderContext
from penstock.errors import OutsideError

_log = logging.getLogger(__name__)
_error_of = methodcaller("error")
_topic_of = methodcaller("topic")
_partition_of = methodcaller("partition")


class KafkaReader(SourceReader):
    """``make_fetcher(wake_up, committed)`` makes the thread that consumes; it is started with the first split. Partitions
    that a checkpoint has and ``reads`` does not want are passed over."""

    pauses_splits = True

    def __init__(
        self,
        context: SourceReaderContext,
        make_fetcher: Callable[[Callable[[], None], Callable[[Any, Offsets], None]], Fetcher],
        deserializer: Deserializer,
        commits: bool,
        reads: Callable[[KafkaTopicPartition], bool],
    ) -> None:
        self._reads = reads
        group = context.metric_group()
        self._metrics = group.add_group("KafkaSourceReader")
        self._commits_succeeded = self._metrics.counter("commitsSucceeded")
        self._commits_failed = self._metrics.counter("commitsFailed")
        group.gauge("pendingRecords", self._pending)
        self._committed_offsets: Offsets = {}
        self._wake_up = context.wake_up
        self._fetcher = make_fetcher(context.wake_up, self._committed)
        self._deserializer = deserializer
        self._commits = commits
        self._splits: dict[tuple[str, int], KafkaPartitionSplit] = {}
        self._unseen: list[str] = []
        self._paused: set[tuple[str, int]] = set()
        self._held: dict[tuple[str, int], list[Any]] = {}
        """Of paused splits: what was fetched before the pause."""
        self._has_signs = False
        """Whether signs of the client may be among the messages in hand."""
        self._finished: Offsets = {}
        self._to_commit: dict[int, Offsets] = {}
        self._no_more_splits = False
        self._opened = False

    def add_splits(self, splits: list[Any]) -> None:
        started: list[KafkaPartitionSplit] = []
        for split in splits:
            if not self._reads(split.partition):
                _log.warning(
                    "%s is not read any more, as its topic is not among those of the source", split.partition
                )
                continue
            if split.is_finished_at(split.offset):
                self._finished[split.partition] = split.offset
                continue
            place = (split.partition.topic, split.partition.partition)
            self._splits[place] = split
            started.append(split)
            self._unseen.append(split.split_id())
            offsets = self._metrics.add_group("topic", place[0]).add_group("partition", str(place[1]))
            offsets.gauge("currentOffset", partial(self._position, place))
            offsets.gauge("committedOffset", partial(self._committed_offsets.get, split.partition, -1))
        if started:
            if not self._opened:
                self._opened = True
                self._deserializer.open()
            self._fetcher.assign(started)

    def _position(self, place: tuple[str, int]) -> int:
        split = self._splits.get(place)
        return self._finished.get(KafkaTopicPartition(*place), -1) - 1 if split is None else split.offset - 1

    def _pending(self) -> int:
        return self._fetcher.pending((*place, split.offset) for place, split in self._splits.items())

    def notify_no_more_splits(self) -> None:
        self._no_more_splits = True

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        status = self._poll(output)
        if status is InputStatus.END_OF_INPUT:
            self._deserializer.flush()
        return status

    def _poll(self, output: ReaderOutput) -> InputStatus:
        if not self._splits:
            return InputStatus.END_OF_INPUT if self._no_more_splits else InputStatus.NOTHING_AVAILABLE
        while self._unseen:  # a split without records yet takes part in the minimum of watermarks
            output.create_output_for_split(self._unseen.pop())
        for place, messages in self._next_parts():
            self._give(place, messages, output)
            if self._deserializer.ended:
                self._finish_all(output)
                return InputStatus.END_OF_INPUT
        if self._fetcher.has_more:
            return InputStatus.MORE_AVAILABLE
        if not self._splits and self._no_more_splits:
            return InputStatus.END_OF_INPUT
        return InputStatus.NOTHING_AVAILABLE

    def _next_parts(self) -> list[tuple[tuple[str, int], list[Any]]]:
        """What to emit next: what was held of splits that go on again, else a batch, without what is held of it."""
        again = [place for place in self._held if place not in self._paused]
        if again:
            self._has_signs = True
            return [(place, self._held.pop(place)) for place in again]
        batch = self._fetcher.take()
        if batch is None:
            return []
        parts = self._by_partition(batch)
        if self._paused:
            for place, messages in parts:
                if place in self._paused:
                    self._held.setdefault(place, []).extend(messages)
            parts = [part for part in parts if part[0] not in self._paused]
        return parts

    def _by_partition(self, batch: list[Any]) -> list[tuple[tuple[str, int], list[Any]]]:
        """The messages of each partition, in order."""
        self._has_signs = any(map(_error_of, batch))
        if self._has_signs:
            _check_signs(batch)
        if len(self._splits) == 1 and not self._finished:
            return [(next(iter(self._splits)), batch)]
        groups: dict[tuple[str, int], list[Any]] = {}
        for message, place in zip(
            batch, zip(map(_topic_of, batch), map(_partition_of, batch), strict=True), strict=True
        ):
            found = groups.get(place)
            if found is None:
                groups[place] = [message]
            else:
                found.append(message)
        return list(groups.items())

    def _give(self, place: tuple[str, int], messages: list[Any], output: ReaderOutput) -> None:
        split = self._splits.get(place)
        if split is None:  # fetched before it was finished
            return
        last = messages[-1].offset()
        position = last + 1
        if self._has_signs and any(map(_error_of, messages)):
            if messages[-1].error() is not None:
                position = last  # the end stands at the offset that the next message will have
            messages = [message for message in messages if message.error() is None]
        stop = split.stopping_offset
        if split.is_finished_at(position):
            messages = [message for message in messages if message.offset() < stop]
            position = max(stop, split.offset)
        if messages:
            records, times, count = self._deserializer.read(messages)
            if self._deserializer.ended:
                position = messages[count - 1].offset() + 1
            if records:
                output.create_output_for_split(split.split_id()).collect_batch(records, times)
        self._splits[place] = split = split.moved_to(position)
        if split.is_finished_at(position):
            self._finish(place, output)

    def _finish(self, place: tuple[str, int], output: ReaderOutput) -> None:
        split = self._splits.pop(place)
        self._paused.discard(place)
        self._held.pop(place, None)
        self._finished[split.partition] = split.offset
        self._fetcher.unassign(split.partition)
        output.release_output_for_split(split.split_id())

    def _finish_all(self, output: ReaderOutput) -> None:
        for place in list(self._splits):
            self._finish(place, output)

    def pause_or_resume_splits(self, to_pause: list[str], to_resume: list[str]) -> None:
        places = {split.split_id(): place for place, split in self._splits.items()}
        for place in (places[name] for name in to_pause if name in places):
            self._paused.add(place)
            self._fetcher.pause(self._splits[place].partition)
        for place in (places[name] for name in to_resume if name in places):
            self._paused.discard(place)
            self._fetcher.resume(self._splits[place].partition)
        self._wake_up()  # for what is held, and for batches that came with nothing but that

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        self._deserializer.flush()
        splits = list(self._splits.values())
        if self._commits:
            offsets = {split.partition: split.offset for split in splits}
            self._to_commit[checkpoint_id] = self._finished | offsets
        return splits

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        offsets = self._to_commit.pop(checkpoint_id, None)
        for older in [each for each in self._to_commit if each < checkpoint_id]:
            del self._to_commit[older]
        if offsets:
            self._fetcher.commit(offsets)

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        self._to_commit.pop(checkpoint_id, None)

    def _committed(self, failure: Any, offsets: Offsets) -> None:
        self._committed_offsets.update(offsets)
        (self._commits_succeeded if failure is None else self._commits_failed).inc()

    def close(self) -> None:
        self._fetcher.close()
        self._deserializer.close()


def _check_signs(batch: list[Any]) -> None:
    """Among the messages may be signs of the client: that a partition is at its end for now, which is fine, or an error."""
    end = confluent().KafkaError._PARTITION_EOF
    for message in batch:
        error = message.error()
        if error is not None and error.code() != end:
            raise OutsideError(
                f"topic {message.topic()!r}, partition {message.partition()} cannot be read: {error.str()}; where records "
                "were deleted before they were read, starting offsets with a reset strategy say where to go on"
            )
