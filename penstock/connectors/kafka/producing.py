"""A producer of Kafka's client, with errors as exceptions and a full queue as waiting."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from penstock.clock import monotonic
from penstock.connectors.kafka.broker import confluent
from penstock.connectors.kafka.client_log import CLIENT_LOG
from penstock.connectors.kafka.serialization import ProducerRecord
from penstock.errors import OutsideError

FLUSH_POLL_S: Final = 1.0
FULL_POLL_S: Final = 0.05
COMPLAIN_EVERY_S: Final = 30.0
ASKED_ONE_BY_ONE: Final = 8
"""Topics; where there are more, all that the broker has are asked for at once."""

_log = logging.getLogger(__name__)


class ProducerLost(OutsideError):
    """The broker takes nothing more from this producer: its transaction was ended, or its id is another's now."""


class RecordProducer:
    """Writes messages. One thread at a time; what could not be delivered is raised by the next call, or logged alone."""

    def __init__(self, configuration: dict[str, str], only_logs_failures: bool = False) -> None:
        self._only_logs_failures = only_logs_failures
        self._servers = configuration.get("bootstrap.servers", "")
        self._failed: tuple[str, Any] | None = None
        self._complained_at = -COMPLAIN_EVERY_S
        # librdkafka gives a message up after message.timeout.ms, so that a dead broker is an error at last.
        self.client: Any = confluent().Producer(
            {
                **configuration,
                "delivery.report.only.error": True,
                "on_delivery": self._delivered,
                "error_cb": self._complain,
            },
            logger=CLIENT_LOG,
        )

    def send(self, records: Iterable[ProducerRecord]) -> None:
        """Hand messages over to the client; waits while its queue is full.

        :raises ProducerLost: when the broker takes nothing more from it.
        :raises OutsideError: for what was not delivered.
        """
        produce = self.client.produce
        for topic, value, key, partition, timestamp, headers in records:
            options: dict[str, Any] = {}
            if partition is not None:
                options["partition"] = partition
            if timestamp is not None:
                options["timestamp"] = timestamp
            if headers:
                options["headers"] = list(headers)
            try:
                produce(topic, value, key, **options)
            except BufferError:
                self._when_there_is_room(topic, value, key, options)
            except confluent().KafkaException as error:
                raise self._refused(topic, value, key, error.args[0]) from error
        self._poll(0)
        self.check()

    def _when_there_is_room(
        self, topic: str, value: bytes | None, key: bytes | None, options: dict[str, Any]
    ) -> None:
        while True:
            self._poll(FULL_POLL_S)
            self.check()
            try:
                self.client.produce(topic, value, key, **options)
                return
            except BufferError:
                continue
            except confluent().KafkaException as error:
                raise self._refused(topic, value, key, error.args[0]) from error

    def flush(self, advance: Callable[[int], None] | None = None) -> None:
        """Wait until everything is delivered; raises what was not. ``advance`` is told how much has gone meanwhile."""
        waiting = len(self.client)
        while left := self._polled(self.client.flush, FLUSH_POLL_S):
            self.check()
            if advance is not None and left < waiting:
                advance(waiting - left)
            waiting = left
        self.check()

    def check(self) -> None:
        """Raise what could not be delivered."""
        if self._failed is not None:
            topic, error = self._failed
            raise self._not_delivered(topic, self._reason_of(error))

    def partitions_of(self, topic: str) -> list[int]:
        """The partitions of a topic."""
        try:
            found = self.client.list_topics(topic, timeout=30).topics[topic]
        except confluent().KafkaException as error:
            raise OutsideError(
                f"Kafka at {self._servers} did not tell the partitions of topic {topic!r}: {error.args[0].str()}"
            ) from error
        if found.error is not None or not found.partitions:
            reason = "there are no partitions" if found.error is None else found.error.str()
            raise OutsideError(f"Kafka at {self._servers} has no topic {topic!r}: {reason}; create it first")
        return sorted(found.partitions)

    def missing_of(self, topics: Sequence[str]) -> list[str]:
        """Which of these topics are not there.

        :raises OutsideError: where the broker does not tell.
        """
        unknown = confluent().KafkaError.UNKNOWN_TOPIC_OR_PART
        asked: Sequence[str | None] = topics if len(topics) <= ASKED_ONE_BY_ONE else [None]
        found: dict[str, Any] = {}
        try:
            for topic in asked:
                found |= self.client.list_topics(topic, timeout=30).topics
        except confluent().KafkaException as error:
            raise OutsideError(
                f"Kafka at {self._servers} did not tell which topics there are: {error.args[0].str()}"
            ) from error
        gone = {
            name for name, each in found.items() if each.error is not None and each.error.code() == unknown
        }
        return [topic for topic in topics if topic not in found or topic in gone]

    def close(self) -> None:
        """Let go; what was not flushed is dropped."""
        # Of a producer that was fenced: nothing can be done with it any more.
        with suppress(confluent().KafkaException, SystemError):
            self.client.purge()
            self.client.flush(0)

    def _poll(self, seconds: float) -> None:
        self._polled(self.client.poll, seconds)

    def _polled(self, call: Callable[[float], int], seconds: float) -> int:
        """Call something that has the client report. After a fatal error it raises, but calls ``_delivered`` nevertheless,
        which Python takes for an error of the client's: then the error itself may be lost."""
        try:
            return call(seconds)
        except confluent().KafkaException as error:
            raise self._not_delivered(None, error.args[0]) from error
        except SystemError as error:
            raise ProducerLost(
                f"messages were not delivered to Kafka at {self._servers}: the client has ended its work"
            ) from error

    def _refused(self, topic: str, value: bytes | None, key: bytes | None, error: Any) -> OutsideError:
        """What the client says of a message before it sends anything."""
        if error.code() != confluent().KafkaError.MSG_SIZE_TOO_LARGE:
            return self._not_delivered(topic, error)
        size = len(value or b"") + len(key or b"")
        failure = OutsideError(
            f"a message of {size} bytes for topic {topic!r} is larger than the producer's message.max.bytes allows; make it "
            "smaller, or set_property('message.max.bytes', ...) here and max.message.bytes of the topic to more"
        )
        failure.retryable = False
        return failure

    def _not_delivered(self, topic: str | None, error: Any) -> OutsideError:
        kind = ProducerLost if error.fatal() or error.code() in _lost() else OutsideError
        what = "messages were" if topic is None else f"a message for topic {topic!r} was"
        failure = kind(f"{what} not delivered to Kafka at {self._servers}: {error.str()}")
        if error.code() in _unknown():
            failure.message += "; create the topic, or the partition, first"
        if error.code() == confluent().KafkaError.MSG_SIZE_TOO_LARGE:
            failure.message += "; make messages smaller, or set max.message.bytes of the topic to more"
            failure.retryable = False
        return failure

    def _reason_of(self, error: Any) -> Any:
        """Why a transaction has failed, where a message was only thrown away because it has."""
        kind = confluent().KafkaError
        if error.code() in (kind._PURGE_QUEUE, kind._PURGE_INFLIGHT):
            try:
                self.client.begin_transaction()  # which cannot be, and the client says why
            except confluent().KafkaException as failure:
                if failure.args[0].txn_requires_abort() or failure.args[0].fatal():
                    return failure.args[0]
        return error

    def _delivered(self, error: Any, message: Any) -> None:
        if error is None:
            return
        if self._only_logs_failures:
            _log.error("%s", self._not_delivered(message.topic(), error))
        elif self._failed is None:
            self._failed = (message.topic(), error)

    def _complain(self, error: Any) -> None:
        """What the client says of brokers that do not answer; it keeps trying by itself."""
        now = monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            _log.warning("Kafka at %s: %s", self._servers, error.str())


def _lost() -> tuple[int, ...]:
    """What is said to a producer of transactions that comes too late."""
    kind = confluent().KafkaError
    return (
        kind._FATAL,
        kind._FENCED,
        kind.PRODUCER_FENCED,
        kind.INVALID_PRODUCER_EPOCH,
        kind.INVALID_PRODUCER_ID_MAPPING,
        kind.INVALID_TXN_STATE,
    )


def _unknown() -> tuple[int, ...]:
    """What is said of a topic or a partition that is not there; some of it by the client itself."""
    kind = confluent().KafkaError
    return (kind.UNKNOWN_TOPIC_OR_PART, kind._UNKNOWN_TOPIC, kind._UNKNOWN_PARTITION)
