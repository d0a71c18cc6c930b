"""From topic to topic, at least once: a message every millisecond, from when it was due to when a consumer has it."""

import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.workloads.kafka_topics import consumer_of, new_topic, read_all, sink_to

PER_SECOND = 1_000
UNSETTLED_S = 2
"""Without the start of clients, and what is compiled with the first records."""
BEGIN, END = "begin", "end"


def penstock(bootstrap: str, seconds: int) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.common import WatermarkStrategy
    from penstock.common.serialization import SimpleStringSchema
    from penstock.datastream.connectors.kafka import KafkaSource

    class UpToEnd(SimpleStringSchema):
        def is_end_of_stream(self, next_element: Any) -> bool:
            return bool(next_element == END)

    source_topic, target = new_topic(bootstrap), new_topic(bootstrap)
    env = environment()
    env.enable_checkpointing(1_000)
    source = KafkaSource.builder().set_bootstrap_servers(bootstrap).set_topics(source_topic)
    source.set_value_only_deserializer(UpToEnd())
    stream = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "kafka").map(str.strip)
    stream.sink_to(sink_to(bootstrap, target, SimpleStringSchema(), "AT_LEAST_ONCE"))
    return lambda: _measured(bootstrap, source_topic, target, seconds, env.execute)


def pyflink(bootstrap: str, seconds: int) -> Callable[[], dict[str, Any]]:
    from pyflink.common import Types
    from pyflink.common.serialization import SimpleStringSchema

    from benchmarks.workloads import pyflink_kafka

    env = pyflink_kafka.environment()
    env.enable_checkpointing(1_000)
    source_topic, target = new_topic(bootstrap), new_topic(bootstrap)
    in_topic = seconds * PER_SECOND + 2
    stream = pyflink_kafka.stream_of(env, bootstrap, source_topic, SimpleStringSchema(), in_topic)
    stream = stream.map(lambda text: text.strip(), Types.STRING())
    stream.sink_to(pyflink_kafka.sink_to(bootstrap, target, SimpleStringSchema(), "AT_LEAST_ONCE"))
    return lambda: _measured(bootstrap, source_topic, target, seconds, env.execute)


def _measured(
    bootstrap: str, source: str, target: str, seconds: int, execute: Callable[[], Any]
) -> dict[str, Any]:
    """``execute`` runs a job that hands on what is in the topic, up to :data:`END`. Messages are written when it has handed
    on the first, which is not measured."""
    count = seconds * PER_SECOND
    late_ms: list[float] = []
    is_running = threading.Event()

    def take(batch: list[Any]) -> None:
        now = time.time()
        late_ms.extend((now - float(message.value())) * 1_000 for message in batch)

    def listen() -> None:
        consumer = consumer_of(bootstrap, target, {"fetch.wait.max.ms": 100})
        read_all(consumer, 1, lambda _: is_running.set(), wait_s=0.001)
        read_all(consumer, count, take, wait_s=0.001)
        consumer.close()

    def write() -> None:
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        producer.produce(source, BEGIN)
        producer.flush()
        is_running.wait()
        _produce(producer, source, count)

    threads = [threading.Thread(target=each, daemon=True) for each in (listen, write)]
    for thread in threads:
        thread.start()
    execute()
    for thread in threads:
        thread.join()
    settled = sorted(late_ms[UNSETTLED_S * PER_SECOND :])
    return {
        "records": count,
        "p50_ms": settled[len(settled) // 2],
        "p99_ms": settled[len(settled) * 99 // 100],
        "max_ms": settled[-1],
    }


def _produce(producer: Any, topic: str, count: int) -> None:
    started = time.time()
    for number in range(count):
        due = started + number / PER_SECOND
        while (left := due - time.time()) > 0:
            time.sleep(left)
        producer.produce(topic, f"{due:.6f}")
        producer.poll(0)
    producer.produce(topic, END)
    producer.flush()
