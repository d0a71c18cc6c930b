"""Transactions of one process: a producer holds its transaction open from the first record of an epoch to its commit.

librdkafka cannot take up a transaction that another process has prepared. So the committer finds the producer itself if it
is still here, and otherwise aborts what is left of the transaction and writes the records anew, unless the marker says that
they were committed. Both ways use the same transactional id, so that of two that try, one is fenced.
"""

import threading
from typing import Any, Final

from penstock.connectors.kafka.broker import confluent, for_questions
from penstock.connectors.kafka.epochs import Epoch
from penstock.connectors.kafka.markers import Markers, is_committed
from penstock.connectors.kafka.producing import RecordProducer
from penstock.errors import OutsideError

TIMEOUT_S: Final = 60.0

_open: dict[str, "TransactionalProducer"] = {}
_lock = threading.Lock()


class TransactionalProducer:
    """A producer with a transactional id. Making one aborts what a producer of the same id before it has left open."""

    def __init__(self, configuration: dict[str, str], transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self._configuration = configuration
        self.producer = RecordProducer({**configuration, "transactional.id": transactional_id})
        self._consumers: dict[str, Any] = {}
        self._do("prepare transactions", lambda: self.producer.client.init_transactions(TIMEOUT_S))

    def begin(self) -> None:
        """Open a transaction."""
        self._do("begin a transaction", self.producer.client.begin_transaction)

    def commit(self, epoch: Epoch) -> None:
        """Write the marker of the epoch and commit, both or neither.

        :raises OutsideError: when the broker refuses; then it may still have committed, which the marker tells.
        """
        client = self.producer.client
        position = confluent().TopicPartition(epoch.topic, 0, epoch.number, epoch.identity)
        member = self._member_of(epoch.group)
        self._do(
            "write the marker of a commit",
            lambda: client.send_offsets_to_transaction([position], member, TIMEOUT_S),
        )
        self._do("commit a transaction", lambda: client.commit_transaction(TIMEOUT_S))

    def close(self) -> None:
        """Let go; an open transaction is aborted by whoever uses the id next, or by the broker in time."""
        for consumer in self._consumers.values():
            consumer.close()
        self.producer.close()

    def _member_of(self, group: str) -> Any:
        consumer = self._consumers.get(group)
        if consumer is None:
            general = for_questions(self._configuration)
            consumer = self._consumers[group] = confluent().Consumer({**general, "group.id": group})
        return consumer.consumer_group_metadata()

    def _do(self, what: str, action: Any) -> None:
        """Do something that may have to be repeated; librdkafka says when."""
        for _ in range(5):
            try:
                action()
                return
            except confluent().KafkaException as failure:
                error = failure.args[0]
                if not error.retriable():
                    raise OutsideError(
                        f"Kafka did not {what} under the transactional id {self.transactional_id!r}: {error.str()}"
                    ) from failure
        raise OutsideError(
            f"Kafka did not {what} under the transactional id {self.transactional_id!r} in five tries"
        )


def hand_over(epoch: Epoch, producer: TransactionalProducer) -> None:
    """Keep the producer of a prepared transaction where the committer of this process finds it."""
    with _lock:
        _open[epoch.identity] = producer


def claim(identity: str) -> TransactionalProducer | None:
    """The producer that holds an epoch's transaction open, if it is in this process; it is handed out once."""
    with _lock:
        return _open.pop(identity, None)


def drop_open(beginning: str) -> None:
    """Forget the transactions of this process whose ids begin like this: those of an attempt that is over."""
    with _lock:
        over = [key for key, producer in _open.items() if producer.transactional_id.startswith(beginning)]
        dropped = [_open.pop(key) for key in over]
    for producer in dropped:
        producer.close()


class EpochCommitter:
    """Commits epochs, each exactly once, however often it is asked."""

    def __init__(self, configuration: dict[str, str], prefix: str) -> None:
        self._configuration = configuration
        self._prefix = prefix
        self._markers: Markers | None = None

    def commit(self, epoch: Epoch) -> TransactionalProducer | None:
        """Commit, in the open transaction or in a new one; a producer that can be used again is returned."""
        producer = claim(epoch.identity)
        if producer is not None:
            try:
                producer.commit(epoch)
                return producer
            except OutsideError:
                # Timed out by the broker, fenced, or in doubt: the marker decides, once nothing is open any more.
                producer.close()
        self._commit_anew(epoch)
        return None

    def _commit_anew(self, epoch: Epoch) -> None:
        # Making the producer ends the transaction of before: it is committed or aborted then, and the marker final.
        producer = TransactionalProducer(self._configuration, epoch.transactional_id)
        try:
            if self._markers is None:
                self._markers = Markers(self._configuration, self._prefix)
            if is_committed(epoch.number, epoch.identity, self._markers.read(epoch.group)):
                return
            producer.begin()
            producer.producer.send(epoch.records())
            producer.producer.flush()
            producer.commit(epoch)
        finally:
            producer.close()
