"""Writes to a queue of RabbitMQ. Source: Flink's documentation, "RabbitMQ Connector", "RabbitMQ Sink"."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from penstock.connectors.rabbitmq.connection import (
    PERSISTENT,
    RMQConnectionConfig,
    check_queue,
    connect,
    pika,
)
from penstock.contracts.effects import Effect, effect_of_parts
from penstock.contracts.serialization import SerializationSchema
from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext
from penstock.errors import OutsideError, ProgramError


class RMQSink(Sink):
    """Writes each record as a message to a queue, at least once: a batch is published in a transaction, so that the server
    has it on disk before a checkpoint is complete. A message that the server has no queue for fails the job.

    ``correlation_id`` gives a message its correlation id, by which an ``RMQSource`` knows one that comes twice.

    >>> from penstock.common.serialization import SimpleStringSchema
    >>> config = RMQConnectionConfig.Builder().set_uri("amqp://guest:guest@localhost:5672/%2F").build()
    >>> sink = RMQSink(config, "orders", SimpleStringSchema())
    """

    def __init__(
        self,
        connection_config: RMQConnectionConfig,
        queue_name: str,
        serialization_schema: SerializationSchema,
        correlation_id: Callable[[Any], str] | None = None,
    ) -> None:
        check_queue(connection_config, queue_name)
        if not isinstance(serialization_schema, SerializationSchema):
            raise ProgramError(
                f"RMQSink takes a SerializationSchema, such as SimpleStringSchema(), not {serialization_schema!r}"
            )
        self._connection = connection_config
        self._queue = queue_name
        self._schema = serialization_schema
        self._correlation_id = correlation_id

    @property
    def effect(self) -> Effect:  # type: ignore[override]
        """Nothing, unless the user wrote a part of it."""
        return effect_of_parts(self._schema)

    def setup_queue(self, channel: Any) -> None:
        """Declare the queue: durable, not exclusive, not deleted by itself. Override it where the queue is another."""
        channel.queue_declare(self._queue, durable=True)

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _QueueWriter(
            self._connection, self._queue, self._schema, self._correlation_id, self.setup_queue
        )

    def display_name(self) -> str:
        return "RabbitMQ Sink"


class _QueueWriter(SinkWriter):
    def __init__(
        self,
        config: RMQConnectionConfig,
        queue: str,
        schema: SerializationSchema,
        correlation_id: Callable[[Any], str] | None,
        setup_queue: Callable[[Any], None],
    ) -> None:
        self._place = config.place
        self._queue = queue
        self._schema = schema
        self._correlation_id = correlation_id
        self._connection = connect(config)
        schema.open()
        self._channel = self._connection.channel()
        self._returned: list[str] = []
        self._channel.add_on_return_callback(
            lambda channel, method, properties, body: self._returned.append(method.reply_text)
        )
        self._in_transaction(lambda: setup_queue(self._channel))
        self._channel.tx_select()

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._publish([element])

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        self._publish(values)

    def _publish(self, values: list[Any]) -> None:
        bodies = self._schema.serialize_batch(values)
        properties_of, identify = pika().BasicProperties, self._correlation_id
        plain = properties_of(delivery_mode=PERSISTENT)
        messages = [
            (
                body,
                plain
                if identify is None
                else properties_of(delivery_mode=PERSISTENT, correlation_id=identify(value)),
            )
            for value, body in zip(values, bodies, strict=True)
        ]

        def publish() -> None:
            for body, properties in messages:
                if body is None:
                    raise ProgramError(f"{type(self._schema).__name__} gave None for a message of RabbitMQ")
                self._channel.basic_publish("", self._queue, body, properties, mandatory=True)
            self._channel.tx_commit()
            self._connection.process_data_events(0)  # what came back came before the answer to the commit

        self._in_transaction(publish)
        if self._returned:
            raise OutsideError(
                f"messages came back from RabbitMQ at {self._place}, {len(self._returned)} with {self._returned[0]}: "
                f"there is no queue {self._queue!r} any more"
            )

    def _in_transaction(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (pika().exceptions.AMQPError, OSError) as error:
            raise OutsideError(
                f"messages were not written to RabbitMQ at {self._place}, queue {self._queue!r}: {type(error).__name__}: "
                f"{error!s:.300}"
            ) from error

    def close(self) -> None:
        with suppress(pika().exceptions.AMQPError, OSError):
            self._connection.close()
