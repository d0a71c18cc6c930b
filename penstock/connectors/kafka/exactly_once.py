"""Writes to Kafka so that each record is there exactly once for consumers that read committed records only.

The records of an epoch, from one checkpoint to the next, are written in a transaction that stays open, and kept compressed
in the checkpoint. When the checkpoint is complete, the transaction is committed together with a marker that names the epoch.
After a failure the committables of the restored checkpoint are looked up in the markers: those that are there are left
alone, the others written again. Nothing depends on how long a transaction lives. The decisions and the table of failures are
in ``docs/decisions``.
"""

import logging
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from penstock.chance import secret_token
from penstock.connectors.kafka.epochs import Epoch, EpochRecords, WriterName
from penstock.connectors.kafka.markers import Markers
from penstock.connectors.kafka.notes import ANCHOR
from penstock.connectors.kafka.preflight import check_time_out
from penstock.connectors.kafka.producing import ProducerLost, RecordProducer
from penstock.connectors.kafka.register import (
    Register,
    WriterTransactions,
    job_of,
    new_run,
    transactional_id,
)
from penstock.connectors.kafka.serialization import KafkaRecordSerializationSchema, ProducerRecord
from penstock.connectors.kafka.transactions import (
    TransactionalProducer,
    drop_open,
    end_transactions,
    hand_over,
    open_transactions,
)
from penstock.connectors.kafka.writer import SchemaContext, messages_of
from penstock.contracts.sink import (
    CommittingSinkWriter,
    SinkWriterContext,
    StatefulSinkWriter,
    WriterInitContext,
)

_log = logging.getLogger(__name__)

NOTE_AGAIN_S: Final = 3_600.0
"""Brokers forget notes, mostly after a week: without them, the run after this one would not find its transactions."""

MOST_OPEN: Final = 16
"""Transactions of a writer that wait for their commits; each has a client with threads of its own."""
MOST_NOTES: Final = 500
"""Under so many topics, beside the anchor, are notes and markers at most: those of a group are written at once, which has a
largest size."""

_topic_of = itemgetter(0)

_idle: dict[str, list[TransactionalProducer]] = {}
"""Producers whose transactions were committed, for further use, by the run of their writer."""


@dataclass(frozen=True, slots=True)
class LastEpoch:
    """The state of a writer: the number of its last epoch, and the job that it belongs to."""

    number: int
    job_id: str


class ExactlyOnceWriter(CommittingSinkWriter, StatefulSinkWriter):
    """One writer. ``states``: of the writers in whose place it is."""

    def __init__(
        self,
        context: WriterInitContext,
        configuration: dict[str, str],
        prefix: str,
        schema: KafkaRecordSerializationSchema,
        states: list[LastEpoch],
    ) -> None:
        self._configuration = configuration
        self._name = WriterName(prefix, context.index_of_subtask())
        self._generation = context.restored_checkpoint_id() or 0
        self._run = new_run(context.job_id())
        self._register = Register(configuration)
        self._schema = schema
        self._records = EpochRecords()
        self._topics: set[str] = set()
        """Of the records of the epoch; empty while there is none."""
        self._id = ""
        """Under which the epoch is written, or was begun to be."""
        self._current: TransactionalProducer | None = None
        self._id_of_kept = ""
        """Of the epochs for which no transaction was opened, once there is one."""
        self._made = 0
        self._registered_count = 0
        self._clock = context.clock()
        self._noted_at_s = 0.0
        self._noted_under: frozenset[str] = frozenset()
        """The topics under which there are notes of this run, the anchor among them if it may be."""
        self._seen: set[str] = set()
        """The topics that were there."""
        # Restored epochs were committed before this; what else is open here is of an attempt that is over.
        drop_open(self._name)
        self._idle: list[TransactionalProducer] = []
        _idle[self._run] = self._idle
        check_time_out(configuration, context.configuration())
        self._run_before: str | None = None
        goes_on = any(state.job_id == context.job_id() for state in states)
        self._take_over(context.number_of_parallel_subtasks(), goes_on)
        markers = Markers(configuration).read(self._name)
        known = [marker.number for marker in markers] + [state.number for state in states]
        self._number = max(known, default=0)
        self._plain = RecordProducer(configuration)  # answers questions about topics
        self._for_schema = SchemaContext(context, self._plain)
        schema.open(self._for_schema)

    def _take_over(self, parallelism: int, goes_on: bool) -> None:
        """Take the place of the runs before this one, and abort their transactions: those of its own share of the subtasks,
        at whatever parallelism they ran."""
        own, register = self._name.subtask, self._register
        writers = register.writers(self._name.prefix, lambda subtask: subtask % parallelism == own)
        noted_under = {
            writer: register.take_over(writer, self._run, topics, goes_on)
            for writer, topics in writers.items()
        }
        self._noted_under = noted_under.get(self._name, frozenset())
        self._is_newest = bool(self._noted_under)
        if not self._is_newest:
            # Nobody has written yet: it is noted with the first record, as a note needs a topic.
            self._run_before = register.newest_run(self._name)
        # Read after that: what a run before this one notes now, it does not use any more.
        noted = [each for writer in writers for each in register.transactions(writer)]
        end_transactions(self._configuration, [name for each in noted for name in each.ids()])

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._send(self._schema.serialize_batch([element], self._for_schema, [context.timestamp()]))

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        self._send(messages_of(self._schema, values, timestamps, self._for_schema))

    def _send(self, records: list[ProducerRecord]) -> None:
        if not records:
            return
        new = set(map(_topic_of, records)) - self._topics
        if new:
            self._begin_with(new)
        self._records.add(records)
        if self._current is not None:
            try:
                self._current.producer.send(records)
            except ProducerLost as error:
                self._go_on_without(error)

    def _begin_with(self, topics: set[str]) -> None:
        """The epoch goes to further topics: have notes of this run under them, and at its first record a transaction."""
        self._note_run(sorted(topics - self._noted_under))
        if not self._topics:
            self._begin()
        self._topics |= topics

    def _begin(self) -> None:
        """Open a transaction; where too many wait for their commits already, the records of the epoch are kept only."""
        if open_transactions(self._name) < MOST_OPEN:
            self._current = self._producer()
            self._current.begin()
            self._id = self._current.transactional_id
            return
        if not self._id_of_kept:
            self._id_of_kept = self._next_id()
            self._register.check(self._name, self._run)
        self._id = self._id_of_kept

    def _go_on_without(self, error: ProducerLost) -> None:
        """The broker has ended the transaction, as where the epoch lasts longer than one may. The records are kept, and the
        commit writes them."""
        _log.info("%s; the records are written again with the next commit", error)
        if self._current is not None:
            self._current.close()
            self._current = None

    def _producer(self) -> TransactionalProducer:
        if self._idle:
            return self._idle.pop()
        producer = TransactionalProducer(self._configuration, self._next_id())
        try:
            self._register.check(self._name, self._run)
        except Exception:
            producer.close()
            raise
        return producer

    def _next_id(self) -> str:
        if self._made >= self._registered_count:
            # Written before the first use, and for several at once, as each registration is a round trip.
            self._registered_count = max(4, self._registered_count * 2)
            self._note_ids()
        self._made += 1
        return transactional_id(self._name, self._generation, self._made - 1)

    def _note_run(self, topics: list[str]) -> None:
        """Have the notes of this run be under topics that are new to it, before anything is written to them."""
        for topic in topics:
            if topic not in self._seen:
                self._plain.partitions_of(
                    topic
                )  # where it is not there, this says so; some brokers make it then
        self._seen.update(topics)
        topics = topics[: max(0, MOST_NOTES - len(self._noted_under - {ANCHOR}))]
        if not topics:
            return
        if self._is_newest:
            noted = self._register.note_run(self._name, self._run, topics)
            self._register.check(self._name, self._run)
        else:
            self._register.check(self._name, self._run_before)
            noted = self._register.take_over(self._name, self._run, topics, False)
            self._is_newest = True
        self._noted_under |= noted
        if self._registered_count:
            self._note_ids()

    def _note_ids(self) -> None:
        """Note them under all topics, and forget those that are gone."""
        self._noted_at_s = self._clock.monotonic_s()
        transactions = WriterTransactions(self._name, self._generation, self._registered_count)
        self._noted_under = self._register.note_ids(transactions, self._noted_under)

    def flush(self, end_of_input: bool) -> None:
        if self._registered_count and self._clock.monotonic_s() - self._noted_at_s >= NOTE_AGAIN_S:
            self._note_ids()
        if self._current is not None:
            try:
                self._current.producer.flush()
            except ProducerLost as error:
                self._go_on_without(error)

    def prepare_commit(self) -> list[Any]:
        if not self._topics:
            return []
        self._number += 1
        identity = secret_token(12).hex()
        topics = (*sorted(self._topics)[:MOST_NOTES], *(self._noted_under & {ANCHOR}))
        epoch = Epoch(self._name, self._id, topics, self._number, identity, self._run, self._records)
        if self._current is not None:
            hand_over(epoch, self._current)
        self._current, self._topics = None, set()
        self._records = EpochRecords()
        return [epoch]

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return [LastEpoch(self._number, job_of(self._run))]

    def close(self) -> None:
        self._plain.close()
        if self._current is not None:
            self._current.close()
        _idle.pop(self._run, None)
        while self._idle:
            self._idle.pop().close()


def give_back(epoch: Epoch, producer: TransactionalProducer) -> None:
    """Keep a producer for the next epoch of the writer, if that is still there."""
    idle = _idle.get(epoch.run)
    if idle is None:
        producer.close()
    else:
        idle.append(producer)
