"""The consumers and producers of before, against a real broker."""

from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from penstock.common import WatermarkStrategy
from penstock.common.serialization import SimpleStringSchema
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors import kafka as names
from penstock.datastream.connectors.kafka import KafkaTopicPartition
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.errors import ProgramError
from tests.connectors.driving import running
from tests.connectors.kafka.talking import PATIENCE_S, committed_values, new_topic, read, write
from tests.services.kafka_broker import KafkaCluster

pytestmark = [pytest.mark.service, pytest.mark.filterwarnings("ignore:FlinkKafka:DeprecationWarning")]


class _UpToStop(SimpleStringSchema):
    def is_end_of_stream(self, next_element: Any) -> bool:
        return bool(next_element == "stop")


@pytest.mark.parametrize("version", ["", "08", "09", "010", "011"])
def test_a_consumer_and_a_producer_of_each_version(kafka: KafkaCluster, version: str) -> None:
    source, target = new_topic(kafka), new_topic(kafka, partitions=2)
    write(kafka, source, ["a", "b", "stop"])
    servers = {"bootstrap.servers": kafka.bootstrap}
    env = StreamExecutionEnvironment.get_execution_environment()
    consumer = getattr(names, f"FlinkKafkaConsumer{version}")(
        source, _UpToStop(), {**servers, "group.id": source}
    )
    producer = getattr(names, f"FlinkKafkaProducer{version}")(target, SimpleStringSchema(), servers)
    env.add_source(consumer.set_start_from_earliest()).map(str.upper).add_sink(producer)
    env.execute()
    assert [(message.partition(), message.value()) for message in read(kafka, target)] == [
        (0, b"A"),
        (0, b"B"),
    ]


def test_the_old_names_warn() -> None:
    with pytest.warns(DeprecationWarning, match="FlinkKafkaConsumer010 is deprecated .* use KafkaSource"):
        names.FlinkKafkaConsumer010("t", SimpleStringSchema(), {"bootstrap.servers": "h:1"})


def test_without_a_group_the_reset_property_says_where_to_start(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a", "stop"])
    env = StreamExecutionEnvironment.get_execution_environment()
    properties = {"bootstrap.servers": kafka.bootstrap, "auto.offset.reset": "earliest"}
    with env.add_source(
        names.FlinkKafkaConsumer([topic], _UpToStop(), properties)
    ).execute_and_collect() as rows:
        assert list(rows) == ["a"]


def test_offsets_that_are_not_given_are_those_of_the_group_and_then_of_the_reset(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka, partitions=3)
    for partition in range(3):
        write(kafka, topic, [f"{partition}a", f"{partition}b", f"{partition}c"], partition)
    client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic})
    client.commit(offsets=[TopicPartition(topic, 1, 2)], asynchronous=False)
    client.close()
    properties = {"bootstrap.servers": kafka.bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = names.FlinkKafkaConsumer(topic, SimpleStringSchema(), properties)
    consumer.set_start_from_specific_offsets({KafkaTopicPartition(topic, 0): 1})
    with running(consumer) as run:
        run.run_until(lambda: len(run.records) >= 6)
        assert sorted(run.records) == ["0b", "0c", "1c", "2a", "2b", "2c"]


def started(kafka: KafkaCluster, topic: str, start: Any) -> list[Any]:
    """What a consumer reads up to "stop" that was told by ``start`` where to start, and what is written then."""
    properties = {"bootstrap.servers": kafka.bootstrap, "group.id": topic}
    consumer = names.FlinkKafkaConsumer(topic, _UpToStop(), properties)
    start(consumer)
    with running(consumer) as run:
        run.run_until(lambda: run.readers[0]._splits or run.status)
        write(kafka, topic, ["later", "stop"], timestamp=9_000)
        return run.run()


def test_a_consumer_starts_where_it_is_told(apache_kafka: KafkaCluster) -> None:
    def topic() -> str:
        made = new_topic(apache_kafka)
        for number in range(3):
            write(apache_kafka, made, [f"v{number}"], timestamp=1_000 * (number + 1))
        return made

    assert started(apache_kafka, topic(), lambda c: c.set_start_from_latest()) == ["later"]
    assert started(apache_kafka, topic(), lambda c: c.set_start_from_group_offsets()) == ["later"]
    assert started(apache_kafka, topic(), lambda c: c.set_start_from_timestamp(2_000)) == [
        "v1",
        "v2",
        "later",
    ]
    assert started(apache_kafka, topic(), lambda c: c.set_start_from_earliest())[0] == "v0"


def committed_by(kafka: KafkaCluster, topic: str) -> int:
    """The offset of the group that bears the topic's name."""
    client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic})
    (committed,) = client.committed([TopicPartition(topic, 0)], timeout=PATIENCE_S)
    client.close()
    return int(committed.offset)


@pytest.mark.parametrize("commits", [True, False])
def test_a_consumer_commits_its_offsets_with_checkpoints_unless_told_otherwise(
    kafka: KafkaCluster, commits: bool
) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a", "b"])
    properties = {"bootstrap.servers": kafka.bootstrap, "group.id": topic, "enable.auto.commit": True}
    consumer = names.FlinkKafkaConsumer(topic, SimpleStringSchema(), properties).set_start_from_earliest()
    consumer.set_commit_offsets_on_checkpoints(commits)
    with running(consumer, settings={"execution.checkpointing.interval": "1 s"}) as run:
        run.run_until(lambda: len(run.records) == 2)
        run.readers[0].snapshot_state(1)
        run.readers[0].notify_checkpoint_complete(1)
    assert committed_by(kafka, topic) == (2 if commits else OFFSET_INVALID)


@pytest.mark.parametrize("told", [{}, {"enable.auto.commit": "false"}])
def test_without_checkpoints_a_consumer_commits_by_the_clock_unless_told_otherwise(
    kafka: KafkaCluster, told: dict[str, str]
) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a", "b"])
    properties = {"bootstrap.servers": kafka.bootstrap, "group.id": topic, **told}
    consumer = names.FlinkKafkaConsumer(topic, SimpleStringSchema(), properties).set_start_from_earliest()
    with running(consumer) as run:
        run.run_until(lambda: len(run.records) == 2)
    assert committed_by(kafka, topic) == (OFFSET_INVALID if told else 2)


def test_a_consumer_does_not_start_at_a_time_that_is_yet_to_come() -> None:
    consumer = names.FlinkKafkaConsumer("t", SimpleStringSchema(), {"bootstrap.servers": "h:1"})
    with pytest.raises(ProgramError, match=r"4102444800000 is .* ms from now; .* use set_start_from_latest"):
        consumer.set_start_from_timestamp(4_102_444_800_000)


@pytest.mark.parametrize("filters", [True, False])
def test_topics_that_are_not_named_any_more_are_not_read_on_unless_told_otherwise(
    apache_kafka: KafkaCluster, filters: bool
) -> None:
    gone, stays = new_topic(apache_kafka), new_topic(apache_kafka)
    for topic in (gone, stays):
        write(apache_kafka, topic, [f"{topic} before"])
    properties = {"bootstrap.servers": apache_kafka.bootstrap}

    def consumer(*topics: str) -> Any:
        made = names.FlinkKafkaConsumer(list(topics), SimpleStringSchema(), properties)
        made.set_start_from_earliest()
        return made if filters else made.disable_filter_restored_partitions_with_subscribed_topics()

    with running(consumer(gone, stays)) as run:
        run.run_until(lambda: len(run.records) == 2)
        checkpoint = run.snapshot()
    for topic in (gone, stays):
        write(apache_kafka, topic, [f"{topic} after"])
    expected = [f"{stays} after"] + ([] if filters else [f"{gone} after"])
    with running(consumer(stays), restored=checkpoint) as run:
        run.run_until(lambda: sorted(run.records) == sorted(expected))
        checkpoint = run.snapshot()
    # What is named again is as new, read from its beginning.
    expected = [f"{gone} before", f"{gone} after"] if filters else []
    write(apache_kafka, stays, [f"{stays} last"])
    with running(consumer(gone, stays), restored=checkpoint) as run:
        run.run_until(lambda: sorted(run.records) == sorted([*expected, f"{stays} last"]))


@pytest.mark.parametrize("interval", ["-1", "50"])
def test_partitions_that_came_while_the_job_was_away_are_read_after_a_restore(
    apache_kafka: KafkaCluster, interval: str
) -> None:
    topic = new_topic(apache_kafka)
    write(apache_kafka, topic, ["a"])
    properties = {"bootstrap.servers": apache_kafka.bootstrap, "partition.discovery.interval.ms": interval}
    consumer = names.FlinkKafkaConsumer(topic, SimpleStringSchema(), properties).set_start_from_earliest()
    with running(consumer) as run:
        run.run_until(lambda: run.records == ["a"])
        checkpoint = run.snapshot()
    apache_kafka.add_partitions(topic, 2)
    write(apache_kafka, topic, ["b"], 1)
    write(apache_kafka, topic, ["c"], 0)
    with running(consumer, restored=checkpoint) as run:
        run.run_until(lambda: sorted(run.records) == ["b", "c"])


def test_an_exactly_once_producer_names_its_transactions_after_its_operator(
    apache_kafka: KafkaCluster,
) -> None:
    target = new_topic(apache_kafka)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(100)
    producer = names.FlinkKafkaProducer(
        target,
        SimpleStringSchema(),
        {"bootstrap.servers": apache_kafka.bootstrap},
        semantic=names.Semantic.EXACTLY_ONCE,
    )
    env.from_collection(["a", "b"]).add_sink(producer).uid(target)
    env.execute()
    assert committed_values(apache_kafka, target, 2) == ["a", "b"]
    beginning = "penstock-sink-runs-penstock-"
    admin = AdminClient({"bootstrap.servers": apache_kafka.bootstrap})
    groups = [group.group_id for group in admin.list_consumer_groups().result(PATIENCE_S).valid]
    (operator,) = [
        name.removeprefix(beginning).removesuffix("-0") for name in groups if name.startswith(beginning)
    ]
    assert len(operator) == 32 and int(operator, 16)


@pytest.mark.parametrize("writes_times", [None, True, False])
def test_a_producer_writes_event_times_where_it_is_told_to(
    kafka: KafkaCluster, writes_times: bool | None
) -> None:
    target = new_topic(kafka)
    producer = names.FlinkKafkaProducer(target, SimpleStringSchema(), {"bootstrap.servers": kafka.bootstrap})
    if writes_times is not None:
        producer.set_write_timestamp_to_kafka(writes_times)
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda row, _: 1_000)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection(["a"]).assign_timestamps_and_watermarks(strategy).add_sink(producer)
    env.execute()
    (message,) = read(kafka, target)
    assert (message.timestamp()[1] == 1_000) == bool(writes_times)


def test_a_producer_may_log_what_is_not_delivered(
    apache_kafka: KafkaCluster, caplog: pytest.LogCaptureFixture
) -> None:
    target = new_topic(apache_kafka, max_message_bytes="1000")
    properties = {"bootstrap.servers": apache_kafka.bootstrap, "linger.ms": 0, "batch.num.messages": 1}
    producer = names.FlinkKafkaProducer(target, SimpleStringSchema(), properties).set_log_failures_only(True)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection(["a", "x" * 5_000, "b"]).add_sink(producer)
    env.execute()
    assert [message.value() for message in read(apache_kafka, target)] == [b"a", b"b"]
    assert f"a message for topic {target!r} was not delivered" in caplog.text


def test_a_producer_that_does_not_flush_promises_nothing() -> None:
    properties = {"bootstrap.servers": "h:1"}
    producer = names.FlinkKafkaProducer("t", SimpleStringSchema(), properties)
    producer.set_flush_on_checkpoint(False)
    assert producer._sink._settings.guarantee is DeliveryGuarantee.NONE
    exact = names.FlinkKafkaProducer(
        "t", SimpleStringSchema(), properties, semantic=names.Semantic.EXACTLY_ONCE
    )
    with pytest.raises(ProgramError, match="does not go with"):
        exact.set_flush_on_checkpoint(False)
    with pytest.raises(ProgramError, match="does not go with"):
        exact.set_log_failures_only(True)
