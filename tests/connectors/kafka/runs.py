"""Runs of an exactly-once writer with its committer against a real broker, without a job around them."""

import pickle
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.common.serialization import SimpleStringSchema
from penstock.connectors.kafka import transactions
from penstock.connectors.kafka.epochs import Epoch
from penstock.connectors.kafka.exactly_once import LastEpoch
from penstock.contracts.sink import Committer
from penstock.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.metrics.kinds import MetricGroup
from tests.connectors.kafka.talking import PATIENCE_S, committed_values, read
from tests.services.kafka_broker import KafkaCluster

JOB = "0" * 32


@dataclass
class Context:
    """What the engine gives to a writer."""

    subtask: int = 0
    parallelism: int = 1
    restored_from: int | None = None
    job: str = JOB
    time: Clock = SYSTEM_CLOCK
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
        return self.job

    def restored_checkpoint_id(self) -> int | None:
        return self.restored_from

    def configuration(self) -> dict[str, str]:
        return self.settings

    def metric_group(self) -> MetricGroup:
        return self.metrics

    def clock(self) -> Clock:
        return self.time

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
    """One run of a writer with its committer; ``restored``: the epochs in the checkpoint that it goes on from."""

    kafka: KafkaCluster
    topic: str
    context: Context
    states: list[Any]
    restored: list[Epoch] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    selects: bool = False
    """Whether each value begins with the topic that it goes to."""

    def __post_init__(self) -> None:
        schema = KafkaRecordSerializationSchema.builder().set_value_serialization_schema(SimpleStringSchema())
        if self.selects:
            schema.set_topic_selector(lambda value: value.partition(" ")[0])
        else:
            schema.set_topic(self.topic)
        begun = (
            KafkaSink.builder()
            .set_bootstrap_servers(self.kafka.bootstrap)
            .set_record_serializer(schema.build())
            .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .set_transactional_id_prefix(f"test-{self.topic}")
        )
        for key, value in self.properties.items():
            begun.set_property(key, value)
        self.sink = begun.build()
        committer = self.sink.create_committer_for(self.context)
        assert committer is not None
        self.committer: Committer = committer
        left = self.restored
        while left := self.committer.recommit(left):
            Event().wait(0.01)
        self.writer: Any = self.sink.restore_writer(self.context, self.states)

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
    restored: list[Epoch] | None = None,
    selects: bool = False,
    **properties: Any,
) -> Run:
    named = {key.replace("_", "."): value for key, value in properties.items()}
    return Run(kafka, topic, context or Context(), states or [], restored or [], named, selects)


def last(number: int, job_id: str = JOB) -> list[LastEpoch]:
    """What a checkpoint holds of a writer."""
    return [LastEpoch(number, job_id)]


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


def delete(kafka: KafkaCluster, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.delete_topics([topic])[topic].result(PATIENCE_S)
    while topic in admin.list_topics(timeout=PATIENCE_S).topics:
        pass
