"""Writing to topics and reading them with the plain client, for tests to compare with."""

from collections.abc import Iterable
from itertools import count
from threading import Event
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from penstock.common import WatermarkStrategy
from penstock.common.serialization import SimpleStringSchema
from penstock.contracts.source import Source
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource, KafkaSourceBuilder
from tests.services.kafka_broker import KafkaCluster

PATIENCE_S = 120.0
"""A guard against waiting for ever, not a measure."""

_numbers = count()


def new_topic(kafka: KafkaCluster, partitions: int = 1, **configuration: str) -> str:
    """A topic of the test's own."""
    name = f"topic-{next(_numbers)}"
    kafka.create_topic(name, partitions, **configuration)
    return name


def write(kafka: KafkaCluster, topic: str, values: Iterable[Any], partition: int = 0, **options: Any) -> None:
    """Write texts or bytes to a partition."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "queue.buffering.max.messages": 1_000_000})
    failed: list[str] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(str(error))

    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=delivered, **options)
    assert producer.flush(PATIENCE_S) == 0
    assert not failed


def read(kafka: KafkaCluster, topic: str, isolation: str = "read_committed") -> list[Any]:
    """All messages of a topic, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": f"reader-{next(_numbers)}",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 5,  # else the broker says only after half a second that a partition is at its end
        }
    )
    partitions = sorted(consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions)
    found: list[Any] = []
    for partition in partitions:
        consumer.assign([TopicPartition(topic, partition, 0)])
        while True:
            message = consumer.poll(PATIENCE_S)
            assert message is not None, "the broker does not answer"
            if message.error() is not None:
                break
            found.append(message)
    consumer.close()
    return found


def committed_values(kafka: KafkaCluster, topic: str, at_least: int) -> list[str]:
    """The texts that readers of committed records see. Brokers show them a moment after the commit, so it looks again while
    there are fewer than ``at_least``."""
    for _ in range(int(PATIENCE_S / 0.05)):
        found = [message.value().decode() for message in read(kafka, topic)]
        if len(found) >= at_least:
            return found
        Event().wait(0.05)
    return found


def builder(kafka: KafkaCluster, *topics: str) -> KafkaSourceBuilder:
    """A source of texts, without its offsets."""
    begun = KafkaSource.builder().set_bootstrap_servers(kafka.bootstrap)
    if topics:
        begun.set_topics(*topics)
    return begun.set_value_only_deserializer(SimpleStringSchema())


def bounded(kafka: KafkaCluster, *topics: str) -> KafkaSource:
    """A source of the texts that are there now."""
    return builder(kafka, *topics).set_bounded(KafkaOffsetsInitializer.latest()).build()


def rows_of(source: Source, parallelism: int = 1) -> list[Any]:
    """What a job collects that has this source and nothing else."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    with env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").execute_and_collect() as rows:
        return list(rows)
