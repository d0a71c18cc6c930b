"""Generators as sources."""

from collections.abc import Iterator
from itertools import count
from queue import Queue
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.functions import generator, hand_over
from penstock.connectors.functions.generator import GeneratorContext, GeneratorSource
from penstock.contracts.source import Boundedness, InputStatus
from penstock.errors import ProgramError
from tests.connectors.driving import read_all, read_with_restore, running


@pytest.mark.parametrize("blocking", [False, True])
def test_what_is_yielded_is_emitted_in_order(blocking: bool) -> None:
    assert read_all(GeneratorSource(lambda: range(30_000), blocking=blocking)) == list(range(30_000))
    assert read_all(GeneratorSource(lambda: iter(()), blocking=blocking)) == []


@pytest.mark.parametrize("blocking", [False, True])
def test_timestamps_are_taken_where_they_are_yielded(blocking: bool) -> None:
    with running(GeneratorSource(lambda: [("a", 1), ("b", -2)], timestamps=True, blocking=blocking)) as run:
        assert run.run() == ["a", "b"]
        assert run.outputs[0].timestamps == [1, -2]


@pytest.mark.parametrize("wrong", ["a", ("a",), ("a", "b"), ("a", 1.5), None, ("a", 2**63)])
def test_a_record_without_its_timestamp_is_named(wrong: Any) -> None:
    with pytest.raises(ProgramError, match=r"yields \(value, timestamp in milliseconds\), not"):
        read_all(GeneratorSource(lambda: [("a", 1), wrong], timestamps=True))


def sharded(ctx: GeneratorContext, total: int) -> Iterator[int]:
    yield from range(ctx.index, total, ctx.count)


@given(
    st.integers(0, 50),
    st.lists(st.integers(0, 2), max_size=15),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
def test_every_record_comes_once_after_a_restore(
    total: int, polls: list[int], parallelism: int, later: int, blocking: bool, by_position: bool
) -> None:
    def function(ctx: GeneratorContext) -> Iterator[int]:
        numbers = list(sharded(ctx, total))
        return iter(numbers[ctx.position :] if by_position else numbers)

    resume = "position" if by_position else "skip"
    source = GeneratorSource(function, blocking=blocking, resume=resume)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "BATCH_RECORDS", 3)
        patch.setattr(hand_over, "BATCH_RECORDS", 3)
        patch.setattr(hand_over.HandOver.__init__, "__defaults__", (4,))
        found = read_with_restore(source, [poll % parallelism for poll in polls], parallelism, later)
    assert sorted(found) == list(range(total))


def test_restart_begins_again() -> None:
    source = GeneratorSource(lambda: range(3), resume="restart")
    assert read_with_restore(source, [0], 1, 1) == [0, 0, 1, 2]


@pytest.mark.parametrize("blocking", [False, True])
def test_a_generator_that_yields_less_than_before_is_an_error(blocking: bool) -> None:
    lengths = iter([100_000, 2])
    source = GeneratorSource(lambda: range(next(lengths)), blocking=blocking)
    with running(source) as run:
        run.run_until(lambda: len(run.records) >= 3)
        run.status[0] = InputStatus.NOTHING_AVAILABLE
        checkpoint = run.snapshot()
        emitted = len(run.records)
    with (
        running(source, 1, checkpoint) as run,
        pytest.raises(ProgramError, match=f"yielded {emitted} records before the restart and only 2 now"),
    ):
        run.run()


@pytest.mark.parametrize("blocking", [False, True])
def test_records_before_an_exception_are_emitted(blocking: bool) -> None:
    def function() -> Iterator[int]:
        yield from range(10)
        raise LookupError("gone")

    with running(GeneratorSource(function, blocking=blocking)) as run:
        with pytest.raises(LookupError, match="gone"):
            run.run()
        assert run.records == list(range(10))


def test_batches_grow_from_one_record_so_that_the_first_comes_at_once() -> None:
    with running(GeneratorSource(count, bounded=False)) as run:
        run.step(0)
        assert run.records == [0]
        run.run_until(lambda: max(run.outputs[0].batches) >= 64)


def test_a_slow_generator_keeps_the_task_no_longer_than_a_record_or_two() -> None:
    def function() -> Iterator[int]:
        for i in range(100):
            run.clock.advance(20)
            yield i

    with running(GeneratorSource(function)) as run:
        run.run()
        assert set(run.outputs[0].batches) == {1, 2}
        assert run.outputs[0].batches.count(2) < 5, "tried now and then"


def test_a_blocking_generator_is_waited_for_without_holding_the_task() -> None:
    queue: Queue[int | None] = Queue()
    with running(GeneratorSource(lambda: iter(queue.get, None), bounded=False, blocking=True)) as run:
        assert run.step(0) is InputStatus.NOTHING_AVAILABLE
        queue.put(1)
        run.run_until(lambda: run.records == [1])
        queue.put(2)
        queue.put(None)
        assert run.run() == [1, 2]


@pytest.mark.parametrize("blocking", [False, True])
def test_closing_ends_the_generator(blocking: bool) -> None:
    ended = Event()

    def function() -> Iterator[int]:
        try:
            yield from count()
        finally:
            ended.set()

    with running(GeneratorSource(function, bounded=False, blocking=blocking)) as run:
        run.run_until(lambda: len(run.records) > 0)
    assert ended.wait(20)


def test_boundedness_is_what_was_said() -> None:
    assert GeneratorSource(list).get_boundedness() is Boundedness.BOUNDED
    assert GeneratorSource(list, bounded=False).get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ([1, 2], {}, "takes a function"),
        (lambda a, b: [], {}, "needs 2"),
        (list, {"resume": "sometimes"}, "resume must be"),
        (list, {"resume": "position"}, "must take an argument"),
    ],
)
def test_wrong_arguments_are_refused(function: Any, options: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        GeneratorSource(function, **options)


def test_a_function_that_returns_nothing_is_an_error() -> None:
    with pytest.raises(ProgramError, match="it returned None"):
        read_all(GeneratorSource(lambda: None))  # type: ignore[arg-type, return-value]
