"""A real Apache Kafka, from its jars on Maven Central, as single node in KRaft mode on free loopback ports.

``python -m tests.services.kafka_broker [PORT]`` runs one until it is interrupted, on port 9092 if none is given.
"""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import ClassVar

from tests.services.attached import Attached
from tests.services.maven_jars import NoJars, jars_of

KAFKA_3 = "3.9.2"
KAFKA_4 = "4.1.1"
START_S = 180.0

# Nothing is too old to be kept: tests write records of 1970.
_CONFIGURATION = """process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
num.partitions=1
default.replication.factor={replicas}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={min_isr}
transaction.state.log.num.partitions=4
min.insync.replicas={min_isr}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.retention.ms=-1
unclean.leader.election.enable=false
transaction.remove.expired.transaction.cleanup.interval.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
"""

# A listener for users beside the one for the tests' own clients.
_SECURED = """listeners=PLAINTEXT://127.0.0.1:{port},SECURED://127.0.0.1:{secured_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURED://127.0.0.1:{secured_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.secured.sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_{user}="{password}";
"""
USER, PASSWORD = "reader", "right"

# Several nodes: another leads within seconds where one has died. Each stands in a rack of its own, and says to consumers of
# that rack that they may read from it.
_OF_SEVERAL = """broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
broker.rack=rack-{node}
replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector
"""


class NoBroker(Exception):
    """No broker can be had on this machine; the text says why."""


def jars(version: str) -> Path:
    """The directory with Kafka's jars, fetched if they are not there yet."""
    try:
        return jars_of(
            f"kafka-{version}", f"org.apache.kafka:kafka_2.13:{version}", "org.slf4j:slf4j-nop:1.7.36"
        )
    except NoJars as reason:
        raise NoBroker(f"Apache Kafka {version}: {reason}") from reason


@dataclass
class Broker:
    """One node. ``kill`` ends it as a crash does, ``start`` brings it back with the same data and ports."""

    node: int
    classpath: str
    directory: Path
    port: int
    process: Attached | None = None

    def start(self) -> None:
        with open(self.directory / "output.txt", "ab") as output:
            self.process = Attached(
                self._java("kafka.Kafka", str(self.directory / "server.properties")),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def format(self, cluster_id: str) -> None:
        configuration = str(self.directory / "server.properties")
        subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", configuration),
            check=True,
            capture_output=True,
            timeout=START_S,
        )

    def _java(self, *arguments: str) -> list[str]:
        return [
            "java",
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            self.classpath,
            *arguments,
        ]

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process = None

    def said(self) -> str:
        return (self.directory / "output.txt").read_text(errors="replace")[-2000:]


@dataclass
class KafkaCluster:
    """Running brokers and where they are reached."""

    version: str
    brokers: list[Broker] = field(default_factory=list)
    secured: str = ""
    """Where it is reached over TLS by :data:`USER` with :data:`PASSWORD`, if there."""
    reason: str = ""
    """Why it is not Apache Kafka, if it is not."""
    is_mock: ClassVar[bool] = False

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def create_topic(self, name: str, partitions: int = 1, **configuration: str) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        replicas = min(3, len(self.brokers))
        topic = NewTopic(
            name, partitions, replicas, config={k.replace("_", "."): v for k, v in configuration.items()}
        )
        admin.create_topics([topic])[name].result(START_S)
        self._wait_for_leaders(admin, name, partitions)

    def add_partitions(self, name: str, count: int) -> None:
        """Have a topic get more partitions, ``count`` in all."""
        from confluent_kafka.admin import AdminClient, NewPartitions

        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        admin.create_partitions([NewPartitions(name, count)])[name].result(START_S)
        self._wait_for_leaders(admin, name, count)

    def _wait_for_leaders(self, admin: object, name: str, partitions: int) -> None:
        for _ in range(int(START_S / 0.05)):
            topic = admin.list_topics(name, timeout=START_S).topics[name]  # type: ignore[attr-defined]
            if len(topic.partitions) == partitions and all(p.leader >= 0 for p in topic.partitions.values()):
                return
            Event().wait(0.05)
        raise AssertionError(f"topic {name} has no leaders")

    def wait_until_ready(self) -> None:
        """Until every node answers."""
        from confluent_kafka.admin import AdminClient

        admin = AdminClient(
            {"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200}
        )
        for _ in range(int(START_S / 0.2)):
            for broker in self.brokers:
                if broker.process is not None and broker.process.poll() is not None:
                    raise NoBroker(f"Apache Kafka {self.version} ended: {broker.said()}")
            with suppress(Exception):
                if len(admin.list_topics(timeout=1).brokers) == len(self.brokers):
                    return
            Event().wait(0.2)
        raise NoBroker(f"Apache Kafka {self.version} did not answer in {START_S} s: {self.brokers[0].said()}")


@contextmanager
def running_kafka(
    directory: Path,
    version: str = KAFKA_4,
    nodes: int = 1,
    port: int | None = None,
    keystore: str | None = None,
) -> Iterator[KafkaCluster]:
    """A cluster that ends with the block; ``port`` is that of the first node, if it must be a certain one. ``keystore``: a
    certificate and its key, with which a single node has a second listener, over TLS and with a login.

    :raises NoBroker: where there is no Java, no Maven, no registry, or the broker does not start.
    """
    classpath = str(jars(version) / "*")
    ports = free_ports(2 * nodes)
    if port is not None:
        ports[0] = port
    voters = ",".join(f"{node + 1}@127.0.0.1:{ports[nodes + node]}" for node in range(nodes))
    cluster = KafkaCluster(version)
    try:
        for node in range(nodes):
            place = directory / f"node-{node + 1}"
            place.mkdir(parents=True)
            text = _CONFIGURATION.format(
                node=node + 1,
                voters=voters,
                port=ports[node],
                controller_port=ports[nodes + node],
                logs=place / "logs",
                replicas=min(3, nodes),
                min_isr=min(2, nodes),
            )
            if keystore is not None:
                (secured_port,) = free_ports(1)
                cluster.secured = f"127.0.0.1:{secured_port}"
                text += _SECURED.format(
                    port=ports[node],
                    controller_port=ports[nodes + node],
                    secured_port=secured_port,
                    keystore=keystore,
                    user=USER,
                    password=PASSWORD,
                )
            if nodes > 1:
                text += _OF_SEVERAL.format(node=node + 1)
            (place / "server.properties").write_text(text)
            broker = Broker(node + 1, classpath, place, ports[node])
            broker.format("penstockpenstockpensto")
            broker.start()
            cluster.brokers.append(broker)
        cluster.wait_until_ready()
        yield cluster
    finally:
        for broker in cluster.brokers:
            broker.kill()


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def main() -> None:
    """Run a broker in a folder of its own, which is gone afterwards."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9092
    with tempfile.TemporaryDirectory() as folder, running_kafka(Path(folder), port=port) as cluster:
        print(f"Apache Kafka {cluster.version} at {cluster.bootstrap}; interrupt it to end it", flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


if __name__ == "__main__":
    main()
