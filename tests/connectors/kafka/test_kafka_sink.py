"""The sink of Kafka against a real broker."""

from typing import Any
from zlib import crc32

import pytest

from penstock.common import WatermarkStrategy
from penstock.common.serialization import SerializationSchema, SimpleStringSchema
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import (
    HeaderProvider,
    KafkaPartitioner,
    KafkaRecordSerializationSchema,
    KafkaRecordSerializationSchemaBuilder,
    KafkaSink,
    KafkaSinkContext,
    KafkaTopicSelector,
    ProducerRecord,
)
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.errors import JobFailed, OptionError, ProgramError
from tests.connectors.kafka.talking import builder, committed_values, new_topic, read
from tests.missing import leave_out_for_want_of
from tests.services.kafka_broker import KafkaCluster, free_ports

pytestmark = pytest.mark.service


def values(topic: Any = None) -> KafkaRecordSerializationSchemaBuilder:
    begun = KafkaRecordSerializationSchema.builder().set_value_serialization_schema(SimpleStringSchema())
    return begun if topic is None else begun.set_topic(topic)


def write(
    kafka: KafkaCluster,
    rows: list[Any],
    serializer: KafkaRecordSerializationSchema,
    guarantee: DeliveryGuarantee = DeliveryGuarantee.AT_LEAST_ONCE,
    parallelism: int = 1,
    **properties: Any,
) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    begun = KafkaSink.builder().set_bootstrap_servers(kafka.bootstrap).set_record_serializer(serializer)
    begun.set_transactional_id_prefix("rows")
    for key, value in properties.items():
        begun.set_property(key.replace("_", "."), value)
    env.from_collection(rows).sink_to(begun.set_delivery_guarantee(guarantee).build())
    env.execute()


@pytest.mark.parametrize("guarantee", list(DeliveryGuarantee))
@pytest.mark.parametrize("parallelism", [1, 2])
def test_every_record_is_there_when_the_job_has_ended(
    kafka: KafkaCluster, guarantee: DeliveryGuarantee, parallelism: int
) -> None:
    if kafka.is_mock and guarantee is DeliveryGuarantee.EXACTLY_ONCE:
        leave_out_for_want_of("Apache Kafka", kafka.reason)
    topic = new_topic(kafka, partitions=2)
    rows = [f"v{n}" for n in range(5_000)]
    write(kafka, rows, values(topic).build(), guarantee, parallelism)
    assert sorted(committed_values(kafka, topic, len(rows))) == sorted(rows)


def test_a_job_does_not_end_before_its_last_commit_is_made_however_long_that_takes(
    apache_kafka: KafkaCluster,
) -> None:
    topic = new_topic(apache_kafka)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(100)
    begun = (
        KafkaSink.builder()
        .set_bootstrap_servers(apache_kafka.bootstrap)
        .set_record_serializer(values(topic).build())
    )
    begun.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).set_transactional_id_prefix(topic)
    env.from_collection(["a", "b"]).sink_to(begun.build())
    env.execute()
    assert committed_values(apache_kafka, topic, 2) == ["a", "b"]


class _Key(SerializationSchema):
    def serialize(self, element: Any) -> bytes:
        return str(element)[:1].encode()


class _ByLength(KafkaPartitioner):
    def partition(self, record: Any, key: Any, value: Any, target_topic: str, partitions: list[int]) -> int:
        return len(record) % len(partitions)


@pytest.mark.parametrize("topic", [None, "", 7])
def test_a_topic_that_is_none_is_said_with_its_record(topic: Any) -> None:
    serializer = values().set_topic_selector(lambda row: topic if row == "b" else "t").build()
    with pytest.raises(ProgramError, match=f"the topic selector gave {topic!r} for the record 'b'"):
        serializer.serialize_batch(["a", "b"], None, None)  # type: ignore[arg-type]


def test_key_partition_headers_and_topic_are_chosen_by_the_serializer(apache_kafka: KafkaCluster) -> None:
    even, odd = new_topic(apache_kafka, partitions=2), new_topic(apache_kafka, partitions=2)
    serializer = (
        values()
        .set_topic_selector(lambda row: even if row[-1] in "02468" else odd)
        .set_key_serialization_schema(_Key())
        .set_partitioner(_ByLength())
        .set_header_provider(lambda row: {"length": str(len(row)).encode()})
        .build()
    )
    write(apache_kafka, ["a0", "b1", "cc2"], serializer)

    def seen(topic: str) -> list[Any]:
        return [(m.partition(), m.key(), m.value(), m.headers()) for m in read(apache_kafka, topic)]

    assert seen(even) == [(0, b"a", b"a0", [("length", b"2")]), (1, b"c", b"cc2", [("length", b"3")])]
    assert seen(odd) == [(0, b"b", b"b1", [("length", b"2")])]


def test_the_event_time_is_the_time_of_the_message(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    env = StreamExecutionEnvironment.get_execution_environment()
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda row, _: int(row))
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(kafka.bootstrap)
        .set_record_serializer(values(topic).build())
    )
    env.from_collection(["1000", "2000"]).assign_timestamps_and_watermarks(strategy).sink_to(sink.build())
    env.execute()
    assert sorted(message.timestamp()[1] for message in read(kafka, topic)) == [1_000, 2_000]


class _Selector(KafkaTopicSelector):
    def __init__(self, topics: list[str]) -> None:
        self.topics = topics

    def apply(self, data: Any) -> str:
        return self.topics[len(data) % len(self.topics)]


class _Headers(HeaderProvider):
    def get_headers(self, input: Any) -> list[tuple[str, bytes | None]]:
        return [("length", str(len(input)).encode()), ("empty", None)]


def test_topics_and_headers_may_be_chosen_by_objects(apache_kafka: KafkaCluster) -> None:
    topics = [new_topic(apache_kafka), new_topic(apache_kafka)]
    serializer = values().set_topic_selector(_Selector(topics)).set_header_provider(_Headers()).build()
    write(apache_kafka, ["a", "bb", "ccc"], serializer)
    seen = [[(m.value(), m.headers()) for m in read(apache_kafka, topic)] for topic in topics]

    def message(value: bytes) -> Any:
        return value, [("length", str(len(value)).encode()), ("empty", None)]

    assert seen == [[message(b"bb")], [message(b"a"), message(b"ccc")]]


class _Own(KafkaRecordSerializationSchema):
    def __init__(self, topic: str) -> None:
        self.topic = topic

    def serialize(
        self, element: Any, context: KafkaSinkContext, timestamp: int | None
    ) -> ProducerRecord | None:
        if element < 0:
            return None
        last = context.get_partitions_for_topic(self.topic)[-1]
        return ProducerRecord(self.topic, str(element).encode(), partition=last)


def test_a_serializer_of_the_users_own_may_leave_records_out(apache_kafka: KafkaCluster) -> None:
    topic = new_topic(apache_kafka, partitions=3)
    write(apache_kafka, [1, -2, 3], _Own(topic))
    assert [(message.partition(), message.value()) for message in read(apache_kafka, topic)] == [
        (2, b"1"),
        (2, b"3"),
    ]


def test_a_value_of_the_wrong_type_is_named(kafka: KafkaCluster) -> None:
    with pytest.raises(JobFailed, match="SimpleStringSchema writes str, not 5"):
        write(kafka, [5], values(new_topic(kafka)).build())


def test_a_topic_that_is_not_there_fails_the_job(apache_kafka: KafkaCluster) -> None:
    with pytest.raises(JobFailed, match="a message for topic 'nowhere' was not delivered"):
        write(apache_kafka, ["a"], values("nowhere").build(), message_timeout_ms=2_000)


@pytest.mark.parametrize("guarantee", [DeliveryGuarantee.AT_LEAST_ONCE, DeliveryGuarantee.EXACTLY_ONCE])
def test_a_message_that_is_too_large_is_named_with_what_to_do(
    apache_kafka: KafkaCluster, guarantee: DeliveryGuarantee
) -> None:
    for_little = new_topic(apache_kafka, max_message_bytes="1000")
    with pytest.raises(JobFailed, match=r"a message of 2000000 bytes .* set_property\('message\.max\.bytes'"):
        write(apache_kafka, ["x" * 2_000_000], values(new_topic(apache_kafka)).build(), guarantee)
    with pytest.raises(JobFailed, match=rf"'{for_little}' was not delivered .* set max\.message\.bytes"):
        write(apache_kafka, ["x" * 2_000], values(for_little).build(), guarantee)


def test_a_topic_that_is_not_there_is_named_where_it_is_written_exactly_once(
    apache_kafka: KafkaCluster,
) -> None:
    with pytest.raises(JobFailed, match=r"has no topic 'nowhere': [^{]*; create it first"):
        write(apache_kafka, ["a"], values("nowhere").build(), DeliveryGuarantee.EXACTLY_ONCE)


def test_a_topic_that_is_not_there_is_named_with_what_to_do(apache_kafka: KafkaCluster) -> None:
    serializer = values("nowhere").build()
    with pytest.raises(
        JobFailed, match=r"'nowhere' was not delivered .*; create the topic, or the partition, first"
    ):
        write(apache_kafka, ["a"], serializer, topic_metadata_propagation_max_ms=100)


def test_a_job_that_writes_exactly_once_says_that_its_broker_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.broker.TIMEOUT_S", 1.0)
    (port,) = free_ports(1)
    env = StreamExecutionEnvironment.get_execution_environment({"restart-strategy.type": "none"})
    env.enable_checkpointing(100)
    env.from_collection(["a"]).sink_to(exactly_once(f"127.0.0.1:{port}", "p"))
    with pytest.raises(
        JobFailed, match=rf"Kafka at 127\.0\.0\.1:{port} did not answer: .*Connection refused"
    ):
        env.execute()


def test_a_dead_broker_fails_the_job_when_the_time_for_delivery_is_over() -> None:
    (port,) = free_ports(1)
    env = StreamExecutionEnvironment.get_execution_environment()
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(f"127.0.0.1:{port}")
        .set_record_serializer(values("t").build())
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .set_property("message.timeout.ms", 1_000)
        .build()
    )
    env.from_collection(["a"]).sink_to(sink)
    with pytest.raises(JobFailed, match=rf"was not delivered to Kafka at 127\.0\.0\.1:{port}"):
        env.execute()


def exactly_once(servers: str, prefix: str) -> KafkaSink:
    begun = KafkaSink.builder().set_bootstrap_servers(servers).set_record_serializer(values("t").build())
    begun.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    return begun.set_transactional_id_prefix(prefix).build()


def test_two_sinks_of_a_job_must_not_have_the_same_prefix_at_the_same_servers() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    rows = env.from_collection(["a"])
    rows.sink_to(exactly_once("h:1,g:1", "shop")).name("first")
    rows.sink_to(exactly_once("other:1", "shop"))
    rows.sink_to(exactly_once("h:1", "till"))
    env.get_execution_plan()
    rows.sink_to(exactly_once("g:1", "shop")).name("second")
    with pytest.raises(
        ProgramError, match=r"the transactional id prefix 'shop' at Kafka's g:1 .*first.*second"
    ):
        env.get_execution_plan()


def test_exactly_once_needs_checkpoints_where_the_job_has_no_end() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = builder(KafkaCluster("none"), "t").set_bootstrap_servers("h:1").build()
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka")
    numbers.sink_to(exactly_once("h:1", "shop"))
    with pytest.raises(ProgramError, match="nothing would ever be seen: call enable_checkpointing"):
        env.get_execution_plan()
    env.enable_checkpointing(1_000)
    env.get_execution_plan()


class _Whole(SerializationSchema):
    def serialize(self, element: Any) -> bytes:
        return str(element).encode()


def test_a_key_goes_to_the_partition_that_javas_client_gives_it(apache_kafka: KafkaCluster) -> None:
    topic, by_crc = new_topic(apache_kafka, partitions=10), new_topic(apache_kafka, partitions=10)
    keys = ["21", "foobar", "a-little-bit-long-string", "a-little-bit-longer-string", "abc"]
    write(apache_kafka, keys, values(topic).set_key_serialization_schema(_Whole()).build())
    # From the tests of Apache Kafka's Utils.murmur2, as positive numbers, modulo 10.
    murmur2 = [-973932308, -790332482, -985981536, -1486304829, 479470107]
    found = {message.key().decode(): message.partition() for message in read(apache_kafka, topic)}
    assert found == {key: (number & 0x7FFFFFFF) % 10 for key, number in zip(keys, murmur2, strict=True)}
    serializer = values(by_crc).set_key_serialization_schema(_Whole()).build()
    write(apache_kafka, keys, serializer, partitioner="consistent")
    found = {message.key().decode(): message.partition() for message in read(apache_kafka, by_crc)}
    assert found == {key: crc32(key.encode()) % 10 for key in keys}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: KafkaSink.builder().build(), "set_bootstrap_servers"),
        (lambda: KafkaSink.builder().set_bootstrap_servers("h:1").build(), "set_record_serializer"),
        (lambda: KafkaSink.builder().set_delivery_guarantee("exactly-once"), "DeliveryGuarantee"),
        (lambda: KafkaSink.builder().set_record_serializer(SimpleStringSchema()), "builder"),
        (lambda: values("t").set_topic_selector(str), "set before"),
        (lambda: values().build(), "set_topic"),
        (
            lambda: KafkaRecordSerializationSchema.builder().set_topic("t").build(),
            "set_value_serialization_schema",
        ),
    ],
)
def test_mistakes_are_refused_where_they_are_made(change: Any, says: str) -> None:
    with pytest.raises((ProgramError, OptionError), match=says):
        change()
