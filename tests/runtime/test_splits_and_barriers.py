"""What an enumerator sends after it was asked for its state is not in a reader's: each split is in one of the two."""

from typing import Any

from penstock.checkpoint.endings import Ending
from penstock.contracts.source import SourceReader
from penstock.data.elements import Barrier
from tests.runtime.stepped_tasks import ByHand, TaskByHand
from tests.runtime.tasks import Writes
from tests.runtime.test_pieces import Slow, mapped

CHECKPOINT, SAVEPOINT = Barrier(5, 0), Barrier(6, 0, savepoint=True)


class Splits(ByHand):
    """A source that keeps the splits it is given."""

    def create_reader(self, context: Any) -> SourceReader:
        reader: Any = super().create_reader(context)
        reader.splits = self.splits = []
        reader.add_splits = reader.splits.extend
        reader.snapshot_state = lambda checkpoint_id: list(reader.splits)
        return reader  # type: ignore[no-any-return]


class Reading:
    """A source before a slow function."""

    def __init__(self) -> None:
        self.slow, self.source = Slow(), Splits()
        self.by_hand = TaskByHand(self.source.with_strategy(), mapped(self.slow), clock=self.slow.clock)
        self.task: Any = self.by_hand.task
        self.writes = self.task.checkpoints = Writes()

    def is_given(self, *splits: str) -> None:
        self.task.tell_source(lambda source: source.reader.add_splits(splits))


def test_a_split_that_comes_behind_the_trigger_of_a_draining_savepoint_is_not_in_it() -> None:
    reading = Reading()
    reading.is_given("before")
    reading.task.on_trigger(SAVEPOINT, Ending.DRAIN)
    reading.is_given("behind")
    reading.by_hand.run()
    assert reading.writes.own[6] == ["before"]


def test_nor_is_it_in_a_checkpoint_that_waits_until_records_are_through() -> None:
    reading = Reading()
    reading.source.polls.append(lambda output: output.collect_batch(["a", "b", "c"]))
    reading.is_given("before")
    reading.by_hand.step()
    reading.task.on_trigger(CHECKPOINT)
    reading.is_given("behind")
    assert not reading.writes.own
    reading.by_hand.run()
    assert reading.writes.own[5] == ["before"]
    assert reading.source.splits == ["before", "behind"]


def test_it_comes_to_the_reader_when_the_checkpoint_is_given_up() -> None:
    reading = Reading()
    reading.source.polls.append(lambda output: output.collect_batch(["a", "b", "c"]))
    reading.by_hand.step()
    reading.task.on_trigger(CHECKPOINT)
    reading.is_given("behind")
    assert reading.source.splits == []
    reading.task.on_checkpoint_aborted(5)
    assert reading.source.splits == ["behind"]
