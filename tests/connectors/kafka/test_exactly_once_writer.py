"""The table of failures, line by line: a writer and a committer against a real broker, without a job around them."""

import pickle
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.common.serialization import SimpleStringSchema
from penstock.connectors.kafka import transactions
from penstock.connectors.kafka.epochs import Epoch
from penstock.connectors.kafka.markers import WriterTransactions
from penstock.contracts.sink import Committer
from penstock.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.errors import OutsideError, ProgramError
from penstock.metrics.kinds import MetricGroup
from tests.connectors.kafka.talking import PATIENCE_S, committed_values, new_topic, read
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service


@pytest.fixture
def kafka(apache_kafka: KafkaCluster) -> KafkaCluster:
    """Nothing of this runs on a mock cluster."""
    return apache_kafka


@dataclass
class Context:
    """What the engine gives to a writer."""

    subtask: int = 0
    parallelism: int = 1
    restored_from: int | None = None
    metrics: MetricGroup = field(default_factory=MetricGroup)
    settings: dict[str, str] = field(default_factory=dict)

    def index_of_subtask(self) -> int:
        return self.subtask

    def number_of_parallel_subtasks(self) -> int:
        return self.parallelism

    def attempt_number(self) -> int:
        return 0

    def operator_id(self) -> str:
        return "operator"

    def job_id(self) -> str:
        return "0" * 32

    def restored_checkpoint_id(self) -> int | None:
        return self.restored_from

    def configuration(self) -> dict[str, str]:
        return self.settings

    def metric_group(self) -> MetricGroup:
        return self.metrics

    def clock(self) -> Clock:
        return SYSTEM_CLOCK

    def runtime_context(self) -> Any:
        return None

    def join_checkpoints(self, function: Any) -> None:
        pass

    def timestamp(self) -> None:
        return None

    def current_watermark(self) -> int:
        return 0

    def now_at(self, timestamp: int | None) -> None:
        pass


@dataclass
class Run:
    """One run of a writer with its committer."""

    kafka: KafkaCluster
    topic: str
    context: Context
    states: list[Any]
    properties: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        serializer = (
            KafkaRecordSerializationSchema.builder()
            .set_topic(self.topic)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        begun = (
            KafkaSink.builder()
            .set_bootstrap_servers(self.kafka.bootstrap)
            .set_record_serializer(serializer)
            .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .set_transactional_id_prefix(f"test-{self.topic}")
        )
        for key, value in self.properties.items():
            begun.set_property(key, value)
        self.sink = begun.build()
        self.writer: Any = self.sink.restore_writer(self.context, self.states)
        committer = self.sink.create_committer()
        assert committer is not None
        self.committer: Committer = committer

    def write(self, *values: str) -> list[Epoch]:
        """An epoch up to its barrier: what the checkpoint holds of it."""
        self.writer.write_batch(list(values), None, self.context)
        self.writer.flush(False)
        epochs = self.writer.prepare_commit()
        return pickle.loads(pickle.dumps(epochs))  # type: ignore[no-any-return]

    def commit(self, epochs: list[Epoch]) -> None:
        left: list[Epoch] = epochs
        while left := self.committer.commit(left):
            Event().wait(0.01)


def start(
    kafka: KafkaCluster,
    topic: str,
    context: Context | None = None,
    states: list[Any] | None = None,
    **properties: Any,
) -> Run:
    named = {key.replace("_", "."): value for key, value in properties.items()}
    return Run(kafka, topic, context or Context(), states or [], named)


def crash() -> None:
    """The process is gone: nobody holds its transactions any more, and nobody aborts them."""
    with transactions._lock:
        transactions._open.clear()


def expect(kafka: KafkaCluster, topic: str, values: list[str]) -> None:
    """This, and no more, is seen by readers of committed records."""
    assert committed_values(kafka, topic, len(values)) == values


def is_blocked(kafka: KafkaCluster, topic: str) -> bool:
    """Whether an open transaction keeps readers of committed records from the end of the topic."""
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap, "group.id": "g", "isolation.level": "read_committed"}
    )
    _, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=PATIENCE_S)
    consumer.close()
    everything = read(kafka, topic, "read_uncommitted")
    return bool(everything) and high <= everything[-1].offset()


def test_records_are_seen_when_their_checkpoint_is_complete_and_not_before(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    first = run.write("a", "b")
    expect(kafka, topic, [])
    second = run.write("c")
    run.commit(first)
    expect(kafka, topic, ["a", "b"])
    run.commit(second)
    run.commit(run.write("d"))
    expect(kafka, topic, ["a", "b", "c", "d"])
    run.writer.close()


def test_a_commit_that_is_asked_for_again_changes_nothing(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    epochs = run.write("a")
    run.commit(epochs)
    run.commit(epochs)
    crash()
    later = start(kafka, topic, Context(restored_from=1), [1])
    later.commit(epochs)
    expect(kafka, topic, ["a"])


def test_an_epoch_whose_process_died_before_the_commit_is_written_anew(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    epochs = start(kafka, topic).write("a", "b")
    crash()
    restored = Context(restored_from=1)
    committer = start(
        kafka, topic, restored, [1]
    )  # its writer aborts what is open, its committer writes anew
    committer.commit(epochs)
    committer.commit(epochs)
    expect(kafka, topic, ["a", "b"])
    committer.commit(committer.write("c"))
    expect(kafka, topic, ["a", "b", "c"])


def test_what_was_written_after_the_restored_checkpoint_is_never_seen(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    run.commit(run.write("a"))
    run.write("lost with its checkpoint")
    run.writer.write_batch(["lost too"], None, run.context)
    run.writer.flush(False)
    crash()
    later = start(kafka, topic, Context(restored_from=1), [1])
    assert not is_blocked(kafka, topic)
    later.commit(later.write("b"))
    expect(kafka, topic, ["a", "b"])


def test_a_transaction_that_the_broker_has_timed_out_is_written_anew(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic, transaction_timeout_ms=1_000)
    epochs = run.write("a")
    while is_blocked(kafka, topic):
        pass
    run.commit(epochs)
    expect(kafka, topic, ["a"])
    run.commit(run.write("b"))
    expect(kafka, topic, ["a", "b"])


def test_a_run_that_was_thought_dead_cannot_commit_any_more(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    zombie = start(kafka, topic)
    epochs = zombie.write("a")
    producer = transactions.claim(epochs[0].identity)
    assert producer is not None
    later = start(kafka, topic, Context(restored_from=1), [1])
    later.commit(epochs)
    with pytest.raises(OutsideError, match="did not"):
        producer.commit(epochs[0])
    expect(kafka, topic, ["a"])


def test_transactions_of_another_parallelism_are_found_and_aborted(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    for subtask in range(3):
        start(kafka, topic, Context(subtask, 3)).write(f"lost {subtask}")
    crash()
    for subtask in range(2):
        start(kafka, topic, Context(subtask, 2, restored_from=3))
    assert not is_blocked(kafka, topic)
    expect(kafka, topic, [])


def test_a_job_that_goes_back_to_an_older_checkpoint_loses_and_doubles_nothing(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    old = run.write("a")
    run.commit(old)
    for value in "bcd":
        run.commit(run.write(value))
    crash()
    # From the first checkpoint again: what it holds was committed long ago, what comes is new, though its number is low.
    again = start(kafka, topic, Context(restored_from=1), [1])
    again.commit(old)
    epochs = again.write("b again")
    crash()
    once_more = start(kafka, topic, Context(restored_from=2), [2])
    once_more.commit(epochs)
    expect(kafka, topic, ["a", "b", "c", "d", "b again"])


def test_an_epoch_without_records_needs_no_transaction(kafka: KafkaCluster) -> None:
    run = start(kafka, new_topic(kafka))
    run.writer.flush(False)
    assert run.writer.prepare_commit() == []
    run.writer.close()


def test_large_epochs_are_kept_in_a_file(kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.epochs.IN_MEMORY_BYTES", 1_000)
    topic = new_topic(kafka)
    run = start(kafka, topic)
    values = [f"{n} {n * n}" for n in range(5_000)]
    for begin in range(0, 5_000, 500):
        run.writer.write_batch(values[begin : begin + 500], None, run.context)
    epochs = run.write("last")
    crash()
    start(kafka, topic, Context(restored_from=1), [1]).commit(epochs)
    expect(kafka, topic, [*values, "last"])


def test_a_time_out_that_the_broker_does_not_allow_is_said_before_anything_is_written(
    kafka: KafkaCluster,
) -> None:
    with pytest.raises(ProgramError, match="is 86400000, and the broker allows 900000 at most"):
        start(kafka, new_topic(kafka), transaction_timeout_ms=86_400_000)


def test_checkpoints_that_are_rarer_than_transactions_last_are_refused_before_anything_is_written(
    kafka: KafkaCluster,
) -> None:
    context = Context(settings={"execution.checkpointing.interval": "30 s"})
    with pytest.raises(ProgramError, match=r"come every 30000 ms and transaction\.timeout\.ms is 30000"):
        start(kafka, new_topic(kafka), context, transaction_timeout_ms=30_000)
    start(kafka, new_topic(kafka), context, transaction_timeout_ms=30_001).writer.close()


def test_exactly_once_needs_a_prefix() -> None:
    builder = (
        KafkaSink.builder()
        .set_bootstrap_servers("h:1")
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    )
    builder.set_record_serializer(
        KafkaRecordSerializationSchema.builder()
        .set_topic("t")
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    with pytest.raises(ProgramError, match="set_transactional_id_prefix"):
        builder.build()


def test_ids_of_a_run_are_named_after_prefix_subtask_and_checkpoint() -> None:
    assert WriterTransactions(1, 17, 2).ids("shop") == ["shop-1-17-0", "shop-1-17-1"]
