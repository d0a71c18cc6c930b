"""The thread that consumes: it owns the client, fills a bounded queue, and does what the reader asks of it.

The reader's task must not block, and the client's calls do. So the client lives in one thread, which waits for messages and
for room; the task takes whole batches out of the queue.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from penstock.clock import monotonic
from penstock.connectors.kafka.broker import confluent, text_of
from penstock.connectors.kafka.client_log import CLIENT_LOG
from penstock.connectors.kafka.partitions import KafkaPartitionSplit, KafkaTopicPartition
from penstock.errors import OutsideError

BATCH_MESSAGES: Final = 4096
BATCHES_WAITING: Final = 4
POLL_S: Final = 0.05
CLOSE_S: Final = 10.0
COMPLAIN_EVERY_S: Final = 30.0

_log = logging.getLogger(__name__)

Offsets = dict[KafkaTopicPartition, int]


class Fetcher:
    """Consumes partitions in a thread of its own, from the first :meth:`assign` to :meth:`close`.

    ``wake_up`` is called, by that thread, whenever there is something to take, and ``committed(error, offsets)`` after a
    commit, with an error or with what was committed. Everything else is for the task's thread.
    """

    def __init__(
        self,
        configuration: dict[str, str],
        wake_up: Callable[[], None],
        committed: Callable[[Any, Offsets], None],
    ) -> None:
        self._configuration = configuration
        self._wake_up = wake_up
        self._committed = committed
        self._batches: deque[list[Any]] = deque()
        self._wanted: deque[Callable[[Any], None]] = deque()
        self._room = threading.Condition()
        self._consumer: Any = None
        """Of the thread; others ask it for nothing but what it knows, and with ``_room`` held, so that it is not closed."""
        self._failure: Exception | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        self._complained_at = -COMPLAIN_EVERY_S

    def assign(self, splits: list[KafkaPartitionSplit]) -> None:
        """Consume these, too, from where they stand."""
        places = [(split.partition.topic, split.partition.partition, split.offset) for split in splits]

        def do(consumer: Any) -> None:
            consumer.incremental_assign([_place(*place) for place in places])

        self._want(do)

    def unassign(self, partition: KafkaTopicPartition) -> None:
        """Stop consuming one; messages that were fetched before may still come out of :meth:`take`."""
        self._want(
            lambda consumer: consumer.incremental_unassign([_place(partition.topic, partition.partition)])
        )

    def pause(self, partition: KafkaTopicPartition) -> None:
        """Fetch nothing more of a partition for a while."""
        self._want(lambda consumer: consumer.pause([_place(partition.topic, partition.partition)]))

    def resume(self, partition: KafkaTopicPartition) -> None:
        """Fetch a paused partition again."""
        self._want(lambda consumer: consumer.resume([_place(partition.topic, partition.partition)]))

    def commit(self, offsets: Offsets) -> None:
        """Tell the broker how far the group has read."""
        places = [
            _place(partition.topic, partition.partition, offset) for partition, offset in offsets.items()
        ]

        def do(consumer: Any) -> None:
            try:
                if self._closing:
                    self._note_commit(None, consumer.commit(offsets=places, asynchronous=False))
                else:  # a broker that is away must not keep others from being read
                    consumer.commit(offsets=places, asynchronous=True)
            except Exception as error:  # noqa: BLE001  (the offsets are in the checkpoint; the next one commits again)
                self._note_commit(error, [])

        self._want(do)

    def _note_commit(self, error: Any, places: list[Any]) -> None:
        """What came of a commit, told by the client while it polls."""
        if error is not None:
            _log.warning("offsets could not be committed to Kafka: %s", text_of(error))
        done = (
            [] if error is not None else [each for each in places if each.error is None and each.offset >= 0]
        )
        self._committed(
            error, {KafkaTopicPartition(each.topic, each.partition): each.offset for each in done}
        )

    def pending(self, positions: Iterable[tuple[str, int, int]]) -> int:
        """How many messages are behind these offsets of partitions, as far as the client has heard with what it fetched."""
        with self._room:
            if self._consumer is None:
                return 0
            ends = [
                (self._consumer.get_watermark_offsets(_place(topic, partition), cached=True)[1], offset)
                for topic, partition, offset in positions
            ]
        return sum(max(end - offset, 0) for end, offset in ends)

    def take(self) -> list[Any] | None:
        """The next batch of messages, or None. Raises what ended the thread."""
        if self._batches:
            with self._room:
                batch = self._batches.popleft()
                self._room.notify()
            return batch
        if self._failure is not None:
            raise self._failure
        return None

    @property
    def has_more(self) -> bool:
        """Whether a batch waits."""
        return bool(self._batches)

    def close(self) -> None:
        """End the thread and leave the broker."""
        with self._room:
            self._closing = True
            self._room.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _want(self, action: Callable[[Any], None]) -> None:
        with self._room:
            self._wanted.append(action)
            self._room.notify()
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._run, name="kafka fetcher", daemon=True)
            self._thread.start()

    # The thread ---------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        consumer: Any = None
        try:
            self._consumer = consumer = confluent().Consumer(
                {**self._configuration, "error_cb": self._complain, "on_commit": self._note_commit},
                logger=CLIENT_LOG,
            )
            while self._work_through(consumer):
                self._fetch(consumer)
        except Exception as error:  # noqa: BLE001  (handed to the task)
            self._failure = (
                error if isinstance(error, OutsideError) else OutsideError(f"Kafka: {text_of(error)}")
            )
            self._failure.__cause__ = error if self._failure is not error else None
            self._wake_up()
        finally:
            with self._room:
                self._consumer = None
            if consumer is not None:
                consumer.close()

    def _work_through(self, consumer: Any) -> bool:
        """Do what was asked for, then wait for room; says whether to go on."""
        while True:
            with self._room:
                if self._closing:
                    while self._wanted:  # the last commit
                        self._wanted.popleft()(consumer)
                    return False
                if not self._wanted:
                    if len(self._batches) < BATCHES_WAITING:
                        return True
                    self._room.wait()
                    continue
                action = self._wanted.popleft()
            action(consumer)

    def _fetch(self, consumer: Any) -> None:
        first = consumer.poll(POLL_S)
        if first is None:
            return
        batch = [first, *consumer.consume(BATCH_MESSAGES - 1, 0)]
        with self._room:
            self._batches.append(batch)
        self._wake_up()

    def _complain(self, error: Any) -> None:
        """What the client says of brokers that do not answer; it keeps trying by itself."""
        now = monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            _log.warning("Kafka at %s: %s", self._configuration.get("bootstrap.servers"), error.str())


def _place(topic: str, partition: int, offset: int | None = None) -> Any:
    position = confluent().TopicPartition
    return position(topic, partition) if offset is None else position(topic, partition, offset)
