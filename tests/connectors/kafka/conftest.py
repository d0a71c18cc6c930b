"""Brokers for all tests of Kafka, started on the first use and stopped at the end; the summary says which ones they were."""

import os
from collections.abc import Iterator

import pytest

from tests.missing import leave_out_for_want_of
from tests.services.kafka_broker import KAFKA_3, KAFKA_4, KafkaCluster, NoBroker, running_kafka
from tests.services.kafka_mock import mock_kafka

ONLY_MOCK = "PENSTOCK_TEST_KAFKA_MOCK"
"""Set to 1, it says that there is no Apache Kafka."""

_used: list[str] = []


@pytest.fixture(scope="session", params=[KAFKA_4, pytest.param(KAFKA_3, marks=pytest.mark.slow)])
def any_kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaCluster]:
    """A node of Apache Kafka, or where it cannot be had, librdkafka's mock cluster."""
    try:
        if os.environ.get(ONLY_MOCK):
            raise NoBroker(f"{ONLY_MOCK} is set")
        with running_kafka(tmp_path_factory.mktemp("kafka"), request.param) as cluster:
            _used.append(f"Apache Kafka {request.param}, one node")
            yield cluster
    except NoBroker as reason:
        with mock_kafka() as mock:
            _used.append(f"{mock.version} in the place of Apache Kafka {request.param}: {reason}")
            mock.reason = str(reason)
            yield mock


@pytest.fixture
def kafka(any_kafka: KafkaCluster) -> KafkaCluster:
    """Whichever it is: for what both can do."""
    return any_kafka


@pytest.fixture
def apache_kafka(any_kafka: KafkaCluster) -> KafkaCluster:
    """A node of Apache Kafka, for what the mock cluster cannot do."""
    if any_kafka.is_mock:
        leave_out_for_want_of("Apache Kafka", any_kafka.reason)
    return any_kafka


@pytest.fixture(scope="session", params=[KAFKA_4, KAFKA_3])
def three_brokers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaCluster]:
    """Three nodes of Apache Kafka, with three replicas of everything, of which two have to be there."""
    try:
        if os.environ.get(ONLY_MOCK):
            raise NoBroker(f"{ONLY_MOCK} is set")
        with running_kafka(tmp_path_factory.mktemp("kafka"), request.param, nodes=3) as cluster:
            _used.append(f"Apache Kafka {request.param}, three nodes")
            yield cluster
    except NoBroker as reason:
        leave_out_for_want_of(f"Apache Kafka {request.param}", str(reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which brokers the tests had."""
    for line in _used:
        terminalreporter.write_line(f"Kafka: {line}")
