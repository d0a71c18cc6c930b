"""The consumers and producers that Flink had before ``KafkaSource`` and ``KafkaSink``: other words for the same things."""

import warnings
from collections.abc import Mapping
from enum import Enum
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.config.quantities import parse_duration
from penstock.connectors.kafka.offsets import KafkaOffsetResetStrategy, KafkaOffsetsInitializer
from penstock.connectors.kafka.partitions import KafkaTopicPartition
from penstock.connectors.kafka.preflight import INTERVAL
from penstock.connectors.kafka.properties import COMMIT_ON_CHECKPOINT, DISCOVERY_INTERVAL
from penstock.connectors.kafka.records import KafkaRecordDeserializationSchema
from penstock.connectors.kafka.serialization import (
    KafkaPartitioner,
    KafkaRecordSerializationSchema,
    KafkaSinkContext,
    ProducerRecord,
)
from penstock.connectors.kafka.sink import KafkaSink, KafkaSinkBuilder
from penstock.connectors.kafka.source import KafkaSource, KafkaSourceBuilder
from penstock.contracts.delivery import DeliveryGuarantee
from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.contracts.sink import Committer, Sink, SinkWriter, WriterInitContext
from penstock.contracts.source import (
    Boundedness,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError

_AUTO_COMMIT = "enable.auto.commit"
_OLD_DISCOVERY = "flink.partition-discovery.interval-millis"
_RESETS = {
    "earliest": KafkaOffsetResetStrategy.EARLIEST,
    "smallest": KafkaOffsetResetStrategy.EARLIEST,
    "latest": KafkaOffsetResetStrategy.LATEST,
    "largest": KafkaOffsetResetStrategy.LATEST,
    "none": KafkaOffsetResetStrategy.NONE,
}


def _warn(name: str, instead: str) -> None:
    warnings.warn(f"{name} is deprecated since Flink 1.16; use {instead}", DeprecationWarning, stacklevel=3)


class FlinkKafkaConsumerBase(Source):
    """What the consumers have in common. Without a call of ``set_start_from_...`` they start where their group stopped. In a
    job without checkpoints the client commits by itself what it has fetched, unless ``enable.auto.commit`` is false."""

    def __init__(
        self,
        topics: str | list[str],
        deserialization_schema: DeserializationSchema | KafkaRecordDeserializationSchema,
        properties: Mapping[str, Any],
    ) -> None:
        self._builder = KafkaSource.builder()
        if isinstance(deserialization_schema, KafkaRecordDeserializationSchema):
            self._builder.set_deserializer(deserialization_schema)
        else:
            self._builder.set_value_only_deserializer(deserialization_schema)
        self._builder.set_topics(*([topics] if isinstance(topics, str) else topics)).set_properties(
            properties
        )
        texts = {key: str(value) for key, value in properties.items()}
        if DISCOVERY_INTERVAL not in texts:
            self._builder.set_property(DISCOVERY_INTERVAL, texts.get(_OLD_DISCOVERY, "-1"))
        reset = texts.get("auto.offset.reset", "latest")
        if reset not in _RESETS:
            raise ProgramError(f"auto.offset.reset is one of {', '.join(_RESETS)}, not {reset!r}")
        self._reset = _RESETS[reset]
        if "group.id" in texts:
            self._builder.set_property(_AUTO_COMMIT, texts.get(_AUTO_COMMIT, "true"))
            self._builder.set_starting_offsets(KafkaOffsetsInitializer.committed_offsets(self._reset))
        else:
            self._builder.set_starting_offsets(KafkaOffsetsInitializer.offsets({}, self._reset))
        self._schema = deserialization_schema
        self._leaves_out_others = True
        self._built: KafkaSource | None = None

    def set_commit_offsets_on_checkpoints(self, commit_on_checkpoints: bool) -> "FlinkKafkaConsumerBase":
        """Whether completed checkpoints commit the offsets to Kafka; they do if nothing is said."""
        return self._with(self._builder.set_property(COMMIT_ON_CHECKPOINT, commit_on_checkpoints))

    def set_start_from_earliest(self) -> "FlinkKafkaConsumerBase":
        """Start at the first record."""
        return self._with(self._builder.set_starting_offsets(KafkaOffsetsInitializer.earliest()))

    def set_start_from_latest(self) -> "FlinkKafkaConsumerBase":
        """Start behind the last record."""
        return self._with(self._builder.set_starting_offsets(KafkaOffsetsInitializer.latest()))

    def set_start_from_timestamp(self, startup_offsets_timestamp: int) -> "FlinkKafkaConsumerBase":
        """Start at the first record of a time, in milliseconds since the epoch, or later.

        :raises ProgramError: for a time that is yet to come.
        """
        starting = KafkaOffsetsInitializer.timestamp(startup_offsets_timestamp)
        now_ms = SYSTEM_CLOCK.now_ms()
        if startup_offsets_timestamp > now_ms:
            raise ProgramError(
                f"set_start_from_timestamp takes a time that has been, and {startup_offsets_timestamp} is "
                f"{startup_offsets_timestamp - now_ms} ms from now; for what comes from now on use set_start_from_latest()"
            )
        return self._with(self._builder.set_starting_offsets(starting))

    def set_start_from_group_offsets(self) -> "FlinkKafkaConsumerBase":
        """Start where the consumer group has stopped, else by ``auto.offset.reset``."""
        starting = KafkaOffsetsInitializer.committed_offsets(self._reset)
        return self._with(self._builder.set_starting_offsets(starting))

    def set_start_from_specific_offsets(
        self, specific_startup_offsets: dict[KafkaTopicPartition, int]
    ) -> "FlinkKafkaConsumerBase":
        """Start at given offsets; partitions without one start where the group has stopped, else by ``auto.offset.reset``."""
        starting = KafkaOffsetsInitializer.offsets(specific_startup_offsets, self._reset)
        return self._with(self._builder.set_starting_offsets(starting))

    def disable_filter_restored_partitions_with_subscribed_topics(self) -> "FlinkKafkaConsumerBase":
        """Go on reading partitions of a restored state whose topics are not named any more, which are passed over else."""
        self._leaves_out_others = False
        return self._with(self._builder)

    def _with(self, builder: KafkaSourceBuilder) -> "FlinkKafkaConsumerBase":
        self._builder = builder
        self._built = None
        return self

    @property
    def _source(self) -> KafkaSource:
        if self._built is None:
            self._built = self._builder.build().changed(leaves_out_others=self._leaves_out_others)
        return self._built

    def __getstate__(self) -> dict[str, Any]:
        return {"_built": self._source, "_schema": self._schema}

    def get_produced_type(self) -> TypeInformation | None:
        """The type of the records, as the schema says it."""
        return self._schema.get_produced_type()

    def get_boundedness(self) -> Boundedness:
        return self._source.get_boundedness()

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return self._source.create_enumerator(context)

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return self._source.restore_enumerator(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        source = self._source
        if (
            parse_duration(context.configuration().get(INTERVAL, "0")) > 0
        ):  # then checkpoints commit, or nothing does
            source = source.changed(properties={**source.properties, _AUTO_COMMIT: "false"})
        return source.create_reader(context)


class FlinkKafkaConsumer(FlinkKafkaConsumerBase):
    """Reads topics of Kafka; for ``add_source``."""

    def __init__(
        self,
        topics: str | list[str],
        deserialization_schema: DeserializationSchema | KafkaRecordDeserializationSchema,
        properties: Mapping[str, Any],
    ) -> None:
        _warn(type(self).__name__, "KafkaSource")
        super().__init__(topics, deserialization_schema, properties)


class FlinkKafkaConsumer08(FlinkKafkaConsumer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaConsumer`."""


class FlinkKafkaConsumer09(FlinkKafkaConsumer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaConsumer`."""


class FlinkKafkaConsumer010(FlinkKafkaConsumer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaConsumer`."""


class FlinkKafkaConsumer011(FlinkKafkaConsumer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaConsumer`."""


class Semantic(Enum):
    """How often a record is there after a failure."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2


class FlinkFixedPartitioner(KafkaPartitioner):
    """All records of a writer go to one partition."""

    def __init__(self) -> None:
        self._index = 0

    def open(self, parallel_instance_id: int, parallel_instances: int) -> None:
        self._index = parallel_instance_id

    def partition(
        self, record: Any, key: bytes | None, value: bytes | None, target_topic: str, partitions: list[int]
    ) -> int:
        return partitions[self._index % len(partitions)]


class _WithoutTimes(KafkaRecordSerializationSchema):
    """Leaves the time of a message to the broker."""

    def __init__(self, schema: KafkaRecordSerializationSchema) -> None:
        self._schema = schema

    def open(self, context: KafkaSinkContext) -> None:
        self._schema.open(context)

    def serialize(
        self, element: Any, context: KafkaSinkContext, timestamp: int | None
    ) -> ProducerRecord | None:
        return self._schema.serialize(element, context, None)

    def serialize_batch(
        self, elements: list[Any], context: KafkaSinkContext, timestamps: list[int | None] | None
    ) -> list[ProducerRecord]:
        return self._schema.serialize_batch(elements, context, None)


class FlinkKafkaProducerBase(Sink):
    """What the producers have in common. With ``Semantic.EXACTLY_ONCE`` its transactions are named after the operator, so it
    should have a uid."""

    def __init__(
        self,
        topic: str,
        serialization_schema: SerializationSchema,
        producer_config: Mapping[str, Any],
        semantic: Semantic = Semantic.AT_LEAST_ONCE,
    ) -> None:
        if not isinstance(semantic, Semantic):
            raise ProgramError(f"semantic is a Semantic, not {semantic!r}")
        self._serializer = (
            KafkaRecordSerializationSchema.builder()
            .set_topic(topic)
            .set_value_serialization_schema(serialization_schema)
            .set_partitioner(FlinkFixedPartitioner())
            .build()
        )
        self._config = dict(producer_config)
        self._semantic = semantic
        self._writes_times = False
        self._only_logs_failures = False
        self._sink = self._build()

    def _build(self) -> KafkaSink:
        builder = KafkaSinkBuilder(needs_prefix=False, only_logs_failures=self._only_logs_failures)
        builder.set_kafka_producer_config(self._config)
        builder.set_record_serializer(
            self._serializer if self._writes_times else _WithoutTimes(self._serializer)
        )
        return builder.set_delivery_guarantee(DeliveryGuarantee[self._semantic.name]).build()

    def set_log_failures_only(self, log_failures_only: bool) -> "FlinkKafkaProducerBase":
        """Whether a record that is not delivered is logged and lost; otherwise it fails the job.

        :raises ProgramError: with ``Semantic.EXACTLY_ONCE``, where all records of a transaction are there or none.
        """
        if log_failures_only and self._semantic is Semantic.EXACTLY_ONCE:
            raise ProgramError("set_log_failures_only(True) does not go with Semantic.EXACTLY_ONCE")
        self._only_logs_failures = log_failures_only
        self._sink = self._build()
        return self

    def set_flush_on_checkpoint(self, flush_on_checkpoint: bool) -> "FlinkKafkaProducerBase":
        """Whether a checkpoint waits until all records are delivered; ``False`` is ``Semantic.NONE``.

        :raises ProgramError: for ``False`` with ``Semantic.EXACTLY_ONCE``.
        """
        if not flush_on_checkpoint and self._semantic is Semantic.EXACTLY_ONCE:
            raise ProgramError("set_flush_on_checkpoint(False) does not go with Semantic.EXACTLY_ONCE")
        if self._semantic is not Semantic.EXACTLY_ONCE:
            self._semantic = Semantic.AT_LEAST_ONCE if flush_on_checkpoint else Semantic.NONE
            self._sink = self._build()
        return self

    def set_write_timestamp_to_kafka(self, write_timestamp_to_kafka: bool) -> "FlinkKafkaProducerBase":
        """Whether the event time of a record, where it has one, is the time of its message; it is not if nothing is said."""
        self._writes_times = write_timestamp_to_kafka
        self._sink = self._build()
        return self

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return self._sink.create_writer(context)

    def restore_writer(self, context: WriterInitContext, states: list[Any]) -> SinkWriter:
        return self._sink.restore_writer(context, states)

    def check_job(self, settings: dict[str, str], is_bounded: bool) -> None:
        self._sink.check_job(settings, is_bounded)

    def create_committer_for(self, context: WriterInitContext) -> Committer | None:
        return self._sink.create_committer_for(context)


class FlinkKafkaProducer(FlinkKafkaProducerBase):
    """Writes to a topic of Kafka, each writer to one partition; for ``add_sink``."""

    def __init__(
        self,
        topic: str,
        serialization_schema: SerializationSchema,
        producer_config: Mapping[str, Any],
        kafka_producer_pool_size: int = 5,
        semantic: Semantic = Semantic.AT_LEAST_ONCE,
    ) -> None:
        _warn(type(self).__name__, "KafkaSink")
        super().__init__(topic, serialization_schema, producer_config, semantic)

    def ignore_failures_after_transaction_timeout(self) -> "FlinkKafkaProducer":
        """Changes nothing: what a broker has timed out is written again, so there is nothing to ignore."""
        return self


class FlinkKafkaProducer08(FlinkKafkaProducer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaProducer`."""


class FlinkKafkaProducer09(FlinkKafkaProducer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaProducer`."""


class FlinkKafkaProducer010(FlinkKafkaProducer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaProducer`."""


class FlinkKafkaProducer011(FlinkKafkaProducer):
    """Named for a version of Kafka; the same as :class:`FlinkKafkaProducer`."""
