"""Writes to Kafka without transactions: nothing is lost once a checkpoint has flushed it, and after a failure some records
may be there twice."""

from typing import Any

from penstock.connectors.kafka.producing import RecordProducer
from penstock.connectors.kafka.serialization import (
    KafkaRecordSerializationSchema,
    KafkaSinkContext,
    ProducerRecord,
)
from penstock.contracts.sink import SinkWriter, SinkWriterContext, WriterInitContext


class KafkaWriter(SinkWriter):
    """``flushes`` is false where nothing is promised: then a checkpoint does not wait for the broker."""

    def __init__(
        self,
        context: WriterInitContext,
        producer: RecordProducer,
        schema: KafkaRecordSerializationSchema,
        flushes: bool,
    ) -> None:
        self._producer = producer
        self._schema = schema
        self._flushes = flushes
        self._for_schema = SchemaContext(context, producer)
        schema.open(self._for_schema)

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._producer.send(self._schema.serialize_batch([element], self._for_schema, [context.timestamp()]))

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        self._producer.send(messages_of(self._schema, values, timestamps, self._for_schema))

    def flush(self, end_of_input: bool) -> None:
        if self._flushes or end_of_input:
            self._producer.flush()

    def close(self) -> None:
        self._producer.close()


def messages_of(
    schema: KafkaRecordSerializationSchema,
    values: list[Any],
    timestamps: list[int] | None,
    context: KafkaSinkContext,
) -> list[ProducerRecord]:
    """The messages of a batch; a record without a time, or with one before 1970, gets none."""
    times = None if timestamps is None else [None if time < 0 else time for time in timestamps]
    return schema.serialize_batch(values, context, times)


class SchemaContext(KafkaSinkContext):
    """What a schema may ask, answered by the writer's producer."""

    def __init__(self, context: WriterInitContext, producer: RecordProducer) -> None:
        self._index = context.index_of_subtask()
        self._count = context.number_of_parallel_subtasks()
        self._producer = producer
        self._partitions: dict[str, list[int]] = {}

    def get_parallel_instance_id(self) -> int:
        return self._index

    def get_number_of_parallel_instances(self) -> int:
        return self._count

    def get_partitions_for_topic(self, topic: str) -> list[int]:
        if topic not in self._partitions:
            self._partitions[topic] = self._producer.partitions_of(topic)
        return self._partitions[topic]
