"""JSON objects from a topic, three of ten kept, to another topic."""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.workloads.kafka_topics import (
    consumer_of,
    filled_topic,
    new_topic,
    read_all,
    sink_to,
    source_of,
)

CHEAP = 30


def plain(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    """Batches of the client, ``json``, and the client's producer."""
    source, target = filled_topic(bootstrap, records), new_topic(bootstrap)

    def work() -> dict[str, Any]:
        from confluent_kafka import Producer

        consumer = consumer_of(bootstrap, source)
        producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "queue.buffering.max.messages": 500_000,
            }
        )

        def take(batch: list[Any]) -> None:
            for message in batch:
                value = json.loads(message.value())
                if value["price"] < CHEAP:
                    producer.produce(target, json.dumps(value, separators=(",", ":")).encode())
            producer.poll(0)

        read_all(consumer, records, take)
        producer.flush()
        consumer.close()
        return {"records": records}

    return work


def at_least_once(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    return _job(bootstrap, records, "AT_LEAST_ONCE")


def exactly_once(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    return _job(bootstrap, records, "EXACTLY_ONCE")


def _job(bootstrap: str, records: int, guarantee: str) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.common import WatermarkStrategy
    from penstock.datastream.formats.json import JsonDeserializationSchema, JsonSerializationSchema

    source, target = filled_topic(bootstrap, records), new_topic(bootstrap)
    env = environment()
    env.enable_checkpointing(1_000)
    stream = env.from_source(
        source_of(bootstrap, source, JsonDeserializationSchema()),
        WatermarkStrategy.no_watermarks(),
        "kafka",
    )
    cheap = stream.filter(lambda value: value["price"] < CHEAP)
    cheap.sink_to(sink_to(bootstrap, target, JsonSerializationSchema(), guarantee))

    def work() -> dict[str, Any]:
        env.execute()
        return {"records": records}

    return work


def pyflink(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    return _pyflink_job(bootstrap, records, "AT_LEAST_ONCE")


def pyflink_exactly_once(bootstrap: str, records: int) -> Callable[[], dict[str, Any]]:
    return _pyflink_job(bootstrap, records, "EXACTLY_ONCE")


def _pyflink_job(bootstrap: str, records: int, guarantee: str) -> Callable[[], dict[str, Any]]:
    """The filter is in Python, and JSON is read and written in Java, as rows of a declared type."""
    from pyflink.common import Types
    from pyflink.datastream.formats.json import JsonRowDeserializationSchema, JsonRowSerializationSchema

    from benchmarks.workloads import pyflink_kafka
    from benchmarks.workloads.pyflink_job import run_job

    env = pyflink_kafka.environment()
    env.enable_checkpointing(1_000)
    source, target = filled_topic(bootstrap, records), new_topic(bootstrap)
    item = Types.ROW_NAMED(["id", "price", "name"], [Types.LONG(), Types.INT(), Types.STRING()])
    reads = JsonRowDeserializationSchema.builder().type_info(item).build()
    writes = JsonRowSerializationSchema.builder().with_type_info(item).build()
    stream = pyflink_kafka.stream_of(env, bootstrap, source, reads, records)
    stream.filter(lambda row: row[1] < CHEAP).sink_to(
        pyflink_kafka.sink_to(bootstrap, target, writes, guarantee)
    )
    return run_job(env)
