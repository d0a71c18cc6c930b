"""librdkafka's mock cluster: brokers within the client library, for machines where Apache Kafka cannot be had.

It keeps records, offsets and groups. It knows no questions of administration, no transactions that readers could tell from
aborted ones, and gives every topic four partitions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from confluent_kafka import Producer, libversion

from tests.services.kafka_broker import START_S, KafkaCluster

PARTITIONS = 4


@dataclass
class MockCluster(KafkaCluster):
    """Looks like a cluster to tests that write and read; the brokers live as long as ``owner``."""

    owner: Producer | None = None
    address: str = ""
    is_mock: ClassVar[bool] = True

    @property
    def bootstrap(self) -> str:
        return self.address

    def create_topic(self, name: str, partitions: int = 1, **configuration: str) -> None:
        assert self.owner is not None
        assert partitions <= PARTITIONS
        self.owner.list_topics(name, timeout=START_S)  # asking for a topic makes it


@contextmanager
def mock_kafka(nodes: int = 1) -> Iterator[MockCluster]:
    """A mock cluster that ends with the block."""
    owner = Producer({"test.mock.num.brokers": nodes, "log_level": 0})
    found = owner.list_topics(timeout=START_S).brokers.values()
    address = ",".join(f"{broker.host}:{broker.port}" for broker in found)
    yield MockCluster(f"librdkafka's mock cluster {libversion()[0]}", owner=owner, address=address)
