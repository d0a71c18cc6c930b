"""The source of Kafka against a real broker."""

import json
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from penstock.common import Types, WatermarkStrategy
from penstock.common.serialization import DeserializationSchema, SimpleStringSchema
from penstock.contracts.source import Boundedness, InputStatus
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import (
    BadMessage,
    ConsumerRecord,
    JSONDeserializationSchema,
    JSONKeyValueDeserializationSchema,
    KafkaDeadLetterTopic,
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordDeserializationSchema,
    KafkaTopicPartition,
)
from penstock.datastream.formats.avro import (
    AvroSchema,
    ConfluentRegistryAvroDeserializationSchema,
    ConfluentRegistryAvroSerializationSchema,
)
from penstock.errors import JobFailed, OptionError, OutsideError, ProgramError
from tests.connectors.driving import RunningSource, running
from tests.connectors.kafka.talking import PATIENCE_S, bounded, builder, new_topic, read, rows_of, write
from tests.services.kafka_broker import KafkaCluster, free_ports
from tests.services.schema_registry import running_registry

pytestmark = pytest.mark.service

LATEST = KafkaOffsetsInitializer.latest()
EARLIEST = KafkaOffsetsInitializer.earliest()


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_every_record_comes_once_with_fewer_as_many_and_more_readers_than_partitions(
    kafka: KafkaCluster, parallelism: int
) -> None:
    topic = new_topic(kafka, partitions=2)
    for partition in range(2):
        write(kafka, topic, [f"{partition}:{n}" for n in range(500)], partition)
    rows = rows_of(bounded(kafka, topic), parallelism)
    assert sorted(rows) == sorted(f"{p}:{n}" for p in range(2) for n in range(500))
    for partition in range(2):
        own = [row for row in rows if row.startswith(f"{partition}:")]
        assert own == [f"{partition}:{n}" for n in range(500)], "the order within a partition holds"


def test_a_bounded_source_stops_at_what_was_there_when_it_started(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a", "b"])
    running = RunningSource(bounded(kafka, topic))
    running.run_until(lambda: running.records == ["a", "b"])
    write(kafka, topic, ["c"])
    assert running.run() == ["a", "b"]
    running.close()


def test_an_empty_topic_ends_at_once(kafka: KafkaCluster) -> None:
    assert rows_of(bounded(kafka, new_topic(kafka, partitions=3))) == []


def test_offsets_by_rule(apache_kafka: KafkaCluster) -> None:
    topic = new_topic(apache_kafka)
    for n in range(5):
        write(apache_kafka, topic, [f"v{n}"], timestamp=1_000 * (n + 1))
    place = KafkaTopicPartition(topic, 0)

    def rows(starting: KafkaOffsetsInitializer, stopping: KafkaOffsetsInitializer = LATEST) -> list[Any]:
        source = builder(apache_kafka, topic).set_group_id("g-rules").set_starting_offsets(starting)
        return rows_of(source.set_bounded(stopping).build())

    offsets = KafkaOffsetsInitializer.offsets
    assert rows(EARLIEST) == ["v0", "v1", "v2", "v3", "v4"]
    assert rows(LATEST) == []
    assert rows(KafkaOffsetsInitializer.timestamp(2_500)) == ["v2", "v3", "v4"]
    assert rows(KafkaOffsetsInitializer.timestamp(99_000)) == []
    assert rows(offsets({place: 3})) == ["v3", "v4"]
    assert rows(EARLIEST, offsets({place: 2})) == ["v0", "v1"]
    earliest, latest = KafkaOffsetResetStrategy.EARLIEST, KafkaOffsetResetStrategy.LATEST
    committed = KafkaOffsetsInitializer.committed_offsets
    assert rows(committed(earliest)) == ["v0", "v1", "v2", "v3", "v4"]
    assert rows(committed(latest)) == []
    with pytest.raises(
        JobFailed, match=r"no committed offset for topic-\d+-0, and the offset reset strategy is NONE"
    ):
        rows(committed())
    consumer = Consumer({"bootstrap.servers": apache_kafka.bootstrap, "group.id": "g-rules"})
    consumer.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
    consumer.close()
    assert rows(committed()) == ["v4"]


def test_stops_and_resets_are_those_of_flinks_source(apache_kafka: KafkaCluster) -> None:
    """Observed with Flink's connector 5.0.0-2.2."""
    topic = new_topic(apache_kafka)
    for n in range(6):
        write(apache_kafka, topic, [f"v{n}"], timestamp=1_000 * (n + 1))
    admin = AdminClient({"bootstrap.servers": apache_kafka.bootstrap})
    (deleted,) = admin.delete_records([TopicPartition(topic, 0, 2)]).values()
    deleted.result(PATIENCE_S)
    place = KafkaTopicPartition(topic, 0)

    def rows(starting: KafkaOffsetsInitializer, stopping: KafkaOffsetsInitializer = LATEST) -> list[Any]:
        source = builder(apache_kafka, topic).set_group_id(topic).set_starting_offsets(starting)
        return rows_of(source.set_bounded(stopping).build())

    offsets, timestamp = KafkaOffsetsInitializer.offsets, KafkaOffsetsInitializer.timestamp
    none, latest = KafkaOffsetResetStrategy.NONE, KafkaOffsetResetStrategy.LATEST
    assert rows(EARLIEST, timestamp(4_000)) == ["v2"]
    assert rows(EARLIEST, timestamp(99_000)) == ["v2", "v3", "v4", "v5"]
    assert rows(timestamp(0)) == ["v2", "v3", "v4", "v5"]
    assert rows(offsets({place: 5}), offsets({place: 3})) == []
    assert rows(offsets({place: 99})) == []
    assert rows(EARLIEST, offsets({})) == []
    assert rows(offsets({place: 1})) == ["v2", "v3", "v4", "v5"]
    assert rows(offsets({place: 1}, latest)) == []
    with pytest.raises(JobFailed, match="Offset out of range"):
        rows(offsets({place: 1}, none))
    consumer = Consumer({"bootstrap.servers": apache_kafka.bootstrap, "group.id": topic})
    consumer.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
    consumer.close()
    assert rows(EARLIEST, KafkaOffsetsInitializer.committed_offsets()) == ["v2", "v3"]
    assert rows(offsets({})) == ["v4", "v5"]


def test_records_of_aborted_transactions_are_left_out_on_request_and_the_end_is_found(
    apache_kafka: KafkaCluster,
) -> None:
    topic = new_topic(apache_kafka)
    producer = Producer({"bootstrap.servers": apache_kafka.bootstrap, "transactional.id": topic})
    producer.init_transactions()
    for value, keep in (("kept", True), ("dropped", False)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush()
        (producer.commit_transaction if keep else producer.abort_transaction)()
    begun = builder(apache_kafka, topic).set_property("isolation.level", "read_committed")
    assert rows_of(begun.set_bounded(LATEST).build()) == ["kept"]
    assert rows_of(bounded(apache_kafka, topic)) == ["kept", "dropped"], "as Flink does where nothing is set"


def test_a_pattern_finds_topics_and_partitions_that_come_later(kafka: KafkaCluster) -> None:
    first = new_topic(kafka)
    write(kafka, first, ["one"])
    source = (
        builder(kafka)
        .set_topic_pattern(f"{first}.*")
        .set_property("partition.discovery.interval.ms", 50)
        .build()
    )
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    with env.from_source(source, WatermarkStrategy.no_watermarks(), "kafka").execute_and_collect() as rows:
        assert next(rows) == "one"
        kafka.create_topic(f"{first}-later", 2)
        write(kafka, f"{first}-later", ["two"], 0)
        write(kafka, f"{first}-later", ["three"], 1)
        assert {next(rows), next(rows)} == {"two", "three"}


def test_a_set_of_partitions_is_read_alone(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka, partitions=3)
    for partition in range(3):
        write(kafka, topic, [f"p{partition}"], partition)
    source = builder(kafka).set_partitions({KafkaTopicPartition(topic, 2), KafkaTopicPartition(topic, 0)})
    assert sorted(rows_of(source.set_bounded(LATEST).build())) == ["p0", "p2"]


def test_a_restored_source_goes_on_behind_the_last_record_of_the_snapshot(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka, partitions=2)
    for partition in range(2):
        write(kafka, topic, [f"{partition}:{n}" for n in range(10_000)], partition)
    source = bounded(kafka, topic)
    running = RunningSource(source)
    running.run_until(lambda: len(running.records) >= 3_000)
    before, checkpoint = list(running.records), running.snapshot()
    running.close()
    restored = RunningSource(source, parallelism=2, restored=checkpoint)
    after = restored.run()
    restored.close()
    assert len(after) < 20_000
    assert sorted(before + after) == sorted(f"{p}:{n}" for p in range(2) for n in range(10_000))


def test_offsets_are_committed_when_a_checkpoint_is_complete(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a", "b", "c"])
    running = RunningSource(builder(kafka, topic).set_group_id(f"g-{topic}").build())
    running.run_until(lambda: len(running.records) == 3)
    reader = running.readers[0]
    reader.snapshot_state(7)
    reader.notify_checkpoint_complete(7)
    running.close()
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": f"g-{topic}"})
    (committed,) = consumer.committed([TopicPartition(topic, 0)], timeout=PATIENCE_S)
    consumer.close()
    assert committed.offset == 3


def test_a_reader_tells_what_it_has_read_and_committed_and_what_is_still_to_come(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, [str(number) for number in range(10_000)])
    with running(builder(kafka, topic).set_group_id(topic).build()) as run:

        def told() -> dict[str, Any]:
            of_partition = f"KafkaSourceReader.topic.{topic}.partition.0."
            return {
                name.removeprefix(of_partition): value
                for name, value in dict(run.metrics[0].collect()).items()
            }

        run.run_until(lambda: len(run.records) > 0)
        read_so_far = len(run.records)
        assert (told()["currentOffset"], told()["committedOffset"]) == (read_so_far - 1, -1)
        assert told()["pendingRecords"] == 10_000 - read_so_far
        run.run_until(lambda: len(run.records) == 10_000)
        assert told()["pendingRecords"] == 0
        run.readers[0].snapshot_state(1)
        run.readers[0].notify_checkpoint_complete(1)
        for _ in range(int(PATIENCE_S / 0.05)):
            if told()["KafkaSourceReader.commitsSucceeded"]:
                break
            Event().wait(0.05)
        assert (told()["currentOffset"], told()["committedOffset"]) == (9_999, 10_000)
    assert told()["pendingRecords"] == 0


class _Everything(KafkaRecordDeserializationSchema):
    def deserialize(self, record: ConsumerRecord, out: Any) -> None:
        for part in (record.value or b"").split():
            out.collect((record.key, part, record.headers, record.timestamp, record.offset))


def test_a_record_schema_sees_key_headers_time_and_offset_and_may_emit_several(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a b"], key="k", headers=[("h", b"1")], timestamp=5_000)
    source = builder(kafka, topic).set_deserializer(_Everything()).set_bounded(LATEST).build()
    header = (("h", b"1"),)
    assert rows_of(source) == [(b"k", b"a", header, 5_000, 0), (b"k", b"b", header, 5_000, 0)]


def test_json_comes_as_dicts_with_key_value_and_metadata(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ['{"n": 1}'], key='"k"')
    write(kafka, topic, ['{"n": 2}'])
    values = builder(kafka, topic).set_value_only_deserializer(JSONDeserializationSchema())
    assert rows_of(values.set_bounded(LATEST).build()) == [{"n": 1}, {"n": 2}]
    whole = builder(kafka, topic).set_deserializer(JSONKeyValueDeserializationSchema(include_metadata=True))
    assert rows_of(whole.set_bounded(LATEST).build()) == [
        {"key": "k", "value": {"n": 1}, "metadata": {"offset": 0, "topic": topic, "partition": 0}},
        {"value": {"n": 2}, "metadata": {"offset": 1, "topic": topic, "partition": 0}},
    ]


def test_timestamps_of_kafka_are_the_event_times(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["x"], timestamp=123_456)
    running = RunningSource(bounded(kafka, topic))
    running.run()
    running.close()
    assert running.outputs[0].timestamps == [123_456]


class _UpToStop(SimpleStringSchema):
    def is_end_of_stream(self, next_element: Any) -> bool:
        return bool(next_element == "stop")


def test_a_schema_can_end_the_stream(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a", "b", "stop", "c"])
    source = builder(kafka, topic).set_value_only_deserializer(_UpToStop()).build()
    running = RunningSource(source)
    assert running.run() == ["a", "b"]
    assert running.status == [InputStatus.END_OF_INPUT]
    running.close()


@pytest.mark.parametrize("behind", ["later", "no number"])
def test_what_lies_behind_the_end_is_neither_read_nor_counted_as_read(
    kafka: KafkaCluster, behind: str
) -> None:
    class UpToZero(_Numbers):
        def is_end_of_stream(self, next_element: Any) -> bool:
            return bool(next_element == 0)

    topic = new_topic(kafka)
    write(kafka, topic, ["1", "2", "0", *([behind] * 5)])
    begun = builder(kafka, topic).set_value_only_deserializer(UpToZero()).set_group_id(topic)
    with running(begun.build()) as run:
        assert run.run() == [1, 2]
        run.readers[0].snapshot_state(1)
        run.readers[0].notify_checkpoint_complete(1)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic})
    (committed,) = consumer.committed([TopicPartition(topic, 0)], timeout=PATIENCE_S)
    consumer.close()
    assert committed.offset == 3


class _Numbers(DeserializationSchema):
    def deserialize(self, message: bytes) -> int:
        return int(message)

    def get_produced_type(self) -> Any:
        return Types.LONG()


class _Seen(DeserializationSchema):
    """Leaves out "no", cannot read "bad", and writes down what it is given."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def deserialize(self, message: bytes) -> str | None:
        self.seen.append(message)
        if message == b"bad":
            raise ValueError("bad")
        return None if message == b"no" else message.decode()


def test_a_schema_that_leaves_messages_out_is_given_each_once(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    written = ["a", "no", "b", "bad", "no", "c"]
    for second, value in enumerate(written):
        write(kafka, topic, [value], timestamp=1_000 * (second + 1))
    schema = _Seen()
    begun = builder(kafka, topic).set_value_only_deserializer(schema).set_bounded(LATEST)
    with running(begun.set_bad_message_policy("skip").build()) as run:
        assert run.run() == ["a", "b", "c"]
        assert run.outputs[0].timestamps == [1_000, 3_000, 6_000]
    assert schema.seen == [value.encode() for value in written]


def test_bad_messages_fail_the_job_with_their_place_or_are_skipped_or_handed_over(
    kafka: KafkaCluster,
) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, [b"1", b"not a number", b"3"])
    begun = builder(kafka, topic).set_value_only_deserializer(_Numbers()).set_bounded(LATEST)
    with pytest.raises(
        JobFailed, match=rf"topic '{topic}', partition 0, offset 1: the message b'not a number'"
    ):
        rows_of(begun.build())
    assert rows_of(begun.set_bad_message_policy("skip").build()) == [1, 3]
    given: list[BadMessage] = []
    running = RunningSource(begun.set_bad_message_policy(given.append).build())
    assert running.run() == [1, 3]
    running.close()
    assert [(bad.record.offset, bad.record.value) for bad in given] == [(1, b"not a number")]
    assert dict(running.metrics[0].collect())["numRecordsInErrors"] == 1


@pytest.mark.parametrize("policy", ["fail", "skip", "topic"])
def test_no_message_is_bad_because_the_registry_is_away(kafka: KafkaCluster, policy: str) -> None:
    topic, broken = new_topic(kafka), new_topic(kafka)
    schema = AvroSchema.parse_string(
        '{"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}'
    )
    with running_registry() as registry:
        written = ConfluentRegistryAvroSerializationSchema.for_generic(topic, schema, registry.url)
        write(kafka, topic, [written.serialize({"n": n}) for n in range(3)])
        url, known = registry.url, list(registry.schemas)
    read_schema = ConfluentRegistryAvroDeserializationSchema.for_generic(schema, url)
    given = KafkaDeadLetterTopic(broken, {"bootstrap.servers": kafka.bootstrap})
    begun = builder(kafka, topic).set_value_only_deserializer(read_schema).set_bounded(LATEST)
    source = begun.set_bad_message_policy(given if policy == "topic" else policy).build()
    with (
        running(source) as run,
        pytest.raises(OutsideError, match=r"the schema registry .* did not answer") as why,
    ):
        run.run()
    assert why.value.retryable
    assert read(kafka, broken) == []
    with running_registry(port=int(url.rpartition(":")[2])) as registry:
        registry.schemas += known
        assert rows_of(source) == [{"n": n} for n in range(3)]
        assert run.records == []


def test_a_message_without_a_value_is_bad_where_the_schema_does_not_read_that(kafka: KafkaCluster) -> None:
    """As with Flink, where SimpleStringSchema fails on it, and the schemas of JSON, CSV and Avro leave it out."""
    topic = new_topic(kafka)
    write(kafka, topic, ["a", None, "b"], key="k")
    says = rf"topic '{topic}', partition 0, offset 1: .* it has no value, being the deletion of its key"
    with pytest.raises(JobFailed, match=f"{says}, and SimpleStringSchema does not read that"):
        rows_of(bounded(kafka, topic))
    assert rows_of(builder(kafka, topic).set_bounded(LATEST).set_bad_message_policy("skip").build()) == [
        "a",
        "b",
    ]
    whole = builder(kafka, topic).set_deserializer(JSONKeyValueDeserializationSchema())
    write(kafka, topic, [None], key='"k"')
    at_end = KafkaOffsetsInitializer.offsets({KafkaTopicPartition(topic, 0): 3})
    assert rows_of(whole.set_starting_offsets(at_end).set_bounded(LATEST).build()) == [{"key": "k"}]


def test_a_compacted_topic_is_read_over_its_gaps(apache_kafka: KafkaCluster) -> None:
    topic = new_topic(
        apache_kafka,
        cleanup_policy="compact",
        segment_bytes="1048576",
        segment_ms="100",
        min_cleanable_dirty_ratio="0.001",
        max_compaction_lag_ms="100",
    )
    write(apache_kafka, topic, ["first"], key="first")
    write(apache_kafka, topic, [f"{n}" for n in range(200)], key="the same")
    for number in range(int(PATIENCE_S)):  # what is in the newest segment stays
        write(apache_kafka, topic, [f"other {number}"], key=f"k{number}")
        offsets = [message.offset() for message in read(apache_kafka, topic)]
        if 5 not in offsets:
            break
        Event().wait(0.5)
    assert offsets[0] == 0 and 5 not in offsets
    source = bounded(apache_kafka, topic)
    with running(source) as run:
        run.run_until(lambda: len(run.records) > 0)
        before, checkpoint = list(run.records), run.snapshot()
    with running(source, restored=checkpoint) as run:
        assert before + run.run() == [message.value().decode() for message in read(apache_kafka, topic)]
    inside = KafkaOffsetsInitializer.offsets({KafkaTopicPartition(topic, 0): 5})
    rows = rows_of(builder(apache_kafka, topic).set_starting_offsets(inside).set_bounded(LATEST).build())
    assert rows == [
        message.value().decode() for message in read(apache_kafka, topic) if message.offset() >= 5
    ]


def test_a_source_that_counts_as_unbounded_stops_all_the_same(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka, partitions=2)
    for partition in range(2):
        write(kafka, topic, [f"{partition}a", f"{partition}b"], partition)
    stop = KafkaOffsetsInitializer.offsets({KafkaTopicPartition(topic, n): 1 for n in range(2)})
    begun = builder(kafka, topic).set_unbounded(stop)
    source = begun.set_property("partition.discovery.interval.ms", -1).build()
    assert source.get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED
    assert sorted(rows_of(source)) == ["0a", "1a"]


def test_the_client_is_named_by_its_prefix_and_says_its_rack(apache_kafka: KafkaCluster) -> None:
    topic = new_topic(apache_kafka)
    write(apache_kafka, topic, ["a"])
    begun = builder(apache_kafka, topic).set_group_id(topic).set_client_id_prefix("billing")
    source = begun.set_rack_id_supplier(lambda: "here").set_property("statistics.interval.ms", 100).build()
    configuration = source._settings.consumer_configuration(source._client_id("0"))
    assert (configuration["client.id"], configuration["client.rack"]) == ("billing-0", "here")
    told: list[dict[str, Any]] = []
    consumer = Consumer({**configuration, "stats_cb": lambda text: told.append(json.loads(text))})
    while not told:
        consumer.poll(0.1)
    consumer.close()
    assert told[0]["client_id"] == "billing-0", "the client's own word"
    with running(source) as run:
        run.run_until(lambda: run.records == ["a"])


def test_bad_messages_go_to_another_topic_with_their_place_and_the_reason_in_headers(
    kafka: KafkaCluster,
) -> None:
    topic, broken = new_topic(kafka), new_topic(kafka)
    write(kafka, topic, [b"1", b"not a number"], key="k")
    begun = builder(kafka, topic).set_value_only_deserializer(_Numbers()).set_bounded(LATEST)
    policy = KafkaDeadLetterTopic(broken, {"bootstrap.servers": kafka.bootstrap})
    assert rows_of(begun.set_bad_message_policy(policy).build()) == [1]
    (message,) = read(kafka, broken)
    headers = {name: value.decode() for name, value in message.headers()}
    assert (message.key(), message.value()) == (b"k", b"not a number")
    assert headers["penstock.error"].startswith("ValueError: invalid literal for int()")
    assert (headers["penstock.topic"], headers["penstock.partition"]) == (topic, "0")
    assert headers["penstock.offset"] == "1"


def test_dead_letters_for_a_broker_that_is_away_hold_nobody_up_at_the_end() -> None:
    (port,) = free_ports(1)
    policy = KafkaDeadLetterTopic("broken", {"bootstrap.servers": f"127.0.0.1:{port}"})
    policy(BadMessage(ConsumerRecord("t", 0, 1, None, None, b"x"), "no number"))
    policy.close()


def test_a_topic_that_is_not_there_is_named(kafka: KafkaCluster) -> None:
    with pytest.raises(JobFailed, match="has no topic 'missing'; create it first"):
        rows_of(bounded(kafka, "missing"))


def test_a_broker_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.broker.TIMEOUT_S", 0.3)
    (port,) = free_ports(1)
    nobody = KafkaCluster("none")
    source = builder(nobody, "t").set_bootstrap_servers(f"127.0.0.1:{port}").set_bounded(LATEST).build()
    with pytest.raises(JobFailed, match=rf"no broker answers at 127\.0\.0\.1:{port}"):
        rows_of(source)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda b: b.set_topics("a").set_topics("b"), "was set before"),
        (lambda b: b.set_topic_pattern("("), "no regular expression"),
        (lambda b: b.set_partitions({"a"}), "KafkaTopicPartition"),
        (lambda b: b.set_starting_offsets("earliest"), "KafkaOffsetsInitializer"),
        (lambda b: b.set_topics("a").set_property("no.such.property", "1").build(), "no.such.property"),
        (
            lambda b: b.set_topics("a").set_property("partition.discovery.interval.ms", "x").build(),
            "milliseconds",
        ),
        (lambda b: b.set_topics("a").set_property("ssl.truststore.location", "x").build(), "ssl.ca.location"),
        (
            lambda b: (
                b.set_topics("a").set_starting_offsets(KafkaOffsetsInitializer.committed_offsets()).build()
            ),
            "group",
        ),
        (lambda b: b.build(), "set_topics"),
        (lambda b: b.set_deserializer(SimpleStringSchema()), "set_value_only_deserializer"),
    ],
)
def test_mistakes_are_refused_where_they_are_made(change: Any, says: str) -> None:
    with pytest.raises((ProgramError, OptionError), match=says):
        change(builder(KafkaCluster("none")).set_bootstrap_servers("localhost:1"))


def test_the_value_of_a_property_is_in_no_error() -> None:
    with pytest.raises(ProgramError, match=r"'sasl\.password' has a text .* not a bytes") as caught:
        builder(KafkaCluster("none"), "t").set_property("sasl.password", b"geheim")
    assert "geheim" not in str(caught.value)


def test_a_password_is_in_no_error() -> None:
    begun = builder(KafkaCluster("none"), "t").set_bootstrap_servers("localhost:1")
    begun.set_property("sasl.jaas.config", 'com.example.Login required username="u" password="geheim";')
    with pytest.raises(OptionError) as caught:
        begun.build()
    assert "geheim" not in str(caught.value)
