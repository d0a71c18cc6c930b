"""A source that says in which rack it stands reads from the replica there, and not from the leader (KIP-392)."""

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from penstock.connectors.kafka import source as kafka_source
from penstock.connectors.kafka.fetching import Fetcher
from tests.connectors.driving import RunningSource, running
from tests.connectors.kafka.talking import PATIENCE_S, builder, new_topic, write
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service


class _Statistics:
    """The newest of a client's own statistics."""

    def __init__(self) -> None:
        self._newest: dict[str, Any] = {}
        self._came = Event()

    def __call__(self, text: str) -> None:
        self._newest = json.loads(text)
        self._came.set()

    def _partition(self, topic: str) -> dict[str, Any]:
        found: dict[str, Any] = self._newest.get("topics", {}).get(topic, {}).get("partitions", {})
        return dict(found.get("0", {}))

    def wait_for_fetches_from(self, node: int, topic: str) -> None:
        """Until the client fetches the first partition of the topic from a node."""
        for _ in range(int(PATIENCE_S / 0.05)):
            if self._partition(topic).get("broker") == node:
                return
            self._came.clear()
            self._came.wait(PATIENCE_S)
        raise AssertionError(f"it reads from elsewhere: {self._partition(topic)}")

    def leader(self, topic: str) -> int:
        return int(self._partition(topic)["leader"])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> _Statistics:
    """What the clients of sources tell about themselves."""
    statistics = _Statistics()

    def fetcher(configuration: dict[str, Any], *others: Callable[..., Any]) -> Fetcher:
        return Fetcher({**configuration, "statistics.interval.ms": 50, "stats_cb": statistics}, *others)

    monkeypatch.setattr(kafka_source, "Fetcher", fetcher)
    return statistics


def _follower_and_leader(kafka: KafkaCluster, topic: str) -> tuple[int, int]:
    """A node that has a replica of the first partition, and the one that leads it."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    partition = admin.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions[0]
    return next(node for node in partition.replicas if node != partition.leader), partition.leader


def _reads(run: RunningSource, kafka: KafkaCluster, topic: str, values: list[str]) -> None:
    """What is written now is what comes next."""
    before = len(run.records)
    write(kafka, topic, values)
    run.run_until(lambda: len(run.records) >= before + len(values))
    assert run.records[before:] == values


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_source_reads_from_the_follower_in_its_rack(three_brokers: KafkaCluster, told: _Statistics) -> None:
    topic = new_topic(three_brokers)
    follower, leader = _follower_and_leader(three_brokers, topic)
    source = builder(three_brokers, topic).set_rack_id_supplier(lambda: f"rack-{follower}").build()
    with running(source) as run:
        _reads(run, three_brokers, topic, ["a", "b"])
        told.wait_for_fetches_from(follower, topic)
        _reads(run, three_brokers, topic, [str(number) for number in range(1_000)])
        told.wait_for_fetches_from(follower, topic)
        assert told.leader(topic) == leader


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_source_without_a_rack_reads_from_the_leader(
    three_brokers: KafkaCluster, told: _Statistics
) -> None:
    topic = new_topic(three_brokers)
    _, leader = _follower_and_leader(three_brokers, topic)
    with running(builder(three_brokers, topic).build()) as run:
        _reads(run, three_brokers, topic, ["a", "b"])
        told.wait_for_fetches_from(leader, topic)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_source_whose_follower_dies_reads_on_from_another_replica(
    three_brokers: KafkaCluster, told: _Statistics
) -> None:
    topic = new_topic(three_brokers)
    follower, leader = _follower_and_leader(three_brokers, topic)
    broker = three_brokers.brokers[follower - 1]
    source = builder(three_brokers, topic).set_property("client.rack", f"rack-{follower}").build()
    with running(source) as run:
        _reads(run, three_brokers, topic, ["a", "b"])
        told.wait_for_fetches_from(follower, topic)
        broker.kill()
        try:
            _reads(run, three_brokers, topic, [str(number) for number in range(100)])
            told.wait_for_fetches_from(leader, topic)
        finally:
            broker.start()
            three_brokers.wait_until_ready()


@pytest.mark.parametrize("rack", [None, ""])
def test_a_supplier_that_knows_no_rack_sets_none(rack: Any) -> None:
    begun = builder(KafkaCluster("none"), "t").set_bootstrap_servers("h:1")
    source = begun.set_property("client.rack", "here").set_rack_id_supplier(lambda: rack).build()
    assert source._settings.consumer_configuration("0")["client.rack"] == "here"
