"""A broker behind TLS and a login: whatever talks to it does so with the user's settings, and says why it may not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from penstock.common import WatermarkStrategy
from penstock.common.serialization import SimpleStringSchema
from penstock.connectors.kafka.broker import GroupOffsets
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.errors import JobFailed, OutsideError
from tests.connectors.kafka.talking import PATIENCE_S, committed_values, new_topic, rows_of, write
from tests.missing import leave_out_for_want_of
from tests.services.certificates import Certificate, make_certificate
from tests.services.kafka_broker import PASSWORD, USER, KafkaCluster, NoBroker, running_kafka

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificates"), "broker")


@pytest.fixture(scope="module")
def kafka(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    try:
        folder = tmp_path_factory.mktemp("kafka")
        with running_kafka(folder, keystore=certificate.keystore) as cluster:
            yield cluster
    except NoBroker as reason:
        leave_out_for_want_of("Apache Kafka", str(reason))


def settings(kafka: KafkaCluster, password: str = PASSWORD, **others: str) -> dict[str, Any]:
    login = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": USER}
    given = {key.replace("_", "."): value for key, value in others.items()}
    return {"bootstrap.servers": kafka.secured, **login, "sasl.password": password, **given}


def source(topic: str, properties: dict[str, Any]) -> KafkaSource:
    begun = KafkaSource.builder().set_topics(topic).set_properties(properties)
    begun.set_value_only_deserializer(SimpleStringSchema())
    return begun.set_bounded(KafkaOffsetsInitializer.latest()).build()


def copy(origin: KafkaSource, topic: str, properties: dict[str, Any]) -> None:
    serializer = KafkaRecordSerializationSchema.builder().set_topic(topic)
    serializer.set_value_serialization_schema(SimpleStringSchema())
    sink = KafkaSink.builder().set_kafka_producer_config(properties).set_record_serializer(serializer.build())
    sink.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).set_transactional_id_prefix(topic)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(100)
    env.from_source(origin, WatermarkStrategy.no_watermarks(), "kafka").sink_to(sink.build())
    env.execute()


@pytest.mark.parametrize("is_verified", [True, False])
def test_what_is_read_and_written_exactly_once_goes_over_tls_with_a_login(
    kafka: KafkaCluster, certificate: Certificate, is_verified: bool
) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    write(kafka, first, ["a", "b"])
    trust = {"ssl_ca_location": certificate.truststore}
    properties = settings(
        kafka, **(trust if is_verified else {"enable_ssl_certificate_verification": "false"})
    )
    copy(source(first, properties), second, properties)
    assert committed_values(kafka, second, 2) == ["a", "b"]


@pytest.mark.parametrize("fault", ["password", "certificate"])
def test_why_a_broker_cannot_be_talked_to_is_said(
    kafka: KafkaCluster, certificate: Certificate, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.broker.TIMEOUT_S", 3.0)
    topic = new_topic(kafka)
    trusted = certificate if fault == "password" else make_certificate(tmp_path, "other")
    password = "geheim" if fault == "password" else PASSWORD
    properties = settings(kafka, password, ssl_ca_location=trusted.truststore)
    says = "Authentication failed" if fault == "password" else "certificate verify failed"
    with pytest.raises(JobFailed, match=f"no broker answers at {kafka.secured}.*{says}") as caught:
        rows_of(source(topic, properties))
    assert "geheim" not in str(caught.value)


def test_an_offset_that_is_not_told_is_not_taken_for_one_that_is_not_there(
    kafka: KafkaCluster, certificate: Certificate
) -> None:
    hidden, seen = new_topic(kafka), new_topic(kafka)
    whole = (hidden, ResourcePatternType.LITERAL, f"User:{USER}", "*")
    denied = AclBinding(ResourceType.TOPIC, *whole, AclOperation.DESCRIBE, AclPermissionType.DENY)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_acls([denied])[denied].result(PATIENCE_S)
    offsets = GroupOffsets(settings(kafka, ssl_ca_location=certificate.truststore))
    (place,) = offsets.committed("some-group", [(seen, 0)])
    assert place.offset < 0
    with pytest.raises(OutsideError, match="Topic authorization failed"):
        offsets.committed("some-group", [(seen, 0), (hidden, 0)])
