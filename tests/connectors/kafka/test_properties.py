"""Properties as Java's client has them, for the client that is used here."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer

from penstock.connectors.kafka.properties import client_configuration
from penstock.errors import OptionError
from tests.services.certificates import make_certificate


@pytest.mark.parametrize(
    ("of_java", "here"),
    [
        ({"max.request.size": "2097152"}, {"message.max.bytes": "2097152"}),
        ({"compression.type": "gzip", "compression.gzip.level": "9"}, {"compression.type": "gzip", "compression.level": "9"}),
        ({"buffer.memory": "33554432"}, {"queue.buffering.max.kbytes": "32768"}),
        ({"metric.reporters": "a.B", "metrics.num.samples": "2", "auto.include.jmx.reporter": "false"}, {}),
        ({"partitioner.adaptive.partitioning.enable": "false"}, {}),
        ({"ssl.truststore.type": "PEM", "ssl.truststore.location": "/ca.pem"}, {"ssl.ca.location": "/ca.pem"}),
        ({"ssl.keystore.type": "PKCS12", "ssl.keystore.location": "/me.p12"}, {"ssl.keystore.location": "/me.p12"}),
    ],
)  # fmt: skip
def test_a_property_of_javas_client_goes_under_the_name_that_it_has_here(
    of_java: dict[str, str], here: dict[str, str]
) -> None:
    assert client_configuration(of_java) == here


def test_what_tunes_javas_client_alone_is_passed_over_for_both_kinds_of_clients() -> None:
    given = {
        "bootstrap.servers": "127.0.0.1:1",
        "default.api.timeout.ms": "60000",
        "exclude.internal.topics": "true",
        "metadata.max.idle.ms": "300000",
        "socket.connection.setup.timeout.max.ms": "30000",
        "max.request.size": "1048576",
    }
    configuration = client_configuration(given) | {"log_level": "0"}
    Consumer(configuration | {"group.id": "g"}).close()
    Producer(configuration)


def test_a_pem_file_with_a_key_and_its_certificate_is_read_by_the_client(tmp_path: Path) -> None:
    keystore = make_certificate(tmp_path, "me").keystore
    given = {"security.protocol": "SSL", "ssl.keystore.type": "PEM", "ssl.keystore.location": str(keystore)}
    given |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(keystore)}
    configuration = client_configuration({"bootstrap.servers": "127.0.0.1:1", **given})
    assert configuration["ssl.key.location"] == configuration["ssl.certificate.location"] == str(keystore)
    Producer(configuration | {"log_level": "0"})
    with pytest.raises(KafkaException, match=r"ssl\.certificate\.location"):
        Producer(configuration | {"log_level": "0", "ssl.certificate.location": __file__})


def test_certificates_as_texts_are_understood() -> None:
    given = {
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": "ca",
        "ssl.keystore.certificate.chain": "mine",
        "ssl.keystore.key": "key",
    }
    assert client_configuration(given) == {
        "ssl.ca.pem": "ca",
        "ssl.certificate.pem": "mine",
        "ssl.key.pem": "key",
    }


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"ssl.truststore.location": "/ca.jks"}, "'ssl.truststore.location' is for clients in Java; write ssl.ca"),
        ({"ssl.truststore.type": "JKS"}, "'ssl.truststore.type' is for clients in Java; write ssl.ca.location"),
        ({"ssl.keystore.type": "JKS"}, "'ssl.keystore.type' is for clients in Java; write ssl.certificate.location"),
    ],
)  # fmt: skip
def test_stores_that_only_java_reads_are_refused_with_what_to_write(
    properties: dict[str, str], says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        client_configuration(properties)
