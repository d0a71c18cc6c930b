"""A producer of Kafka's client, with errors as exceptions and a full queue as waiting."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from penstock.clock import monotonic
from penstock.connectors.kafka.broker import confluent
from penstock.connectors.kafka.serialization import ProducerRecord
from penstock.errors import OutsideError

FLUSH_POLL_S: Final = 1.0
FULL_POLL_S: Final = 0.05
COMPLAIN_EVERY_S: Final = 30.0

_log = logging.getLogger(__name__)


class RecordProducer:
    """Writes messages. One thread at a time; what could not be delivered is raised by the next call."""

    def __init__(self, configuration: dict[str, str]) -> None:
        self._servers = configuration.get("bootstrap.servers", "")
        self._failed: tuple[str, str] | None = None
        self._complained_at = -COMPLAIN_EVERY_S
        # librdkafka gives a message up after message.timeout.ms, so that a dead broker is an error at last.
        self.client: Any = confluent().Producer(
            {
                **configuration,
                "delivery.report.only.error": True,
                "on_delivery": self._delivered,
                "error_cb": self._complain,
            },
            logger=_log,
        )

    def send(self, records: Iterable[ProducerRecord]) -> None:
        """Hand messages over to the client; waits while its queue is full."""
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
        self.client.poll(0)
        self.check()

    def _when_there_is_room(
        self, topic: str, value: bytes | None, key: bytes | None, options: dict[str, Any]
    ) -> None:
        while True:
            self.client.poll(FULL_POLL_S)
            self.check()
            try:
                self.client.produce(topic, value, key, **options)
                return
            except BufferError:
                continue

    def flush(self) -> None:
        """Wait until everything is delivered; raises what was not."""
        while self.client.flush(FLUSH_POLL_S):
            self.check()
        self.check()

    def check(self) -> None:
        """Raise what could not be delivered."""
        if self._failed is not None:
            topic, reason = self._failed
            raise OutsideError(
                f"a message for topic {topic!r} was not delivered to Kafka at {self._servers}: {reason}"
            )

    def partitions_of(self, topic: str) -> list[int]:
        """The partitions of a topic."""
        found = self.client.list_topics(topic, timeout=30).topics[topic]
        if found.error is not None or not found.partitions:
            raise OutsideError(f"topic {topic!r} is not there: {found.error}")
        return sorted(found.partitions)

    def close(self) -> None:
        """Let go; what was not flushed is dropped."""
        with suppress(
            confluent().KafkaException
        ):  # of a producer that was fenced: nothing can be done with it any more
            self.client.purge()
            self.client.flush(0)

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None and self._failed is None:
            self._failed = (message.topic(), error.str())

    def _complain(self, error: Any) -> None:
        """What the client says of brokers that do not answer; it keeps trying by itself."""
        now = monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            _log.warning("Kafka at %s: %s", self._servers, error.str())
