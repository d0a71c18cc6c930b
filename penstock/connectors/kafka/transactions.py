"""Transactions of one process: a producer holds its transaction open from the first record of an epoch to its commit.

librdkafka cannot take up a transaction that another process has prepared. So the committer finds the producer itself if it
is still here, and otherwise aborts what is left of the transaction and writes the records anew, unless the marker says that
they were committed, or the register that a later run has taken over. Both ways use the same transactional id, so that of two
that try, one is fenced.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from penstock.clock import monotonic
from penstock.connectors.kafka.broker import confluent
from penstock.connectors.kafka.epochs import Epoch, WriterName
from penstock.connectors.kafka.markers import Markers, is_committed, marker_group
from penstock.connectors.kafka.notes import ANCHOR
from penstock.connectors.kafka.producing import RecordProducer
from penstock.connectors.kafka.register import Register, job_of, new_run
from penstock.errors import OutsideError

TIMEOUT_S: Final = 10.0
"""Of one call."""
AT_ONCE: Final = 16
"""Transactions that are ended at the same time; each needs a client of its own."""
PATIENCE_S: Final = 30.0
"""For a call that is repeated."""
MARKER_S: Final = 5.0
"""For the marker, with the one call of librdkafka's that passes over its time-out: where the coordinator of a group went away
it may wait for ever, as after every second restart of a broker."""

_log = logging.getLogger(__name__)

_open: dict[str, "TransactionalProducer"] = {}
_lock = threading.Lock()
_members: dict[str, Any] = {}
"""The client's description of each group that a marker goes to; it never joins it."""


class TransactionalProducer:
    """A producer with a transactional id. Making one aborts what a producer of the same id before it has left open."""

    def __init__(self, configuration: dict[str, str], transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self.producer = RecordProducer({**configuration, "transactional.id": transactional_id})
        try:
            self._do("prepare transactions", lambda: self.producer.client.init_transactions(TIMEOUT_S))
        except OutsideError:
            self.producer.close()
            raise

    def begin(self) -> None:
        """Open a transaction."""
        self._do("begin a transaction", self.producer.client.begin_transaction)

    def commit(self, epoch: Epoch) -> None:
        """Write the marker of the epoch, under each of its topics that is still there, and commit: both or neither.

        :raises OutsideError: when the broker refuses; then it may still have committed, which the marker tells.
        """
        client = self.producer.client
        gone: list[str] = []
        written = _written_of(epoch)
        if len(written) > 1:  # one of several that is not there would take the transaction along
            gone = self.producer.missing_of(written)
        place = confluent().TopicPartition
        marks = [place(topic, 0, epoch.number, epoch.identity) for topic in epoch.topics if topic not in gone]
        if marks:
            member = _member_of(marker_group(epoch.writer))
            self._in_time(
                "write the marker of a commit",
                lambda: client.send_offsets_to_transaction(marks, member, MARKER_S),
            )
        self._do("commit a transaction", lambda: client.commit_transaction(TIMEOUT_S))

    def close(self) -> None:
        """Let go; an open transaction is aborted by whoever uses the id next, or by the broker in time."""
        self.producer.close()

    def _do(self, what: str, action: Callable[[], None]) -> None:
        """Do something that may have to be repeated; librdkafka says when."""
        deadline = monotonic() + PATIENCE_S
        while True:
            try:
                action()
                return
            except confluent().KafkaException as failure:
                error = failure.args[0]
                if not error.retriable() or monotonic() >= deadline:
                    lacks = error.code() == confluent().KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
                    raise OutsideError(
                        f"Kafka did not {what} under the transactional id {self.transactional_id!r}: {error.str()}"
                        + ("; the user needs WRITE on all that begin with the sink's prefix" if lacks else "")
                    ) from failure

    def _in_time(self, what: str, action: Callable[[], None]) -> None:
        """Do something that may never come back; then it is left behind, in its thread."""
        failures: list[Exception] = []
        is_over = threading.Event()

        def run() -> None:
            try:
                self._do(what, action)
            except Exception as failure:  # noqa: BLE001  (raised below)
                failures.append(failure)
            is_over.set()

        threading.Thread(target=run, name="kafka marker", daemon=True).start()
        if not is_over.wait(MARKER_S):
            raise OutsideError(
                f"Kafka did not {what} under the transactional id {self.transactional_id!r} in {MARKER_S:g} s"
            )
        if failures:
            raise failures[0]


def end_transactions(configuration: dict[str, str], transactional_ids: list[str]) -> None:
    """Abort what is open under these ids, and fence who has them. Several at once: the client asks the broker again only
    after half a second where an abort is under way."""
    if not transactional_ids:
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE, "kafka transactions") as pool:
        for _ in pool.map(lambda name: TransactionalProducer(configuration, name).close(), transactional_ids):
            pass


def _member_of(group: str) -> Any:
    member = _members.get(group)
    if member is None:
        consumer = confluent().Consumer({"group.id": group})  # without brokers: only its name is of use
        member = _members[group] = consumer.consumer_group_metadata()
        consumer.close()
    return member


def _written_of(epoch: Epoch) -> list[str]:
    """The topics of an epoch that it was written to, as far as they are named."""
    return [topic for topic in epoch.topics if topic != ANCHOR]


def hand_over(epoch: Epoch, producer: TransactionalProducer) -> None:
    """Keep the producer of a prepared transaction where the committer of this process finds it."""
    with _lock:
        _open[epoch.identity] = producer


def claim(identity: str) -> TransactionalProducer | None:
    """The producer that holds an epoch's transaction open, if it is in this process; it is handed out once."""
    with _lock:
        return _open.pop(identity, None)


def drop_open(writer: WriterName) -> None:
    """Forget the transactions in this process of one writer: those of an attempt that is over."""
    with _lock:
        dropped = [_open.pop(key) for key in _identities(writer)]
    for producer in dropped:
        producer.close()


def open_transactions(writer: WriterName) -> int:
    """How many transactions of a writer wait in this process for their commits."""
    with _lock:
        return len(_identities(writer))


def _identities(writer: WriterName) -> list[str]:
    """Of its epochs that have an open transaction; to be called with the lock."""
    name = str(writer)
    return [key for key, producer in _open.items() if producer.transactional_id.rsplit("-", 2)[0] == name]


class EpochCommitter:
    """Commits epochs, each exactly once, however often it is asked. Epochs of different writers may be committed by several
    threads at once."""

    def __init__(self, configuration: dict[str, str], job_id: str) -> None:
        self._configuration = configuration
        self._markers = Markers(configuration)
        self._register = Register(configuration)
        self._run = new_run(job_id)
        """Under which restored epochs are committed, before their writers have a run."""
        self._taken_over: dict[WriterName, frozenset[str]] = {}
        """With the topics under which that is noted."""

    def commit(
        self, epoch: Epoch, is_restored: bool, advance: Callable[[int], None]
    ) -> TransactionalProducer | None:
        """Commit, in the open transaction or in a new one; a producer that can be used again is returned.

        ``is_restored``: what the restored checkpoint holds is committed by this run, whichever has written it. ``advance`` is
        told how many records have been written anew.
        """
        if is_restored:
            if epoch.writer not in self._taken_over:
                goes_on = job_of(epoch.run) == job_of(self._run)
                noted = self._register.take_over(epoch.writer, self._run, epoch.topics, goes_on)
                self._taken_over[epoch.writer] = noted
            # Whether there may be a marker under the anchor depends on the rights of now.
            anchor = self._taken_over[epoch.writer] & {ANCHOR}
            self._commit_anew(replace(epoch, topics=(*_written_of(epoch), *anchor)), self._run, advance)
            return None
        producer = claim(epoch.identity)
        if producer is not None:
            try:
                producer.commit(epoch)
                return producer
            except OutsideError as error:
                _log.info("%s; the records are written anew if they are not there", error)
                # Timed out by the broker, fenced, or in doubt: the marker decides, once nothing is open any more.
                producer.close()
        self._commit_anew(epoch, epoch.run, advance)
        return None

    def _commit_anew(self, epoch: Epoch, run: str, advance: Callable[[int], None]) -> None:
        # Making the producer ends the transaction of before: it is committed or aborted then, and the marker final.
        producer = TransactionalProducer(self._configuration, epoch.transactional_id)
        try:
            self._register.check(epoch.writer, run)
            if is_committed(epoch.number, epoch.identity, self._markers.read(epoch.writer)):
                return
            self._check_topics(epoch, producer)
            producer.begin()
            for batch in epoch.records.batches():
                producer.producer.send(batch)
                advance(len(batch))
            producer.producer.flush(advance)
            producer.commit(epoch)
        finally:
            producer.close()

    def _check_topics(self, epoch: Epoch, producer: TransactionalProducer) -> None:
        """What is not written yet cannot be left out because its topic is gone."""
        missing = producer.producer.missing_of(_written_of(epoch))
        if missing:
            names = ", ".join(map(repr, missing[:5]))
            raise OutsideError(
                f"Kafka has no topic {names}{' and others' if len(missing) > 5 else ''}, to which records of a complete "
                "checkpoint are still to be written; create it again, and they will be"
            )
