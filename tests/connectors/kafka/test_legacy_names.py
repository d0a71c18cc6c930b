"""The consumers and producers of before, against a real broker."""

from typing import Any

import pytest

from penstock.common.serialization import SimpleStringSchema
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors import kafka as names
from penstock.errors import ProgramError
from tests.connectors.kafka.talking import new_topic, read, write
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


def test_what_would_lose_records_is_refused() -> None:
    producer = names.FlinkKafkaProducer("t", SimpleStringSchema(), {"bootstrap.servers": "h:1"})
    with pytest.raises(ProgramError, match="records would be lost"):
        producer.set_log_failures_only(True)
