"""Apache Kafka; the names of ``pyflink.datastream.connectors.kafka``."""

from penstock.connectors.kafka.dead_letters import KafkaDeadLetterTopic
from penstock.connectors.kafka.json_key_value import JSONKeyValueDeserializationSchema
from penstock.connectors.kafka.legacy import (
    FlinkFixedPartitioner,
    FlinkKafkaConsumer,
    FlinkKafkaConsumer010,
    FlinkKafkaConsumer011,
    FlinkKafkaConsumer08,
    FlinkKafkaConsumer09,
    FlinkKafkaConsumerBase,
    FlinkKafkaProducer,
    FlinkKafkaProducer010,
    FlinkKafkaProducer011,
    FlinkKafkaProducer08,
    FlinkKafkaProducer09,
    FlinkKafkaProducerBase,
    Semantic,
)
from penstock.connectors.kafka.offsets import KafkaOffsetResetStrategy, KafkaOffsetsInitializer
from penstock.connectors.kafka.partitions import KafkaTopicPartition
from penstock.connectors.kafka.records import BadMessage, ConsumerRecord, KafkaRecordDeserializationSchema
from penstock.connectors.kafka.serialization import (
    HeaderProvider,
    KafkaPartitioner,
    KafkaRecordSerializationSchema,
    KafkaRecordSerializationSchemaBuilder,
    KafkaSinkContext,
    KafkaTopicSelector,
    ProducerRecord,
)
from penstock.connectors.kafka.sink import KafkaSink, KafkaSinkBuilder
from penstock.connectors.kafka.source import KafkaSource, KafkaSourceBuilder
from penstock.datastream.formats.json import JSONDeserializationSchema

__all__ = [
    "BadMessage",
    "ConsumerRecord",
    "FlinkFixedPartitioner",
    "FlinkKafkaConsumer",
    "FlinkKafkaConsumer010",
    "FlinkKafkaConsumer011",
    "FlinkKafkaConsumer08",
    "FlinkKafkaConsumer09",
    "FlinkKafkaConsumerBase",
    "FlinkKafkaProducer",
    "FlinkKafkaProducer010",
    "FlinkKafkaProducer011",
    "FlinkKafkaProducer08",
    "FlinkKafkaProducer09",
    "FlinkKafkaProducerBase",
    "HeaderProvider",
    "JSONDeserializationSchema",
    "JSONKeyValueDeserializationSchema",
    "KafkaDeadLetterTopic",
    "KafkaOffsetResetStrategy",
    "KafkaOffsetsInitializer",
    "KafkaPartitioner",
    "KafkaRecordDeserializationSchema",
    "KafkaRecordSerializationSchema",
    "KafkaRecordSerializationSchemaBuilder",
    "KafkaSink",
    "KafkaSinkBuilder",
    "KafkaSinkContext",
    "KafkaSource",
    "KafkaSourceBuilder",
    "KafkaTopicPartition",
    "KafkaTopicSelector",
    "ProducerRecord",
    "Semantic",
]
