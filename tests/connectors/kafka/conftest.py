"""One broker for all tests of Kafka, started on the first use and stopped at the end."""

from collections.abc import Iterator

import pytest

from tests.missing import leave_out_for_want_of
from tests.services.kafka_broker import KAFKA_4, KafkaCluster, NoBroker, running_kafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    try:
        with running_kafka(tmp_path_factory.mktemp("kafka"), KAFKA_4) as cluster:
            yield cluster
    except NoBroker as reason:
        leave_out_for_want_of(f"Apache Kafka {KAFKA_4}", str(reason))
