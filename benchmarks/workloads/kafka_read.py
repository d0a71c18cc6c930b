"""A topic of Kafka, as texts."""

from collections.abc import Callable
from typing import Any

from benchmarks.workloads.kafka_topics import consumer_of, filled_topic, read_all, source_of


def plain(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    """Batches of the client, decoded."""
    topic = filled_topic(bootstrap, records)

    def work() -> dict[str, Any]:
        consumer = consumer_of(bootstrap, topic)
        read_all(consumer, records, lambda batch: [message.value().decode() for message in batch])
        consumer.close()
        return {"records": records}

    return work


def penstock(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.common import WatermarkStrategy
    from penstock.common.serialization import SimpleStringSchema
    from penstock.connectors.discard.sink import DiscardingSink

    topic = filled_topic(bootstrap, records)
    env = environment()
    source = source_of(bootstrap, topic, SimpleStringSchema())
    env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        env.execute()
        return {"records": records}

    return work


def pyflink(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    """Nothing of it is Python."""
    from pyflink.common.serialization import SimpleStringSchema

    from benchmarks.workloads.pyflink_job import run
    from benchmarks.workloads.pyflink_kafka import environment, stream_of

    env, topic = environment(), filled_topic(bootstrap, records)
    return run(stream_of(env, bootstrap, topic, SimpleStringSchema(), records))
