"""From topic to topic, at least once: a message every millisecond, from when it was due to when a consumer has it."""

import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.workloads.kafka_topics import consumer_of, new_topic, read_all, sink_to

PER_SECOND = 1_000
END = "end"


def penstock(bootstrap: str, seconds: int) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.common import WatermarkStrategy
    from penstock.common.serialization import SimpleStringSchema
    from penstock.datastream.connectors.kafka import KafkaSource

    class UpToEnd(SimpleStringSchema):
        def is_end_of_stream(self, next_element: Any) -> bool:
            return bool(next_element == END)

    count = seconds * PER_SECOND
    source_topic, target = new_topic(bootstrap), new_topic(bootstrap)
    env = environment()
    env.enable_checkpointing(1_000)
    source = KafkaSource.builder().set_bootstrap_servers(bootstrap).set_topics(source_topic)
    source.set_value_only_deserializer(UpToEnd())
    stream = env.from_source(source.build(), WatermarkStrategy.no_watermarks(), "kafka").map(str.strip)
    stream.sink_to(sink_to(bootstrap, target, SimpleStringSchema(), "AT_LEAST_ONCE"))
    late_ms: list[float] = []

    def listen() -> None:
        def take(batch: list[Any]) -> None:
            now = time.time()
            late_ms.extend((now - float(message.value())) * 1_000 for message in batch)

        consumer = consumer_of(bootstrap, target, {"fetch.wait.max.ms": 100})
        read_all(consumer, count, take, wait_s=0.001)
        consumer.close()

    def work() -> dict[str, Any]:
        threads = [
            threading.Thread(target=listen),
            threading.Thread(target=_produce, args=(bootstrap, source_topic, count)),
        ]
        for thread in threads:
            thread.start()
        env.execute()
        for thread in threads:
            thread.join()
        settled = sorted(late_ms[2 * PER_SECOND :])  # without the start of the job and of its clients
        return {
            "records": count,
            "p50_ms": settled[len(settled) // 2],
            "p99_ms": settled[len(settled) * 99 // 100],
            "max_ms": settled[-1],
        }

    return work


def _produce(bootstrap: str, topic: str, count: int) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    started = time.time()
    for number in range(count):
        due = started + number / PER_SECOND
        while (left := due - time.time()) > 0:
            time.sleep(left)
        producer.produce(topic, f"{due:.6f}")
        producer.poll(0)
    producer.produce(topic, END)
    producer.flush()
