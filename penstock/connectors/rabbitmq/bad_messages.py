"""What becomes of messages of RabbitMQ that a schema cannot read."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from penstock.connectors.rabbitmq.connection import (
    PERSISTENT,
    RMQConnectionConfig,
    check_queue,
    connect,
    pika,
)
from penstock.errors import OutsideError


@dataclass(frozen=True, slots=True)
class RMQBadMessage:
    """A message that a schema could not read, and why."""

    queue: str
    body: bytes
    correlation_id: str | None
    reason: str


OnBadMessage = str | Callable[[RMQBadMessage], Any]


class RMQDeadLetterQueue:
    """A policy for bad messages: each goes to a queue as it came, with the reason and its queue in the headers
    ``penstock.error`` and ``penstock.queue``. It is on disk there before it is acknowledged; after a failure some may be
    there twice.

    >>> config = RMQConnectionConfig.Builder().set_uri("amqp://guest:guest@localhost:5672/%2F").build()
    >>> policy = RMQDeadLetterQueue(config, "orders-unreadable")
    """

    def __init__(self, connection_config: RMQConnectionConfig, queue_name: str) -> None:
        check_queue(connection_config, queue_name)
        self._config = connection_config
        self._queue = queue_name
        self._connection: Any = None
        self._channel: Any = None

    def setup_queue(self, channel: Any) -> None:
        """Declare the queue: durable, not exclusive, not deleted by itself. Override it where the queue is another."""
        channel.queue_declare(self._queue, durable=True)

    def __call__(self, bad: RMQBadMessage) -> None:
        client = pika()
        try:
            if self._channel is None:
                self._connection = connect(self._config)
                self._channel = self._connection.channel()
                self.setup_queue(self._channel)
                self._channel.confirm_delivery()
            properties = client.BasicProperties(
                delivery_mode=PERSISTENT,
                correlation_id=bad.correlation_id,
                headers={"penstock.error": bad.reason, "penstock.queue": bad.queue},
            )
            self._channel.basic_publish("", self._queue, bad.body, properties, mandatory=True)
        except client.exceptions.AMQPError as error:
            raise OutsideError(
                f"a bad message was not written to RabbitMQ at {self._config.place}, queue {self._queue!r}: "
                f"{type(error).__name__}: {error!s:.300}"
            ) from error

    def close(self) -> None:
        """Leave."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(pika().exceptions.AMQPError, OSError):
                connection.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_connection": None, "_channel": None}
