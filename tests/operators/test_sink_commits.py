"""Commits of a restored checkpoint, made before the writer is: they last as long as they get on."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.clock import ManualClock
from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriter,
    SinkWriterContext,
    WriterInitContext,
)
from penstock.errors import OutsideError
from penstock.operators.commits import Committable
from penstock.operators.sink import SinkSpec
from tests.operators.stage import Saved, Stage


class _Writer(SinkWriter):
    def write(self, element: Any, context: SinkWriterContext) -> None:
        pass


class _Slow(Committer):
    """Needs ``steps`` calls for each committable, and a minute for each call; ``tells``: whether it says that it gets on."""

    def __init__(self, clock: ManualClock, steps: int, tells: bool, done: list[Any]) -> None:
        self.clock, self.steps, self.tells, self.done = clock, steps, tells, done
        self.calls = 0

    def commit(self, committables: list[Any]) -> list[Any]:
        self.clock.advance(60_000)
        self.calls += 1
        if self.calls % self.steps:
            return committables
        self.done.append(committables[0])
        return committables[1:]

    def progress(self) -> int:
        return self.calls if self.tells else 0


class _Sink(Sink):
    def __init__(self, make: Callable[[], Committer]) -> None:
        self.make = make

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _Writer()

    def create_committer(self) -> Committer:
        return self.make()


def _restore(count: int, steps: int, tells: bool) -> list[Any]:
    clock, done = ManualClock(), list[Any]()
    sink = _Sink(lambda: _Slow(clock, steps, tells, done))
    spec = SinkSpec(sink)
    fresh = Stage(spec, clock=clock).save()
    own = [Committable(1, number) for number in range(count)]
    Stage(spec, clock=clock, saved=[Saved(fresh.keyed, fresh.operator, fresh.timers, own)])
    return done


def test_any_number_of_restored_committables_is_committed_one_after_the_other() -> None:
    assert _restore(25, 1, False) == list(range(25))


def test_a_commit_that_takes_long_and_gets_on_is_waited_for() -> None:
    assert _restore(1, 30, True) == [0]


def test_commits_that_stand_still_are_given_up() -> None:
    with pytest.raises(
        OutsideError, match="2 of 2 committables could not be committed: nothing has moved for 120 s"
    ):
        _restore(2, 10, False)


class _Untiring(CommittingSinkWriter):
    """Has something to commit whenever it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def write(self, element: Any, context: SinkWriterContext) -> None:
        pass

    def prepare_commit(self) -> list[Any]:
        self.asked += 1
        return [self.asked]


class _Taking(Committer):
    def __init__(self, done: list[Any]) -> None:
        self.done = done

    def commit(self, committables: list[Any]) -> list[Any]:
        self.done += committables
        return []


def test_after_the_end_of_the_input_a_writer_is_not_asked_for_more() -> None:
    done: list[Any] = []
    sink = _Sink(lambda: _Taking(done))
    sink.create_writer = lambda context: _Untiring()  # type: ignore[method-assign]
    stage = Stage(SinkSpec(sink))
    stage.context.takes_checkpoints = True
    operator = stage.operator
    operator.snapshot(1)
    operator.finish()
    for checkpoint_id in (2, 3):
        assert operator.awaits_checkpoint
        operator.snapshot(checkpoint_id)
    operator.notify_checkpoint_complete(3)
    assert done == [1, 2]
    assert not operator.awaits_checkpoint
