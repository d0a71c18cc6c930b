"""What a record gives may have no end: it is emitted as it goes, in order, within memory, and can be stopped."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.common import Configuration
from penstock.contracts.pace import BATCH_RECORDS
from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Barrier, Watermark
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import JobFailed, UserCodeError
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.progress import Progress
from penstock.runtime.task.tasklet import SourceTasklet
from tests.runtime.stepped_tasks import ByHand, TaskByHand
from tests.runtime.tasks import Writes

NAMES = count()


def steps(*kinds_and_functions: Any) -> RowChainSpec:
    chain = next(NAMES)
    pairs = zip(kinds_and_functions[::2], kinds_and_functions[1::2], strict=True)
    return RowChainSpec(
        tuple(RowStep(kind, function, f"step {chain}.{i}") for i, (kind, function) in enumerate(pairs))
    )


def largest(task: TaskByHand) -> int:
    """Of the batches that wait behind a task."""
    sizes = [len(element) for element in task.output.queued() if isinstance(element, RowBatch)]
    return max(sizes, default=0)


@pytest.mark.parametrize("timestamps", [None, [5, 6]])
@pytest.mark.parametrize("behind", [(), ("map", lambda x: x + 1), ("filter", lambda x: x >= 0)])
def test_an_endless_flat_map_emits_as_it_goes_and_stops_without_room(behind: Any, timestamps: Any) -> None:
    task = TaskByHand(steps("flat_map", count, *behind), capacity=20)
    task.put(RowBatch([0, 1], timestamps), Watermark(1))
    for _ in range(5):
        while task.step() is Progress.MORE:
            pass
        assert task.step() is Progress.BLOCKED
        assert largest(task) <= BATCH_RECORDS
        assert task.output.queued()
        task.take()


def test_results_and_signals_keep_their_order_in_a_chain_of_expansions() -> None:
    source = ByHand()
    task = TaskByHand(
        source.with_strategy(),
        steps("flat_map", lambda x: (x * 10 + i for i in range(3)), "map", lambda x: x),
        steps("map", lambda x: x, "flat_map", lambda x: range(x * 3_000, x * 3_000 + 3_000)),
        steps("filter", lambda x: x % 2 == 0),
        capacity=1,
    )
    writes = Writes()
    assert isinstance(task.task, SourceTasklet)
    task.task.checkpoints = writes

    def poll(output: Any) -> None:
        output.collect_batch([1, 2])
        output.emit_watermark(7)

    source.polls += [poll, lambda output: output.collect(3), None]
    found: list[Any] = []
    for step in range(10_000):
        progress = task.step()
        assert largest(task) <= BATCH_RECORDS
        found += task.take()
        if step == 3:
            task.task.on_trigger(Barrier(1, 0))
        if progress is Progress.DONE:
            break
    expected = [x for i in (1, 2) for x in range(i * 30_000, i * 30_000 + 9_000, 2)]
    assert [x for x in found if isinstance(x, int)] == expected + list(range(90_000, 99_000, 2))
    assert found[len(expected)] in (Watermark(7), Barrier(1, 0))
    assert found.index(Watermark(7)) < found.index(90_000)
    assert Barrier(1, 0) in found
    assert found[-1] == END_OF_INPUT


@pytest.mark.parametrize("timestamps", [None, [5, 6, 7]])
def test_the_user_hears_which_record_gave_the_result_that_failed(timestamps: Any) -> None:
    def numbers(value: int) -> Iterator[int]:
        for i in range(10_000):
            yield 1 // (9_000 - i if value == 2 else 1)

    task = TaskByHand(steps("map", lambda x: x, "flat_map", numbers, "map", lambda x: x))
    task.put(RowBatch([1, 2, 3], timestamps))
    with pytest.raises(UserCodeError, match=r"(?s)ZeroDivisionError.*the record was 2.*step \d+\.1"):
        task.run()


@pytest.mark.parametrize("timestamps", [None, [5, 6, 7]])
def test_what_fails_behind_an_expansion_is_named(timestamps: Any) -> None:
    task = TaskByHand(steps("flat_map", range, "map", lambda x: x, "map", lambda x: 1 // (x - 3)))
    task.put(RowBatch([2, 5, 3], timestamps))
    with pytest.raises(UserCodeError, match=r"(?s)ZeroDivisionError.*the record was 5.*step \d+\.2"):
        task.run()


def test_a_generator_that_was_not_read_to_its_end_is_closed_with_its_task() -> None:
    closed: list[int] = []

    def endless(value: int) -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.append(value)

    task = TaskByHand(steps("flat_map", endless), capacity=1)
    task.put(RowBatch([7]))
    task.step()
    assert (task.task.close(), closed) == ([], [7])


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_client_takes_as_many_rows_of_an_endless_record_as_it_wants(parallelism: int) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    rows = env.from_collection([0]).rebalance().flat_map(lambda _: count()).execute_and_collect(limit=3)
    assert list(rows) == [0, 1, 2]


def test_a_job_whose_record_never_ends_is_cancelled() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    with (
        env.from_collection([0])
        .flat_map(lambda _: count())
        .filter(lambda x: x == 5)
        .execute_and_collect() as rows
    ):
        assert next(rows) == 5


SHAPES: dict[str, Callable[[range], Any]] = {
    "list": list,
    "generator": lambda numbers: (number for number in numbers),
    "tuple": tuple,
    "range": lambda numbers: numbers,
    "none": lambda numbers: None,
}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(SHAPES)), st.sampled_from([0, 1, 3, 700, 5_000])), max_size=12),
    st.booleans(),
)
def test_lists_and_iterators_of_every_length_give_the_same_in_order(given: list[Any], mapped: bool) -> None:
    expected = [i for shape, count in given if shape != "none" for i in range(count)]
    chain = ["flat_map", lambda one: SHAPES[one[0]](range(one[1]))]
    task = TaskByHand(steps(*chain, *(["map", lambda x: x + 1] if mapped else [])))
    task.put(RowBatch(list(given)))
    assert task.run() == [x + mapped for x in expected]


def test_a_checkpoint_that_waits_for_a_record_without_end_names_the_task_and_says_why() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(10)
    env.get_checkpoint_config().set_checkpoint_timeout(10)
    env.configure(Configuration().set_string("restart-strategy.type", "none"))
    endless = env.from_collection([1, 2]).flat_map(lambda x: count()).name("numbers")
    endless.key_by(lambda x: x % 2).filter(lambda x: False).name("none").print()
    with pytest.raises(
        JobFailed,
        match=r"still missing: '.* -> numbers' 1/1, 'none.* 1/1\. .* a single record, as with a flat_map",
    ):
        env.execute()
