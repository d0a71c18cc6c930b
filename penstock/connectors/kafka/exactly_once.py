"""Writes to Kafka so that each record is there exactly once for consumers that read committed records only.

The records of an epoch, from one checkpoint to the next, are written in a transaction that stays open, and kept compressed
in the checkpoint. When the checkpoint is complete, the transaction is committed together with a marker that names the epoch.
After a failure the committables of the restored checkpoint are looked up in the markers: those that are there are left
alone, the others written again. Nothing depends on how long a transaction lives. The decisions and the table of failures are
in ``docs/decisions``.
"""

from typing import Any

from penstock.chance import secret_token
from penstock.config.quantities import NANOS_PER_MS, parse_duration
from penstock.connectors.kafka.epochs import Epoch, EpochRecords
from penstock.connectors.kafka.markers import Markers, WriterTransactions, marker_group, transactional_id
from penstock.connectors.kafka.producing import RecordProducer
from penstock.connectors.kafka.serialization import KafkaRecordSerializationSchema, ProducerRecord
from penstock.connectors.kafka.transactions import (
    TransactionalProducer,
    drop_open,
    end_transactions,
    hand_over,
)
from penstock.connectors.kafka.writer import SchemaContext, messages_of
from penstock.contracts.sink import (
    CommittingSinkWriter,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)
from penstock.errors import ProgramError

_INTERVAL = "execution.checkpointing.interval"

_idle: dict[tuple[str, int, int], list[TransactionalProducer]] = {}
"""Producers whose transactions were committed, for further use, by prefix, subtask and generation of the writer."""


class ExactlyOnceWriter(CommittingSinkWriter, StatefulSinkWriter):
    """One writer. ``numbers``: of the last epochs of the writers whose states it takes over."""

    def __init__(
        self,
        context: WriterInitContext,
        configuration: dict[str, str],
        prefix: str,
        schema: KafkaRecordSerializationSchema,
        numbers: list[int],
    ) -> None:
        self._configuration = configuration
        self._prefix = prefix
        self._subtask = context.index_of_subtask()
        self._generation = context.restored_checkpoint_id() or 0
        self._group = marker_group(prefix, self._subtask)
        self._markers = Markers(configuration, prefix)
        self._schema = schema
        self._records = EpochRecords()
        self._current: TransactionalProducer | None = None
        self._topic: str | None = None
        self._made = 0
        self._registered_count = 0
        # Restored epochs were committed before this; what else is open here is of an attempt that is over.
        drop_open(prefix, self._subtask)
        self._key = (prefix, self._subtask, self._generation)
        self._idle: list[TransactionalProducer] = []
        _idle[self._key] = self._idle
        if self._subtask == 0:
            self._check_time_out(context.configuration())
        self._end_what_was_left_open(context.number_of_parallel_subtasks())
        marker = self._markers.read(self._group)
        self._number = max([0 if marker is None else marker.number, *numbers])
        self._plain = RecordProducer(configuration)  # answers questions about topics
        self._for_schema = SchemaContext(context, self._plain)
        schema.open(self._for_schema)

    def _check_time_out(self, settings: dict[str, str]) -> None:
        longest = self._markers.longest_transaction_ms()
        wanted = int(self._configuration["transaction.timeout.ms"])
        interval_ms = parse_duration(settings.get(_INTERVAL, "0")) // NANOS_PER_MS
        if wanted <= interval_ms:
            raise ProgramError(
                f"checkpoints come every {interval_ms} ms and transaction.timeout.ms is {wanted}: the broker would end each "
                "transaction before its commit; have checkpoints more often, or set_property('transaction.timeout.ms', ...) "
                "to more than that, up to the broker's transaction.max.timeout.ms"
            )
        if longest is not None and wanted > longest:
            raise ProgramError(
                f"transaction.timeout.ms is {wanted}, and the broker allows {longest} at most "
                "(its transaction.max.timeout.ms); set_property('transaction.timeout.ms', ...) to that, or raise it there"
            )

    def _end_what_was_left_open(self, parallelism: int) -> None:
        """Abort the transactions of runs before this one: its own share of the ids, at whatever parallelism they ran."""
        writers = self._markers.registered(lambda subtask: subtask % parallelism == self._subtask)
        end_transactions(
            self._configuration, [name for writer in writers for name in writer.ids(self._prefix)]
        )

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._send(self._schema.serialize_batch([element], self._for_schema, [context.timestamp()]))

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        self._send(messages_of(self._schema, values, timestamps, self._for_schema))

    def _send(self, records: list[ProducerRecord]) -> None:
        if not records:
            return
        if self._current is None:
            self._topic = records[0].topic
            self._current = self._producer(records[0].topic)
            self._current.begin()
        self._records.add(records)
        self._current.producer.send(records)

    def _producer(self, topic: str) -> TransactionalProducer:
        if self._idle:
            return self._idle.pop()
        if self._made >= self._registered_count:
            # Written before the first use, and for several at once, as each registration is a round trip.
            self._registered_count = max(4, self._registered_count * 2)
            writer = WriterTransactions(self._subtask, self._generation, self._registered_count)
            self._markers.register(writer, topic)
        name = transactional_id(self._prefix, self._subtask, self._generation, self._made)
        self._made += 1
        return TransactionalProducer(self._configuration, name)

    def flush(self, end_of_input: bool) -> None:
        if self._current is not None:
            self._current.producer.flush()

    def prepare_commit(self) -> list[Any]:
        if self._current is None or self._topic is None:
            return []
        self._number += 1
        epoch = Epoch(
            self._current.transactional_id,
            self._group,
            self._topic,
            self._number,
            f"{secret_token(12).hex()} {self._subtask} {self._generation}",
            self._records.take(),
        )
        hand_over(epoch, self._current)
        self._current = None
        return [epoch]

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return [self._number]

    def close(self) -> None:
        self._records.close()
        self._plain.close()
        if self._current is not None:
            self._current.close()
        if _idle.get(self._key) is self._idle:
            del _idle[self._key]
        while self._idle:
            self._idle.pop().close()


def give_back(prefix: str, epoch: Epoch, producer: TransactionalProducer) -> None:
    """Keep a producer for the next epoch of the writer, if that is still there."""
    _, subtask, generation = epoch.identity.split(" ")
    idle = _idle.get((prefix, int(subtask), int(generation)))
    if idle is None:
        producer.close()
    else:
        idle.append(producer)
