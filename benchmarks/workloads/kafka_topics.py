"""Topics with records in them, and plain clients that read and write them."""

from typing import Any


def filled_topic(bootstrap: str, records: int) -> str:
    """A topic of one partition with so many JSON objects, ``{"id": n, "price": n % 100, "name": ...}``; written once."""
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient

    name = f"bench-{records}"
    if name in AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=30).topics:
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})
        _, end = consumer.get_watermark_offsets(TopicPartition(name, 0), timeout=30)
        consumer.close()
        if end == records:
            return name
        raise RuntimeError(f"topic {name} has {end} records; delete it")
    make_topic(bootstrap, name)
    producer = Producer({"bootstrap.servers": bootstrap, "queue.buffering.max.messages": 1_000_000})
    for number in range(records):
        producer.produce(name, f'{{"id": {number}, "price": {number % 100}, "name": "item {number % 1000}"}}')
        if number % 100_000 == 0:
            producer.flush()
    producer.flush()
    return name


def make_topic(bootstrap: str, name: str) -> str:
    """An empty topic."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    return name


def new_topic(bootstrap: str) -> str:
    """An empty topic with a name of its own."""
    from uuid import uuid4

    return make_topic(bootstrap, f"bench-{uuid4().hex}")


def consumer_of(bootstrap: str, topic: str, settings: dict[str, Any] | None = None) -> Any:
    """A plain consumer at the beginning of a topic."""
    from confluent_kafka import Consumer, TopicPartition

    general = {"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False}
    consumer = Consumer({**general, **(settings or {})})
    consumer.assign([TopicPartition(topic, 0, 0)])
    return consumer


def read_all(consumer: Any, records: int, take: Any, wait_s: float = 1.0) -> None:
    """Give batches of messages to ``take`` until there were so many."""
    seen = 0
    while seen < records:
        messages = consumer.consume(min(4_096, records - seen), wait_s)  # waits until it has so many
        take(messages)
        seen += len(messages)


def source_of(bootstrap: str, topic: str, schema: Any) -> Any:
    """What is in the topic now."""
    from penstock.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource

    builder = KafkaSource.builder().set_bootstrap_servers(bootstrap).set_topics(topic)
    builder.set_bounded(KafkaOffsetsInitializer.latest()).set_value_only_deserializer(schema)
    return builder.build()


def sink_to(bootstrap: str, topic: str, schema: Any, guarantee: str) -> Any:
    """A sink with a delivery guarantee."""
    from penstock.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
    from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee

    serializer = (
        KafkaRecordSerializationSchema.builder().set_topic(topic).set_value_serialization_schema(schema)
    )
    builder = KafkaSink.builder().set_bootstrap_servers(bootstrap).set_record_serializer(serializer.build())
    builder.set_delivery_guarantee(DeliveryGuarantee[guarantee])
    if guarantee == "EXACTLY_ONCE":
        builder.set_transactional_id_prefix(topic)
    return builder.build()
