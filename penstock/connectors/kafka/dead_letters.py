"""A topic for messages that could not be read."""

from typing import Any, Final

from penstock.connectors.kafka.producing import RecordProducer
from penstock.connectors.kafka.properties import PRODUCING, check_property, client_configuration
from penstock.connectors.kafka.records import BadMessage
from penstock.connectors.kafka.serialization import ProducerRecord
from penstock.errors import ProgramError

CLOSE_S: Final = 1.0


class KafkaDeadLetterTopic:
    """A policy for bad messages: each goes to a topic as it came, with the reason and its place in headers.

    The headers ``penstock.error``, ``penstock.topic``, ``penstock.partition`` and ``penstock.offset`` are added. What
    was sent is flushed before each checkpoint and at the end of the input; after a failure some may be there twice.

    >>> policy = KafkaDeadLetterTopic("orders-unreadable", {"bootstrap.servers": "localhost:9092"})
    """

    def __init__(self, topic: str, properties: dict[str, Any]) -> None:
        if not isinstance(topic, str) or not topic:
            raise ProgramError(f"a topic's name is a text, not {topic!r}")
        texts = dict(check_property(key, value) for key, value in properties.items())
        if not texts.get("bootstrap.servers"):
            raise ProgramError("a dead letter topic needs the property bootstrap.servers")
        self._topic = topic
        self._configuration = {**PRODUCING, "enable.idempotence": "true", **client_configuration(texts)}
        self._producer: RecordProducer | None = None

    def __call__(self, bad: BadMessage) -> None:
        if self._producer is None:
            self._producer = RecordProducer(self._configuration)
        record = bad.record
        notes = {
            "error": bad.reason,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
        }
        headers = tuple((f"penstock.{name}", str(value).encode()) for name, value in notes.items())
        self._producer.send(
            [
                ProducerRecord(
                    self._topic, record.value, record.key, None, record.timestamp, record.headers + headers
                )
            ]
        )

    def flush(self) -> None:
        """Wait until everything is there."""
        if self._producer is not None:
            self._producer.flush()

    def close(self) -> None:
        """Leave. What was not flushed is sent if that is quickly done: a job that goes on reads those messages again."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                producer.client.flush(CLOSE_S)
            finally:
                producer.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_producer": None}
