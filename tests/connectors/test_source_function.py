"""Source functions run in a thread and lose nothing on the way to the task."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, get_ident
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.functions import hand_over
from penstock.connectors.functions.checkpointed import ListCheckpointed
from penstock.connectors.functions.source import (
    FunctionSource,
    ParallelSourceFunction,
    RichParallelSourceFunction,
    SourceContext,
    SourceFunction,
    source_of_function,
)
from penstock.contracts.source import InputStatus
from penstock.errors import ProgramError
from tests.connectors.driving import read_all, read_with_restore, running


class Running(SourceFunction):
    """A source function out of a plain one."""

    def __init__(self, body: Callable[[SourceContext], None]) -> None:
        self.body = body
        self.story: list[str] = []

    def open(self, runtime_context: Any) -> None:
        self.story.append("open")

    def run(self, ctx: SourceContext) -> None:
        self.body(ctx)

    def cancel(self) -> None:
        self.story.append("cancel")

    def close(self) -> None:
        self.story.append("close")


class Counting(ParallelSourceFunction, ListCheckpointed):
    """Counts up to a number, with its position as state; each subtask has its own numbers."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.position: list[tuple[int, int]] = []

    def open(self, runtime_context: Any) -> None:
        if not self.position:
            self.position = [(runtime_context.get_index_of_this_subtask(), 0)]

    def run(self, ctx: SourceContext) -> None:
        for slot, (subtask, start) in enumerate(list(self.position)):
            for number in range(start, self.count):
                with ctx.get_checkpoint_lock():
                    # The state first: a checkpoint in between would lose the record.
                    self.position[slot] = (subtask, number + 1)
                    ctx.collect((subtask, number))

    def cancel(self) -> None:
        self.count = 0

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return list(self.position)

    def restore_state(self, state: list[Any]) -> None:
        self.position = list(state)


class PerSubtask(FunctionSource):
    """As workers do it, each reader has a function of its own."""

    def __init__(self, make: Callable[[], SourceFunction]) -> None:
        super().__init__(make())
        self._make = make

    def create_reader(self, context: Any) -> Any:
        self._function = self._make()
        return super().create_reader(context)


def test_records_come_in_order_and_the_function_is_opened_and_closed() -> None:
    function = Running(lambda ctx: [ctx.collect(i) for i in range(50_000)])
    with running(FunctionSource(function, bounded=True)) as run:
        assert run.run() == list(range(50_000))
        assert max(run.outputs[0].batches) <= 4096
    assert function.story == ["open", "close"]


def test_timestamps_watermarks_and_idleness_keep_their_place() -> None:
    def body(ctx: SourceContext) -> None:
        ctx.collect("a")
        ctx.collect_with_timestamp("b", 10)
        ctx.collect_with_timestamp("c", 20)
        ctx.emit_watermark(15)
        ctx.mark_as_temporarily_idle()
        ctx.collect("d")
        ctx.close()

    with running(FunctionSource(Running(body))) as run:
        assert run.run() == ["a", "b", "c", "d"]
        assert run.outputs[0].timestamps == [None, 10, 20, None]
        assert run.outputs[0].signals == [("watermark", 15, 3), ("idle", 3), ("watermark", 2**63 - 1, 4)]


def test_a_full_queue_holds_the_function_back() -> None:
    progress: list[int] = []
    filled = Event()

    def body(ctx: SourceContext) -> None:
        for i in range(hand_over.BOUND_RECORDS * 2):
            progress.append(i)
            if i + 1 == hand_over.BOUND_RECORDS:
                filled.set()
            ctx.collect(i)

    with running(FunctionSource(Running(body))) as run:
        run.step(0)
        assert filled.wait(20)
        assert len(progress) <= hand_over.BOUND_RECORDS + len(run.records)
        assert run.run() == list(range(hand_over.BOUND_RECORDS * 2))


@given(
    st.integers(0, 60),
    st.lists(st.integers(0, 1), max_size=12),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(1, 6),
)
def test_every_record_comes_once_after_a_restore(
    count: int, polls: list[int], parallelism: int, later: int, bound: int
) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hand_over, "BATCH_RECORDS", 3)
            patch.setattr(hand_over.HandOver.__init__, "__defaults__", (bound,))
            polls = [poll % parallelism for poll in polls]
            later = min(later, parallelism)  # subtasks that are added later begin a run of their own
            found = read_with_restore(PerSubtask(lambda: Counting(count)), polls, parallelism, later)
    finally:
        sys.setswitchinterval(usual)

    assert sorted(found) == [(subtask, n) for subtask in range(parallelism) for n in range(count)]


def test_a_checkpoint_waits_for_the_lock_and_not_for_room() -> None:
    inside, may_end = Event(), Event()

    class Holding(Counting):
        def run(self, ctx: SourceContext) -> None:
            with ctx.get_checkpoint_lock():
                for number in range(hand_over.BOUND_RECORDS * 3):
                    self.position = [(0, number)]
                    if number == hand_over.BOUND_RECORDS:
                        inside.set()
                    ctx.collect(number)
                self.position = [(0, -1)]
            may_end.wait(20)

        def cancel(self) -> None:
            may_end.set()

    with running(FunctionSource(Holding(0))) as run:
        run.step(0)
        run.wait(0)
        # The function is full here, waits for room, and holds the lock that the checkpoint needs.
        while not inside.is_set():
            run.step(0)
        (split,) = run.readers[0].snapshot_state(1)
        assert split.state == ((0, -1),)
        assert len(split.pending) + len(run.records) == hand_over.BOUND_RECORDS * 3


def test_what_the_function_raises_reaches_the_task_after_its_records() -> None:
    def body(ctx: SourceContext) -> None:
        ctx.collect(1)
        raise LookupError("outside")

    with running(FunctionSource(Running(body))) as run:
        with pytest.raises(LookupError, match="outside"):
            run.run()
        assert run.records == [1]


def test_closing_cancels_and_ends_a_function_that_never_stops_emitting() -> None:
    ended = Event()

    def body(ctx: SourceContext) -> None:
        try:
            while True:
                with suppress(Exception):  # user code that swallows everything must not go on for ever
                    ctx.collect(1)
        finally:
            ended.set()

    function = Running(body)
    with running(FunctionSource(function)) as run:
        run.run_until(lambda: len(run.records) > 0)
    assert ended.wait(20)
    assert function.story == ["open", "cancel", "close"]


def test_run_has_a_thread_of_its_own_and_open_has_the_tasks() -> None:
    threads: dict[str, int] = {}

    class Telling(Running):
        def open(self, runtime_context: Any) -> None:
            threads["open"] = get_ident()

    function = Telling(lambda ctx: threads.setdefault("run", get_ident()) and None)
    assert read_all(FunctionSource(function)) == []
    assert threads["open"] == get_ident() != threads["run"]


def test_a_function_that_had_ended_is_not_run_again() -> None:
    function = Running(lambda ctx: [ctx.collect(i) for i in range(5)] and None)
    with running(FunctionSource(function)) as run:
        while run.status[0] is not InputStatus.END_OF_INPUT:
            if run.step(0) is InputStatus.NOTHING_AVAILABLE:
                run.wait(0)
        run.status[0] = InputStatus.NOTHING_AVAILABLE  # the checkpoint comes before the engine sees the end
        checkpoint = run.snapshot()
    with running(FunctionSource(Running(lambda ctx: ctx.collect("again"))), 1, checkpoint) as run:
        assert run.run() == []


def test_each_subtask_of_a_parallel_function_knows_which_it_is() -> None:
    class Telling(RichParallelSourceFunction):
        def run(self, ctx: SourceContext) -> None:
            ctx.collect(self.get_runtime_context().get_index_of_this_subtask())

        def cancel(self) -> None:
            pass

    assert sorted(read_all(PerSubtask(Telling), 3)) == [0, 1, 2]
    assert FunctionSource(Telling()).is_parallel


def test_a_function_that_is_not_parallel_refuses_to_be() -> None:
    with pytest.raises(ProgramError, match="Running is not a ParallelSourceFunction"):
        read_all(FunctionSource(Running(lambda ctx: None)), 2)


@pytest.mark.parametrize("function", [Counting, lambda ctx: None, None])
def test_other_things_than_source_functions_are_refused(function: Any) -> None:
    with pytest.raises(ProgramError, match="a source function is an object"):
        FunctionSource(function)


@pytest.mark.parametrize("wrong", ["x", 1.5, None])
def test_wrong_times_fail_where_they_are_given(wrong: Any) -> None:
    for body in (lambda ctx: ctx.collect_with_timestamp(1, wrong), lambda ctx: ctx.emit_watermark(wrong)):
        with pytest.raises(ProgramError, match="an integer of milliseconds"):
            read_all(FunctionSource(Running(body)))


def test_a_generator_function_or_a_source_is_taken_as_well() -> None:
    def numbers() -> Iterator[int]:
        yield from range(3)

    source = source_of_function(numbers)
    assert read_all(source) == [0, 1, 2]
    assert source_of_function(source) is source
    assert isinstance(source_of_function(Counting(1)), FunctionSource)
