"""Three brokers, of which one dies while records are on their way: another leads, and the result is whole."""

from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka.admin import AdminClient

from tests.connectors.kafka.talking import PATIENCE_S, bounded, new_topic, rows_of, write
from tests.connectors.kafka.torture import Torture
from tests.services.kafka_broker import KafkaCluster

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(1_200)]


def leaders(kafka: KafkaCluster, *topics: str) -> set[int]:
    """The nodes that lead partitions of the topics."""
    found = AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=PATIENCE_S).topics
    return {partition.leader for topic in topics for partition in found[topic].partitions.values()}


def wait_until_whole(kafka: KafkaCluster, *topics: str) -> None:
    """Until every replica is in step again, so that the next broker may die."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for _ in range(int(PATIENCE_S / 0.1)):
        found = admin.list_topics(timeout=PATIENCE_S).topics
        own = [topic for name, topic in found.items() if name in topics or name.startswith("__")]
        if all(len(each.isrs) == 3 for topic in own for each in topic.partitions.values()):
            return
        Event().wait(0.1)
    raise AssertionError("a replica stays behind")


def test_each_broker_may_die_in_turn_and_every_result_is_there_once(
    three_brokers: KafkaCluster, tmp_path: Path
) -> None:
    with closing(Torture(three_brokers, tmp_path, {}, seed=7)) as torture:
        torture.start(2)
        for broker in three_brokers.brokers:
            before = torture.written
            torture.write_some(600)
            torture.read_until(before + 50)
            with torture.dead(broker):
                torture.write_some(300)
                torture.read_until(torture.written)
                assert broker.node not in leaders(three_brokers, torture.source, torture.target)
            wait_until_whole(three_brokers, torture.source, torture.target)
        torture.check()


def test_brokers_workers_and_the_program_may_die_in_any_order(
    three_brokers: KafkaCluster, tmp_path: Path
) -> None:
    with closing(Torture(three_brokers, tmp_path, {}, seed=13)) as torture:
        torture.start(2)
        blows = [torture.kill_a_broker, torture.kill_a_worker, torture.kill_the_program]
        for blow in [*blows, torture.stop_with_a_savepoint, *blows]:
            before = torture.written
            torture.write_some(300)
            torture.read_until(before + 20)
            blow()
            if torture.is_gone:
                torture.start(torture.chance.choice([1, 2, 3]))
        torture.read_until(torture.written)
        torture.check()


def test_a_source_reads_on_from_the_new_leader(three_brokers: KafkaCluster) -> None:
    topic = new_topic(three_brokers, partitions=3)
    for partition in range(3):
        write(three_brokers, topic, [f"{partition}:{n}" for n in range(500)], partition)
    broker = three_brokers.brokers[0]
    broker.kill()
    try:
        rows = rows_of(bounded(three_brokers, topic), 2)
    finally:
        broker.start()
        three_brokers.wait_until_ready()
    assert sorted(rows) == sorted(f"{partition}:{n}" for partition in range(3) for n in range(500))
