"""A broker that goes away and comes back: nothing is lost, nothing waits for it longer than it is away."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.connectors.driving import RunningSource
from tests.connectors.kafka.talking import builder, new_topic, write
from tests.connectors.kafka.test_exactly_once_writer import expect, start
from tests.connectors.kafka.torture import Torture
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service


@pytest.fixture
def kafka(apache_kafka: KafkaCluster) -> KafkaCluster:
    """Nothing of this runs on a mock cluster."""
    return apache_kafka


@contextmanager
def silent(kafka: KafkaCluster) -> Iterator[None]:
    """The broker answers nothing within the block."""
    (broker,) = kafka.brokers
    assert broker.process is not None
    broker.process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.process.signal(signal.SIGCONT)


def restart(kafka: KafkaCluster) -> None:
    (broker,) = kafka.brokers
    broker.kill()
    broker.start()
    kafka.wait_until_ready()


def test_a_commit_does_not_hold_up_the_task_while_the_broker_is_silent(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    first, second = run.write("a"), run.write("b")
    with silent(kafka):
        assert run.committer.commit(first + second) == first + second
        assert run.committer.commit(first + second) == first + second
    run.commit(first + second)
    expect(kafka, topic, ["a", "b"])
    run.writer.close()


@pytest.mark.slow
def test_commits_in_transactions_that_were_open_when_the_broker_died_are_made(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    epochs = run.write("a", "b")
    restart(kafka)
    run.commit(epochs)
    expect(kafka, topic, ["a", "b"])
    run.writer.close()


@pytest.mark.slow
def test_a_source_reads_on_after_the_broker_was_away(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    write(kafka, topic, ["a"])
    running = RunningSource(builder(kafka, topic).set_group_id(f"g-{topic}").build())
    running.run_until(lambda: running.records == ["a"])
    (broker,) = kafka.brokers
    broker.kill()
    running.readers[0].snapshot_state(1)
    running.readers[0].notify_checkpoint_complete(1)  # its offsets cannot be committed now
    broker.start()
    kafka.wait_until_ready()
    write(kafka, topic, ["b"])
    running.run_until(lambda: running.records == ["a", "b"])
    running.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_goes_on_by_itself_when_the_broker_is_back(kafka: KafkaCluster, tmp_path: Any) -> None:
    with closing(Torture(kafka, tmp_path, {}, seed=3)) as torture:
        torture.start(2)
        for _ in range(3):
            before = torture.written
            torture.write_some(600)
            torture.read_until(before + 50)
            torture.kill_a_broker()
            torture.read_until(torture.written)
        torture.check()
