"""Topics of Kafka in jobs of PyFlink; its interpreter needs confluent-kafka, too, with which topics are made and filled."""

from typing import Any

CONNECTOR = "flink-sql-connector-kafka"
VERSION = "5.0.0-2.2"
LONGEST_TRANSACTION_MS = 900_000
"""Brokers allow no longer one, and Flink's own default is longer."""


def environment() -> Any:
    """An environment with the connector; to be made before all other objects of PyFlink.

    :raises NoJars: where Maven cannot fetch the connector.
    """
    from benchmarks.workloads import pyflink_job
    from tests.services.maven_jars import jars_of

    jars = jars_of(f"{CONNECTOR}-{VERSION}", f"org.apache.flink:{CONNECTOR}:{VERSION}")
    env = pyflink_job.environment()
    env.add_jars((jars / f"{CONNECTOR}-{VERSION}.jar").as_uri())
    return env


def stream_of(env: Any, bootstrap: str, topic: str, schema: Any, records: int) -> Any:
    """So many records of the topic."""
    from pyflink.common import WatermarkStrategy
    from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource, KafkaTopicPartition

    end = KafkaOffsetsInitializer.offsets({KafkaTopicPartition(topic, 0): records})
    builder = KafkaSource.builder().set_bootstrap_servers(bootstrap).set_topics(topic)
    builder.set_bounded(end).set_value_only_deserializer(schema)
    return env.from_source(builder.build(), WatermarkStrategy.no_watermarks(), "kafka")


def sink_to(bootstrap: str, topic: str, schema: Any, guarantee: str) -> Any:
    """A sink with a delivery guarantee."""
    from pyflink.datastream.connectors.base import DeliveryGuarantee
    from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink

    serializer = (
        KafkaRecordSerializationSchema.builder().set_topic(topic).set_value_serialization_schema(schema)
    )
    builder = KafkaSink.builder().set_bootstrap_servers(bootstrap).set_record_serializer(serializer.build())
    builder.set_delivery_guarantee(DeliveryGuarantee[guarantee])
    if guarantee == "EXACTLY_ONCE":
        builder.set_transactional_id_prefix(topic)
        builder.set_property("transaction.timeout.ms", str(LONGEST_TRANSACTION_MS))
    return builder.build()
