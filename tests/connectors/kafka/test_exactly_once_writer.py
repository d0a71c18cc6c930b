"""The table of failures, line by line: a writer and a committer against a real broker, without a job around them."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from confluent_kafka.admin import AdminClient

from penstock.checkpoint.handles import FileRole
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.clock import ManualClock
from penstock.common.serialization import SimpleStringSchema
from penstock.connectors.kafka import transactions
from penstock.connectors.kafka.epochs import WriterName
from penstock.connectors.kafka.exactly_once import LastEpoch
from penstock.connectors.kafka.register import WriterTransactions
from penstock.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from penstock.datastream.connectors.source_and_sink import DeliveryGuarantee
from penstock.errors import OutsideError, ProgramError, RunSuperseded
from penstock.operators.commits import Committable, WriterState
from penstock.operators.contract import KeptTogether, OperatorSnapshot
from penstock.operators.sink import SinkSpec
from tests.connectors.kafka.runs import JOB, Context, crash, expect, is_blocked, last, start
from tests.connectors.kafka.talking import PATIENCE_S, committed_values, new_topic
from tests.operators.stage import Stage
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service


@pytest.fixture
def kafka(apache_kafka: KafkaCluster) -> KafkaCluster:
    """Nothing of this runs on a mock cluster."""
    return apache_kafka


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
    start(kafka, topic, Context(restored_from=1), last(1), epochs)
    expect(kafka, topic, ["a"])


def test_an_epoch_whose_process_died_before_the_commit_is_written_anew(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    epochs = start(kafka, topic).write("a", "b")
    crash()
    later = start(kafka, topic, Context(restored_from=1), last(1), epochs + epochs)
    expect(kafka, topic, ["a", "b"])
    later.commit(later.write("c"))
    expect(kafka, topic, ["a", "b", "c"])


def test_what_was_written_after_the_restored_checkpoint_is_never_seen(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    run.commit(run.write("a"))
    run.write("lost with its checkpoint")
    run.writer.write_batch(["lost too"], None, run.context)
    run.writer.flush(False)
    crash()
    later = start(kafka, topic, Context(restored_from=1), last(1))
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


def test_a_run_that_was_thought_dead_can_neither_commit_nor_write_any_more(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    zombie = start(kafka, topic)
    epochs = zombie.write("a")
    prepared = zombie.write("never seen")
    producer = transactions.claim(epochs[0].identity)
    assert producer is not None
    later = start(kafka, topic, Context(restored_from=1), last(1), epochs)
    with pytest.raises(OutsideError, match="did not"):
        producer.commit(epochs[0])
    with pytest.raises(
        OutsideError, match="another run has taken over the transactions of subtask 0"
    ) as refused:
        zombie.commit(prepared)
    assert not refused.value.retryable
    with pytest.raises(OutsideError, match="another run has taken over"):
        zombie.commit(zombie.write("b"))
    later.commit(later.write("c"))
    expect(kafka, topic, ["a", "c"])


def test_a_job_that_starts_again_cannot_take_back_what_another_job_has_taken_over(
    kafka: KafkaCluster,
) -> None:
    topic = new_topic(kafka)
    zombie = start(kafka, topic, Context(job="old"))
    epochs = zombie.write("a")
    later = start(kafka, topic, Context(restored_from=1, job="new"), last(1, "old"), epochs)
    later.commit(later.write("b"))
    with pytest.raises(RunSuperseded, match="another run has taken over"):
        start(kafka, topic, Context(restored_from=2, job="old"), last(2, "old"))
    with pytest.raises(RunSuperseded, match="another run has taken over"):
        start(kafka, topic, Context(restored_from=1, job="old"), last(1, "old"), epochs)
    again = start(kafka, topic, Context(restored_from=2, job="new"), last(2, "new"))
    again.commit(again.write("c"))
    expect(kafka, topic, ["a", "b", "c"])


def test_a_run_of_another_parallelism_takes_over_all_writers_of_the_one_before(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    zombies = [start(kafka, topic, Context(subtask, 3)) for subtask in range(3)]
    epochs = [epoch for zombie in zombies for epoch in zombie.write(f"before {zombie.context.subtask}")]
    later = start(kafka, topic, Context(0, 1, restored_from=1), last(1), epochs)
    for zombie in zombies:
        with pytest.raises(RunSuperseded, match="another run has taken over"):
            zombie.commit(zombie.write("never seen"))
    later.commit(later.write("after"))
    assert sorted(committed_values(kafka, topic, 4)) == ["after", "before 0", "before 1", "before 2"]


def expire(kafka: KafkaCluster, topic: str, what: str) -> None:
    """Have the broker forget notes of the first writer, as it does with time."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.list_topics(timeout=PATIENCE_S)
    group = f"penstock-sink-{what}-test-{topic}-0"
    admin.delete_consumer_groups([group])[group].result(PATIENCE_S)


def test_a_run_goes_on_when_the_broker_has_forgotten_that_it_is_the_newest(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic, transaction_timeout_ms=1_000)
    epochs = run.write("a")
    expire(kafka, topic, "runs")
    while is_blocked(kafka, topic):
        pass
    run.commit(epochs)
    run.commit(run.write("b"))
    expect(kafka, topic, ["a", "b"])


def test_transactions_are_found_however_long_their_run_has_lasted(kafka: KafkaCluster) -> None:
    topic, clock = new_topic(kafka), ManualClock()
    zombie = start(kafka, topic, Context(time=clock))
    zombie.commit(zombie.write("a"))
    for what in ("runs", "writers"):
        expire(kafka, topic, what)
    clock.advance(3_600_000)
    epochs = zombie.write("never seen")
    crash()
    start(kafka, topic, Context(restored_from=1), last(1))
    assert not is_blocked(kafka, topic)
    with pytest.raises(RunSuperseded, match="another run has taken over"):
        zombie.commit(epochs)
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


def test_a_transaction_that_the_broker_ends_within_an_epoch_loses_nothing(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic, transaction_timeout_ms=1_000)
    run.writer.write_batch(["a"], None, run.context)
    run.writer.flush(False)
    while is_blocked(kafka, topic):
        pass
    for value in "bcd":  # the first of them learns of it
        run.writer.write_batch([value], None, run.context)
        run.writer.flush(False)
    run.commit(run.write("e"))
    expect(kafka, topic, ["a", "b", "c", "d", "e"])
    run.commit(run.write("f"))
    expect(kafka, topic, ["a", "b", "c", "d", "e", "f"])


def test_epochs_that_wait_for_long_have_few_transactions_and_are_committed_in_their_order(
    kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.exactly_once.MOST_OPEN", 2)
    topic = new_topic(kafka)
    run = start(kafka, topic)
    waiting = [epoch for number in range(6) for epoch in run.write(f"{number}")]
    assert transactions.open_transactions(WriterName(f"test-{topic}", 0)) == 2
    assert len({epoch.transactional_id for epoch in waiting}) == 3
    run.commit(waiting[:4])
    waiting = waiting[4:] + run.write("6") + run.write("7") + run.write("8")
    assert transactions.open_transactions(WriterName(f"test-{topic}", 0)) == 2
    crash()
    start(kafka, topic, Context(restored_from=1), last(9), waiting)
    expect(kafka, topic, [str(number) for number in range(9)])


@pytest.mark.slow
def test_more_writers_than_before_are_committed_by_a_job_of_fewer_subtasks(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    runs = [start(kafka, topic, Context(subtask, 25)) for subtask in range(25)]
    epochs = [
        epoch for number in range(2) for run in runs for epoch in run.write(f"{run.context.subtask} {number}")
    ]
    crash()
    clock = ManualClock()
    spec = SinkSpec(runs[0].sink)
    fresh = Stage(spec, clock=clock)
    own = [WriterState(LastEpoch(2, JOB)), *(Committable(1, epoch) for epoch in epochs)]
    Stage(spec, clock=clock, saved=[replace(fresh.save(), own=own)])
    assert sorted(committed_values(kafka, topic, 50)) == sorted(
        f"{n} {k}" for n in range(25) for k in range(2)
    )


def test_a_job_that_goes_back_to_an_older_checkpoint_loses_and_doubles_nothing(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    old = run.write("a")
    run.commit(old)
    for value in "bcd":
        run.commit(run.write(value))
    crash()
    # From the first checkpoint again: what it holds was committed long ago, what comes is new, though its number is low.
    again = start(kafka, topic, Context(restored_from=1), last(1), old)
    epochs = again.write("b again")
    crash()
    start(kafka, topic, Context(restored_from=2), last(2), epochs)
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
    assert epochs[0].records.is_in_file, "what was read from a checkpoint does not stay in memory either"
    crash()
    start(kafka, topic, Context(restored_from=1), last(1), epochs)
    expect(kafka, topic, [*values, "last"])


def test_long_epochs_are_written_anew_out_of_the_files_of_a_checkpoint(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    topic = new_topic(kafka)
    run = start(kafka, topic)
    values = [Random(number).randbytes(500).hex() for number in range(4_000)]
    epochs = run.write(*values) + run.write("short")
    crash()
    clock, spec, one = ManualClock(), SinkSpec(run.sink), SubtaskPlace(0, 1, 16)
    own = KeptTogether([WriterState(LastEpoch(2, JOB)), *(Committable(1, epoch) for epoch in epochs)])
    place = CheckpointPlace(f"{tmp_path}/chk-1", f"{tmp_path}/shared")
    handle = write_operator_snapshot(place, OperatorSnapshot(own=own), "op", "sink", one)
    assert [file.role for file in handle.files] == [FileRole.PART, FileRole.OWN]
    found = read_operator_snapshot(place, [handle], one)
    assert found is not None
    Stage(spec, clock=clock, saved=[replace(Stage(spec, clock=clock).save(), own=found.own)])
    expect(kafka, topic, [*values, "short"])


def test_a_time_out_that_the_broker_does_not_allow_is_said_before_anything_is_written(
    kafka: KafkaCluster,
) -> None:
    with pytest.raises(ProgramError, match="is 86400000, and the broker allows 900000 at most"):
        start(kafka, new_topic(kafka), transaction_timeout_ms=86_400_000)
    with pytest.raises(ProgramError, match="is 86400000, and the broker allows 900000 at most"):
        start(kafka, new_topic(kafka), Context(1, 2), transaction_timeout_ms=86_400_000)


def test_checkpoints_that_are_rarer_than_transactions_last_are_refused_before_anything_is_written(
    kafka: KafkaCluster,
) -> None:
    context = Context(settings={"execution.checkpointing.interval": "30 s"})
    with pytest.raises(
        ProgramError, match=r"come every 30000 ms at most .* and transaction\.timeout\.ms is 30000"
    ):
        start(kafka, new_topic(kafka), context, transaction_timeout_ms=30_000)
    paused = Context(
        settings={"execution.checkpointing.interval": "1 s", "execution.checkpointing.min-pause": "30 s"}
    )
    with pytest.raises(ProgramError, match=r"30000 ms at most \(execution\.checkpointing\.min-pause\)"):
        start(kafka, new_topic(kafka), paused, transaction_timeout_ms=30_000)
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
    assert WriterTransactions(WriterName("shop", 1), 17, 2).ids() == ["shop-1-17-0", "shop-1-17-1"]
