"""A broker behind TLS and a login: whatever talks to it does so with the user's settings, and says why it may not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from penstock.common import WatermarkStrategy
from penstock.common.serialization import SimpleStringSchema
from penstock.connectors.kafka.broker import GroupOffsets
from penstock.connectors.kafka.epochs import WriterName
from penstock.connectors.kafka.markers import marker_group
from penstock.connectors.kafka.notes import ANCHOR, GroupNotes
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.errors import JobFailed, OutsideError
from tests.connectors.kafka.runs import Context, crash, expect, last, start
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
    env = StreamExecutionEnvironment.get_execution_environment({"restart-strategy.type": "none"})
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
    kafka: KafkaCluster,
    certificate: Certificate,
    tmp_path: Path,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
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
    assert "KafkaError{" not in str(caught.value)
    lines = [re.sub(r"\d+", "", each.args[2]) for each in caplog.records if each.args and len(each.args) == 3]
    assert len(lines) == len(set(lines)) > 0


@dataclass(frozen=True)
class Right:
    """A right of the user."""

    kind: ResourceType
    name: str
    operation: AclOperation
    pattern: ResourcePatternType = ResourcePatternType.LITERAL

    def of(self, user: str) -> AclBinding:
        return AclBinding(
            self.kind, self.name, self.pattern, f"User:{user}", "*", self.operation, AclPermissionType.ALLOW
        )


READS_ANCHOR = Right(ResourceType.TOPIC, ANCHOR, AclOperation.READ)


@contextmanager
def only(kafka: KafkaCluster, *rights: Right, without: Right | None = None) -> Iterator[None]:
    """Within the block the user has these rights, but for one, and no others on what they are about, nor on the cluster and
    its own topic."""
    bindings = [right.of(USER) for right in rights if right != without]
    bindings.append(READS_ANCHOR.of("somebody"))
    bindings.append(Right(ResourceType.BROKER, "kafka-cluster", AclOperation.ALTER).of("somebody"))
    if without is not None:
        bindings.append(without.of("somebody"))
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_acls(bindings).values():
        made.result(PATIENCE_S)
    try:
        yield
    finally:
        filters = [
            AclBindingFilter(
                each.restype,
                each.name,
                each.resource_pattern_type,
                each.principal,
                each.host,
                each.operation,
                each.permission_type,
            )
            for each in bindings
        ]
        for gone in admin.delete_acls(filters).values():
            gone.result(PATIENCE_S)


def rights_of_sink(topic: str) -> list[Right]:
    """What the guide says that an exactly-once sink needs, whose prefix is the topic's name."""
    beginning = ResourcePatternType.PREFIXED
    return [
        Right(ResourceType.TOPIC, topic, AclOperation.WRITE),
        Right(ResourceType.TOPIC, topic, AclOperation.READ),
        Right(ResourceType.GROUP, "penstock-sink-", AclOperation.READ, beginning),
        Right(ResourceType.TRANSACTIONAL_ID, topic, AclOperation.WRITE, beginning),
    ]


def test_an_exactly_once_sink_needs_the_rights_that_the_guide_names_and_no_others(
    kafka: KafkaCluster, certificate: Certificate
) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    write(kafka, first, ["a", "b"])
    properties = settings(kafka, ssl_ca_location=certificate.truststore)
    with only(kafka, *rights_of_sink(second)):
        copy(source(first, properties), second, properties)
    assert committed_values(kafka, second, 2) == ["a", "b"]
    assert [topic for topic, _ in notes_of(kafka, second)] == [second]


def test_a_sink_that_may_read_the_topic_of_offsets_has_its_notes_there_as_well(
    kafka: KafkaCluster, certificate: Certificate
) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    write(kafka, first, ["a", "b"])
    properties = settings(kafka, ssl_ca_location=certificate.truststore)
    with only(kafka, *rights_of_sink(second), READS_ANCHOR):
        copy(source(first, properties), second, properties)
    assert committed_values(kafka, second, 2) == ["a", "b"]
    (_, number), _ = found = notes_of(kafka, second)
    assert found == [(ANCHOR, number), (second, number)]


def test_an_epoch_is_written_anew_by_a_user_who_may_not_read_the_topic_of_offsets_any_more(
    kafka: KafkaCluster, certificate: Certificate
) -> None:
    topic = new_topic(kafka)
    epochs = start(kafka, topic).write("a")
    assert ANCHOR in epochs[0].topics
    crash()
    properties = settings(kafka, ssl_ca_location=certificate.truststore)
    written = Right(ResourceType.TRANSACTIONAL_ID, "test-", AclOperation.WRITE, ResourcePatternType.PREFIXED)
    with only(kafka, *rights_of_sink(topic)[:3], written):
        later = start(kafka, topic, Context(restored_from=1), last(1), epochs, **properties)
        later.commit(later.write("b"))
    expect(kafka, topic, ["a", "b"])


def notes_of(kafka: KafkaCluster, prefix: str) -> list[tuple[str, int]]:
    """The markers of the first writer under a prefix: topics and numbers."""
    found = GroupNotes({"bootstrap.servers": kafka.bootstrap}).read(marker_group(WriterName(prefix, 0)))
    return sorted((note.topic, note.offset) for note in found)


@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        (0, "a message for topic .* was not delivered.*Topic authorization failed"),
        (1, "a sink WRITE on those that it writes to, and READ as well where it writes exactly once"),
        (2, "a sink that writes exactly once on those that begin with 'penstock-sink-'"),
        (3, "the user needs WRITE on all that begin with the sink's prefix"),
    ],
)
def test_a_right_that_an_exactly_once_sink_lacks_is_named(
    kafka: KafkaCluster, certificate: Certificate, lacking: int, says: str
) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    write(kafka, first, ["a", "b"])
    properties = settings(kafka, ssl_ca_location=certificate.truststore)
    rights = rights_of_sink(second)
    with only(kafka, *rights, without=rights[lacking]), pytest.raises(JobFailed, match=says):
        copy(source(first, properties), second, properties)


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
