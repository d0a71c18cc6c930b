"""Heads and tails of loops: records that come back, and what snapshots hold of those that are on their way."""

from typing import Any

import pytest

from penstock.data.elements import IDLE
from penstock.errors import ProgramError
from penstock.operators import feedback_loops
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.iteration import IterationHeadSpec, IterationTailSpec
from penstock.testing.operator_harness import HarnessSettings, OperatorHarness

HEAD = IterationHeadSpec("loop", 100)
TAIL = IterationTailSpec("loop")


class Loop:
    """A head and a tail on one loop."""

    def __init__(self, head: OperatorHarness | None = None, tail: OperatorHarness | None = None) -> None:
        self.head = head or OperatorHarness(HEAD)
        self.tail = tail or OperatorHarness(TAIL)
        # Each harness has a context of its own; the tasks of a worker share their loops.
        loop, of_tail = self.head.operator._loop, self.tail.operator._loop  # type: ignore[attr-defined]
        loop.waiting.extend(of_tail.waiting)
        self.tail.operator._loop = loop  # type: ignore[attr-defined]

    def give_back(self, *values: Any) -> None:
        self.tail.process_elements(values)

    def turn(self) -> list[Any]:
        self.head.operator.catch_up()
        return self.head.extract_output_values()


def test_both_ends_get_the_same_loop_and_others_another() -> None:
    loops = FeedbackLoops()
    assert loops.loop("a", 0) is loops.loop("a", 0)
    assert loops.loop("a", 0) is not loops.loop("a", 1)
    assert loops.loop("a", 0) is not loops.loop("b", 0)


def test_what_comes_back_goes_before_what_enters() -> None:
    loop = Loop()
    loop.head.process_element(1)
    loop.give_back(2)
    assert not loop.head.operator.accepts_input
    assert loop.turn() == [1, 2]
    assert loop.head.operator.accepts_input


def test_watermarks_and_idleness_do_not_come_back() -> None:
    loop = Loop()
    loop.tail.process_watermark(5)
    loop.tail.process_watermark_status(IDLE)
    loop.give_back()
    assert loop.turn() == []


def test_a_loop_that_grows_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_loops, "MOST_WAITING_RECORDS", 3)
    loop = Loop()
    loop.give_back(1, 2)
    with pytest.raises(ProgramError, match=r"4 records wait for another turn.*filter what is fed back"):
        loop.give_back(3, 4)


def test_what_comes_back_is_taken_in_a_batch_at_a_time() -> None:
    loop = Loop(OperatorHarness(HEAD, settings=HarnessSettings(in_pieces=True)))
    loop.give_back(1, 2)
    loop.give_back(3)
    assert loop.turn() == [1, 2]
    loop.head.process_element(4)
    assert loop.turn() == [1, 2, 3, 4]


def test_a_snapshot_holds_each_record_in_the_loop_once() -> None:
    loop = Loop()
    loop.give_back("waits at the head")
    head = loop.head.snapshot()
    loop.give_back("before the barrier")
    assert loop.turn() == ["waits at the head", "before the barrier"]
    loop.give_back("before the barrier, in its second turn")
    tail = loop.tail.snapshot()
    loop.give_back("behind the barrier")
    again = Loop(loop.head.restored(head), loop.tail.restored(tail))
    assert again.turn() == [
        "waits at the head",
        "before the barrier",
        "before the barrier, in its second turn",
    ]


def test_overlapping_checkpoints_hold_each_what_was_in_the_loop_then() -> None:
    loop = Loop()
    first = loop.head.snapshot(1)
    loop.give_back("A")
    assert loop.turn() == ["A"]
    second = loop.head.snapshot(2)
    before = loop.tail.snapshot(1)
    loop.give_back("B")
    assert loop.turn() == ["A", "B"], "so far"
    after = loop.tail.snapshot(2)
    assert Loop(loop.head.restored(first), loop.tail.restored(before)).turn() == ["A"]
    assert Loop(loop.head.restored(second), loop.tail.restored(after)).turn() == ["B"]


def test_what_was_gathered_for_a_checkpoint_that_was_given_up_is_forgotten() -> None:
    loop = Loop()
    loop.head.snapshot(1)
    loop.head.snapshot(2)
    loop.give_back("A")
    loop.head.notify_of_aborted_checkpoint(1)
    gathering = loop.head.operator._loop.passing  # type: ignore[attr-defined]
    assert list(gathering) == [2]
    loop.tail.snapshot(2)
    assert loop.tail.operator._loop.passing == {}  # type: ignore[attr-defined]
