"""A topic goes, and takes all notes under it along: what a sink writes exactly once is written once nevertheless."""

import pytest

from penstock.clock import ManualClock
from penstock.connectors.kafka.broker import GroupOffsets
from penstock.connectors.kafka.notes import ANCHOR
from penstock.connectors.kafka.transactions import EpochCommitter
from penstock.errors import OutsideError, RunSuperseded
from tests.connectors.kafka.runs import JOB, Context, crash, delete, expect, is_blocked, last, start
from tests.connectors.kafka.talking import new_topic
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service


@pytest.fixture
def kafka(apache_kafka: KafkaCluster) -> KafkaCluster:
    """Nothing of this runs on a mock cluster."""
    return apache_kafka


@pytest.mark.parametrize("deleted", [0, 1])
def test_a_run_is_the_newest_whichever_of_its_topics_is_deleted(kafka: KafkaCluster, deleted: int) -> None:
    days = [new_topic(kafka), new_topic(kafka)]
    before = start(kafka, "days of " + days[0], selects=True)
    # So many that ids are registered under both topics.
    epochs = [epoch for day in [*days[:1] * 4, days[1]] for epoch in before.write(f"{day} before")]
    crash()
    later = start(kafka, "days of " + days[0], Context(restored_from=1), last(5), epochs, selects=True)
    left = days[1 - deleted]
    delete(kafka, days[deleted])
    written = [epoch for number in range(3) for epoch in later.write(f"{left} {number}")]
    later.commit(written)
    expect(kafka, left, [f"{left} before"] * (4 if deleted else 1) + [f"{left} {n}" for n in range(3)])


def test_notes_are_told_that_are_under_topics_that_are_there(kafka: KafkaCluster) -> None:
    topics = sorted(new_topic(kafka) for _ in range(3))
    offsets = GroupOffsets({"bootstrap.servers": kafka.bootstrap})
    assert offsets.commit("a group", topics, 1, "x") == frozenset(topics)
    delete(kafka, topics[1])
    assert offsets.commit("a group", topics, 1, "x") == {topics[0], topics[2]}
    assert offsets.commit("a group", [topics[1]], 1, "x") == frozenset()


def test_transactions_are_found_when_the_first_topic_of_their_run_is_deleted(kafka: KafkaCluster) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    run = start(kafka, "first " + first, selects=True)
    run.commit(run.write(f"{first} a"))
    run.write(f"{second} lost")
    crash()
    delete(kafka, first)
    assert is_blocked(kafka, second)
    start(kafka, "first " + first, Context(restored_from=1), last(1), selects=True)
    assert not is_blocked(kafka, second)


@pytest.mark.parametrize("deleted", [0, 1])
def test_transactions_are_found_whichever_topic_of_their_epoch_is_deleted(
    kafka: KafkaCluster, deleted: int
) -> None:
    topics = [new_topic(kafka), new_topic(kafka)]
    run = start(kafka, "both " + topics[0], selects=True)
    run.write(*(f"{topic} lost" for topic in topics))
    crash()
    delete(kafka, topics[deleted])
    assert is_blocked(kafka, topics[1 - deleted])
    start(kafka, "both " + topics[0], selects=True)
    assert not is_blocked(kafka, topics[1 - deleted])


@pytest.mark.parametrize("deleted", [0, 1])
def test_an_epoch_is_known_to_be_committed_whichever_of_its_topics_is_deleted(
    kafka: KafkaCluster, deleted: int
) -> None:
    topics = [new_topic(kafka), new_topic(kafka)]
    run = start(kafka, "both " + topics[0], selects=True)
    epochs = run.write(*(f"{topic} once" for topic in topics))
    run.commit(epochs)
    crash()
    delete(kafka, topics[deleted])
    left = topics[1 - deleted]
    later = start(kafka, "both " + topics[0], Context(restored_from=1), last(1), epochs, selects=True)
    later.commit(later.write(f"{left} later"))
    expect(kafka, left, [f"{left} once", f"{left} later"])


def test_an_epoch_is_known_to_be_committed_when_all_of_its_topics_are_deleted(kafka: KafkaCluster) -> None:
    topics = [new_topic(kafka), new_topic(kafka)]
    run = start(kafka, "both " + topics[0], selects=True)
    epochs = [*run.write(f"{topics[0]} once"), *run.write(*(f"{topic} once" for topic in topics))]
    run.commit(epochs)
    crash()
    for topic in topics:
        delete(kafka, topic)
    kafka.create_topic(topics[1])
    later = start(kafka, "both " + topics[0], Context(restored_from=1), last(2), epochs, selects=True)
    later.commit(later.write(f"{topics[1]} later"))
    expect(kafka, topics[1], [f"{topics[1]} later"])


def test_an_epoch_to_more_topics_than_have_markers_is_known_to_be_committed_when_those_are_deleted(
    kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.exactly_once.MOST_NOTES", 1)
    first, second, third = sorted(new_topic(kafka) for _ in range(3))
    run = start(kafka, "many " + first, selects=True)
    epochs = run.write(*(f"{topic} once" for topic in (first, second, third)))
    run.commit(epochs)
    crash()
    delete(kafka, first)
    kafka.create_topic(first)
    later = start(kafka, "many " + first, Context(restored_from=1), last(1), epochs, selects=True)
    later.commit(later.write(f"{first} later", f"{third} later"))
    expect(kafka, first, [f"{first} later"])
    expect(kafka, second, [f"{second} once"])
    expect(kafka, third, [f"{third} once", f"{third} later"])


def test_a_run_that_was_thought_dead_learns_of_the_later_one_when_all_topics_are_deleted(
    kafka: KafkaCluster,
) -> None:
    gone, new = new_topic(kafka), new_topic(kafka)
    zombie = start(kafka, "days of " + gone, selects=True)
    zombie.commit(zombie.write(f"{gone} a"))
    start(kafka, "days of " + gone, Context(restored_from=1), last(1), selects=True)
    delete(kafka, gone)
    with pytest.raises(RunSuperseded, match="another run has taken over"):
        zombie.write(f"{new} never seen")


def test_a_topic_that_is_deleted_before_the_commit_keeps_no_other_from_it(kafka: KafkaCluster) -> None:
    gone, stays = new_topic(kafka), new_topic(kafka)
    run = start(kafka, "both " + gone, selects=True)
    epochs = run.write(f"{gone} a", f"{stays} b")
    delete(kafka, gone)
    run.commit(epochs)
    run.commit(run.write(f"{stays} c"))
    expect(kafka, stays, [f"{stays} b", f"{stays} c"])
    crash()
    start(kafka, "both " + gone, Context(restored_from=1), last(1), epochs, selects=True)
    expect(kafka, stays, [f"{stays} b", f"{stays} c"])


def test_an_epoch_to_a_topic_that_is_not_there_any_more_waits_for_it(kafka: KafkaCluster) -> None:
    gone, stays = new_topic(kafka), new_topic(kafka)
    run = start(kafka, "both " + gone, selects=True)
    (epoch,) = run.write(f"{gone} a", f"{stays} b")
    crash()
    delete(kafka, gone)
    committer = EpochCommitter(run.sink._settings.producer_configuration(), JOB)
    with pytest.raises(OutsideError, match=f"no topic '{gone}', to which .* create it again") as waits:
        committer.commit(epoch, True, lambda count: None)
    assert waits.value.retryable
    expect(kafka, stays, [])
    kafka.create_topic(gone)
    committer.commit(epoch, True, lambda count: None)
    expect(kafka, stays, [f"{stays} b"])
    expect(kafka, gone, [f"{gone} a"])


def test_notes_are_under_a_number_of_topics_at_most(
    kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.kafka.exactly_once.MOST_NOTES", 2)
    topics = sorted(new_topic(kafka) for _ in range(4))
    run = start(kafka, "many " + topics[0], selects=True)
    epochs = run.write(*(f"{topic} once" for topic in topics))
    assert set(epochs[0].topics) == {*topics[:2], ANCHOR}
    run.commit(epochs)
    crash()
    start(kafka, "many " + topics[0], Context(restored_from=1), last(1), epochs, selects=True)
    for topic in topics:
        expect(kafka, topic, [f"{topic} once"])


def test_a_run_that_was_thought_dead_learns_of_the_later_one_when_its_first_topic_is_deleted(
    kafka: KafkaCluster,
) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    zombie = start(kafka, "first " + first, selects=True)
    zombie.commit(zombie.write(f"{first} a"))
    later = start(kafka, "first " + first, Context(restored_from=1), last(1), selects=True)
    later.commit(later.write(f"{second} b"))
    delete(kafka, first)
    with pytest.raises(RunSuperseded, match="another run has taken over"):
        zombie.commit(zombie.write(f"{second} never seen"))
    later.commit(later.write(f"{second} c"))
    expect(kafka, second, [f"{second} b", f"{second} c"])


def test_ids_are_noted_again_under_the_topics_that_are_left(kafka: KafkaCluster) -> None:
    first, second, clock = new_topic(kafka), new_topic(kafka), ManualClock()
    run = start(kafka, "first " + first, Context(time=clock), selects=True)
    run.commit(run.write(f"{first} a"))
    delete(kafka, first)
    clock.advance(3_600_000)
    run.writer.flush(False)
    run.commit(run.write(f"{second} b"))
    expect(kafka, second, [f"{second} b"])
