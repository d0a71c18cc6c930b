"""Tasks whose inputs have ended take part in checkpoints all the same, whether or not something is still in flight."""

from dataclasses import dataclass
from typing import Any

from penstock.checkpoint.endings import Ending
from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Barrier
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.progress import Progress
from tests.runtime.stepped_tasks import TaskByHand
from tests.runtime.tasks import Writes

FIRST, SECOND = Barrier(5, 0), Barrier(6, 0, savepoint=True)
PASS = RowChainSpec((RowStep("map", lambda x: x, "step"),))


@dataclass(frozen=True, slots=True)
class SlowSpec(OperatorSpec):
    """Keeps records until somebody outside has dealt with them."""

    def build(self, context: OperatorContext) -> Operator:
        return Slow(context)


class Slow(Operator):
    waits = True

    def __init__(self, context: OperatorContext) -> None:
        super().__init__(context)
        self.kept: list[Any] = []
        self.is_ready = False

    def on_batch(self, batch: Any, port: int = 0) -> None:
        self.kept += batch.values

    def catch_up(self) -> bool:
        if not (self.kept and self.is_ready):
            return False
        kept, self.kept = self.kept, []
        self.output.emit(RowBatch(kept))
        return True

    @property
    def in_flight(self) -> bool:
        return bool(self.kept)


class Ended(TaskByHand):
    """A task that has got a record and the end of its input, and waits for what is in flight."""

    def __init__(self) -> None:
        super().__init__(PASS, SlowSpec())
        self.writes = self.task.checkpoints = Writes()

    def ends(self) -> None:
        self.put(RowBatch(["a"]), END_OF_INPUT)
        for _ in range(3):
            assert self.step() is not Progress.DONE

    def is_served(self) -> list[Any]:
        slow: Any = self.chain.operators[1]
        slow.is_ready = True
        return [each for each in self.run() if each not in (FIRST, SECOND)]


def test_a_checkpoint_does_not_wait_for_what_is_in_flight_at_the_end() -> None:
    task = Ended()
    task.ends()
    task.task.on_trigger(FIRST)
    assert list(task.writes.in_flight) == [5]
    assert task.take() == [FIRST]
    assert task.is_served() == ["a", END_OF_INPUT]


def test_nor_does_one_whose_barrier_the_end_has_made_needless() -> None:
    task = Ended()
    task.task.on_trigger(FIRST)
    assert not task.writes.in_flight
    task.ends()
    assert list(task.writes.in_flight) == [5]


def test_a_savepoint_that_the_end_is_a_part_of_waits_for_it() -> None:
    task = Ended()
    task.ends()
    task.task.on_trigger(SECOND, Ending.DRAIN)
    assert not task.writes.in_flight
    assert task.is_served()[0] == "a"
    assert list(task.writes.in_flight) == [6]


def test_a_task_takes_part_in_each_of_several_checkpoints_whose_barriers_do_not_come() -> None:
    task = TaskByHand(PASS)
    writes = task.task.checkpoints = Writes()
    task.task.on_trigger(FIRST)
    task.task.on_trigger(SECOND)
    task.put(END_OF_INPUT)
    task.run()
    assert list(writes.in_flight) == [5, 6]


def test_giving_one_up_leaves_the_others() -> None:
    task = TaskByHand(PASS)
    writes = task.task.checkpoints = Writes()
    task.task.on_trigger(FIRST)
    task.task.on_trigger(SECOND)
    task.task.on_checkpoint_aborted(6)
    task.put(END_OF_INPUT)
    task.run()
    assert list(writes.in_flight) == [5]
